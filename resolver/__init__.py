"""Identity resolution and safe, provable merges for Amazon Connect Customer Profiles.

    from resolver import load_rules, read_profiles, resolve

    resolution = resolve(read_profiles(Path("contacts.csv")), load_rules())
    resolution.linkage.clusters      # who is who
    resolution.planning.plans        # what a merge would leave, and what it would give up

The names are imported when they are first used: `import resolver` alone is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolver.model.domain_facts import DomainFacts
    from resolver.model.rule_set import RuleSet
    from resolver.profile_file import read_profiles
    from resolver.resolution import Evidence, Resolution, resolve
    from resolver.rule_file import load_rules

__version__ = "0.1.0"

__all__ = ["DomainFacts", "Evidence", "Resolution", "RuleSet", "load_rules", "read_profiles", "resolve"]

_HOMES = {
    "DomainFacts": "resolver.model.domain_facts",
    "Evidence": "resolver.resolution",
    "Resolution": "resolver.resolution",
    "RuleSet": "resolver.model.rule_set",
    "load_rules": "resolver.rule_file",
    "read_profiles": "resolver.profile_file",
    "resolve": "resolver.resolution",
}


def __getattr__(name: str) -> Any:
    """A public name from the module that it lives in."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'resolver' has no attribute {name!r}")
