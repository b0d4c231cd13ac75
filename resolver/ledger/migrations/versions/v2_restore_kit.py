"""The restore kit: restores, erasures, what was read back, who approved; the lease knows its process.

Values that UpdateProfile and AddProfileKey were sent leave the journal, which holds ids and field names only,
for the before-images, which can be sealed, expire and be erased.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKey, Integer, String, Text

revision = "2"
down_revision = "1"

_MOMENT = String(32)


def upgrade() -> None:
    """From version 1."""
    with op.batch_alter_table("images") as images:
        images.alter_column("before", existing_type=Text(), nullable=True)
        images.alter_column("expected", existing_type=Text(), nullable=True)
        images.add_column(Column("gone", Text))
    with op.batch_alter_table("plans") as plans:
        plans.alter_column("content", existing_type=Text(), nullable=True)
        plans.add_column(Column("profile_ids", Text, nullable=False, server_default=""))
        plans.add_column(Column("approved_by", Text, nullable=False, server_default=""))
    with op.batch_alter_table("leases") as leases:
        leases.add_column(Column("process", Text))
    op.create_table(
        "readings",
        Column("entry_id", Integer, ForeignKey("journal.entry_id"), primary_key=True),
        Column("history", Text, nullable=False),
        Column("actual", Text),
    )
    op.create_table(
        "restores",
        Column("restore_id", String(64), primary_key=True),
        Column("run_id", String(64), ForeignKey("runs.run_id"), nullable=False),
        Column("plan_id", String(64), nullable=False, index=True),
        Column("content", Text),
        Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "restore_steps",
        Column("entry_id", Integer, primary_key=True),
        Column("restore_id", String(64), ForeignKey("restores.restore_id"), nullable=False, index=True),
        Column("run_id", String(64), ForeignKey("runs.run_id"), nullable=False),
        Column("step", Integer, nullable=False),
        Column("state", String(16), nullable=False),
        Column("detail", Text, nullable=False),
        Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "restored_ids",
        Column("restore_id", String(64), ForeignKey("restores.restore_id"), primary_key=True),
        Column("old_id", String(32), primary_key=True),
        Column("new_id", String(32), nullable=False),
    )
    op.create_index("restored_ids_by_old", "restored_ids", ["old_id"])
    op.create_table(
        "erasures",
        Column("erasure_id", Integer, primary_key=True),
        Column("domain", String(64), nullable=False, index=True),
        Column("profile_ids", Text, nullable=False),
        Column("removed", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("at", _MOMENT, nullable=False),
    )
    _name_members_of_plans()
    _move_values_out_of_the_journal()
    op.execute("UPDATE schema_version SET version = 2")  # what programs older than the migrations look at


def downgrade() -> None:
    """A ledger only grows."""
    raise NotImplementedError("a ledger is not taken back to an earlier version")


def _name_members_of_plans() -> None:
    plans = sa.table(
        "plans", sa.column("run_id"), sa.column("plan_id"), sa.column("content"), sa.column("profile_ids")
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(plans)).all():
        content = json.loads(row.content)
        ids = " ".join([content["main_profile_id"], *content["merged_profile_ids"]])
        this = (plans.c.run_id == row.run_id) & (plans.c.plan_id == row.plan_id)
        connection.execute(sa.update(plans).where(this).values(profile_ids=ids))


def _move_values_out_of_the_journal() -> None:
    journal = sa.table("journal", sa.column("entry_id"), sa.column("request"))
    images = sa.table("images", sa.column("entry_id"), sa.column("before"))
    connection = op.get_bind()
    query = sa.select(journal).where(journal.c.request.like('%"operation"%'))
    for row in connection.execute(query).all():
        request: dict[str, Any] = json.loads(row.request)
        kept = {
            "operation": request["operation"],
            "ProfileId": request["ProfileId"],
            "Fields": sorted(request.keys() - {"operation", "ProfileId"}),
        }
        mine = journal.c.entry_id == row.entry_id
        connection.execute(sa.update(journal).where(mine).values(request=json.dumps(kept)))
        image = images.c.entry_id == row.entry_id
        before = connection.execute(sa.select(images.c.before).where(image)).scalar_one_or_none()
        if before is not None:
            whole = json.dumps({**json.loads(before), "request": request}, ensure_ascii=False)
            connection.execute(sa.update(images).where(image).values(before=whole))
