from __future__ import annotations

from types import SimpleNamespace

import pytest
from embedded import embedded, pid

from resolver.app.apply_report import ApplyReport
from resolver.app.execution import Result
from resolver.app.running import with_dates
from resolver.model.journal import JournalState
from resolver.profiles.convert import profiles_frame

ANA, BO = {"ProfileId": pid(1), "FirstName": "Ana"}, {"ProfileId": pid(2), "FirstName": "Bo"}


def test_profiles_of_clusters_get_their_dates_from_history_unless_the_file_has_some():
    with embedded([ANA, BO]) as (domain, _):
        domain.clients.read.update_profile(DomainName=domain.name, ProfileId=pid(1), LastName="Ruiz")
        there = profiles_frame([ANA, BO])
        known = with_dates(domain, there.drop("last_updated_at"), [pid(1)])
        assert known["last_updated_at"].is_null().to_list() == [False, True]
        calls = sum(domain.calls.counts.values())
        assert with_dates(domain, there, [pid(1)]) is there
        assert sum(domain.calls.counts.values()) == calls


APPLIED, LATER, REFUSED = (
    SimpleNamespace(result=r) for r in (Result.APPLIED, Result.NOT_REACHED, Result.REFUSED)
)
UNCLEAR = SimpleNamespace(state=JournalState.UNCLEAR)


@pytest.mark.parametrize(
    ("outcomes", "settled", "stopped", "expected"),
    [
        ((APPLIED, LATER), (), "the limit of 1 is reached", (False, True)),
        ((APPLIED, LATER), (UNCLEAR,), "the limit of 1 is reached", (False, False)),
        ((APPLIED, REFUSED, LATER), (), "the limit of 1 is reached", (False, False)),
        ((APPLIED, LATER), (), "the stop file is there", (False, False)),
        ((APPLIED, LATER), (), None, (False, False)),
        ((APPLIED,), (), None, (True, False)),
        ((APPLIED,), (UNCLEAR,), None, (False, False)),
    ],
)
def test_a_limit_excuses_only_what_it_left_for_later(outcomes, settled, stopped, expected):
    report = ApplyReport("shop", "r", False, outcomes, settled, stopped, {})  # noqa: FBT003
    assert (report.complete, report.reached_limit) == expected
