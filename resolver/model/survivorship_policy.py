"""Which value survives: strategies per field, as a rule set states them."""

from __future__ import annotations

from resolver.model.section import Section


class Survivorship(Section):
    """Strategy names per field of the API (``default`` for the rest). Filled in by planning's needs."""

    default: str = "most_complete"
