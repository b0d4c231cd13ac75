"""The review's tables: facts that only grow, and two tables of things in hand (claims, drafts).

A fact has its place in the history of its cluster (``seq``); two facts cannot take the same place, which is
what makes two reviewers' verdicts on one cluster impossible. Plans and notes may hold customers' data and
stand apart from the facts, so that they can expire or be erased without touching the history.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, Text, UniqueConstraint

from resolver.ledger.tables import Moment

review_metadata = MetaData()

review_facts = Table(
    "review_facts",
    review_metadata,
    Column("fact_id", Integer, primary_key=True),
    Column("domain", String(64), nullable=False, index=True),
    Column("run_id", String(64), nullable=False),
    Column("cluster_id", String(255), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("version", String(64), nullable=False),  # of what was on the screen
    Column("content", Text, nullable=False),  # JSON: verdicts, groups, ids, fingerprints, times
    Column("at", Moment, nullable=False),
    UniqueConstraint("domain", "cluster_id", "seq"),
)

review_notes = Table(
    "review_notes",
    review_metadata,
    Column("fact_id", ForeignKey("review_facts.fact_id"), primary_key=True),
    Column("note", Text, nullable=False),  # free text of a reviewer
)

review_plans = Table(
    "review_plans",
    review_metadata,
    Column("fact_id", ForeignKey("review_facts.fact_id"), primary_key=True),
    Column("plan_id", String(64), primary_key=True),
    Column("content", Text, nullable=False),  # JSON of the whole MergePlan: customers' data
)

review_claims = Table(
    "review_claims",
    review_metadata,
    Column("domain", String(64), primary_key=True),
    Column("cluster_id", String(255), primary_key=True),
    Column("reviewer", Text, nullable=False),
    Column("until", Moment, nullable=False),
)

review_drafts = Table(
    "review_drafts",
    review_metadata,
    Column("domain", String(64), primary_key=True),
    Column("cluster_id", String(255), primary_key=True),
    Column("reviewer", String(255), primary_key=True),
    Column("content", Text, nullable=False),  # JSON: groups, chosen sources, note
    Column("at", Moment, nullable=False),
)
