"""How a ledger of an earlier version becomes one of today's; read by alembic."""
