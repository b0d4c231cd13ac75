from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from resolver.cli.braking import moment_of
from resolver.errors import BadInput

EVENING = datetime(2026, 3, 1, 22, 15, 30, tzinfo=timezone(timedelta(hours=1)))


def test_a_time_of_day_is_its_next_occurrence_where_the_machine_is():
    assert moment_of("23:00", EVENING) == EVENING.replace(hour=23, minute=0, second=0)
    assert moment_of("05:30", EVENING) == datetime(2026, 3, 2, 5, 30, tzinfo=EVENING.tzinfo)
    assert moment_of("22:15", EVENING).day == 2
    assert moment_of(None, EVENING) is None


@pytest.mark.parametrize("text", ["24:00", "5", "05:60", "5:30pm", ""])
def test_what_is_no_time_of_day_is_bad_input(text):
    with pytest.raises(BadInput, match="--until"):
        moment_of(text, EVENING)
