from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racing import hold_and_die, record_and_die, try_to_hold

from resolver.errors import AlreadyRunning, LedgerFailed
from resolver.ledger.leases import LASTING
from resolver.ledger.ledger import open_ledger
from resolver.ledger.sealing import new_key
from resolver.model.decision import Decision, Verdict
from resolver.model.frames import DECISIONS, conform
from resolver.model.journal import JournalEntry, JournalState
from resolver.model.run import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B, C, D = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)


def entry(state, main=A, merged=(B,), **over):
    facts = {
        "entry_id": None,
        "run_id": "run-1",
        "plan_id": "plan-1",
        "step": 0,
        "state": state,
        "before": {"profiles": {main: {"ProfileId": main, "FirstName": "Zoë"}}, "objects": {}},
        "expected": {"ProfileId": main, "FirstName": "Zoë"},
        "request": {"MainProfileId": main, "ProfileIdsToBeMerged": list(merged)},
        "response": None,
        "detail": "",
        "actor": "ana",
        "at": NOON,
    }
    return JournalEntry(**(facts | over))


def decision(left, right, verdict, minutes=0):
    return Decision(left, right, verdict, "ana", "called them", "e1", NOON + timedelta(minutes=minutes))


def test_an_intent_without_a_result_is_open_and_comes_back_whole(ledger):
    ledger.record_intent(entry(JournalState.INTENT))

    (back,) = ledger.open_intents("retail")

    assert back == entry(JournalState.INTENT, entry_id=back.entry_id)
    assert ledger.open_intents("another") == []


@pytest.mark.parametrize("state", [JournalState.DONE, JournalState.FAILED, JournalState.UNCLEAR])
def test_a_result_closes_its_intent(ledger, state):
    ledger.record_intent(entry(JournalState.INTENT))
    ledger.record_intent(entry(JournalState.INTENT, plan_id="plan-2"))
    ledger.record_result(entry(state, detail="read back"))

    assert [e.plan_id for e in ledger.open_intents("retail")] == ["plan-2"]


def test_an_unclear_step_waits_with_its_images_and_its_reason(ledger):
    ledger.record_intent(entry(JournalState.INTENT))
    ledger.record_result(entry(JournalState.SENT))
    ledger.record_result(entry(JournalState.UNCLEAR, detail="LastName differs"))

    (waiting,) = ledger.unclear("retail")

    assert waiting.detail == "LastName differs"
    assert waiting.before == entry(JournalState.INTENT).before


def test_an_intent_without_images_is_refused(ledger):
    with pytest.raises(LedgerFailed, match="images"):
        ledger.record_intent(entry(JournalState.INTENT, before=None))

    assert ledger.open_intents("retail") == []


def test_done_steps_are_counted_by_plan(ledger):
    for step in (0, 1):
        ledger.record_intent(entry(JournalState.INTENT, step=step))
        ledger.record_result(entry(JournalState.DONE, step=step, merged=(f"{step}" * 32,)))
    ledger.record_intent(entry(JournalState.INTENT, plan_id="plan-2"))

    assert ledger.done_steps("retail") == {"plan-1": 2}
    assert ledger.done_steps("another") == {}


def test_a_merged_id_is_followed_through_later_merges(ledger):
    ledger.record_result(entry(JournalState.DONE, main=B, merged=(A,)))
    ledger.record_result(entry(JournalState.DONE, plan_id="plan-2", main=C, merged=(B,)))

    assert ledger.survivors("retail") == {A: C, B: C}


def test_the_latest_verdict_on_a_pair_holds_in_either_order(ledger):
    ledger.record_decisions("retail", [decision(A, B, Verdict.MATCH), decision(B, A, Verdict.NON_MATCH, 1)])

    frame = ledger.decisions_of("retail")

    assert frame.equals(conform(frame, DECISIONS))
    assert frame.select("profile_id_left", "profile_id_right", "verdict").rows() == [(A, B, "non_match")]
    assert frame["decided_at"].to_list() == [NOON + timedelta(minutes=1)]


def test_a_verdict_about_a_merged_profile_speaks_of_its_survivor(ledger):
    ledger.record_decisions("retail", [decision(A, B, Verdict.MATCH), decision(A, C, Verdict.NON_MATCH)])
    ledger.record_result(entry(JournalState.DONE, main=B, merged=(A,)))

    rows = ledger.decisions_of("retail").select("profile_id_left", "profile_id_right", "verdict").rows()

    assert rows == [(B, C, "non_match")]


def test_where_two_verdicts_meet_on_one_pair_the_cautious_one_stands(ledger):
    ledger.record_decisions("retail", [decision(A, C, Verdict.NON_MATCH), decision(B, C, Verdict.MATCH, 5)])
    ledger.record_result(entry(JournalState.DONE, main=B, merged=(A,)))

    assert ledger.decisions_of("retail")["verdict"].to_list() == ["non_match"]


def test_no_verdicts_are_an_empty_decisions_frame(ledger):
    assert ledger.decisions_of("retail").equals(pl.DataFrame(schema=DECISIONS.columns))


def test_a_second_holder_of_a_domain_is_turned_away_until_the_first_lets_go(ledger):
    ledger.acquire_lease("retail", "host-1:7", NOON)

    with pytest.raises(AlreadyRunning, match="host-1:7 is at work"):
        ledger.acquire_lease("retail", "host-2:9", NOON + timedelta(seconds=10))
    ledger.acquire_lease("another", "host-2:9", NOON)
    ledger.release_lease("retail", "host-2:9")  # not theirs to release
    with pytest.raises(AlreadyRunning):
        ledger.acquire_lease("retail", "host-2:9", NOON)
    ledger.release_lease("retail", "host-1:7")
    ledger.acquire_lease("retail", "host-2:9", NOON)


def test_a_dead_holder_loses_the_domain_and_learns_it_if_it_lives(ledger):
    ledger.acquire_lease("retail", "host-1:7", NOON)
    renewed = ledger.renew_lease("retail", "host-1:7", NOON + timedelta(seconds=60))

    with pytest.raises(AlreadyRunning):
        ledger.acquire_lease("retail", "host-2:9", NOON + LASTING)
    ledger.acquire_lease("retail", "host-2:9", renewed)
    with pytest.raises(AlreadyRunning, match="lost"):
        ledger.renew_lease("retail", "host-1:7", renewed)


@pytest.fixture(scope="module")
def processes():
    """Children forked from a clean server that has imported what is slow to import."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["resolver.app.applying", "resolver.ledger.ledger", "boto3", "polars"])
    return context


def test_of_processes_started_together_exactly_one_holds_the_domain(processes, url):
    open_ledger(url).close()
    answers, all_answered = processes.Queue(), processes.Event()
    racers = [
        processes.Process(target=try_to_hold, args=(url, f"racer {n}", NOON, (answers, all_answered)))
        for n in range(4)
    ]
    for racer in racers:
        racer.start()
    outcome = sorted(answers.get(timeout=60) for _ in racers)
    all_answered.set()
    for racer in racers:
        racer.join(60)

    assert outcome == ["held"] + ["turned away"] * 3


def test_a_killed_process_of_this_machine_loses_the_domain_at_once(processes, url):
    open_ledger(url).close()
    child = processes.Process(target=hold_and_die, args=(url, "the killed", NOON))
    child.start()
    child.join(60)

    with open_ledger(url) as ledger:
        ledger.acquire_lease("retail", "its successor", NOON)
        with pytest.raises(AlreadyRunning, match="its successor"):
            ledger.acquire_lease("retail", "a third", NOON)


def test_a_process_of_another_machine_keeps_the_domain_until_its_lease_ends(ledger, monkeypatch):
    elsewhere = '{"boot": "b", "host": "h", "namespace": "n", "pid": 1, "started": "1"}'
    with monkeypatch.context() as patch:
        patch.setattr("resolver.ledger.leases.this_process", lambda: elsewhere)
        ledger.acquire_lease("retail", "another host", NOON)

    with pytest.raises(AlreadyRunning, match="another host"):
        ledger.acquire_lease("retail", "this host", NOON + LASTING - timedelta(seconds=1))
    ledger.acquire_lease("retail", "this host", NOON + LASTING)


def test_an_intent_survives_the_death_of_its_process(processes, url, monkeypatch):
    key = new_key()
    monkeypatch.setenv("RESOLVER_LEDGER_KEY", key)
    run = Run("run-1", "retail", "apply", "ana", NOON)
    child = processes.Process(target=record_and_die, args=(url, run, entry(JournalState.INTENT), key))
    child.start()
    child.join(60)

    assert child.exitcode == -signal.SIGKILL
    with open_ledger(url) as ledger:
        assert [e.plan_id for e in ledger.open_intents("retail")] == ["plan-1"]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is a letter, not a ledger" * 100)

    with pytest.raises(LedgerFailed, match=r"ledger\.db: cannot write: file is not a database"):
        open_ledger(str(path))


def test_a_damaged_ledger_is_refused(file_url, tmp_path):
    with open_ledger(file_url) as ledger:
        ledger.start_run(Run("run-1", "retail", "apply", "ana", NOON))
        for n in range(200):
            ledger.record_intent(entry(JournalState.INTENT, plan_id=f"plan-{n}"))
    path = tmp_path / "ledger.db"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 8192] = os.urandom(8192)
    path.write_bytes(content)

    with pytest.raises(LedgerFailed, match=r"ledger\.db"):
        open_ledger(file_url)


def test_another_programs_database_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "theirs.db"
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE invoices (id INTEGER)")
    theirs.close()

    with pytest.raises(LedgerFailed, match="not a ledger"):
        open_ledger(str(path))

    theirs = sqlite3.connect(path)
    assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("invoices",)]
    theirs.close()


def test_a_ledger_of_another_version_is_refused(file_url, tmp_path):
    open_ledger(file_url).close()
    raw = sqlite3.connect(tmp_path / "ledger.db")
    raw.execute("UPDATE alembic_version SET version_num = '99'")
    raw.commit()
    raw.close()

    with pytest.raises(LedgerFailed, match="version 99"):
        open_ledger(file_url)


def test_a_ledger_that_cannot_be_written_is_refused_when_it_is_opened(file_url, tmp_path):
    open_ledger(file_url).close()

    with pytest.raises(LedgerFailed, match="readonly"):
        open_ledger(f"sqlite:///file:{tmp_path}/ledger.db?mode=ro&uri=true")
    with pytest.raises(LedgerFailed, match="unable to open"):
        open_ledger(str(tmp_path / "nowhere" / "ledger.db"))


@pytest.mark.parametrize("url", ["what://is/this", "postgresql+nothing://host/db", "://"])
def test_a_url_that_names_no_database_is_refused(url):
    with pytest.raises(LedgerFailed, match="URL"):
        open_ledger(url)


def test_a_failing_write_says_what_the_database_said_and_no_value(ledger):
    with pytest.raises(LedgerFailed, match=r"(?i)foreign key") as caught:
        ledger.record_intent(entry(JournalState.INTENT, run_id="unknown"))

    assert "Zoë" not in str(caught.value)
    assert ledger.open_intents("retail") == []


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")).filter(
            lambda pair: pair[0] != pair[1]
        ),
        max_size=8,
    )
)
def test_survivors_are_never_merged_away_themselves(pairs):
    """Merges as they can happen: whoever was merged away takes no part in a later one."""
    gone = set()
    with open_ledger("sqlite://") as ledger:
        ledger.start_run(Run("run-1", "retail", "apply", "ana", NOON))
        for number, (main, merged) in enumerate(pairs):
            if main not in gone and merged not in gone:
                ledger.record_result(
                    entry(JournalState.DONE, plan_id=str(number), main=main, merged=(merged,))
                )
                gone.add(merged)

        into = ledger.survivors("retail")

    assert set(into) == gone
    assert not gone & set(into.values())
