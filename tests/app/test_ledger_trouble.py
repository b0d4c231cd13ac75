"""A ledger that cannot take the next fact: one clear error, and nothing is sent without it."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from embedded import NAME, embedded, pid
from merges import plan_of_group

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.errors import LedgerFailed
from resolver.ledger.ledger import open_ledger
from resolver.profiles.domain import describe_domain
from resolver.profiles.reading import read_profiles

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = [
    {"ProfileId": pid(n), "FirstName": f"F{n}", "Attributes": {"long": f"{n:02}" * 100}} for n in range(1, 41)
]
PLANS = [plan_of_group(PEOPLE[n : n + 2]) for n in range(0, 40, 2)]


def options(run_id, minutes=0):
    now = NOON + timedelta(minutes=minutes)
    return ApplyOptions(run_id, "ana", lambda: now, workers=1, settle_seconds=0.3)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own with 4 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if mount is None or os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603  # our own
        pytest.skip("no file system can be mounted here (needs root and the right to mount)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S603, S607  # our own


def check_what_is_left(domain, ledger):
    """Every merge that happened is in the ledger, as an open intent at least."""
    there = read_profiles(domain, [p["ProfileId"] for p in PEOPLE])
    gone = {p["ProfileId"] for p in PEOPLE} - set(there)
    known = set(ledger.survivors(NAME))
    for intent in ledger.open_intents(NAME):
        known |= set(intent.request["ProfileIdsToBeMerged"])
    assert gone <= known
    return gone


def test_a_full_disk_stops_the_run_and_the_next_one_goes_on(small_disk, tmp_path):
    path = small_disk / "ledger.db"
    with embedded(PEOPLE) as (domain, _):
        with open_ledger(str(path)) as ledger:
            filling = small_disk / "filling"
            filling.write_bytes(b"x" * max(0, shutil.disk_usage(small_disk).free - 60_000))
            with pytest.raises(LedgerFailed, match=r"ledger\.db: cannot write: .*(full|disk)"):
                apply_plans(PLANS, domain, ledger, options("full"))
            gone = check_what_is_left(domain, ledger)
            sent = domain.calls.counts.get("merge_profiles", 0)
            assert sent < len(PLANS)
            assert len(gone) <= sent
        filling.unlink()
        with open_ledger(str(path)) as ledger:
            # a lease that could not be let go for want of space has ended by itself
            assert apply_plans(PLANS, domain, ledger, options("again", minutes=2)).complete
        assert describe_domain(domain).profile_count == 20


def test_a_database_that_may_not_grow_stops_the_run_before_the_merge(tmp_path):
    with embedded(PEOPLE) as (domain, _), open_ledger(str(tmp_path / "ledger.db")) as ledger:
        with ledger._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        from sqlalchemy import event  # noqa: PLC0415  # this test alone

        @event.listens_for(ledger._engine, "begin")
        def _bound(connection):
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 8}")

        with pytest.raises(LedgerFailed, match="database or disk is full"):
            apply_plans(PLANS, domain, ledger, options("full"))
        check_what_is_left(domain, ledger)


def test_a_ledger_that_became_read_only_stops_the_run_before_the_merge(tmp_path):
    path = tmp_path / "ledger.db"
    open_ledger(str(path)).close()
    with embedded(PEOPLE) as (domain, _):
        with (
            pytest.raises(LedgerFailed, match="readonly"),
            open_ledger(f"sqlite:///file:{path}?mode=ro&uri=true") as ledger,
        ):
            apply_plans(PLANS, domain, ledger, options("read-only"))
        assert "merge_profiles" not in domain.calls.counts


def test_a_ledger_damaged_under_a_run_stops_it_with_one_error(tmp_path):
    path = tmp_path / "ledger.db"
    with embedded(PEOPLE) as (domain, _):
        with open_ledger(str(path)) as ledger:
            apply_plans(PLANS[:3], domain, ledger, options("sound"))
        size = path.stat().st_size
        with path.open("r+b") as file:  # all but the first page, which says that it is a database
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        sent = domain.calls.counts["merge_profiles"]
        with pytest.raises(LedgerFailed, match=r"ledger\.db"), open_ledger(str(path)) as ledger:
            apply_plans(PLANS, domain, ledger, options("damaged"))
        assert domain.calls.counts["merge_profiles"] == sent
