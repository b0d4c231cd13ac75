"""Where an export keeps what it has until it is whole: an interrupted one goes on from here.

A directory beside the output file: Parquet parts of profiles with the route to each, the digests of the keys
that were asked, and of those that found anything. A key is noted only after the profiles that it found are on
disk; whatever else the export needs to know follows from these.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, Final

import polars as pl

from resolver.errors import AlreadyRunning, BadFile
from resolver.model.frames import PROFILES, empty
from resolver.model.profile import from_row
from resolver.profiles.convert import profiles_frame
from resolver.whole_file import write_frame, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from resolver.model.profile import Profile

#: Profiles held in memory before they become a part.
PROFILES_PER_PART: Final = 10_000
#: Older unfinished exports are not continued: their profiles would be too stale to plan on.
KEPT_FOR: Final = timedelta(hours=24)
DIGEST_BYTES: Final = 8
#: The column of a part that says what led to each profile first.
ROUTE: Final = "route"
_LOCK: Final = "lock"


@dataclass(slots=True)
class Parts:
    """The parts of one export. One thread writes; a kill costs at most ``keys_at_risk`` keys asked again."""

    directory: Path
    keys_at_risk: int
    _profiles: list[Profile] = field(default_factory=list)
    _routes: list[str] = field(default_factory=list)
    _asked: list[bytes] = field(default_factory=list)
    _hit: list[bytes] = field(default_factory=list)
    _number: int = 0

    def add(self, route: str, profile: Profile) -> None:
        """Keep a profile and what led to it; the caller has seen to it that it is new."""
        self._profiles.append(profile)
        self._routes.append(route)

    def note(self, asked: Iterable[bytes], hit: Iterable[bytes] = ()) -> None:
        """Remember that keys were asked, which of them hit, and that all they found was added."""
        self._asked.extend(asked)
        self._hit.extend(hit)
        if len(self._profiles) >= PROFILES_PER_PART or len(self._asked) >= self.keys_at_risk:
            self.flush()

    def flush(self) -> None:
        """Put everything on disk: profiles first, then the keys that found them."""
        if self._profiles:
            self._number += 1
            routes = pl.Series(ROUTE, self._routes, pl.String)
            part = profiles_frame(self._profiles).with_columns(routes)
            write_frame(part, self.directory / f"{self._number:06}.parquet")
            self._profiles.clear()
            self._routes.clear()
        for name, digests in (("hit", self._hit), ("asked", self._asked)):
            if digests:
                _append(self.directory / name, b"".join(digests))
                digests.clear()

    def asked(self) -> Iterator[bytes]:
        """The digests of keys asked so far; a torn last one is left out."""
        return _digests(self.directory / "asked")

    def hit(self) -> Iterator[bytes]:
        """The digests of keys that found a profile, as far as they were noted."""
        return _digests(self.directory / "hit")

    def profiles(self) -> Iterator[tuple[str, Profile]]:
        """The profiles on disk with the route to each, part by part."""
        for path in self._paths():
            for row in pl.read_parquet(path).iter_rows(named=True):
                yield row[ROUTE], from_row(row)

    def combined(self) -> pl.DataFrame:
        """All profiles on disk as one PROFILES frame, sorted by id, columns without any value left out."""
        paths = self._paths()
        if not paths:
            return empty(PROFILES).select("profile_id")
        parts = pl.scan_parquet(paths)
        filled = parts.select(pl.col(list(PROFILES.columns)).count()).collect().row(0, named=True)
        return parts.select(name for name, count in filled.items() if count).sort("profile_id").collect()

    def remove(self) -> None:
        """Delete the directory: the export is whole, or is begun anew."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _paths(self) -> list[Path]:
        return sorted(self.directory.glob("[0-9]*.parquet"))


@contextmanager
def open_parts(out: Path, about: Mapping[str, str], now: datetime, keys_at_risk: int) -> Iterator[Parts]:
    """The parts of an unfinished export of the same domain to that file, or none yet; locked meanwhile.

    ``about`` says what is exported; parts of anything else, and parts that are too old, are deleted.

    Raises:
        AlreadyRunning: another export to that file has them open.
        BadFile: the place cannot be written.
    """
    directory = out.with_name(out.name + ".partial")
    try:
        lock = _locked(directory)
    except BlockingIOError:
        raise AlreadyRunning(f"{out}: another export to this file is under way") from None
    except OSError as error:
        raise BadFile(f"{out}: cannot write there ({error.strerror})") from None
    with lock:
        try:
            _settle(directory, about, now)
        except OSError as error:
            raise BadFile(f"{out}: cannot write there ({error.strerror})") from None
        parts = Parts(directory, keys_at_risk)
        parts._number = max((int(path.stem) for path in parts._paths()), default=0)  # noqa: SLF001  # its own maker
        yield parts


def _locked(directory: Path) -> IO[bytes]:
    """The lock of the directory, which is made if need be; its end is the closing of the file, or a kill."""
    path = directory / _LOCK
    while True:
        directory.mkdir(exist_ok=True)
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        except OSError:
            file.close()
            raise
        file.close()  # of an export that has just ended and deleted it


def _settle(directory: Path, about: Mapping[str, str], now: datetime) -> None:
    """Leave what can be continued, and nothing else; a digest that a kill or a full disk cut short goes."""
    if _about(directory) != about or now - _begun(directory) > KEPT_FOR:
        for path in directory.iterdir():
            if path.name != _LOCK:
                path.unlink()
        content: dict[str, Any] = {"about": dict(about), "begun": now.astimezone(UTC).isoformat()}
        write_json(content, directory / "about.json")
    for path in (directory / "asked", directory / "hit"):
        if path.exists():
            os.truncate(path, path.stat().st_size // DIGEST_BYTES * DIGEST_BYTES)


def _about(directory: Path) -> Mapping[str, str] | None:
    path = directory / "about.json"
    return json.loads(path.read_text())["about"] if path.exists() else None


def _begun(directory: Path) -> datetime:
    return datetime.fromisoformat(json.loads((directory / "about.json").read_text())["begun"])


def _append(path: Path, content: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadFile(f"{path}: cannot be written ({error.strerror})") from None


def _digests(path: Path) -> Iterator[bytes]:
    content = path.read_bytes() if path.exists() else b""
    for start in range(0, len(content) - DIGEST_BYTES + 1, DIGEST_BYTES):
        yield content[start : start + DIGEST_BYTES]
