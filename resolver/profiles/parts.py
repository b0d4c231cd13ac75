"""Where an export keeps what it has until it is whole: an interrupted one goes on from here.

A directory beside the output file: Parquet parts of profiles, and the digests of the keys that were asked. A
key is noted only after the profiles that it found are on disk; whatever else the export needs to know
follows from the two.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.errors import BadFile
from resolver.model.frames import PROFILES, empty
from resolver.model.profile import from_row
from resolver.profiles.convert import profiles_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from resolver.model.profile import Profile

#: Profiles held in memory before they become a part.
PROFILES_PER_PART: Final = 10_000
#: Older unfinished exports are not continued: their profiles would be too stale to plan on.
KEPT_FOR: Final = timedelta(hours=24)
DIGEST_BYTES: Final = 8


@dataclass(slots=True)
class Parts:
    """The parts of one export. One thread writes; a kill costs at most ``keys_at_risk`` keys asked again."""

    directory: Path
    keys_at_risk: int
    _profiles: list[Profile] = field(default_factory=list)
    _asked: list[bytes] = field(default_factory=list)
    _number: int = 0

    def add(self, profile: Profile) -> None:
        """Keep a profile; the caller has seen to it that it is new."""
        self._profiles.append(profile)

    def note(self, asked: Iterable[bytes]) -> None:
        """Remember that keys were asked and that all they found was added."""
        self._asked.extend(asked)
        if len(self._profiles) >= PROFILES_PER_PART or len(self._asked) >= self.keys_at_risk:
            self.flush()

    def flush(self) -> None:
        """Put everything on disk: profiles first, then the keys that found them."""
        if self._profiles:
            self._number += 1
            write_whole(profiles_frame(self._profiles), self.directory / f"{self._number:06}.parquet")
            self._profiles.clear()
        if self._asked:
            with (self.directory / "asked").open("ab") as file:
                file.write(b"".join(self._asked))
                file.flush()
                os.fsync(file.fileno())
            self._asked.clear()

    def asked(self) -> Iterator[bytes]:
        """The digests noted so far; a torn last one is left out."""
        path = self.directory / "asked"
        content = path.read_bytes() if path.exists() else b""
        for start in range(0, len(content) - DIGEST_BYTES + 1, DIGEST_BYTES):
            yield content[start : start + DIGEST_BYTES]

    def profiles(self) -> Iterator[Profile]:
        """The profiles on disk, part by part."""
        for path in self._paths():
            for row in pl.read_parquet(path).iter_rows(named=True):
                yield from_row(row)

    def combined(self) -> pl.DataFrame:
        """All profiles on disk as one PROFILES frame, sorted by id; columns without any value left out."""
        frame = pl.concat([empty(PROFILES), *(pl.read_parquet(path) for path in self._paths())])
        used = [s.name for s in frame.iter_columns() if s.name == "profile_id" or s.null_count() < len(s)]
        return frame.select(used).sort("profile_id")

    def remove(self) -> None:
        """Delete the directory: the export is whole, or is begun anew."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _paths(self) -> list[Path]:
        return sorted(self.directory.glob("[0-9]*.parquet"))


def open_parts(out: Path, about: Mapping[str, str], now: datetime, keys_at_risk: int) -> Parts:
    """The parts of an unfinished export of the same domain to that file, or none yet.

    ``about`` says what is exported; parts of anything else, and parts that are too old, are deleted.

    Raises:
        BadFile: the place cannot be written.
    """
    directory = out.with_name(out.name + ".partial")
    parts = Parts(directory, keys_at_risk)
    try:
        if _about(directory) != about or now - _begun(directory) > KEPT_FOR:
            parts.remove()
            directory.mkdir()
            content: dict[str, Any] = {"about": dict(about), "begun": now.astimezone(UTC).isoformat()}
            write_text(json.dumps(content), directory / "about.json")
    except OSError as error:
        raise BadFile(f"{out}: cannot write there ({error.strerror})") from None
    for path in directory.glob("*.tmp"):
        path.unlink()
    numbers = [int(path.stem) for path in parts._paths()]  # noqa: SLF001  # its own maker
    parts._number = max(numbers, default=0)  # noqa: SLF001  # its own maker
    return parts


def _about(directory: Path) -> Mapping[str, str] | None:
    path = directory / "about.json"
    return json.loads(path.read_text())["about"] if path.exists() else None


def _begun(directory: Path) -> datetime:
    return datetime.fromisoformat(json.loads((directory / "about.json").read_text())["begun"])


def write_whole(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file that is either there in full or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    frame.write_parquet(temporary)
    _settle(temporary, path)


def write_text(content: str, path: Path) -> None:
    """Write a text file that is either there in full or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(content)
    _settle(temporary, path)


def _settle(temporary: Path, path: Path) -> None:
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
