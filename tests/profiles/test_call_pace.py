"""Turns under a pace: evenly spaced from when calls begin, and given up without loss."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sleeping import SleepingClock

from resolver.profiles.pace import Pace


def test_a_turn_is_asked_about_after_the_waiting():
    time_ = SleepingClock()
    pace = Pace(2.0, time_.clock, time_.sleep)
    asked = []
    began = [pace.in_turn(lambda: asked.append(time_.now)) for _ in range(3)]
    assert began == asked == [1_000.0, 1_000.5, 1_001.0]


def test_what_looking_again_takes_does_not_let_calls_begin_closer():
    time_ = SleepingClock()
    pace = Pace(2.0, time_.clock, time_.sleep)
    looking = iter([0.4, 0.0, 0.0])
    began = [pace.in_turn(lambda: time_.sleep(next(looking))) for _ in range(3)]
    assert began == [1_000.4, 1_000.9, 1_001.4]


def test_a_turn_that_is_given_up_is_the_next_ones():
    time_ = SleepingClock()
    pace = Pace(2.0, time_.clock, time_.sleep)
    pace.in_turn(lambda: None)

    def no():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        pace.in_turn(no)
    assert pace.in_turn(lambda: None) == 1_000.5


def test_many_threads_take_their_turns_one_by_one():
    pace = Pace(100.0)
    with ThreadPoolExecutor(8) as pool:
        began = sorted(pool.map(lambda _: pace.in_turn(lambda: None), range(40)))
    gaps = [later - earlier for earlier, later in pairwise(began)]
    assert min(gaps) >= 0.0099
