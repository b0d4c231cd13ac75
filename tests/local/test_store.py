from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import client_of

from resolver.local.embed import attach
from resolver.local.limit import NO_LIMIT, Limit, Unfinished
from resolver.local.service import Service
from resolver.local.store import Store


@pytest.fixture
def shop(store):
    client = client_of()
    attach(client, Service(store))
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    return client


def test_a_full_disk_refuses_writes_clearly_and_loses_nothing(shop, store):
    kept = shop.create_profile(DomainName="shop", FirstName="Ana")["ProfileId"]
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    long = {f"a{number}": "x" * 255 for number in range(200)}  # more than what is left of any page
    with pytest.raises(shop.exceptions.InternalServerException, match="full"):
        shop.create_profile(DomainName="shop", Attributes=long)
    held = shop.get_domain(DomainName="shop")["Stats"]["ProfileCount"]
    assert shop.batch_get_profile(DomainName="shop", ProfileIds=[kept])["Profiles"]
    store._writer.execute("PRAGMA max_page_count = 1000000")
    shop.create_profile(DomainName="shop", FirstName="Ben")
    assert shop.get_domain(DomainName="shop")["Stats"]["ProfileCount"] == held + 1


def test_a_file_that_can_only_be_read_refuses_writes_clearly(shop, store):
    store._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(shop.exceptions.InternalServerException, match="readonly"):
        shop.create_profile(DomainName="shop")
    assert shop.get_domain(DomainName="shop")["Stats"]["ProfileCount"] == 0


def test_a_failed_write_leaves_no_transaction_behind(store):
    def fail():
        with store.writing() as session:
            session.run("INSERT INTO meta VALUES ('half', 'done')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.writing() as session:
        assert session.one("SELECT value FROM meta WHERE name = 'half'") is None


@pytest.mark.parametrize("content", [b"", b"not a database, just text that is long enough to be read" * 50])
def test_only_a_database_or_nothing_is_opened(tmp_path, content):
    path = tmp_path / "given.sqlite"
    path.write_bytes(content)
    if not content:
        Store.open(path).close()
        return
    with pytest.raises(OSError, match=r"given\.sqlite cannot be used as a database"):
        Store.open(path)
    assert path.read_bytes() == content


def test_a_file_of_another_version_is_refused(tmp_path):
    path = tmp_path / "later.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OSError, match="schema version 99"):
        Store.open(path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        Store.open(tmp_path / "nowhere" / "shop.sqlite")


NOW = Limit(lambda: True, patience_seconds=0.0)  # over before it begins
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_a_write_without_patience_takes_the_writer_only_if_it_is_free(tmp_path):
    store = Store.open(tmp_path / "shop.sqlite")
    hasty = NO_LIMIT.without_waiting()
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not store.is_free()
    with pytest.raises(Unfinished), store.writing(hasty):
        pass
    other.execute("ROLLBACK")
    assert store.is_free()
    with ThreadPoolExecutor(1) as thread, store.writing():
        assert not thread.submit(store.is_free).result()
    with store.writing(hasty) as session:
        session.run("INSERT INTO meta VALUES ('a', 'b')")
    with store.reading() as session:
        assert session.one("SELECT value FROM meta WHERE name = 'a'") == ("b",)
    other.close()
    store.close()


def test_waiting_for_the_writer_ends_with_the_limit(store):
    deadline = time.monotonic() + 0.3
    with ThreadPoolExecutor(1) as thread, store.writing():

        def wait():
            with store.writing(Limit(lambda: time.monotonic() > deadline)):
                pass

        with pytest.raises(Unfinished):
            thread.submit(wait).result(20)


def test_a_statement_that_goes_on_too_long_is_undone_with_its_transaction(store):
    def write():
        with store.writing(NOW) as session:
            session.run("INSERT INTO meta VALUES ('half', 'done')")
            session.one(ENDLESS)

    with pytest.raises(Unfinished):
        write()
    with pytest.raises(Unfinished), store.reading(NOW) as session:
        session.one(ENDLESS)
    with store.writing() as session:  # the limit went with its transaction
        assert session.one("SELECT value FROM meta WHERE name = 'half'") is None
        session.all(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT i FROM n"
        )


@pytest.fixture
def opened(store, monkeypatch):
    """Every connection that the store opens for a reader."""
    connections = []
    connect = store._connect
    monkeypatch.setattr(store, "_connect", lambda: connections.append(connect()) or connections[-1])
    return connections


def is_open(connection):
    try:
        connection.execute("SELECT 1").fetchone()
    except sqlite3.ProgrammingError:
        return False
    return True


def test_threads_that_have_read_leave_few_connections_and_none_when_the_store_is_closed(store, opened):
    together = threading.Barrier(20)

    def read():
        with store.reading() as session:
            together.wait(20)
            return session.one("SELECT count(*) FROM domain")

    for _ in range(3):
        readers = [threading.Thread(target=read) for _ in range(20)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert len(opened) >= 20
    assert 1 <= sum(map(is_open, opened)) <= 4
    store.close()
    assert not any(map(is_open, opened))


def test_a_reader_at_work_survives_the_closing_of_the_store(store, opened):
    at_work, closed = threading.Event(), threading.Event()

    def read():
        with store.reading() as session:
            rows = session.all("SELECT name FROM meta")
            at_work.set()
            assert closed.wait(20)
            return rows == session.all("SELECT name FROM meta")

    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(read)
        assert at_work.wait(20)
        store.close()
        closed.set()
        assert answer.result(20)
    assert not any(map(is_open, opened))
    for use in (store.reading, store.writing):
        with pytest.raises(OSError, match="is closed"), use():
            pass


def test_closing_waits_for_the_write_under_way(store):
    begun = threading.Event()

    def write():
        with store.writing() as session:
            begun.set()
            time.sleep(0.3)
            session.run("INSERT INTO meta VALUES ('a', 'b')")

    with ThreadPoolExecutor(1) as thread:
        written = thread.submit(write)
        assert begun.wait(20)
        store.close()
        written.result(20)


def test_a_sqlite_for_one_thread_only_is_refused(monkeypatch):
    monkeypatch.setattr(sqlite3, "threadsafety", 0)
    with pytest.raises(OSError, match="one thread"):
        Store.open(None)
