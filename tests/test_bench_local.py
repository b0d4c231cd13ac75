"""The measurement of the embedded service goes on with few profiles, and ends when a client fails."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError

from resolver.local.loading import load_profiles
from resolver.local.service import Service
from resolver.local.store import Store

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch):
    """(local_rates, local_servers), which are scripts beside one another."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("local_rates"), importlib.import_module("local_servers")


def test_clients_merge_on_when_the_profiles_of_the_file_are_used_up(bench):
    _, servers = bench
    store = Store.open(None)
    load_profiles(store, "bench", [{"ProfileId": f"{number:032x}"} for number in range(40)])
    client = servers.client_of(None)
    servers.attach(client, Service(store))
    lanes = servers.lanes(40)[4]
    assert len({lane.spare for lane in lanes}) == 4
    for lane in lanes:
        pairs = servers.Pairs(lane, lambda profiles: load_profiles(store, "bench", profiles))
        call = servers.calls_of(client, lane, pairs)["merge"]
        for _ in range(3):
            pairs.provide(10)
            for _ in range(10):
                call()
    store.close()


@pytest.mark.timeout(240)
def test_a_client_that_fails_ends_the_measurement(bench):
    rates, servers = bench
    nobody = servers.Server("http://127.0.0.1:1", os.getpid())
    both = {servers.EMPTY: nobody, servers.SERVICE: nobody}
    with pytest.raises(BotoCoreError):
        rates.measure(servers.lanes(40)[4][:2], both, 0.01)
