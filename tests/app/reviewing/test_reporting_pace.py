from __future__ import annotations

from datetime import timedelta

from workshop import NOON, Watch, batch_of, many

from resolver.app.reviewing.desk import Desk
from resolver.app.reviewing.judging import Ask, judge
from resolver.app.reviewing.pacing import burn_down_of, pause_words
from resolver.app.reviewing.reporting import summarise
from resolver.ledger.reviews import open_review_book


def test_the_rate_of_decisions_is_told_and_a_pause_after_fifty_minutes(tmp_path):
    watch = Watch()
    with open_review_book(str(tmp_path / "ledger.db")) as book:
        desk = Desk(batch_of(many(12)), book, clock=watch, second_share=0.0)
        for n, cluster_id in enumerate(desk.order[:9]):
            watch.now = NOON + timedelta(seconds=5 * n if n < 4 else 400 * n)
            case = desk.batch.cases[cluster_id]
            ask = Ask(cluster_id, "not_same", 0, case.version, "ana", look_ms=1_500 if n < 2 else 9_000)
            assert judge(desk, ask).kind == "saved"
        (person,) = summarise(desk).people
        assert (person.verdicts, person.fast, person.most_in_a_minute) == (9, 2, 4)
        assert pause_words(desk, "ana") == ""
        for n, cluster_id in enumerate(desk.order[9:]):
            watch.now = NOON + timedelta(seconds=400 * (9 + n))
            judge(desk, Ask(cluster_id, "not_same", 0, desk.batch.cases[cluster_id].version, "ana"))
        watch.now = NOON + timedelta(minutes=74)
        assert pause_words(desk, "ana") == ""
        watch.now = NOON + timedelta(minutes=77)
        assert pause_words(desk, "ana").startswith("50 minutes, 8 verdicts.")
        burn = burn_down_of(desk, "ana")
        assert burn.points[0] == (0.0, 12)
        assert burn.points[-1][1] == 0
        assert burn.seconds_left == 0
