"""Search keys: which values find a profile, which of them the service takes as equal, and key files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.errors import BadFile
from resolver.model.profile import EMAILS, PHONES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

PHONE: Final = "_phone"
EMAIL: Final = "_email"
FULL_NAME: Final = "_fullName"
ACCOUNT: Final = "_account"
PROFILE_ID: Final = "_profileId"
CONTACT: Final = "_ctrContactId"

#: KeyName and each of Values, as the service model bounds them.
KEY_NAME_PATTERN: Final = r"^[a-zA-Z0-9_-]{1,64}$"
LONGEST_VALUE: Final = 255
NAMED_ROWS: Final = 5  # row numbers listed in a complaint

_NANP: Final = re.compile(r"\+?1?([2-9]\d{2}[2-9]\d{6})")
_DIGIT: Final = re.compile("[0-9]")
_FORMATTING: Final = re.compile(r"[\s().\-/]+")


@dataclass(frozen=True, slots=True)
class SearchKey:
    """One name and one value: what one of the five places in a search holds."""

    name: str
    value: str

    @property
    def normalised(self) -> tuple[str, str]:
        """Equal for two keys only where the service's index surely takes them as equal.

        Where in doubt, two values differ: that costs a call, the opposite would cost profiles.
        """
        if self.name == PHONE:
            return self.name, _phone(self.value)
        if self.name == EMAIL:
            return self.name, self.value.strip().casefold()
        if self.name == FULL_NAME:
            return self.name, " ".join(self.value.split()).casefold()
        return self.name, self.value


def _phone(value: str) -> str:
    """Without formatting; the US country code is optional in the index (AWS's examples of mappings)."""
    bare = _FORMATTING.sub("", value)
    match = _NANP.fullmatch(bare)
    if match:
        return f"+1{match[1]}"
    return bare.casefold() if _DIGIT.search(bare) else value.strip().casefold()


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A key of the domain's object types whose values a profile's own fields hold: a name, and the members.

    The values of several members are joined by a blank, absent ones skipped.
    """

    name: str
    members: tuple[tuple[str, ...], ...]

    def of(self, profile: Mapping[str, Any]) -> SearchKey | None:
        """The key that an API-shaped profile tells; null where it tells none, or one too long to ask."""
        texts = [_text_at(profile, path) for path in self.members]
        value = " ".join(text for text in texts if text)
        return SearchKey(self.name, value) if 0 < len(value) <= LONGEST_VALUE else None


def _text_at(profile: Mapping[str, Any], path: tuple[str, ...]) -> str | None:
    value: Any = profile
    for member in path:
        value = value.get(member) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def keys_of(profile: Mapping[str, Any], derived: Iterable[DerivedKey] = ()) -> Iterator[SearchKey]:
    """The keys under which the service's index holds an API-shaped profile, as far as its fields tell.

    ``derived`` are those of the domain's own object types. Values over 255 characters (a long full name) are
    left out: the service takes none.
    """
    if account := profile.get("AccountNumber"):
        yield SearchKey(ACCOUNT, account)
    for member in EMAILS:
        if email := profile.get(member):
            yield SearchKey(EMAIL, email)
    for member in PHONES:
        if phone := profile.get(member):
            yield SearchKey(PHONE, phone)
    names = (profile.get(part) for part in ("FirstName", "MiddleName", "LastName"))
    full_name = " ".join(name for name in names if name)
    if full_name and len(full_name) <= LONGEST_VALUE:
        yield SearchKey(FULL_NAME, full_name)
    yield from filter(None, (key.of(profile) for key in derived))


def read_keys(path: Path) -> list[SearchKey]:
    """The keys of a CSV or Parquet file with text columns ``key_name`` and ``value``, in its order.

    Raises:
        BadFile: missing, unreadable, without these columns, or with names or values that the service would
            refuse; the message gives row numbers (the first row is 1), never values.
    """
    frame = _columns_of(path, ("key_name", "value"))
    _check(path, frame)
    return [SearchKey(name, value) for name, value in frame.iter_rows()]


def read_contacts(path: Path) -> list[SearchKey]:
    """The contact-record ids of a CSV or Parquet file with a text column ``contact_id``, as keys.

    Raises:
        BadFile: as for ``read_keys``.
    """
    frame = _columns_of(path, ("contact_id",)).select(
        pl.lit(CONTACT).alias("key_name"), pl.col("contact_id").alias("value")
    )
    _check(path, frame)
    return [SearchKey(name, value) for name, value in frame.iter_rows()]


def _columns_of(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    frame = _read(path)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        there = ", ".join(frame.columns) or "nothing"
        raise BadFile(f"{path}: no column {', '.join(missing)} (columns there: {there})")
    for column in columns:
        if frame.schema[column] != pl.String:
            raise BadFile(f"{path}: column {column} holds {frame.schema[column]}, not text")
    if frame.is_empty():
        raise BadFile(f"{path}: no keys in it")
    return frame.select(columns)


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadFile(f"{path}: no such file")
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pl.read_parquet(path)
        if path.suffix.lower() == ".csv":
            return pl.read_csv(path, infer_schema=False, encoding="utf8")  # "00123" stays an account number
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        raise BadFile(f"{path}: not a readable {path.suffix[1:]} file ({type(error).__name__})") from None
    raise BadFile(f"{path}: keys come as .csv or .parquet, not {path.suffix or 'a file without a suffix'}")


def _check(path: Path, frame: pl.DataFrame) -> None:
    name, value = pl.col("key_name"), pl.col("value")
    faults = {
        "a key_name that is none (letters, digits, _ and -)": ~name.str.contains(KEY_NAME_PATTERN).fill_null(
            value=False
        ),
        "no value": value.is_null() | (value.str.strip_chars() == ""),
        f"a value over {LONGEST_VALUE} characters": value.str.len_chars() > LONGEST_VALUE,
    }
    rows = frame.with_row_index("row", offset=1)
    for fault, where in faults.items():
        bad = rows.filter(where)["row"].to_list()
        if bad:
            listed = ", ".join(map(str, bad[:NAMED_ROWS])) + (", …" if len(bad) > NAMED_ROWS else "")
            raise BadFile(f"{path}: {fault} in row {listed}")
