"""The report of a match: the clusters that a person should see, the weakest first."""

from __future__ import annotations

import polars as pl
import pytest

from resolver.report.match_report import MOST, listed, render_match
from resolver.report.page import render_match_page

HOSTILE = "<script>alert(1)</script>"
TOLD = {
    "profiles": 1200,
    "columns": {"fields": ["FirstName", "EmailAddress"], "attributes": ["Telephone"]},
    "pairs": {"candidates": 900, "per_profile": 0.75},
    "clusters": {
        "customers": 1000,
        "of_two_or_more": 150,
        "profiles_in_them": 350,
        "by_band": {"merge": 100, "review": 50},
        "by_size": {"2": 120, "5": 30},
    },
    "linked": {"way": "full", "why": "the rule set is another one"},
    "rule_set": {"name": "default", "fingerprint": "ab"},
    "stages": [{"seconds": 0.5, "peak_mib": 90}, {"seconds": 1.0, "peak_mib": 120}],
}


def clusters(*rows: tuple[str, str, str, float | None, bool]) -> pl.DataFrame:
    """A row each: profile, cluster, band, weakest link, contested."""
    frame = pl.DataFrame(
        rows, schema=["profile_id", "cluster_id", "band", "weakest_link", "contested"], orient="row"
    )
    return frame.with_columns(pl.len().over("cluster_id").alias("size"))


def test_the_weakest_clusters_of_each_band_come_first_and_single_profiles_not_at_all():
    found = listed(
        clusters(
            ("a2", "a", "merge", 9.0, False),
            ("a1", "a", "merge", 9.0, False),
            ("b1", "b", "merge", 7.5, False),
            ("b2", "b", "merge", 7.5, False),
            ("c1", "c", "review", 2.5, True),
            ("c2", "c", "review", 2.5, True),
            ("d1", "d", "distinct", None, False),
        )
    )
    assert [one["ids"] for one in found["merge"]] == [["b1", "b2"], ["a1", "a2"]]
    assert found["merge"][0]["bits"] == 7.5
    assert found["merge"][0]["doubts"] == []
    assert found["review"][0]["doubts"] == ["somebody else is as near"]
    assert "d1" not in str(found)


def test_a_page_lists_so_many_and_says_of_how_many():
    rows = [(f"p{k}{side}", f"c{k:03}", "review", 2.0, False) for k in range(MOST + 5) for side in "ab"]
    found = listed(clusters(*rows))
    assert len(found["review"]) == MOST
    told = TOLD | {"clusters": TOLD["clusters"] | {"by_band": {"merge": 0, "review": MOST + 5}}}
    assert f"{MOST} of {MOST + 5}" in render_match_page(told, found)


def test_the_page_has_every_figure_escapes_ids_and_fetches_nothing():
    found = listed(clusters((HOSTILE, "a", "merge", 9.0, False), ("a1", "a", "merge", 9.0, False)))
    page = render_match_page(TOLD, found)
    for figure in ("1,200", "1,000", "350", "900"):
        assert f">{figure}</td>" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


@pytest.mark.parametrize(
    ("linked", "said"),
    [
        ({"way": "full"}, "the whole file"),
        ({"way": "full", "why": "too much changed"}, "the whole file: too much changed"),
        ({"way": "incremental"}, "incremental"),
    ],
)
def test_the_text_has_the_figures_and_what_was_looked_at(linked, said):
    text = render_match(TOLD | {"linked": linked})
    assert "1,000; 350 profiles in 150 clusters of two or more" in text
    assert "120 of 2, 30 of 5" in text
    assert "FirstName, EmailAddress" in text
    assert "Telephone" in text
    assert "1.5 s, 120 MiB at the peak" in text
    assert text.splitlines()[-2].endswith(" " + said)
