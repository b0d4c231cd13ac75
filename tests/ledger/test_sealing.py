"""Customers' data at rest: nobody reads it without the key, and a missing key is one clear error."""

from __future__ import annotations

import sqlite3
import stat
from datetime import UTC, datetime

import pytest
from merges import plan_of_group

from resolver.errors import BadInput, LedgerFailed
from resolver.ledger.ledger import open_ledger
from resolver.ledger.sealing import KEY, KEY_FILE, new_key
from resolver.model.journal import JournalEntry, JournalState
from resolver.model.run import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B = "a" * 32, "b" * 32
VALUE = "Zoë-the-Unmistakable"


def intent(plan_id="plan-1"):
    return JournalEntry(
        entry_id=None,
        run_id="run-1",
        plan_id=plan_id,
        step=0,
        state=JournalState.INTENT,
        before={"profiles": {A: {"ProfileId": A, "FirstName": VALUE}}, "objects": {}, "keys": {}},
        expected={"ProfileId": A, "FirstName": VALUE},
        request={"MainProfileId": A, "ProfileIdsToBeMerged": [B]},
        response=None,
        detail="",
        actor="ana",
        at=NOON,
    )


def filled(path):
    ledger = open_ledger(str(path))
    ledger.start_run(Run("run-1", "retail", "apply", "ana", NOON))
    ledger.record_intent(intent())
    return ledger


def everything_in(directory):
    return b"".join(path.read_bytes() for path in directory.glob("ledger.db*") if path.suffix != ".key")


def test_without_a_key_one_is_made_beside_the_ledger_for_its_owner_only(tmp_path):
    with filled(tmp_path / "ledger.db") as ledger:
        key = tmp_path / "ledger.db.key"
        assert ledger.new_key_file == key
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert VALUE.encode() not in everything_in(tmp_path)
    with open_ledger(str(tmp_path / "ledger.db")) as again:
        assert again.open_intents("retail")[0].expected["FirstName"] == VALUE
        assert again.new_key_file is None


@pytest.mark.parametrize("name", [KEY, KEY_FILE])
def test_a_key_of_the_environment_is_used_and_no_file_is_made(tmp_path, monkeypatch, name):
    key = new_key()
    (tmp_path / "keys").write_text(key + "\n", encoding="ascii")
    monkeypatch.setenv(name, key if name == KEY else str(tmp_path / "keys"))
    with filled(tmp_path / "ledger.db") as ledger:
        assert ledger.new_key_file is None
        assert ledger.check_images("retail") == {"readable": 1, "unsealed": 0, "gone": 0, "unreadable": []}
    assert not (tmp_path / "ledger.db.key").exists()


def test_with_another_key_nothing_is_read_and_the_check_names_the_merges(tmp_path, monkeypatch):
    filled(tmp_path / "ledger.db").close()
    monkeypatch.setenv(KEY, new_key())
    with open_ledger(str(tmp_path / "ledger.db")) as ledger:
        with pytest.raises(LedgerFailed, match="another key than RESOLVER_LEDGER_KEY"):
            ledger.open_intents("retail")
        assert ledger.check_images("retail")["unreadable"] == ["plan-1"]
        assert [e.plan_id for e in ledger.entries_of("plan-1")] == ["plan-1"]  # the history stays legible


@pytest.mark.parametrize("lost", [True, False])
def test_a_ledger_is_not_sealed_with_a_second_key_unless_the_first_is_given_up(tmp_path, monkeypatch, lost):
    filled(tmp_path / "ledger.db").close()
    key_file = tmp_path / "ledger.db.key"
    if lost:
        key_file.unlink()
    else:
        monkeypatch.setenv(KEY, new_key())
    with open_ledger(str(tmp_path / "ledger.db")) as ledger:
        with pytest.raises(LedgerFailed, match="Nothing is added under another key"):
            ledger.record_plans("run-1", [plan_of_group([{"ProfileId": A}, {"ProfileId": B}])])
        assert key_file.exists() is not lost

        assert ledger.abandon() == 2
        ledger.record_plans("run-1", [plan_of_group([{"ProfileId": A}, {"ProfileId": B}])])
        assert ledger.check_images("retail")["gone"] == 1
        with pytest.raises(LedgerFailed, match="its key was lost"):
            ledger.intent_of("plan-1", 0)


def test_giving_up_leaves_what_can_be_read(tmp_path):
    with filled(tmp_path / "ledger.db") as ledger:
        assert ledger.abandon() == 0
        assert ledger.check_images("retail")["readable"] == 1


def test_a_key_is_changed_by_sealing_everything_with_the_first_of_two(tmp_path, monkeypatch):
    filled(tmp_path / "ledger.db").close()
    old, new = (tmp_path / "ledger.db.key").read_text(encoding="ascii").strip(), new_key()
    monkeypatch.setenv(KEY, f"{new},{old}")
    with open_ledger(str(tmp_path / "ledger.db")) as ledger:
        assert ledger.reseal() == 2
    monkeypatch.setenv(KEY, new)
    with open_ledger(str(tmp_path / "ledger.db")) as ledger:
        assert ledger.check_images("retail")["readable"] == 1


def test_an_altered_image_is_not_taken_for_a_sound_one(tmp_path):
    filled(tmp_path / "ledger.db").close()
    raw = sqlite3.connect(tmp_path / "ledger.db")
    (text,) = raw.execute("SELECT before FROM images").fetchone()
    raw.execute("UPDATE images SET before = ?", (text[:40] + ("A" if text[40] != "A" else "B") + text[41:],))
    raw.commit()
    raw.close()
    with open_ledger(str(tmp_path / "ledger.db")) as ledger:
        assert ledger.check_images("retail")["unreadable"] == ["plan-1"]


@pytest.mark.parametrize("key", ["too short", "ä" * 44, ","])
def test_a_key_that_is_none_is_bad_input(tmp_path, monkeypatch, key):
    monkeypatch.setenv(KEY, key)
    with pytest.raises(BadInput, match="RESOLVER_LEDGER_KEY"):
        open_ledger(str(tmp_path / "ledger.db"))


def test_a_key_file_that_is_not_there_is_bad_input(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "nowhere"))
    with pytest.raises(BadInput, match="nowhere"):
        open_ledger(str(tmp_path / "ledger.db"))


def test_a_ledger_that_hosts_share_wants_its_key_given(postgres_url, monkeypatch):
    monkeypatch.delenv(KEY)
    with open_ledger(postgres_url) as ledger:
        ledger.start_run(Run("run-1", "retail", "apply", "ana", NOON))
        with pytest.raises(LedgerFailed, match="several hosts share it"):
            ledger.record_intent(intent())
        assert ledger.entries_of("plan-1") == []
