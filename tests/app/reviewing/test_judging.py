from __future__ import annotations

import pytest
from workshop import NOON, Watch, batch_of, stories

from resolver.app.reviewing import drafting
from resolver.app.reviewing.desk import Desk
from resolver.app.reviewing.judging import Ask, judge, judge_second, undo
from resolver.app.reviewing.pair_verdicts import pairs_of
from resolver.app.reviewing.releasing import releasable
from resolver.app.reviewing.standing import State
from resolver.ledger.ledger import open_ledger
from resolver.ledger.reviews import open_review_book
from resolver.model.decision import Decision, Verdict


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "ledger.db")


@pytest.fixture
def desk(path):
    with open_review_book(path) as book:
        yield Desk(batch_of(stories()), book, Watch(), second_share=0.0, blind_share=0.0)


def ask(desk, cluster_id, verdict, reviewer="ana", **more):
    case = desk.batch.cases[cluster_id]
    return Ask(cluster_id, verdict, desk.standing(cluster_id).seq, case.version, reviewer, **more)


def verdicts(desk):
    rows = desk.book.decisions_of("retail")
    return {(r["profile_id_left"], r["profile_id_right"]): r["verdict"] for r in rows.iter_rows(named=True)}


def test_not_the_same_keeps_every_pair_apart(desk):
    assert judge(desk, ask(desk, "cluster-b", "not_same")).kind == "saved"
    assert set(verdicts(desk).values()) == {"non_match"}
    assert len(verdicts(desk)) == 3


def test_a_merge_joins_every_pair_and_its_plan_can_be_released(desk):
    judge(desk, ask(desk, "cluster-e", "merge"))
    assert verdicts(desk) == {("e-a", "e-b"): "match"}
    assert [p.cluster_id for p in releasable(desk)] == ["cluster-e"]


def test_asking_says_nothing_of_any_pair(desk):
    judge(desk, ask(desk, "cluster-e", "ask", note="whose number is this?"))
    assert verdicts(desk) == {}
    assert desk.standing("cluster-e").decided
    assert desk.facts()[0].note == "whose number is this?"


def test_an_undone_verdict_stands_in_the_history_and_holds_no_more(desk):
    judge(desk, ask(desk, "cluster-e", "not_same"))
    assert undo(desk, "ana").message == "Undone: not the same cluster-e."
    assert [f.kind for f in desk.facts()] == ["verdict", "undo"]
    assert desk.standing("cluster-e").state is State.OPEN
    assert verdicts(desk) == {("e-a", "e-b"): "unsure"}
    assert undo(desk, "ana").kind == "refused"


def test_undo_gives_a_pair_its_earlier_verdict_back(path):
    with open_ledger(path) as ledger:
        ledger.record_decisions("retail", [Decision("e-a", "e-b", Verdict.MATCH, "mo", "", "", NOON)])
    with open_review_book(path) as book:
        desk = Desk(batch_of(stories()), book, Watch(), second_share=0.0)
        judge(desk, ask(desk, "cluster-e", "not_same"))
        assert desk.standing("cluster-e").state is State.FIGHTS
        undo(desk, "ana")
        assert verdicts(desk) == {("e-a", "e-b"): "match"}


def test_undo_takes_back_only_ones_own_verdicts(desk):
    judge(desk, ask(desk, "cluster-e", "not_same"))
    assert undo(desk, "bo").kind == "refused"
    assert desk.standing("cluster-e").decided


def test_a_verdict_on_what_is_no_longer_shown_is_a_conflict_with_a_name(desk):
    late = ask(desk, "cluster-e", "merge", "bo")
    judge(desk, ask(desk, "cluster-e", "not_same"))
    answer = judge(desk, late)
    assert answer.kind == "conflict"
    assert answer.message.startswith("ana decided this at 12:00: not the same.")
    assert len(desk.facts()) == 1


def test_a_verdict_on_another_version_is_refused(desk):
    stale = Ask("cluster-e", "merge", 0, "another version", "ana")
    assert judge(desk, stale).kind == "changed"
    assert not desk.facts()


def test_a_guarded_merge_waits_for_another_person_and_keeps_its_pairs_open(desk):
    assert judge(desk, ask(desk, "cluster-h", "merge")).kind == "confirm"
    judge(desk, ask(desk, "cluster-h", "merge", confirmed=True))
    assert desk.standing("cluster-h").state is State.WAITING
    assert verdicts(desk) == {}
    assert releasable(desk) == ()
    assert judge_second(desk, ask(desk, "cluster-h", "merge")).kind == "forbidden"
    judge_second(desk, ask(desk, "cluster-h", "merge", "bo"))
    assert desk.standing("cluster-h").state is State.APPROVED
    assert set(verdicts(desk).values()) == {"match"}
    assert len(verdicts(desk)) == 6


def test_reviewers_who_differ_release_nothing(desk):
    judge(desk, ask(desk, "cluster-h", "merge", confirmed=True))
    answer = judge_second(desk, ask(desk, "cluster-h", "not_same", "bo"))
    assert answer.message == "You and ana differ."
    assert desk.standing("cluster-h").state is State.DIFFERS
    assert releasable(desk) == ()
    assert verdicts(desk) == {}


def test_a_split_needs_groups_that_say_something(desk):
    open_to_all = dict.fromkeys(desk.batch.cases["cluster-h"].profile_ids, 0)
    assert judge(desk, ask(desk, "cluster-h", "split", groups=open_to_all)).kind == "refused"
    assert judge(desk, ask(desk, "cluster-h", "split", groups={})).kind == "refused"


def test_a_split_says_together_within_and_apart_across_and_nothing_of_the_open():
    content = {"verdict": "split", "groups": {"a": 1, "b": 1, "c": 2, "d": 0}}
    assert list(pairs_of(content, ["a", "b", "c", "d"])) == [
        ("a", "b", Verdict.MATCH),
        ("a", "c", Verdict.NON_MATCH),
        ("b", "c", Verdict.NON_MATCH),
    ]


def test_a_large_cluster_is_joined_through_its_main_profile():
    ids = [f"p{n:02d}" for n in range(30)]
    said = list(pairs_of({"verdict": "merge", "groups": dict.fromkeys(ids, 1)}, ids))
    assert len(said) == 29
    assert {left for left, _, _ in said} == {"p00"}


def test_choices_travel_with_the_verdict_and_are_forgotten_after_it(desk):
    key = ("cluster-b", "ana")
    drafting.choose_main(desk, key, "b-b")
    drafting.choose_source(desk, key, "BusinessName", "b-c")
    judge(desk, ask(desk, "cluster-b", "merge"))
    (plan,) = releasable(desk)
    assert plan.main_profile_id == "b-b"
    assert plan.steps[0].field_sources["BusinessName"] == "b-c"
    assert desk.book.draft("retail", *key) == {}


def test_what_no_merge_can_choose_is_refused_with_the_way_out(desk):
    answer = drafting.choose_source(desk, ("cluster-b", "ana"), "PartyTypeString", "b-b")
    assert answer.kind == "refused"
    assert "Make another member main with p." in answer.message


def test_a_note_is_cut_at_its_longest(desk):
    drafting.write_note(desk, ("cluster-b", "ana"), "x" * 2000)
    assert len(desk.book.draft("retail", "cluster-b", "ana")["note"]) == drafting.NOTE_LENGTH
