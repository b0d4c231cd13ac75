"""A ledger with one run begun in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from resolver.ledger.ledger import open_ledger
from resolver.model.run import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def file_url(tmp_path):
    """The URL of an empty ledger in a file."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def ledger(url):
    with open_ledger(url) as opened:
        opened.start_run(Run("run-1", "retail", "apply", "ana", NOON))
        yield opened
