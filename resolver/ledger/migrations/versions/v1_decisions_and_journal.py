"""The first ledger: runs, plans, journal with before-images, decisions, leases.

Frozen as it was: the tables of today are in ``resolver/ledger/tables.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from alembic import op
from sqlalchemy import Column, ForeignKey, Integer, String, Text

revision = "1"
down_revision = None

_MOMENT = String(32)


def upgrade() -> None:
    """Make the tables in an empty database."""
    versions = op.create_table(
        "schema_version",
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "runs",
        Column("run_id", String(64), primary_key=True),
        Column("domain", String(64), nullable=False, index=True),
        Column("command", String(32), nullable=False),
        Column("actor", Text, nullable=False),
        Column("started_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "run_ends",
        Column("run_id", String(64), ForeignKey("runs.run_id"), primary_key=True),
        Column("outcome", String(32), nullable=False),
        Column("summary", Text, nullable=False),
        Column("ended_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "plans",
        Column("run_id", String(64), ForeignKey("runs.run_id"), primary_key=True),
        Column("plan_id", String(64), primary_key=True),
        Column("cluster_id", String(64), nullable=False),
        Column("band", String(16), nullable=False),
        Column("calls", Integer, nullable=False),
        Column("content", Text, nullable=False),
    )
    op.create_table(
        "journal",
        Column("entry_id", Integer, primary_key=True),
        Column("run_id", String(64), ForeignKey("runs.run_id"), nullable=False),
        Column("plan_id", String(64), nullable=False),
        Column("step", Integer, nullable=False),
        Column("state", String(16), nullable=False),
        Column("request", Text),
        Column("response", Text),
        Column("detail", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("at", _MOMENT, nullable=False),
    )
    op.create_index("journal_by_step", "journal", ["plan_id", "step", "run_id"])
    op.create_table(
        "images",
        Column("entry_id", Integer, ForeignKey("journal.entry_id"), primary_key=True),
        Column("before", Text, nullable=False),
        Column("expected", Text, nullable=False),
    )
    op.create_table(
        "merged_ids",
        Column("entry_id", Integer, ForeignKey("journal.entry_id"), primary_key=True),
        Column("merged_id", String(32), primary_key=True),
        Column("survivor_id", String(32), nullable=False),
    )
    op.create_index("merged_ids_by_id", "merged_ids", ["merged_id"])
    op.create_table(
        "decisions",
        Column("decision_id", Integer, primary_key=True),
        Column("domain", String(64), nullable=False, index=True),
        Column("profile_id_left", String(255), nullable=False),
        Column("profile_id_right", String(255), nullable=False),
        Column("verdict", String(16), nullable=False),
        Column("reviewer", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("evidence", Text, nullable=False),
        Column("decided_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "leases",
        Column("domain", String(64), primary_key=True),
        Column("holder", Text, nullable=False),
        Column("expires_at", _MOMENT, nullable=False),
    )
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    op.bulk_insert(versions, [{"version": 1, "at": now}])


def downgrade() -> None:
    """A ledger only grows."""
    raise NotImplementedError("a ledger is not taken back to an earlier version")
