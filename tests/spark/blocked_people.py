"""A file that is blocked, for both engines; and what the Spark engine lacks here."""

from __future__ import annotations

import importlib.util

import numpy as np
import polars as pl

from resolver.rule_file import load_rules
from resolver.spark.session import java_there

MISSING = [name for name in ("pyspark", "pyarrow", "pandas") if importlib.util.find_spec(name) is None]
MISSING += [] if java_there() else ["java"]


def blocked_rules():
    rules = load_rules(None)
    small = {"all_pairs_up_to": 0, "largest_block": 40}
    return rules.model_copy(update={"blocking": rules.blocking.model_copy(update=small)})


def people(count: int) -> pl.DataFrame:
    """Pairs of profiles of one person; one phone on a third of all, one name on a fifth."""
    draw = np.random.default_rng(7)
    person = np.arange(count) // 2
    first, last = (draw.integers(0, 60, count // 2 + 1)[person] for _ in range(2))
    phone = np.where(person % 3 == 0, 0, person)
    shared = person % 5 == 1
    return pl.DataFrame(
        {
            "profile_id": [f"p{k}" for k in range(count)],
            "first_name": np.where(shared, "maria", [f"given{chr(97 + f % 26)}{f}" for f in first]),
            "last_name": np.where(shared, "garcia", [f"family{chr(97 + f % 26)}{f}" for f in last]),
            "phone_number": [f"+1202555{p:04}" for p in phone],
            "email_address": [f"m{p}@example.com" if k % 4 else None for k, p in enumerate(person)],
        }
    )
