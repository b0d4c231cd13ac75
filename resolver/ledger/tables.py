"""The ledger's tables. All but ``leases`` only grow: what was decided and done is never edited.

Customers' data (before-images, expected profiles, plans) stands in columns of its own, apart from the facts
about it, so that it can expire or be erased without touching the history.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

#: Raised with every change of these tables; a ledger of another version is refused, not guessed at.
SCHEMA_VERSION: Final = 1


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, as text of one fixed width: sorts as it reads, on every database."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's signature
        """The text."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """The moment."""
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData()

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("domain", String(64), nullable=False, index=True),
    Column("command", String(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
)

run_ends = Table(
    "run_ends",
    metadata,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("outcome", String(32), nullable=False),
    Column("summary", Text, nullable=False),  # JSON: counts, no personal data
    Column("ended_at", Moment, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("plan_id", String(64), primary_key=True),
    Column("cluster_id", String(64), nullable=False),
    Column("band", String(16), nullable=False),
    Column("calls", Integer, nullable=False),  # merge steps and post-steps
    Column("content", Text, nullable=False),  # JSON of the whole MergePlan: customers' data
)

journal = Table(
    "journal",
    metadata,
    Column("entry_id", Integer, primary_key=True),
    Column("run_id", ForeignKey("runs.run_id"), nullable=False),
    Column("plan_id", String(64), nullable=False),
    Column("step", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", Text),  # JSON: ids and field names only
    Column("response", Text),  # JSON
    Column("detail", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("journal_by_step", "plan_id", "step", "run_id"),
)

images = Table(
    "images",
    metadata,
    Column("entry_id", ForeignKey("journal.entry_id"), primary_key=True),
    Column("before", Text, nullable=False),  # JSON: customers' data
    Column("expected", Text, nullable=False),  # JSON: customers' data
)

merged_ids = Table(
    "merged_ids",
    metadata,
    Column("entry_id", ForeignKey("journal.entry_id"), primary_key=True),
    Column("merged_id", String(32), primary_key=True),
    Column("survivor_id", String(32), nullable=False),
    Index("merged_ids_by_id", "merged_id"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", Integer, primary_key=True),
    Column("domain", String(64), nullable=False, index=True),
    Column("profile_id_left", String(255), nullable=False),
    Column("profile_id_right", String(255), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("domain", String(64), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
