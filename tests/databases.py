"""The databases that a ledger may be in: a file, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import psycopg
import pytest

from resolver.ledger.sealing import new_key


@pytest.fixture(scope="session")
def postgres():
    """The URL of a PostgreSQL server of our own on a loopback port, without a database name."""
    initdb = shutil.which("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL is not installed (no initdb): the ledger is tested on SQLite only")
    programs = Path(initdb).resolve().parent
    # not under pytest's tmp_path: its parents are closed to the user that the server runs as
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as directory:
        account = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            account = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(directory, "nobody", "nogroup")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        setup = {"env": {**os.environ, "LC_ALL": "C", "HOME": directory}, "cwd": directory} | account
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        data = ["-D", f"{directory}/data"]
        make = [programs / "initdb", *data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, **setup, **quiet)  # noqa: S603  # our own arguments
        settings = ["-k", directory, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        serve = [programs / "postgres", *data, "-p", str(port), *settings]
        server = subprocess.Popen(serve, **setup, **quiet)  # noqa: S603  # our own arguments
        try:
            _wait_for(port)
            yield f"127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)  # SIGTERM would wait for pooled connections
            server.wait(10)


def _wait_for(port):
    for _ in range(200):
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL did not start")


_NUMBERS = count()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """The URL of an empty ledger, once on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def postgres_url(postgres, monkeypatch):
    """The URL of an empty ledger in PostgreSQL."""
    monkeypatch.setenv("RESOLVER_LEDGER_KEY", new_key())  # hosts that share a ledger share its key
    name = f"ledger{next(_NUMBERS)}"
    with psycopg.connect(f"postgresql://postgres@{postgres}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://postgres@{postgres}/{name}"
