from __future__ import annotations

import copy
from html.parser import HTMLParser

import pytest

from resolver.report.page import charts_of, render_page

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"


def run_of(number: int, state: str = "passed", **figures: float) -> dict:
    return {"run_id": f"r{number}", "at": "2026-01-05", "state": state, "figures": figures}


REPORT = {
    "domain": "shop",
    "run_id": "r2",
    "at": "2026-01-12T03:30:00+00:00",
    "rule_set": {"name": "default", "fingerprint": "ab"},
    "gate": {
        "state": "held",
        "breaches": [
            {
                "figure": "profiles",
                "before": 300.0,
                "now": 20.0,
                "limit": "a fall",
                "reason": "why",
                "examples": ["p1"],
            },
            {
                "figure": "largest_cluster",
                "before": None,
                "now": 77.0,
                "limit": "at most 50",
                "reason": "why",
                "examples": [],
            },
        ],
    },
    "ambiguous_keys": {
        "phones": {"asked": 90, "before": 12, "after": 3},
        "e-mails": {"asked": 80, "before": 7, "after": None},
    },
    "profiles": {"found": 1300, "in_domain": 1301, "calls": {"SearchProfiles": 41}},
    "clusters": {
        "customers": 900,
        "profiles_in_them": 500,
        "of_two_or_more": 100,
        "by_band": {"merge": 60, "review": 40},
    },
    "second_opinion": {"relations": {"ours_only": 5}},
    "plans": {
        "merge": 60,
        "review": 40,
        "profiles_merged_away": 80,
        "values_given_up": 9,
        "review_reasons": {"contested": 2},
    },
    "apply": {
        "by_result": {"applied": 1},
        "profiles_merged_away": 2,
        "stopped": None,
        "undo": [{"plan_id": "abcdef", "profiles_merged_away": 2}],
    },
    "lineage": {"new": 1, "kept": 2},
    "history": [run_of(1, profiles=100.0, match_rate=0.5), run_of(2, "held", profiles=50.0, match_rate=0.25)],
}


class Page(HTMLParser):
    """The elements, attributes and words of a page, and its numbered cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.figures: dict[str, str] = {}
        self._cell: str | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._cell = dict(attrs).get("data-figure")

    def handle_data(self, data):
        self.words += data
        if self._cell is not None:
            self.figures[self._cell] = data
            self._cell = None


def poisoned(value):
    """The same report with every text in it made hostile."""
    if isinstance(value, dict):
        return {key: poisoned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    return HOSTILE if isinstance(value, str) and value not in {"held", "passed"} else value


def test_the_page_says_what_the_report_says():
    figures = Page(render_page(REPORT)).figures
    assert figures == {
        "phones-before": "12",
        "phones-after": "3",
        "phones-asked": "90",
        "e-mails-before": "7",
        "e-mails-after": "–",
        "e-mails-asked": "80",
        "profiles": "1,300",
        "customers": "900",
        "shared": "500",
        "band-merge": "60",
        "band-review": "40",
        "opinion-ours_only": "5",
        "plans-merge": "60",
        "plans-review": "40",
        "result-applied": "1",
        "merged-away": "2",
        "lineage-new": "1",
        "lineage-kept": "2",
        "calls-SearchProfiles": "41",
    }


def test_a_held_run_says_so_first_and_a_run_that_merged_nothing_lists_no_undo():
    words = Page(render_page(REPORT)).words
    assert words.index("Held: nothing was merged") < words.index("Are callers recognised?")
    assert "first run" in words
    passed = copy.deepcopy(REPORT)
    passed["gate"] = {"state": "passed", "breaches": []}
    passed["apply"] = None
    words = Page(render_page(passed)).words
    assert "Held" not in words
    assert "Undo" not in words
    assert "Nothing was merged by this run" in words


def test_no_text_of_a_report_becomes_markup():
    hostile = poisoned(copy.deepcopy(REPORT))
    hostile["ambiguous_keys"][HOSTILE] = hostile["ambiguous_keys"].pop("phones")
    hostile["plans"]["review_reasons"] = {HOSTILE: 1}
    hostile["profiles"]["calls"] = hostile["lineage"] = hostile["clusters"]["by_band"] = {HOSTILE: 1}
    hostile["apply"]["by_result"] = hostile["second_opinion"]["relations"] = {HOSTILE: 1}
    clean, dirty = Page(render_page(REPORT)), Page(render_page(hostile))
    assert {tag for tag, _ in dirty.tags} <= {tag for tag, _ in clean.tags}
    attributes = {name for _, attrs in dirty.tags for name in attrs}
    assert attributes <= {name for _, attrs in clean.tags for name in attrs}
    assert HOSTILE in dirty.words
    assert "{{ 7*7 }}" in dirty.words, "data is not a template"


def test_the_page_fetches_nothing_and_runs_nothing():
    text = render_page(REPORT)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    names = {name for _, attrs in page.tags for name in attrs}
    assert not names & {"src", "href", "action", "style"}
    assert not any(name.startswith("on") for name in names)
    assert "://" not in text
    (policy,) = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert ("html", {"lang": "en"}) in page.tags


def test_charts_start_at_zero_and_mark_held_runs():
    profiles, rate = charts_of(REPORT["history"])
    assert (profiles["name"], profiles["first"], profiles["last"]) == ("profiles", "100", "50")
    assert (rate["first"], rate["last"]) == ("50.0%", "25.0%")
    first, last = profiles["points"]
    assert (first["held"], last["held"]) == (False, True)
    assert last["y"] - first["y"] == pytest.approx((profiles["height"] - first["y"] * 2) / 2), (
        "half is half as high"
    )
    assert charts_of(REPORT["history"][:1]) == []


def test_the_bound_of_unattended_merges_is_printed_or_said_to_be_unknown():
    report = copy.deepcopy(REPORT)
    looked = {
        "pattern": HOSTILE,
        "plans": 30,
        "looks": 199,
        "wrong": 0,
        "wrong_at_most": 0.014942,
        "released": True,
    }
    held = {**looked, "pattern": "rare", "looks": 0, "wrong_at_most": 1.0, "released": False}
    report["acceptance"] = {"gate": 0.015, "confidence": 0.95, "patterns": [looked, held], "plans_held": 30}
    page = render_page(report)
    assert "1.50 %" in page
    assert "100.00 %" in page
    assert "held for looks" in page
    assert "<script>" not in page
    report["acceptance"]["patterns"] = None
    assert "no bound is known" in render_page(report)
    assert "acceptance_gate" not in render_page({**report, "acceptance": None})
