"""The project's own tables, read once for all tests of standardisation."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from resolver.reference_file import load_reference

RULES = Path(__file__).parents[3] / "rules" / "reference"
#: `make soak` runs the long campaigns in full.
SOAK = os.environ.get("RESOLVER_SOAK") == "1"


@cache
def tables():
    return load_reference(RULES)
