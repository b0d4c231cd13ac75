"""Killed at any moment under eight writing clients: what was acknowledged is there, nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from conftest import client_of

from resolver.local.normalisation import standard_keys
from resolver.local.store import Store

KILLS = 50 if os.environ.get("RESOLVER_SOAK") else 2
SERVER = """
import sys
from pathlib import Path
from resolver.local.server import serve
from resolver.local.service import Service
from resolver.local.store import Store
serve(Service(Store.open(Path(sys.argv[1]))), int(sys.argv[2]))
"""


def start(path, port):
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(path), str(port)])  # noqa: S603 - our own code
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/domains", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return process
    raise AssertionError("the service did not start")


def write(client, number, acknowledged, stop):
    """Create pairs, merge them; note each acknowledged (kind, id)."""
    while not stop.is_set():
        try:
            pair = []
            for side in "ab":
                fields = {"FirstName": f"{number}{side}", "PhoneNumber": "2065550100"}
                pair.append(client.create_profile(DomainName="d", **fields)["ProfileId"])
                acknowledged.append(("created", pair[-1]))
            client.merge_profiles(DomainName="d", MainProfileId=pair[0], ProfileIdsToBeMerged=[pair[1]])
            acknowledged.append(("merged", pair[1]))
        except (BotoCoreError, ClientError, KeyError):
            return  # KeyError: killed between the head and the body of an answer


@pytest.mark.timeout(1200)
def test_every_acknowledged_write_survives_sigkill_and_none_is_half_there(tmp_path, unused_tcp_port):
    path, dice = tmp_path / "domain.sqlite", random.Random(3)
    acknowledged: list[tuple[str, str]] = []
    endpoint_url = f"http://127.0.0.1:{unused_tcp_port}"
    client = client_of(endpoint_url)
    for turn in range(KILLS):
        process = start(path, unused_tcp_port)
        if turn == 0:
            client.create_domain(DomainName="d", DefaultExpirationDays=1)
        stop = threading.Event()
        writers = [
            threading.Thread(target=write, args=(client, number, acknowledged, stop)) for number in range(8)
        ]
        for writer in writers:
            writer.start()
        time.sleep(dice.uniform(0.3, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        stop.set()
        for writer in writers:
            writer.join()
        check(path, acknowledged)
    assert len(acknowledged) > KILLS


def check(path, acknowledged):
    store = Store.open(path)
    with store.reading() as session:
        alive = {row[0] for row in session.all("SELECT profile_id FROM profile")}
        former = {row[0] for row in session.all("SELECT profile_id FROM former_profile")}
        assert alive.isdisjoint(former)
        for kind, profile_id in acknowledged:
            assert profile_id in (alive | former if kind == "created" else former)
        assert session.one("SELECT profile_count FROM domain") == (len(alive),)
        assert session.one("PRAGMA integrity_check") == ("ok",)
        keyed = {row[0] for row in session.all("SELECT profile FROM profile_key WHERE origin = 0")}
        assert keyed == {row[0] for row in session.all("SELECT seq FROM profile")}
        fed = {"FirstName": "0a", "PhoneNumber": "2065550100"}
        rows = session.one("SELECT count(*) FROM profile_key WHERE origin = 0")
        assert rows == (len(standard_keys(fed)) * len(alive),)
        assert session.one("SELECT count(*) FROM history WHERE action = 'CREATED'") == (len(alive | former),)
    store.close()
