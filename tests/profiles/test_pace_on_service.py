"""The pace against a service that counts: below its quota no 429, far above it no storm."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest
from embedded import NAME, embedded, pid
from sleeping import SleepingClock

from resolver.local.faults import Faults
from resolver.local.service import Settings
from resolver.profiles.domain import Domain
from resolver.profiles.merging import Sending, send_once
from resolver.profiles.pace import Pace


@pytest.fixture
def sending():
    """Sends so many updates at that limit to a service with that quota; the moments and outcomes."""

    def _send(count, limit, quota):
        time_ = SleepingClock()
        faults = Faults(quotas=True, rates={"UpdateProfile": quota})
        people = [{"ProfileId": pid(1), "FirstName": "Ana"}]
        with embedded(people, Settings(faults=faults, clock=time_.clock)) as (plain, _):
            pace = Pace(limit, time_.clock, time_.sleep)
            domain = Domain(NAME, replace(plain.clients, merge_pace=pace), sleep=time_.sleep)
            sent, done = [], 0
            while done < count:
                update = {"ProfileId": pid(1), "LastName": str(done)}
                outcome = send_once(domain, "update_profile", update, lambda: None).outcome
                sent.append((time_.now, outcome))
                done += outcome is Sending.ACCEPTED
        return sent

    return _send


def most_in_a_second(moments):
    window, most = deque(), 0
    for moment in moments:
        window.append(moment)
        while window[0] <= moment - 1.0:
            window.popleft()
        most = max(most, len(window))
    return most


def test_at_a_limit_of_20_a_service_with_100_never_throttles(sending):
    sent = sending(400, 20.0, 100.0)
    assert {outcome for _, outcome in sent} == {Sending.ACCEPTED}
    assert 19 <= most_in_a_second([moment for moment, _ in sent]) <= 21


def test_at_a_limit_of_20_a_service_with_5_is_served_without_a_storm(sending):
    sent = sending(300, 20.0, 5.0)
    throttled = sum(outcome is Sending.THROTTLED for _, outcome in sent)
    seconds = sent[-1][0] - sent[0][0]
    assert throttled / len(sent) < 0.1
    assert 300 / seconds > 5 * 0.7  # most of the quota is used
    settled = [moment for moment, _ in sent if moment > sent[0][0] + 10]
    assert most_in_a_second(settled) <= 10  # twice the quota, where 20 would be a storm
