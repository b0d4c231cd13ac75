"""Before-images expire, and a person can be forgotten; the history stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from merges import plan_of_group

from resolver.errors import BadInput, Held, LedgerFailed
from resolver.ledger.ledger import open_ledger
from resolver.model.decision import Decision, Verdict
from resolver.model.journal import JournalEntry, JournalState
from resolver.model.run import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)
A, B, C, D = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)


def profile(profile_id):
    return {"ProfileId": profile_id, "FirstName": f"Name-{profile_id[0]}"}


def done(ledger, main, merged, state=JournalState.DONE):
    """A merge of two, recorded with its plan up to that state; the plan's id."""
    plan = plan_of_group([profile(main), profile(merged)])
    ledger.record_plans("run-1", [plan])
    facts = {
        "entry_id": None,
        "run_id": "run-1",
        "plan_id": plan.plan_id,
        "step": 0,
        "request": {"MainProfileId": main, "ProfileIdsToBeMerged": [merged]},
        "response": None,
        "detail": "",
        "actor": "ana",
        "at": NOON,
    }
    before = {"profiles": {i: profile(i) for i in (main, merged)}, "objects": {}, "keys": {}}
    ledger.record_intent(
        JournalEntry(state=JournalState.INTENT, before=before, expected=profile(main), **facts)
    )
    if state is not JournalState.INTENT:
        ledger.record_result(JournalEntry(state=state, before=None, expected=None, **facts))
    return plan.plan_id


def test_what_is_old_and_finished_expires_and_the_rest_stays(ledger):
    finished = done(ledger, A, B)
    open_one = done(ledger, C, D, JournalState.INTENT)

    assert ledger.expire("retail", NOON - timedelta(days=1))["before_images"] == 0
    removed = ledger.expire("retail", LATER)

    assert (removed["before_images"], removed["plans"]) == (1, 1)
    with pytest.raises(LedgerFailed, match=r"gone: expired"):
        ledger.intent_of(finished, 0)
    assert ledger.intent_of(open_one, 0).before["profiles"][C] == profile(C)
    assert [entry.state for entry in ledger.entries_of(finished)] == [JournalState.INTENT, JournalState.DONE]
    assert ledger.survivors("retail") == {B: A}
    assert ledger.expire("another", LATER)["before_images"] == 0


def test_a_person_is_found_through_merges_and_forgotten(ledger):
    first, second = done(ledger, B, A), done(ledger, C, B)
    other = done(ledger, "e" * 32, D)
    ledger.record_decisions("retail", [Decision(A, D, Verdict.NON_MATCH, "ana", "Name-a called", "", NOON)])

    removed = ledger.forget("retail", A, ("bea", LATER))

    assert removed["profile_ids"] == [A, B, C]
    assert (removed["before_images"], removed["plans"], removed["reasons_of_decisions"]) == (2, 2, 1)
    for plan_id in (first, second):
        with pytest.raises(LedgerFailed, match="erased on request of bea on 2026-03-31"):
            ledger.intent_of(plan_id, 0)
    assert ledger.intent_of(other, 0).before["profiles"][D] == profile(D)
    frame = ledger.decisions_of("retail")
    assert (frame["verdict"].to_list(), frame["reason"].to_list()) == (["non_match"], [""])
    (erasure,) = ledger.erasures_of("retail")
    assert (erasure["profile_ids"], erasure["actor"]) == ([A, B, C], "bea")
    assert ledger.forget("retail", A, ("bea", LATER))["before_images"] == 0


@pytest.mark.parametrize("beginning", ["", "%", "a", "a" * 12, "MainProfileId", "A" * 32, "a" * 31 + "_"])
def test_only_a_whole_profile_id_is_forgotten(ledger, beginning):
    merge = done(ledger, A, B)
    with pytest.raises(BadInput, match="whole id of a profile"):
        ledger.forget("retail", beginning, ("bea", LATER))
    assert ledger.intent_of(merge, 0).before["profiles"][A] == profile(A)
    assert ledger.erasures_of("retail") == []


def test_a_person_whose_merge_is_in_hand_is_forgotten_after_it(ledger):
    done(ledger, A, B, JournalState.INTENT)
    with pytest.raises(Held, match="not finished"):
        ledger.forget("retail", B, ("bea", LATER))
    assert ledger.open_intents("retail")[0].before["profiles"][B] == profile(B)


def test_nothing_of_a_forgotten_person_is_left_in_the_files(file_url, tmp_path):
    with open_ledger(file_url) as ledger:
        ledger.start_run(Run("run-1", "retail", "apply", "ana", NOON))
        done(ledger, A, B)
        with ledger._engine.connect() as connection:
            sealed = connection.exec_driver_sql("SELECT before FROM images").scalar_one()
        ledger.forget("retail", B, ("bea", LATER))
        content = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    assert sealed[20:60].encode() not in content
