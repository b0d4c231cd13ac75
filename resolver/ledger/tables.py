"""The ledger's tables. All but ``leases`` only grow: what was decided and done is never edited.

Customers' data (before-images, expected profiles, plans) stands in columns of its own, apart from the facts
about it: sealed (``sealing.py``), and emptied when it expires or is erased, without touching the history.
A change here comes with a migration under ``migrations/versions``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


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

schema_version = Table(  # for programs older than the migrations, which look here and stop
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
    Column("content", Text),  # sealed JSON of the whole MergePlan; null once expired or erased
    Column("profile_ids", Text, nullable=False, server_default=""),  # of all members, blanks between
    Column("approved_by", Text, nullable=False, server_default=""),
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
    Column("before", Text),  # sealed JSON: customers' data; null once expired or erased
    Column("expected", Text),  # same
    Column("gone", Text),  # why they are null
)

readings = Table(
    "readings",
    metadata,
    Column("entry_id", ForeignKey("journal.entry_id"), primary_key=True),
    Column("history", Text, nullable=False),  # what the service's own history of the survivor says
    Column("actual", Text),  # sealed JSON of what was read where it is not what was predicted
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
    Column("process", Text),  # JSON: which process on which machine, as its successor can look it up
)

restores = Table(
    "restores",
    metadata,
    Column("restore_id", String(64), primary_key=True),
    Column("run_id", ForeignKey("runs.run_id"), nullable=False),
    Column("plan_id", String(64), nullable=False, index=True),
    Column("content", Text),  # sealed JSON of the whole Restoration; null once expired or erased
    Column("at", Moment, nullable=False),
)

restore_steps = Table(
    "restore_steps",
    metadata,
    Column("entry_id", Integer, primary_key=True),
    Column("restore_id", ForeignKey("restores.restore_id"), nullable=False, index=True),
    Column("run_id", ForeignKey("runs.run_id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text, nullable=False),  # ids and field names only
    Column("at", Moment, nullable=False),
)

restored_ids = Table(
    "restored_ids",
    metadata,
    Column("restore_id", ForeignKey("restores.restore_id"), primary_key=True),
    Column("old_id", String(32), primary_key=True),
    Column("new_id", String(32), nullable=False),
    Index("restored_ids_by_old", "old_id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", Integer, primary_key=True),
    Column("domain", String(64), nullable=False, index=True),
    Column("profile_ids", Text, nullable=False),
    Column("removed", Text, nullable=False),  # JSON: counts
    Column("actor", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

gates = Table(
    "gates",
    metadata,
    Column("number", Integer, primary_key=True),  # the order of runs, whatever their clocks said
    Column("run_id", String(64), nullable=False, unique=True),
    Column("domain", String(64), nullable=False, index=True),
    Column("held", Boolean, nullable=False),
    Column("compared_with", String(64)),
    Column("figures", Text, nullable=False),  # JSON: figure → number
    Column("breaches", Text, nullable=False),  # JSON: figures, limits, profile ids
    Column("at", Moment, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("run_id", ForeignKey("gates.run_id"), primary_key=True),
    Column("released_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

cluster_members = Table(  # only what is not as it was: a run that changes nothing adds nothing
    "cluster_members",
    metadata,
    Column("run_id", ForeignKey("gates.run_id"), primary_key=True),
    Column("profile_id", String(255), primary_key=True),
    Column("persistent_id", String(64), nullable=False),
    Column("present", Boolean, nullable=False),
)
