"""A ledger of any earlier version becomes one of today's, whole or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from resolver.ledger import schema
from resolver.ledger.ledger import open_ledger
from resolver.ledger.tables import metadata
from resolver.model.journal import JournalState

MAIN, MERGED = "a" * 32, "b" * 32
AT = datetime(2026, 3, 1, 12, tzinfo=UTC).isoformat(timespec="microseconds")


def differences(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    return found


def make_first_version(url):
    """The tables as the first release made them, with a merge and an UpdateProfile call in hand."""
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.Path(schema.__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "1")
        connection.execute(text("DROP TABLE alembic_version"))  # the first release had no migrations
        rows = {
            "runs": {"run_id": "r", "domain": "retail", "command": "apply", "actor": "ana", "started_at": AT},
            "plans": {
                "run_id": "r",
                "plan_id": "p",
                "cluster_id": "c",
                "band": "merge",
                "calls": 2,
                "content": json.dumps({"main_profile_id": MAIN, "merged_profile_ids": [MERGED]}),
            },
        }
        journal = {"run_id": "r", "plan_id": "p", "detail": "", "actor": "ana", "at": AT, "state": "intent"}
        merge = {"MainProfileId": MAIN, "ProfileIdsToBeMerged": [MERGED]}
        update = {"operation": "update_profile", "ProfileId": MAIN, "LastName": "Secret"}
        for table, row in rows.items():
            _insert(connection, table, row)
        for step, request in enumerate([merge, update]):
            _insert(
                connection,
                "journal",
                journal | {"entry_id": step + 1, "step": step, "request": json.dumps(request)},
            )
            image = {"profiles": {MAIN: {"ProfileId": MAIN, "LastName": "Was"}}, "objects": {}}
            expected = json.dumps({"ProfileId": MAIN})
            _insert(
                connection,
                "images",
                {"entry_id": step + 1, "before": json.dumps(image), "expected": expected},
            )
    engine.dispose()


def _insert(connection, table, row):
    columns = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)  # noqa: S608  # our own


def test_an_empty_database_becomes_what_the_tables_say(url):
    open_ledger(url).close()
    assert differences(url) == []


def test_the_first_version_becomes_what_the_tables_say_and_loses_nothing(url):
    make_first_version(url)
    with open_ledger(url) as ledger:
        merge, update = ledger.open_intents("retail")
        assert merge.before["profiles"][MAIN]["LastName"] == "Was"
        assert update.request == {"operation": "update_profile", "ProfileId": MAIN, "Fields": ["LastName"]}
        assert update.before["request"]["LastName"] == "Secret"
        assert merge.state is JournalState.INTENT
        assert ledger.check_images("retail") == {"readable": 2, "unsealed": 0, "gone": 0, "unreadable": []}
        assert ledger.merges_of("retail")[0].profile_ids == (MAIN, MERGED)
    assert differences(url) == []


def test_the_second_version_becomes_what_the_tables_say(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.Path(schema.__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "2")
        row = {"run_id": "r", "domain": "retail", "command": "apply", "actor": "ana", "started_at": AT}
        _insert(connection, "runs", row)
    engine.dispose()
    with open_ledger(url) as ledger:
        assert ledger.gates_of("retail") == []
    assert differences(url) == []
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT run_id FROM runs")).scalar_one() == "r"
        assert connection.execute(text("SELECT version FROM schema_version")).scalar_one() == 3
    engine.dispose()


def test_a_migration_that_breaks_off_leaves_the_ledger_as_it_was(url, monkeypatch):
    make_first_version(url)

    def broken(*_, **__):
        raise RuntimeError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr("resolver.ledger.connection.reseal", broken)
        with pytest.raises(RuntimeError, match="cut off"):
            open_ledger(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert schema.version_of(connection) == "1"
    engine.dispose()
    with open_ledger(url) as ledger:
        assert len(ledger.open_intents("retail")) == 2
