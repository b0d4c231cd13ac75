"""What decisions say of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations

import polars as pl
import pytest

from resolver import Evidence, load_rules, resolve
from resolver.app.decided import describe_decisions
from resolver.exploring import interval
from resolver.local.sample.generator import make_sample
from resolver.model.frames import DECISIONS
from resolver.profiles.convert import profiles_frame
from resolver.report.text import decision_lines

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def decided(*rows: tuple[str, str, str]) -> pl.DataFrame:
    whole = [(left, right, verdict, "ana", "", NOON) for left, right, verdict in rows]
    return pl.DataFrame(whole, schema=DECISIONS.columns, orient="row")


@pytest.fixture(scope="module")
def profiles():
    return profiles_frame(make_sample(300, seed=4).profiles)


def test_without_decisions_there_is_nothing_to_tell(profiles):
    rules = load_rules()
    told = describe_decisions(resolve(profiles, rules).linkage, profiles, decided(), rules.thresholds)
    assert told == {"pairs": 0, "about_absent_profiles": 0, "contradicted": [], "precision": []}
    assert list(decision_lines(told)) == []


def test_precision_is_counted_on_the_models_own_weights_and_not_on_the_answer(profiles):
    rules = load_rules()
    linkage = resolve(profiles, rules).linkage
    ids = profiles["profile_id"]
    sure = linkage.pairs.filter(pl.col("match_weight") >= rules.thresholds.merge).head(8)
    pairs = list(zip(ids.gather(sure["left"]), ids.gather(sure["right"]), strict=True))
    rows = [(a, b, "match" if n else "non_match") for n, (a, b) in enumerate(pairs)]
    decisions = decided(*rows)
    again = resolve(profiles, rules, Evidence(decisions=decisions)).linkage
    told = describe_decisions(again, profiles, decisions, rules.thresholds)
    (merge,) = [one for one in told["precision"] if one["threshold"] == "merge"]
    assert (merge["decided"], merge["precision"]) == (8, 7 / 8)
    assert (merge["precision"], merge["precision_low"], merge["precision_high"]) == interval(7, 8)
    assert any("of 8 decided pairs 87.5 % are matches" in line for line in decision_lines(told))


def test_decisions_that_contradict_each_other_are_told_and_run_nothing_unattended(profiles):
    rules = load_rules()
    plans = resolve(profiles, rules).planning.of_band("merge")
    plan = max(plans, key=lambda p: len(p.profile_ids))
    one, two, three = plan.profile_ids[:3]
    rows = [(a, b, "match") for a, b in combinations(plan.profile_ids, 2) if {a, b} != {one, three}]
    decisions = decided(*rows, (one, three, "non_match"))
    resolution = resolve(profiles, rules, Evidence(decisions=decisions))
    told = describe_decisions(resolution.linkage, profiles, decisions, rules.thresholds)
    assert set(told["contradicted"]) == set(plan.profile_ids)
    assert two in told["contradicted"]
    unattended = {i for p in resolution.planning.of_band("merge") for i in p.profile_ids}
    assert not unattended & set(told["contradicted"])
    assert any("contradicted" in line for line in decision_lines(told))
