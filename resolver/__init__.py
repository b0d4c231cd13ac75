"""Identity resolution and safe, provable merges for Amazon Connect Customer Profiles.

>>> import polars as pl
>>> from resolver import load_rules, resolve, to_profiles
>>> contacts = pl.DataFrame(
...     {
...         "profile_id": ["1", "2", "3"],
...         "FirstName": ["Ana", "Ana", "Kim"],
...         "LastName": ["Ruiz", "Ruiz", "Lee"],
...         "EmailAddress": ["ana.ruiz@example.com", "ana.ruiz@example.com", "kim@example.com"],
...         "PhoneNumber": ["+34 600 000 001", "+34600000001", "+1 206 555 0100"],
...     }
... )
>>> resolution = resolve(to_profiles(contacts), load_rules())
>>> resolution.linkage.clusters.sort("profile_id")["cluster_id"].to_list()  # who is who
['1', '1', '3']
>>> [plan.profile_ids for plan in resolution.planning.plans]  # what a merge would take in
[('1', '2')]

``read_profiles`` reads a file instead; ``Evidence`` brings people's decisions and what the domain says.
The names are imported when they are first used: `import resolver` alone is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolver.model.domain_facts import DomainFacts
    from resolver.model.rule_set import RuleSet
    from resolver.profile_columns import to_profiles
    from resolver.profile_file import read_profiles
    from resolver.resolution import Evidence, Resolution, resolve
    from resolver.rule_file import load_rules

__version__ = "0.1.0"

__all__ = [
    "DomainFacts",
    "Evidence",
    "Resolution",
    "RuleSet",
    "load_rules",
    "read_profiles",
    "resolve",
    "to_profiles",
]

_HOMES = {
    "DomainFacts": "resolver.model.domain_facts",
    "Evidence": "resolver.resolution",
    "Resolution": "resolver.resolution",
    "RuleSet": "resolver.model.rule_set",
    "load_rules": "resolver.rule_file",
    "read_profiles": "resolver.profile_file",
    "resolve": "resolver.resolution",
    "to_profiles": "resolver.profile_columns",
}


def __getattr__(name: str) -> Any:
    """A public name from the module that it lives in."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'resolver' has no attribute {name!r}")
