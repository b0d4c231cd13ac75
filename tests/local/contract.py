"""The contract of every operation, as data: what succeeds, what is refused and how.

Texts that begin with `$` stand for what the world of a test holds: see `worlds.py`.
"""

from __future__ import annotations

from contract_domains import DOMAINS
from contract_profiles import PROFILES

TABLE = DOMAINS | PROFILES
