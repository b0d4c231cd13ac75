"""What is committed reaches the file beside the writer, and the log begins anew."""

from __future__ import annotations

import sqlite3

import pytest

from resolver.local import checkpoints
from resolver.local.store import Store

PAGES = 40


@pytest.fixture
def log_of_few_pages(monkeypatch):
    monkeypatch.setattr(checkpoints, "PAGES", PAGES)


def write(store, count, begin=0):
    for number in range(begin, begin + count):
        with store.writing() as session:
            session.run("INSERT INTO meta VALUES (?, ?)", f"n{number:06d}", "x" * 3000)
        under_way = store._checkpoints._thread
        if under_way is not None:  # as slow as the disk that they wait for
            under_way.join()


def pages_in_log(path):
    return path.with_name(path.name + "-wal").stat().st_size // 4096


@pytest.mark.usefixtures("log_of_few_pages")
def test_the_log_begins_anew_when_it_is_full(tmp_path):
    path = tmp_path / "domain.sqlite"
    store = Store.open(path)
    write(store, 100)
    longest = pages_in_log(path)
    write(store, 400, begin=100)
    assert pages_in_log(path) <= longest < 500
    assert path.stat().st_size > 300 * 4096
    store.close()
    assert sqlite3.connect(path).execute("SELECT count(*) FROM meta").fetchone() == (501,)


@pytest.mark.usefixtures("log_of_few_pages")
def test_a_reader_keeps_its_snapshot_and_the_log_waits_for_it(tmp_path):
    path = tmp_path / "domain.sqlite"
    store = Store.open(path)
    count = "SELECT count(*) FROM meta"
    with store.reading() as session:
        assert session.one(count) == (1,)
        write(store, 200)
        assert session.one(count) == (1,)
    longest = pages_in_log(path)
    write(store, 400, begin=200)
    assert pages_in_log(path) <= longest + 3 * PAGES
    store.close()
    assert sqlite3.connect(path).execute(count).fetchone() == (601,)


@pytest.mark.usefixtures("log_of_few_pages")
def test_a_checkpoint_that_fails_is_told_and_loses_nothing(tmp_path, monkeypatch, caplog):
    store = Store.open(tmp_path / "domain.sqlite")
    monkeypatch.setattr(checkpoints, "_move", lambda _: 1 // 0)
    write(store, 100)
    assert "a checkpoint has to wait" in caplog.text
    with store.reading() as session:
        assert session.one("SELECT count(*) FROM meta") == (101,)
    store.close()


@pytest.mark.usefixtures("log_of_few_pages")
def test_closing_waits_for_the_checkpoint_under_way(tmp_path):
    path = tmp_path / "domain.sqlite"
    store = Store.open(path)
    with store.writing() as session:
        session.many("INSERT INTO meta VALUES (?, ?)", [(f"n{n}", "x" * 3000) for n in range(2000)])
    store.close()
    assert not store._checkpoints._thread.is_alive()
    assert not path.with_name(path.name + "-wal").exists()
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
