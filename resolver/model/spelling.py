"""How columns are spelled: what different spellings have in common, and which are never read."""

from __future__ import annotations

import re
from typing import Final

_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]")

#: Columns that tell who is who in test data, in any spelling: never evidence, so never read.
LABEL_COLUMNS: Final = frozenset(
    {
        "entity", "entityid", "trueentity", "trueentityid", "cluster", "clusterid", "truecluster",
        "trueclusterid",        "trueid", "truth", "truthid", "goldid", "goldenid", "groundtruth",
    }
)  # fmt: skip


def plain_name(column: str) -> str:
    """The spelling that FirstName, first_name and "First Name" have in common."""
    return _NOT_LETTERS.sub("", column.lower())
