"""Stages are done once: each leaves Parquet and, last of all, a note of what it was for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.matching.fingerprints import contents_of, names_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.model.rule_set import RuleSet
    from resolver.spark.store import Store


def identity_of(profiles: pl.DataFrame, rules: RuleSet) -> str:
    """A hash of all that blocking and comparing depend on: profiles, in their order, rules, this version."""
    out = hashlib.blake2b(digest_size=16)
    out.update(names_of(profiles["profile_id"]).tobytes())
    out.update(contents_of(profiles).tobytes())
    out.update(json.dumps([rules.fingerprint, version("resolver"), pl.__version__]).encode())
    return out.hexdigest()


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """A directory of stages, of one identity. What is there for another one is started over."""

    store: Store
    identity: str

    def stage(self, name: str, make: Callable[[str], dict[str, Any]]) -> tuple[str, dict[str, Any]]:
        """The address of a stage's Parquet and its facts; ``make`` writes the one and returns the other."""
        note, parquet = f"{name}.json", f"{name}.parquet"
        place = self.store.under(parquet)
        done = self._read(note)
        if done is not None and self.store.exists(parquet):
            return place, done
        self.store.remove(note)
        self.store.remove(parquet)
        facts = make(place)
        self.store.write_text(json.dumps({"identity": self.identity, "facts": facts}, indent=2), note)
        return place, facts

    def _read(self, note: str) -> dict[str, Any] | None:
        try:
            held = json.loads(self.store.read_text(note) or "")
            facts = held["facts"] if held["identity"] == self.identity else None
        except (ValueError, KeyError, TypeError):
            return None  # absent or cut short: as good as not done
        return facts if isinstance(facts, dict) else None
