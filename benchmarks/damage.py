"""A tidy file of profiles made dirty, by seed: the same people, written as people write.

usage: python benchmarks/damage.py TIDY.parquet DIRTY.parquet [--seed 1]

What is done, each row on its own:

- a third of the names goes whole into one field: full name in FirstName, "Last, First" in LastName, or
  ``full_name`` in the attributes with the name fields empty; a tenth has a title or a suffix;
- birth dates are written in ten notations;
- a tenth of the rows carries accents, a twentieth is in Cyrillic, Greek or Chinese letters;
- Attributes is JSON text: loyalty number (an identifier), tier, source system, sometimes the full name;
- a fifth of the second address lines is filled; a tenth of the phones is written without any format.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

ACCENTS = {"a": "á", "e": "é", "i": "í", "o": "ö", "u": "ü", "n": "ñ", "c": "ç"}
CYRILLIC = dict(zip("abcdefghijklmnoprstuvyz", "абцдефгхийклмнопрстувыз", strict=True))
GREEK = dict(zip("abgdezhiklmnoprstuw", "αβγδεζηικλμνοπρστυω", strict=True))
CHINESE = dict(
    zip("abcdefghijklmnopqrstuvwxyz", "艾比西迪伊弗吉艾杰凯勒马娜欧佩丘尔斯特优维沃西伊子阿", strict=True)
)
DATES = [
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d %B %Y",
    "%b %d, %Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d-%b-%y",
    "%Y-%m-%dT00:00:00Z",
]
TITLES = ["Mr. ", "Mrs ", "Dr. ", "Prof. "]
SUFFIXES = [" Jr", " Sr.", " III", ", PhD"]


def made_dirty(tidy: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The damaged file; ``profile_id`` and ``entity`` stay."""
    rng = np.random.default_rng(seed)
    height = tidy.height

    def share(part: float) -> pl.Expr:
        return pl.lit(pl.Series(rng.random(height) < part))

    def one_of(count: int) -> pl.Expr:
        return pl.lit(pl.Series(rng.integers(0, count, height)))

    frame = tidy.with_columns(_in_letters(tidy, rng))
    first, middle, last = pl.col("FirstName"), pl.col("MiddleName"), pl.col("LastName")
    titled = pl.when(share(0.05)).then(_pick(TITLES, one_of(4))).otherwise(pl.lit(""))
    suffixed = pl.when(share(0.05)).then(_pick(SUFFIXES, one_of(4))).otherwise(pl.lit(""))
    whole = titled + pl.concat_str(first, middle, last, separator=" ", ignore_nulls=True) + suffixed
    way = one_of(9)  # 0 whole in first, 1 "last, first" in last, 2 in the attributes, else as they are
    both = first.is_not_null() & last.is_not_null()
    frame = frame.with_columns(pl.when(both).then(way).otherwise(8).alias("way"), whole.alias("whole"))
    way = pl.col("way")
    dates = _dates(pl.col("BirthDate"), one_of(len(DATES)))
    loyalty = "LY-" + (pl.col("AccountNumber").hash(seed) % 10_000_000).cast(pl.String).str.zfill(7)
    attributes = pl.struct(
        pl.when(pl.col("AccountNumber").is_not_null()).then(loyalty).alias("loyalty_number"),
        _pick(["gold", "silver", "bronze"], one_of(3)).alias("tier"),
        _pick(["web", "store", "call centre", "import"], one_of(4)).alias("source_system"),
        pl.when(way == 2).then("whole").alias("full_name"),  # noqa: PLR2004 - the way above
    ).struct.json_encode()
    return frame.select(
        "profile_id",
        *[name for name in _TRUTH if name in tidy.columns],
        pl.when(way == 0)
        .then("whole")
        .when(way.is_in([1, 2]))
        .then(None)
        .otherwise(first)
        .alias("FirstName"),
        pl.when(way.is_in([0, 1, 2])).then(None).otherwise(middle).alias("MiddleName"),
        pl.when(way == 1)
        .then(last + ", " + first)
        .when(way.is_in([0, 2]))
        .then(None)
        .otherwise(last)
        .alias("LastName"),
        dates.alias("BirthDate"),
        pl.col("PhoneNumber").str.replace_all("[^0-9+]", "").alias("PhoneNumber"),
        pl.when(share(0.2) & pl.col("Address1").is_not_null())
        .then("Apt " + one_of(400).cast(pl.String))
        .alias("Address2"),
        pl.when(share(0.9)).then(attributes).alias("Attributes"),
        *[c for c in tidy.columns if c not in _REPLACED],
    )


_TRUTH = ("entity", "entity_id")
_REPLACED = {"profile_id", *_TRUTH, "FirstName", "MiddleName", "LastName", "BirthDate", "PhoneNumber"}


def _pick(texts: list[str], number: pl.Expr) -> pl.Expr:
    return number.replace_strict(range(len(texts)), texts, return_dtype=pl.String)


def _in_letters(tidy: pl.DataFrame, rng: np.random.Generator) -> list[pl.Expr]:
    """Names and streets in other letters: a tenth with accents, a twentieth in another script."""
    kind = pl.lit(pl.Series(rng.choice(5, tidy.height, p=[0.85, 0.1, 0.02, 0.02, 0.01])))
    written = []
    for name in ("FirstName", "MiddleName", "LastName", "Address1"):
        text = pl.when(kind == 1).then(_mapped(pl.col(name), ACCENTS)).otherwise(name)
        for number, letters in enumerate((CYRILLIC, GREEK, CHINESE), start=2):
            foreign = (kind == number) & (name != "Address1")
            text = pl.when(foreign).then(_mapped(pl.col(name).str.to_lowercase(), letters)).otherwise(text)
        written.append(text.alias(name))
    return written


def _mapped(text: pl.Expr, letters: dict[str, str]) -> pl.Expr:
    return text.str.replace_many(list(letters), list(letters.values()))


def _dates(text: pl.Expr, way: pl.Expr) -> pl.Expr:
    iso = text.str.to_date("%Y-%m-%d", strict=False)
    date = pl.coalesce(iso, text.str.to_date("%m/%d/%Y", strict=False))
    written = text
    for number, notation in enumerate(DATES):
        written = (
            pl.when((way == number) & date.is_not_null()).then(date.dt.strftime(notation)).otherwise(written)
        )
    return written


def main() -> None:
    """Read the arguments, write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tidy", type=Path)
    parser.add_argument("dirty", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    made_dirty(pl.read_parquet(given.tidy), given.seed).write_parquet(given.dirty)


if __name__ == "__main__":
    main()
