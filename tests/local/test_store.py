from __future__ import annotations

import sqlite3

import pytest
from conftest import client_of

from resolver.local.embed import attach
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


def test_the_writer_is_reserved_for_one_and_free_again_after(store, tmp_path):
    with store.reserved() as is_free:
        assert is_free
    with store.reserved() as is_free, store.writing() as session:
        session.run("INSERT INTO meta VALUES ('a', 'b')")
    with store.reading() as session:
        assert session.one("SELECT value FROM meta WHERE name = 'a'") == ("b",)


def test_the_writer_is_not_free_while_another_process_writes(tmp_path):
    store = Store.open(tmp_path / "shop.sqlite")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store.reserved() as is_free:
        assert not is_free
    other.execute("ROLLBACK")
    with store.reserved() as is_free:
        assert is_free
    other.close()
    store.close()
