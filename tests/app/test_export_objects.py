"""Exports that follow the keys which only objects hold."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import polars as pl
import pytest
from embedded import NAME, embedded, pid

from resolver.app.exporting import ExportOptions, export_domain
from resolver.local.loading import load_objects
from resolver.model.profile import from_row
from resolver.profiles.search_keys import SearchKey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def export(domain, directory, **given):
    seeds = [SearchKey("_account", "a1")]
    return export_domain(domain, ExportOptions(directory / "profiles.parquet", NOON, keys=seeds, **given))


def exported(directory):
    rows = pl.read_parquet(directory / "profiles.parquet").iter_rows(named=True)
    return [from_row(row) for row in rows]


class FoundDead(Exception):
    """Raised in place of a kill."""


def order_type(source="{{_source.order}}"):
    return {
        "Description": "Order",
        "Fields": {"id": {"Source": "_source.id"}, "order": {"Source": source}},
        "Keys": {
            "orderId": [{"FieldNames": ["order"], "StandardIdentifiers": ["PROFILE"]}],
            "lineId": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE"]}],
        },
    }


def with_orders(domain, service, held, source="{{_source.order}}"):
    """Let profiles hold orders: pairs of a profile's number and an order's."""
    domain.clients.read.put_profile_object_type(DomainName=NAME, ObjectTypeName="Order", **order_type(source))
    rows = [(pid(n), "Order", {"id": f"{n}-{order}", "order": order}) for n, order in held]
    load_objects(service.store, NAME, rows)


#: Profiles 1 and 2 share an order, 2 and 3 another; 4 has one of its own; 5 no object at all.
ORDERS = [(1, "o-1"), (2, "o-1"), (2, "o-2"), (3, "o-2"), (4, "o-4")]
STRANGERS = [{"ProfileId": pid(n), "FirstName": f"F{n}"} for n in range(1, 6)]
FIRST = [STRANGERS[0] | {"AccountNumber": "a1"}, *STRANGERS[1:]]


def test_keys_that_only_objects_hold_are_followed_on_demand(tmp_path):
    with embedded(FIRST) as (domain, service):
        with_orders(domain, service, ORDERS)
        without = export(domain, tmp_path)
        domain.calls.counts.clear()
        report = export(domain, tmp_path, follow_objects=True)

    assert (without.profiles, without.untold_keys, without.custom_keys) == (1, ["orderId"], [])
    assert exported(tmp_path) == FIRST[:3]
    assert (report.untold_keys, report.custom_keys, report.silent_objects) == ([], ["orderId"], 0)
    assert report.routes == {"seed keys": 1, "orderId": 2}
    assert report.calls["list_profile_objects"] == 3


def test_objects_are_not_read_once_every_profile_is_found(tmp_path):
    profiles = [profile | {"FirstName": "Ana", "LastName": "Ng"} for profile in FIRST]
    with embedded(profiles) as (domain, service):
        with_orders(domain, service, ORDERS)
        report = export(domain, tmp_path, follow_objects=True)

    assert report.completeness == 1
    assert "list_profile_objects" not in report.calls


def test_objects_whose_keys_an_expression_makes_are_counted(tmp_path):
    with embedded(FIRST) as (domain, service):
        with_orders(domain, service, ORDERS, "{{#if _source.order}}{{_source.order}}{{/if}}")
        report = export(domain, tmp_path, follow_objects=True)

    assert (report.profiles, report.silent_objects) == (1, 1)


@pytest.mark.parametrize("calls", range(1, 6))
def test_an_export_cut_off_while_it_reads_objects_goes_on_and_loses_no_key(tmp_path, monkeypatch, calls):
    monkeypatch.setattr("resolver.profiles.object_harvest.PROFILES_PER_ROUND", 1)
    with embedded(FIRST) as (domain, service):
        with_orders(domain, service, ORDERS)
        left = iter([*[None] * calls, FoundDead()])

        def die(**_):
            if error := next(left, None):
                raise error

        events = domain.clients.read.meta.events
        for operation in ("ListProfileObjects", "SearchProfiles"):
            events.register(f"before-call.customer-profiles.{operation}", die)
        with suppress(FoundDead):
            export(domain, tmp_path, follow_objects=True)
        report = export(domain, tmp_path, follow_objects=True)

    assert exported(tmp_path) == FIRST[:3]
    assert report.profiles == 3
