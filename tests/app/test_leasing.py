"""The hold on a domain is renewed while it lasts, and what is not sure of it sends nothing."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from resolver.app import leasing
from resolver.app.leasing import leased
from resolver.errors import AlreadyRunning, LedgerFailed
from resolver.ledger.ledger import open_ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOMAIN = "shop"


class Clock:
    """A clock that is put by hand."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def put(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


@pytest.fixture
def beats(monkeypatch, ledger):
    """Heartbeats every hundredth of a second; waits for so many more of them."""
    monkeypatch.setattr(leasing, "HEARTBEAT", 0.01)
    renew, beaten = ledger.renew_lease, threading.Semaphore(0)

    def counted(*facts):
        try:
            return renew(*facts)
        finally:
            beaten.release()

    monkeypatch.setattr(ledger, "renew_lease", counted)

    def wait(count=3):
        while beaten.acquire(blocking=False):
            pass
        for _ in range(count):
            assert beaten.acquire(timeout=20)

    return wait


def test_a_hold_is_renewed_for_as_long_as_it_lasts(ledger, clock, beats):
    with leased(DOMAIN, ledger, "a run", clock) as may_send:
        for _ in range(4):
            clock.put(30)
            beats()
            may_send()
        with pytest.raises(AlreadyRunning, match="a run is at work there"):
            ledger.acquire_lease(DOMAIN, "another", clock())
    ledger.acquire_lease(DOMAIN, "another", clock())


def test_a_hold_that_another_run_took_over_sends_nothing_and_leaves_it_to_that_run(
    ledger, clock, monkeypatch
):
    monkeypatch.setattr(leasing, "HEARTBEAT", 60.0)
    with leased(DOMAIN, ledger, "a run", clock) as may_send:
        may_send()
        clock.put(61)  # as after a machine's sleep
        ledger.acquire_lease(DOMAIN, "another", clock())
        with pytest.raises(AlreadyRunning, match="could not be renewed"):
            may_send()
    with pytest.raises(AlreadyRunning, match="another is at work there"):
        ledger.acquire_lease(DOMAIN, "a third", clock())


def test_a_hold_that_was_lost_is_not_renewed(ledger, clock, beats):
    with leased(DOMAIN, ledger, "a run", clock) as may_send:
        beats()
        ledger.release_lease(DOMAIN, "a run")
        ledger.acquire_lease(DOMAIN, "another", clock())
        with pytest.raises(AlreadyRunning):
            ask_for_a_while(may_send)


def ask_for_a_while(may_send):
    """The heartbeat that meets the other holder may still be on its way."""
    for _ in range(2000):
        may_send()
        time.sleep(0.01)


def test_a_ledger_that_is_away_for_a_while_costs_the_hold_only_if_it_lasts(ledger, clock, monkeypatch, beats):
    renew, away = ledger.renew_lease, threading.Event()

    def failing(*facts):
        if away.is_set():
            raise LedgerFailed("ledger: cannot write")
        return renew(*facts)

    monkeypatch.setattr(ledger, "renew_lease", failing)
    with leased(DOMAIN, ledger, "a run", clock) as may_send:
        beats()
        away.set()
        clock.put(39)
        may_send()
        clock.put(2)
        with pytest.raises(AlreadyRunning, match="could not be renewed"):
            may_send()
        away.clear()
        beats()
        may_send()
