# ruff: noqa: PLR2004 - the shares of an invented population stand where they are drawn
"""Companies with their truth, by seed: names of common words, chains with branches, entries that repeat.

usage: python benchmarks/companies.py ROWS OUT.parquet [--seed 1]

A quarter of the rows repeat a company: the legal form left out or written otherwise, a word abbreviated or
mistyped, a value missing. A twentieth of the companies are branches of a chain: one name, other addresses and
telephones, and they are different customers. Columns: ``profile_id``, ``entity`` (the truth), profile fields.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

FAMILIES = """Miller Garcia Okafor Jensen Rossi Novak Tanaka Silva Schmidt Dubois Haddad Kowalski Nguyen
Larsen Moreau Keller Santos Weber Ivanov Brennan Castillo Fischer Olsen Marino Petrov Chandra Lindgren
Fontaine Ortega Whitaker
Abbott Barlow Calloway Dempsey Eastman Farrow Gallagher Holloway Ingram Jarvis""".split()
PLACES = """Northern Valley Harbor Summit Pacific Lakeside Central Prairie Coastal Highland Riverside
Metro Atlantic Desert Pine Oak Cedar Eagle Falcon Granite Silver Golden Liberty
Pioneer Heritage Premier""".split()
TRADES = """Plumbing Roofing Electric Logistics Bakery Dental Consulting Foods Textiles Motors Printing
Software Security Landscaping
Fitness Pharmacy Insurance Catering Flooring Optical Robotics Freight Brewing Realty Packaging""".split()
KINDS = "Services Group Partners Supply Solutions Works Company Brothers Associates Center".split()
FORMS = ["Inc.", "LLC", "Corp.", "Ltd.", "Co.", ""]
SHORT = {"Services": "Svcs", "Company": "Co", "Brothers": "Bros", "Associates": "Assoc", "Center": "Ctr"}
STREETS = "Main Oak Maple Washington Park Lake Hill Cedar Elm Market Church Mill River Spring".split()
CITIES = [
    ("Dayton", "OH"), ("Tulsa", "OK"), ("Boise", "ID"), ("Reno", "NV"), ("Akron", "OH"), ("Mobile", "AL"),
    ("Fresno", "CA"), ("Salem", "OR"), ("Waco", "TX"), ("Provo", "UT"), ("Macon", "GA"), ("Erie", "PA"),
]  # fmt: skip


def companies(count: int, rng: np.random.Generator) -> pl.DataFrame:
    """One row a company, as it writes itself; ``core`` is its name without legal form."""

    def drawn(words: list[str]) -> pl.Series:
        return pl.Series(words).gather(rng.integers(0, len(words), count))

    number = pl.Series(rng.integers(1, 200, count).astype(str))
    lead = drawn(PLACES).zip_with(pl.Series(rng.random(count) < 0.4), drawn(FAMILIES))
    core = lead + " " + drawn(FAMILIES) + " " + drawn(TRADES) + " " + drawn(KINDS)
    core = core.zip_with(pl.Series(rng.random(count) < 0.7), lead + " " + drawn(TRADES) + " No " + number)
    chain = rng.random(count) < 0.05
    core = core.zip_with(pl.Series(~chain), core.gather(rng.integers(0, min(50, count), count)))
    city = rng.integers(0, len(CITIES), count)
    zips = 10_000 + city * 700 + rng.integers(0, 300, count)
    domain = core.str.to_lowercase().str.replace_all(" ", "") + ".com"
    return pl.DataFrame(
        {
            "entity": np.arange(count),
            "core": core,
            "form": drawn(FORMS),
            "BusinessPhoneNumber": pl.Series(rng.integers(2_012_000_000, 9_899_999_999, count).astype(str)),
            "BusinessEmailAddress": drawn(["info@", "sales@", "office@", "mail@"]) + domain,
            "Address1": pl.Series(rng.integers(1, 9_999, count).astype(str)) + " " + drawn(STREETS) + " St",
            "City": pl.Series([name for name, _ in CITIES]).gather(city),
            "State": pl.Series([state for _, state in CITIES]).gather(city),
            "PostalCode": pl.Series(zips.astype(str)),
        }
    )


def entries(rows: int, seed: int) -> pl.DataFrame:
    """The file: every company once, and a quarter of the rows again with damage, in random order."""
    rng = np.random.default_rng(seed)
    made = companies(max(rows - rows // 4, 1), rng)
    again = made[rng.integers(0, made.height, rows - made.height).tolist()]
    height = again.height

    def share(part: float) -> pl.Expr:
        return pl.lit(pl.Series(rng.random(height) < part))

    cut = pl.Series(rng.integers(1, 9, height))
    mistyped = pl.col("core").str.slice(0, pl.lit(cut)) + pl.col("core").str.slice(pl.lit(cut) + 1)
    shortened = pl.col("core").str.replace_many(SHORT)
    core = pl.when(share(0.2)).then(mistyped).when(share(0.3)).then(shortened).otherwise("core").alias("core")
    form = pl.lit(pl.Series(FORMS).gather(rng.integers(0, len(FORMS), height)))
    missing = [
        pl.when(share(0.25)).then(None).otherwise(name).alias(name)
        for name in ("BusinessPhoneNumber", "BusinessEmailAddress", "Address1", "PostalCode")
    ]
    again = again.with_columns(core, pl.when(share(0.5)).then(form).otherwise("form").alias("form"), *missing)
    both = pl.concat([made, again])
    both = both[rng.permutation(both.height).tolist()]
    name = pl.concat_str("core", "form", separator=" ").str.strip_chars().alias("BusinessName")
    ids = pl.int_range(both.height, eager=True).cast(pl.String).alias("profile_id")
    return both.select(ids, "entity", name, pl.exclude("entity", "core", "form"), Country=pl.lit("US"))


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    entries(given.rows, given.seed).write_parquet(given.out)


if __name__ == "__main__":
    main()
