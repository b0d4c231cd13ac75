"""Where an export may begin, what it then knows of changes, and what it says that it did not reach."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from embedded import NAME, domain_at, embedded, pid

from resolver.app.exporting import (
    ExportOptions,
    changes_path,
    export_domain,
    known_to_ledger,
    report_path,
    unreached_path,
)
from resolver.errors import BadInput, ServiceFailed
from resolver.ledger.ledger import open_ledger
from resolver.local.faults import Fault, Faults
from resolver.local.loading import load_objects, load_profiles
from resolver.local.service import Settings
from resolver.model.frames import PROFILES
from resolver.model.profile import from_row
from resolver.profile_columns import in_full
from resolver.profiles.convert import profiles_frame
from resolver.profiles.search_keys import SearchKey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

ANA = {"ProfileId": pid(1), "AccountNumber": "a1", "EmailAddress": "ana@x.io"}
BEN = {"ProfileId": pid(2), "EmailAddress": "ana@x.io", "PhoneNumber": "+12063457890"}
CLEO = {"ProfileId": pid(3), "PhoneNumber": "+12063457890", "FirstName": "Cleo"}
DORA = {"ProfileId": pid(4), "FirstName": "Cleo", "EmailAddress": "dora@x.io"}
EVE = {"ProfileId": pid(5), "EmailAddress": "eve@x.io"}


def export(domain, directory, **given):
    return export_domain(domain, ExportOptions(directory / "profiles.parquet", NOON, **given))


def exported(directory):
    rows = pl.read_parquet(directory / "profiles.parquet").iter_rows(named=True)
    return [from_row(row) for row in rows]


def changes(directory):
    frame = pl.read_parquet(changes_path(directory / "profiles.parquet"))
    return dict(frame.select("profile_id", "change").iter_rows())


def unreached(directory):
    return pl.read_parquet(unreached_path(directory / "profiles.parquet")).rows()


def account(value):
    return SearchKey("_account", value)


def test_an_earlier_export_is_read_again_by_id_and_tells_new_changed_and_gone(tmp_path):
    earlier = profiles_frame([ANA, BEN | {"LastName": "Old"}, {"ProfileId": pid(9), "FirstName": "Gone"}])
    with embedded([ANA, BEN, CLEO]) as (domain, _):
        report = export(domain, tmp_path, earlier=earlier)

    assert exported(tmp_path) == [ANA, BEN, CLEO]
    assert changes(tmp_path) == {pid(2): "changed", pid(3): "new", pid(9): "gone"}
    assert report.changes == {"new": 1, "changed": 1, "gone": 1}
    assert report.routes == {"earlier export": 2, "_phone": 1}
    assert unreached(tmp_path) == [("id gone", None, pid(9), None)]


def test_keys_of_profiles_that_are_as_they_were_are_asked_only_while_profiles_are_missing(tmp_path):
    earlier = profiles_frame([ANA, BEN])
    with embedded([ANA, BEN]) as (domain, _):
        whole = export(domain, tmp_path, earlier=earlier)
    with embedded([ANA, BEN, CLEO, EVE]) as (domain, _):
        missing = export(domain, tmp_path, earlier=earlier)

    assert "search_profiles" not in whole.calls
    assert whole.changes == {"new": 0, "changed": 0, "gone": 0}
    assert missing.routes == {"earlier export": 2, "_phone": 1}
    assert missing.unreachable == 1


def test_a_snapshot_stands_for_its_profiles_and_only_what_differs_is_followed(tmp_path):
    snapshot = in_full(profiles_frame([ANA, BEN, CLEO | {"LastName": "Old"}, EVE]))
    with embedded([ANA, BEN, CLEO, DORA, EVE]) as (domain, _):
        report = export(
            domain, tmp_path, snapshot=snapshot, keys=[account("a1"), SearchKey("_phone", "2063457890")]
        )

    assert exported(tmp_path) == [ANA, BEN, CLEO, DORA, EVE]
    assert changes(tmp_path) == {pid(3): "changed", pid(4): "new"}
    assert report.routes == {"snapshot": 1, "seed keys": 3, "_fullName": 1}
    assert (
        report.calls["search_profiles"] == 3
    )  # the seeds; Cleo's name and phone; Dora's e-mail: none of Eve
    assert report.completeness == 1


def test_a_snapshot_that_holds_more_than_the_domain_shows_in_its_completeness(tmp_path):
    snapshot = in_full(profiles_frame([ANA, EVE]))
    with embedded([ANA]) as (domain, _):
        report = export(domain, tmp_path, snapshot=snapshot)

    assert (report.profiles, report.completeness, report.unreachable) == (2, 2, 0)


def test_the_id_of_a_merged_profile_leads_to_its_survivor(tmp_path):
    with embedded([ANA, BEN, EVE], Settings(victim_alias=True)) as (domain, _):
        domain.clients.merge.merge_profiles(
            DomainName=NAME, MainProfileId=pid(1), ProfileIdsToBeMerged=[pid(2)]
        )
        report = export(domain, tmp_path, known_ids=[pid(2), pid(7)])

    assert [profile["ProfileId"] for profile in exported(tmp_path)] == [pid(1)]
    assert report.routes == {"merged-away ids": 1}
    assert (report.gone_ids, report.merged_away_ids) == (1, 1)
    assert unreached(tmp_path) == [("id gone", None, pid(7), None), ("id merged away", None, pid(2), pid(1))]


def test_seed_keys_that_lead_nowhere_are_listed_also_after_an_interruption(tmp_path):
    faults = Faults()
    keys = [account("nobody"), account("none"), *(account(f"x{n}") for n in range(8)), account("a1")]
    with embedded([ANA, BEN, EVE], Settings(faults=faults)) as (domain, service):
        faults.plan("SearchProfiles", Fault("fail_before", times=50, skip=2))
        with pytest.raises(ServiceFailed):
            export(domain, tmp_path, keys=keys)
        faults.clear()
        report = export(domain_at(None, service), tmp_path, keys=keys)

    assert report.seed_keys_without_profile == 10
    assert {row[:3] for row in unreached(tmp_path)} == {
        ("seed key without a profile", "_account", key.value) for key in keys[:-1]
    }


def test_an_interrupted_export_is_not_continued_in_a_domain_made_anew(tmp_path):
    faults = Faults()
    with embedded([ANA, BEN, EVE], Settings(faults=faults)) as (domain, service):
        faults.plan("SearchProfiles", Fault("fail_before", times=50, skip=1))
        with pytest.raises(ServiceFailed):
            export(domain, tmp_path, keys=[account("a1")])
        faults.clear()
        domain.clients.read.delete_domain(DomainName=NAME)
        load_profiles(service.store, NAME, [EVE | {"AccountNumber": "a1"}, DORA])
        report = export(domain_at(None, service), tmp_path, keys=[account("a1")])

    assert (report.resumed, exported(tmp_path)) == (0, [EVE | {"AccountNumber": "a1"}])


def loyalty_type(target):
    return {
        "Description": "Loyalty card",
        "Fields": {
            "id": {"Source": "_source.id"},
            "card": {"Source": "_source.card", **target},
            "phone": {
                "Source": "_source.phone",
                "Target": "_profile.PhoneNumber",
                "ContentType": "PHONE_NUMBER",
            },
        },
        "Keys": {
            "cardId": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE"]}],
            "loyaltyCard": [{"FieldNames": ["card"], "StandardIdentifiers": ["PROFILE"]}],
            "seenOnce": [{"FieldNames": ["card"], "StandardIdentifiers": ["PROFILE", "LOOKUP_ONLY"]}],
            "_phone": [{"FieldNames": ["phone"]}],
        },
    }


@pytest.mark.parametrize("told", [True, False])
def test_keys_of_the_domains_own_object_types_are_followed_where_profiles_tell_them(tmp_path, told):
    card = {"Attributes": {"card": "L-1"}}
    profiles = [ANA | card, EVE | card, DORA]
    with embedded(profiles) as (domain, service):
        domain.clients.read.put_profile_object_type(
            DomainName=NAME,
            ObjectTypeName="Loyalty",
            **loyalty_type({"Target": "_profile.Attributes.card"} if told else {}),
        )
        objects = [(pid(n), "Loyalty", {"id": str(n), "card": "L-1"}) for n in (1, 5)]
        load_objects(service.store, NAME, objects)
        report = export(domain, tmp_path, keys=[account("a1")])

    assert report.custom_keys == (["loyaltyCard"] if told else [])
    assert report.untold_keys == ([] if told else ["loyaltyCard"])
    assert exported(tmp_path) == (profiles[:2] if told else profiles[:1])
    assert report.routes == {"seed keys": 1} | ({"loyaltyCard": 1} if told else {})
    assert (report.object_count_before, report.object_count_after) == (2, 2)


def test_object_types_that_may_not_be_read_are_said_to_be_unknown(tmp_path):
    class Denied:
        status_code = 403

    refusal = {
        "Error": {"Code": "AccessDeniedException", "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    with embedded([ANA]) as (domain, _):
        domain.clients.read.meta.events.register(
            "before-call.customer-profiles.ListProfileObjectTypes", lambda **_: (Denied, refusal)
        )
        report = export(domain, tmp_path, keys=[account("a1")])

    assert (report.profiles, report.custom_keys, report.untold_keys) == (1, None, None)


def test_a_ledger_gives_the_profiles_that_its_merges_left(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with open_ledger(url):
        pass

    assert known_to_ledger(url, NAME) == []


def test_the_report_beside_the_profiles_is_the_one_that_is_returned(tmp_path):
    with embedded([ANA, BEN]) as (domain, _):
        report = export(domain, tmp_path, keys=[account("a1")])

    written = json.loads(report_path(tmp_path / "profiles.parquet").read_text(encoding="utf-8"))
    assert written["routes"] == report.routes
    assert report.calls_per_profile == sum(report.calls.values()) / 2


def test_every_column_of_an_export_is_one_of_profiles(tmp_path):
    with embedded([ANA, BEN]) as (domain, _):
        export(domain, tmp_path, keys=[account("a1")])

    assert set(pl.read_parquet_schema(tmp_path / "profiles.parquet")) < set(PROFILES.columns)


@pytest.mark.parametrize("option", ["earlier", "snapshot"])
def test_a_file_of_profiles_from_elsewhere_is_refused_before_anything_is_asked(tmp_path, option):
    frame = profiles_frame([ANA, {"ProfileId": "crm-7"}])
    with embedded([ANA]) as (domain, _), pytest.raises(BadInput, match="1 of its 2 profile ids are none of"):
        export(domain, tmp_path, **{option: in_full(frame)})

    assert domain.calls.counts == {}
