"""Gates: each run's figures and verdict, who released it, and which cluster holds which profile."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Text

revision = "3"
down_revision = "2"

_MOMENT = String(32)


def upgrade() -> None:
    """From version 2: nothing that was there changes."""
    op.create_table(
        "gates",
        Column("number", Integer, primary_key=True),
        Column("run_id", String(64), nullable=False, unique=True),
        Column("domain", String(64), nullable=False, index=True),
        Column("held", Boolean, nullable=False),
        Column("compared_with", String(64)),
        Column("figures", Text, nullable=False),
        Column("breaches", Text, nullable=False),
        Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "releases",
        Column("run_id", String(64), ForeignKey("gates.run_id"), primary_key=True),
        Column("released_by", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "cluster_members",
        Column("run_id", String(64), ForeignKey("gates.run_id"), primary_key=True),
        Column("profile_id", String(255), primary_key=True),
        Column("persistent_id", String(64), nullable=False),
        Column("present", Boolean, nullable=False),
    )
    op.execute("UPDATE schema_version SET version = 3")  # what programs older than the migrations look at


def downgrade() -> None:
    """A ledger only grows."""
    raise NotImplementedError("a ledger is not taken back to an earlier version")
