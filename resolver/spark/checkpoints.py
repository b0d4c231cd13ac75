"""Stages are done once: each leaves Parquet and, last of all, a note of what it was for."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.matching.state import contents_of, names_of
from resolver.whole_file import write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from resolver.model.rule_set import RuleSet


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

    directory: Path
    identity: str

    def stage(self, name: str, make: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
        """The Parquet of a stage and the facts noted with it; ``make`` writes the one, returns the other."""
        note, place = self.directory / f"{name}.json", self.directory / f"{name}.parquet"
        done = self._read(note)
        if done is not None and place.is_dir():
            return place, done
        note.unlink(missing_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        facts = make(place)
        write_json({"identity": self.identity, "facts": facts}, note)
        return place, facts

    def _read(self, note: Path) -> dict[str, Any] | None:
        try:
            held = json.loads(note.read_text())
            facts = held["facts"] if held["identity"] == self.identity else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # absent or cut short: as good as not done
        return facts if isinstance(facts, dict) else None
