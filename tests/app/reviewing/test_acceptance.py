"""Plans are released by pattern, while looks bound how wrong the pattern could be."""

from __future__ import annotations

import pytest
from workshop import Watch, batch_of, many

from resolver.app.acceptance import accept, describe_acceptance
from resolver.app.reviewing import batching
from resolver.app.reviewing.bounds import wrong_at_most
from resolver.app.reviewing.desk import Desk
from resolver.ledger.ledger import open_ledger
from resolver.model.review_fact import ReviewFact, Ruling
from resolver.report.text import acceptance_lines

GATE = 0.015


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


def desk_of(ledger, parts):
    return Desk(batch_of(parts), ledger.reviews, Watch())


def ready(desk):
    return [case.plan for case in desk.batch.cases.values() if case.plan and case.plan.band == "merge"]


def key_of(desk):
    return next(pile.pattern.key for pile in desk.piles() if pile.pattern.lane == "batch")


def look_back(ledger, desk, said, terms=None):
    """Looks of an earlier run on the desk's batch pattern; gives a desk that knows of them."""
    key = key_of(desk)
    facts = [
        ReviewFact(
            domain="retail",
            run_id="run-46",
            cluster_id=f"pattern:{key}",
            seq=n + 1,
            kind="look",
            reviewer="mo",
            version="run-46",
            content={
                "cluster": f"old-{n}",
                "look": one,
                "odd": False,
                "rules": terms or batching._terms(desk),
            },
            at=desk.clock(),
        )
        for n, one in enumerate(said)
    ]
    assert ledger.reviews.record("retail", [Ruling(fact) for fact in facts])
    return Desk(desk.batch, ledger.reviews, Watch())


def test_nothing_is_released_before_anybody_has_looked(ledger):
    desk = desk_of(ledger, many(30, "batch"))
    plans = ready(desk)
    released, (pattern,) = accept(desk, plans, GATE)
    assert len(plans) == 30
    assert (released, pattern.plans, pattern.looks, pattern.wrong_at_most) == ([], 30, 0, 1.0)


@pytest.mark.parametrize(
    ("clean", "wrong", "is_released"),
    [(198, 0, False), (199, 0, True), (300, 1, False), (314, 1, True)],
)
def test_looks_of_all_weeks_release_a_pattern_when_their_bound_meets_the_gate(
    ledger, clean, wrong, is_released
):
    assert (wrong_at_most(clean + wrong, wrong) <= GATE) is is_released
    said = ["right"] * clean + ["wrong"] * wrong
    desk = look_back(ledger, desk_of(ledger, many(30, "batch")), said)
    released, (pattern,) = accept(desk, ready(desk), GATE)
    assert pattern.released is is_released
    assert (pattern.looks, pattern.wrong) == (clean + wrong, wrong)
    assert len(released) == (30 if is_released else 0)


def test_a_wrong_look_of_this_run_holds_the_pattern_whatever_the_bound(ledger):
    desk = look_back(ledger, desk_of(ledger, many(30, "batch")), ["right"] * 2_000)
    key = key_of(desk)
    assert accept(desk, ready(desk), GATE)[1][0].released
    assert batching.draw(desk, key, "ana").kind == "saved"
    batch = batching.batch_of(desk, key)
    batching.look(desk, key, "wrong", ("ana", batch.current.cluster_id, batch.seq))
    released, (pattern,) = accept(desk, ready(desk), GATE)
    assert pattern.wrong_at_most < GATE
    assert (released, pattern.released) == ([], False)


def test_looks_under_another_rule_set_count_for_nothing(ledger):
    desk = look_back(ledger, desk_of(ledger, many(30, "batch")), ["right"] * 500, terms="another")
    released, (pattern,) = accept(desk, ready(desk), GATE)
    assert (released, pattern.looks) == ([], 0)


def test_a_pattern_too_rare_to_be_sampled_waits_for_a_person(ledger):
    desk = desk_of(ledger, [*many(30, "batch")[:5]])
    released, (pattern,) = accept(desk, ready(desk), GATE)
    assert (released, pattern.plans, pattern.wrong_at_most) == ([], 5, 1.0)


def test_the_bound_is_printed_and_its_absence_is_said(ledger):
    desk = look_back(ledger, desk_of(ledger, many(30, "batch")), ["right"] * 199)
    _, patterns = accept(desk, ready(desk), GATE)
    told = "\n".join(acceptance_lines(describe_acceptance(GATE, patterns)))
    assert "0 of 199 looks not right, at most 1.50 % wrong (95%)" in told
    assert "no bound on the share of wrong merges is known" in "\n".join(
        acceptance_lines(describe_acceptance(0.0, None))
    )
