from __future__ import annotations

from embedded import embedded, pid

from resolver.app.running import with_dates
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
