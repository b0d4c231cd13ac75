"""Killed at any moment under eight writing clients: what was acknowledged is there, nothing is half there."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter, defaultdict

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


VISIT = {
    "ObjectTypeName": "visit",
    "Description": "a visit",
    "Fields": {"id": {"Source": "_source.id"}, "account": {"Source": "_source.account"}},
    "Keys": {
        "visitId": [{"StandardIdentifiers": ["UNIQUE"], "FieldNames": ["id"]}],
        "_account": [{"StandardIdentifiers": ["PROFILE"], "FieldNames": ["account"]}],
    },
}


def write(client, number, acknowledged, stop):
    """Create pairs with a visit each, merge them; note each acknowledged (kind, id, what it led to)."""
    while not stop.is_set():
        try:
            pair = []
            for _ in range(2):
                account = uuid.uuid4().hex
                fields = {"AccountNumber": account, "FirstName": f"{number}", "PhoneNumber": "2065550100"}
                pair.append(client.create_profile(DomainName="d", **fields)["ProfileId"])
                acknowledged.append(("created", pair[-1], account))
                visit = json.dumps({"id": account, "account": account})
                client.put_profile_object(DomainName="d", ObjectTypeName="visit", Object=visit)
                acknowledged.append(("visited", pair[-1], account))
            client.merge_profiles(DomainName="d", MainProfileId=pair[0], ProfileIdsToBeMerged=[pair[1]])
            acknowledged.append(("merged", pair[1], pair[0]))
        except (BotoCoreError, ClientError, KeyError):
            return  # KeyError: killed between the head and the body of an answer


@pytest.mark.timeout(1200)
def test_every_acknowledged_write_survives_sigkill_and_none_is_half_there(tmp_path, unused_tcp_port):
    path, dice = tmp_path / "domain.sqlite", random.Random(3)
    acknowledged: list[tuple[str, str, str]] = []
    endpoint_url = f"http://127.0.0.1:{unused_tcp_port}"
    client = client_of(endpoint_url)
    for turn in range(KILLS):
        process = start(path, unused_tcp_port)
        if turn == 0:
            client.create_domain(DomainName="d", DefaultExpirationDays=1)
            client.put_profile_object_type(DomainName="d", **VISIT)
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
        assert session.one("PRAGMA integrity_check") == ("ok",)
        check_acknowledged(session, acknowledged)
        check_whole(session)
    store.close()


def check_acknowledged(session, acknowledged):
    """Every write that a client was told of is there."""
    alive = dict(session.all("SELECT profile_id, seq FROM profile"))
    survivors = dict(session.all("SELECT profile_id, survivor FROM former_profile"))
    visits = dict(session.all("SELECT json_extract(body, '$.id'), profile FROM object"))
    for kind, profile_id, other in acknowledged:
        if kind == "created":
            assert (profile_id in alive) != (profile_id in survivors)
        elif kind == "visited":
            assert visits[other] == alive[survivors.get(profile_id, profile_id)]
        else:
            assert survivors[profile_id] == other


def check_whole(session):
    """No write is half there: whatever one write leaves in several tables agrees."""
    alive = dict(session.all("SELECT seq, fields FROM profile"))
    former = session.all("SELECT seq, survivor FROM former_profile")
    seq_of = dict(session.all("SELECT profile_id, seq FROM profile"))
    assert alive.keys().isdisjoint(seq for seq, _ in former)
    derived, given = defaultdict(set), defaultdict(set)
    for seq, origin, *key in session.all("SELECT profile, origin, name, value FROM profile_key"):
        (given if origin else derived)[seq].add(tuple(key))
    assert given.keys() <= alive.keys()
    assert derived == {seq: standard_keys(json.loads(fields)) for seq, fields in alive.items()}
    held = Counter(seq for (seq,) in session.all("SELECT profile FROM object"))
    assert dict(session.all("SELECT seq, object_count FROM profile WHERE object_count > 0")) == held
    size = sum(len(text) for (text,) in session.all("SELECT body FROM object")) + sum(
        map(len, alive.values())
    )
    stats = session.one("SELECT profile_count, object_count, total_size FROM domain")
    assert stats == (len(alive), held.total(), size)
    orphans = "SELECT count(*) FROM profile_key WHERE origin > 0 AND origin NOT IN (SELECT seq FROM object)"
    assert session.one(orphans) == (0,)
    actions = defaultdict(dict)
    for action, seq, content in session.all("SELECT action, profile, content FROM history"):
        actions[action][seq] = content
    assert actions["CREATED"].keys() == alive.keys() | {seq for seq, _ in former}
    assert actions["DELETED_BY_MERGE"].keys() == {seq for seq, _ in former}
    assert actions["MERGED"].keys() == {seq_of[survivor] for _, survivor in former}
    for seq, survivor in former:  # what found the merged profile finds the survivor
        fields = json.loads(actions["DELETED_BY_MERGE"][seq])
        main = seq_of[survivor]
        assert ("_account", fields["AccountNumber"]) in given[main]
        assert held[main] >= 1
    assert held.total() == session.one("SELECT count(*) FROM history WHERE action = 'INGESTED'")[0]
