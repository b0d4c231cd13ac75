"""A rule set: everything about matching and planning that a user may change."""

from __future__ import annotations

from resolver.model.section import Section
from resolver.model.survivorship_policy import Survivorship


class RuleSet(Section):
    """A named set of rules."""

    name: str
    survivorship: Survivorship = Survivorship()
