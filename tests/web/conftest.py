"""The review app in process, asked as a browser's own pages would ask it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from asking import TOKEN
from starlette.testclient import TestClient
from workshop import batch_of, many, stories

from resolver.app.reviewing.desk import Desk
from resolver.ledger.reviews import open_review_book
from resolver.web.guard import COOKIE, Admission
from resolver.web.server import create_app


@pytest.fixture
def desk(tmp_path):
    parts = [*stories(), *many(12), *many(20, "batch")]
    with open_review_book(str(tmp_path / "ledger.db")) as book:
        yield Desk(batch_of(parts), book, second_share=0.0, blind_share=0.0)


@pytest.fixture
def app(desk):
    return create_app(desk, Admission("ana", token=TOKEN), arm_ms=0)


@pytest.fixture
def client(app):
    own = {"sec-fetch-site": "same-origin"}
    return TestClient(
        app,
        base_url="http://127.0.0.1",
        cookies={COOKIE: TOKEN},
        headers=own,
        follow_redirects=False,
        raise_server_exceptions=False,
    )


@pytest.fixture(scope="session")
def postgresql_url():
    """A PostgreSQL server of our own, gone with the tests; skipped where none is installed."""
    found = shutil.which("initdb") or next(Path("/usr/lib/postgresql").glob("*/bin/initdb"), None)
    if not found:
        pytest.skip("no PostgreSQL server (initdb) on this machine")
    programs = Path(found).resolve().parent
    place = Path(tempfile.mkdtemp(prefix="pg"))  # not under tmp_path: its parents are closed to others
    user = {}
    if os.geteuid() == 0:  # postgres refuses to run as root
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(place, "nobody", "nogroup")
    env = {**os.environ, "LC_ALL": "C", "HOME": str(place)}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    init = [
        programs / "initdb",
        "-D",
        place / "data",
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run(init, check=True, env=env, cwd=place, stdout=subprocess.DEVNULL, **user)  # noqa: S603 - our own command
    settings = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    server = subprocess.Popen(  # noqa: S603 - our own command
        [programs / "postgres", "-D", place / "data", "-p", str(port), "-k", place, *settings],
        env=env,
        cwd=place,
        stderr=subprocess.DEVNULL,
        **user,
    )
    address = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    for _ in range(200):  # it listens before it answers
        try:
            psycopg.connect(address).close()
            break
        except psycopg.OperationalError:
            time.sleep(0.05)
    yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    server.send_signal(signal.SIGINT)
    server.wait(10)
    shutil.rmtree(place, ignore_errors=True)
