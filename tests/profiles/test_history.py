from __future__ import annotations

from embedded import embedded, pid

from resolver.profiles.history import read_last_changes

ANA, BO = {"ProfileId": pid(1), "FirstName": "Ana"}, {"ProfileId": pid(2), "FirstName": "Bo"}


def test_history_tells_when_a_profile_last_changed_and_a_search_key_is_no_change():
    with embedded([ANA, BO]) as (domain, _):
        client = domain.clients.read
        before = dict(read_last_changes(domain, [pid(1), pid(2)]).iter_rows())
        client.update_profile(DomainName=domain.name, ProfileId=pid(1), LastName="Ruiz")
        client.add_profile_key(DomainName=domain.name, ProfileId=pid(2), KeyName="_phone", Values=["1"])
        after = dict(read_last_changes(domain, [pid(1), pid(2), pid(3)]).iter_rows())
    assert after[pid(1)] > before[pid(1)]
    assert after[pid(2)] == before[pid(2)]
    assert after[pid(3)] is None


def test_an_endpoint_without_history_tells_nothing_and_is_asked_no_more():
    with embedded([ANA, BO]) as (domain, _):
        domain.lacking.add("list_profile_history_records")
        told = read_last_changes(domain, [pid(1), pid(2)])
        assert told["last_updated_at"].to_list() == [None, None]
        assert "list_profile_history_records" not in domain.calls.counts
