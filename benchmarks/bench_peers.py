"""`resolver match` from raw profiles against Splink from our standardised columns, in turn, as ratios.

usage: python benchmarks/bench_peers.py FILE.parquet --splink SCRIPT [--python PYTHON] [--pairs 3] [--lean]

FILE is a file of make_profiles.py with its ``row_id`` renamed to ``profile_id``. SCRIPT is run_splink.py, the
settings of the published comparison: PYTHON (of an environment with splink, duckdb and polars) starts it as
``SCRIPT NORM TRUTH --only-time``, where NORM holds what standardising made of FILE. Reading and standardising
are part of our time, not of Splink's. Both are whole processes: imports and writing count.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from bench_pipeline import Cost, match_command, timed

from resolver.matching.standardisation import standardise
from resolver.profile_file import read_profiles
from resolver.rule_file import load_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.model.standardised import StandardisedField

#: Numbers and mailboxes on more profiles than this are left out: Splink would compare all of them.
MOST_SHARED = {"phone": 6, "email": 8}


def standardised_files(file: Path, folder: Path) -> tuple[Path, Path]:
    """``write_standardised`` in a process of its own.

    A started process counts the memory of the one that started it as its own peak: this one must stay small.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(write_standardised, file, folder).result()


def write_standardised(file: Path, folder: Path) -> tuple[Path, Path]:
    """NORM and TRUTH as run_splink.py reads them; the rows of FILE in order are its ``row_id``."""
    rules = load_rules(None)
    profiles = read_profiles(file)
    fields = standardise(profiles, rules.reference, rules.default_region).fields
    number = pl.int_range(profiles.height, dtype=pl.Int64, eager=True).alias("row_id")
    norm = pl.DataFrame(
        {
            "row_id": number,
            "first": text(fields, "first_name", profiles.height),
            "middle": text(fields, "middle_name", profiles.height),
            "last": text(fields, "last_name", profiles.height),
            "business": text(fields, "business_name", profiles.height),
            "phones": texts(fields["phone"], MOST_SHARED["phone"]),
            "emails": texts(fields["email"], MOST_SHARED["email"]),
            "dobd": text(fields, "birth_date", profiles.height).str.to_date("%Y%m%d", strict=False),
            "addr": text(fields, "house_number", profiles.height)
            + " "
            + text(fields, "street", profiles.height),
            "zip5": text(fields, "postal_code", profiles.height),
            "city": text(fields, "city", profiles.height),
            "acct": text(fields, "account_number", profiles.height),
        }
    )
    norm_file, truth_file = folder / "norm.parquet", folder / "truth.parquet"
    norm.write_parquet(norm_file)
    pl.DataFrame({"row_id": number, "entity": number}).write_parquet(truth_file)  # not looked at: only time
    return norm_file, truth_file


def text(fields: Mapping[str, StandardisedField], name: str, height: int) -> pl.Series:
    """The first value of a field per profile, null where unknown."""
    if name not in fields:
        return pl.repeat(None, height, dtype=pl.String, eager=True)
    field = fields[name]
    own = field.vocabulary["text"].gather(field.codes[:, 0])
    return own.set(pl.Series(field.codes[:, 0] == 0), None)


def texts(field: StandardisedField, most: int) -> pl.Series:
    """All values of a field per profile as a list, without those that too many profiles share."""
    counts = np.bincount(field.codes.ravel(), minlength=field.vocabulary.height)
    codes = np.where(counts[field.codes] > most, 0, field.codes)
    slots = [pl.Series(f"{i}", codes[:, i]) for i in range(codes.shape[1])]
    values = [field.vocabulary["text"].gather(slot).set(slot == 0, None).alias(slot.name) for slot in slots]
    return pl.DataFrame(values).select(pl.concat_list(pl.all()).list.drop_nulls()).to_series()


def main() -> None:
    """Read the arguments, run both in turn, print figures and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--splink", type=Path, required=True, help="run_splink.py")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has splink")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--lean", action="store_true", help="Splink with its four cheapest rules only")
    given = parser.parse_args()
    ours: list[Cost] = []
    theirs: list[Cost] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        norm, truth = standardised_files(given.file, folder)
        peer = [given.python, str(given.splink), str(norm), str(truth), "--only-time"]
        peer += ["--lean"] if given.lean else []
        print(f"{'':8s} {'wall s':>8s} {'CPU s':>8s} {'MiB':>8s}")
        for _ in range(given.pairs):
            for who, costs, command in (
                ("resolver", ours, match_command(given.file, folder / "out", None)),
                ("Splink", theirs, peer),
            ):
                costs.append(timed(command))
                print(
                    f"{who:8s} {costs[-1].wall:8.1f} {costs[-1].cpu:8.1f} {costs[-1].peak:8.0f}", flush=True
                )
    print("\nresolver / Splink, median of the pairs (lowest, highest)")
    for figure in ("wall", "cpu", "peak"):
        ratios = [getattr(a, figure) / getattr(b, figure) for a, b in zip(ours, theirs, strict=True)]
        print(f"{figure:8s} {statistics.median(ratios):8.2f} ({min(ratios):.2f}, {max(ratios):.2f})")


if __name__ == "__main__":
    main()
