"""What every rival is given: one cleaned column per field, and where its clusters go.

Cleaned as their own documentation asks for: lower case, blanks trimmed and collapsed, telephone numbers as
digits. More than that (nicknames, legal forms, dates in any format) is the work of a tool, not of its user.
Only Polars is needed: these files run in the rivals' environment, not in resolver's.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Column of the rivals: columns of the flat file, the first that is filled is taken.
FIELDS: Final = {
    "first": ("FirstName",),
    "middle": ("MiddleName",),
    "last": ("LastName",),
    "business": ("BusinessName",),
    "birth_date": ("BirthDate",),
    "phone": ("PhoneNumber", "MobilePhoneNumber", "HomePhoneNumber", "BusinessPhoneNumber"),
    "email": ("EmailAddress", "PersonalEmailAddress", "BusinessEmailAddress"),
    "address": ("Address1",),
    "city": ("City",),
    "state": ("State",),
    "postal_code": ("PostalCode",),
    "account": ("AccountNumber",),
}
#: A column that fewer profiles have is left out: no rival can learn anything from it.
LEAST_FILLED: Final = 0.05


@dataclass(frozen=True)
class Given:
    """Records (profile_id, then the fields that are filled), the truth for who needs labels, the output."""

    records: pl.DataFrame
    truth: Path | None
    out: Path

    @property
    def fields(self) -> list[str]:
        """The fields there are."""
        return self.records.columns[1:]

    def having(self, *wanted: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Those of the combinations of fields that are all there."""
        return [one for one in wanted if set(one) <= set(self.fields)]


def given() -> Given:
    """What the command line says: IN.parquet OUT.parquet [--truth TRUTH.parquet]."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--truth", type=Path)
    asked = parser.parse_args()
    return Given(cleaned(pl.read_parquet(asked.file)), asked.truth, asked.out)


def cleaned(flat: pl.DataFrame) -> pl.DataFrame:
    """The records of a flat file; what is empty is null."""
    out = flat.select(pl.col("profile_id").cast(pl.String))
    for field, columns in FIELDS.items():
        there = [pl.col(column).cast(pl.String) for column in columns if column in flat.columns]
        if there:
            text = pl.coalesce(there).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
            if field == "phone":
                text = text.str.replace_all(r"\D", "")
            series = flat.select(pl.when(text.str.len_chars() > 0).then(text).alias(field)).to_series()
            if series.len() - series.null_count() >= LEAST_FILLED * series.len():
                out = out.with_columns(series)
    return out


def components(ids: list[str], pairs: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """profile_id and cluster_id where pairs are all that a tool gives."""
    parent = {one: one for one in ids}

    def root(one: str) -> str:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for a, b in pairs:
        parent[root(a)] = root(b)
    return pl.DataFrame({"profile_id": ids, "cluster_id": [root(one) for one in ids]})


def run(cluster: Callable[[Given], pl.DataFrame]) -> None:
    """Have a rival cluster what is given; every profile gets a cluster."""
    task = given()
    found = cluster(task).select(pl.col("profile_id").cast(pl.String), pl.col("cluster_id").cast(pl.String))
    whole = task.records.select("profile_id").join(found, on="profile_id", how="left")
    whole.with_columns(pl.col("cluster_id").fill_null("alone " + pl.col("profile_id"))).write_parquet(
        task.out
    )
