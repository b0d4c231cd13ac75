"""Splink 5 on DuckDB, as its documentation's tutorial and comparison library advise for people.

https://moj-analytical-services.github.io/splink: name comparisons with term frequencies, its e-mail
comparison, slips of dates and numbers by Damerau-Levenshtein, the prior from deterministic rules with recall
0.7, u from a million random pairs, m from two EM sessions with different blocking, clusters at 0.95. No
labels.
"""

from __future__ import annotations

import duckdb
import polars as pl
import splink.comparison_library as cl
from records import Given, run
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COMPARISONS = {
    "first": lambda: cl.NameComparison("first").configure(term_frequency_adjustments=True),
    "middle": lambda: cl.ExactMatch("middle"),
    "last": lambda: cl.NameComparison("last").configure(term_frequency_adjustments=True),
    "business": lambda: cl.JaroWinklerAtThresholds("business", [0.9, 0.7]).configure(
        term_frequency_adjustments=True
    ),
    "birth_date": lambda: cl.DamerauLevenshteinAtThresholds("birth_date", [1, 2]),
    "phone": lambda: cl.DamerauLevenshteinAtThresholds("phone", [1]),
    "email": lambda: cl.EmailComparison("email"),
    "address": lambda: cl.JaroWinklerAtThresholds("address", [0.92]),
    "city": lambda: cl.ExactMatch("city").configure(term_frequency_adjustments=True),
    "postal_code": lambda: cl.ExactMatch("postal_code").configure(term_frequency_adjustments=True),
    "account": lambda: cl.ExactMatch("account"),
}
BLOCKING = (
    ("account",), ("phone",), ("email",), ("last", "postal_code"), ("last", "birth_date"),
    ("first", "birth_date"), ("first", "last"), ("business", "postal_code"), ("business",),
    ("address", "first"), ("address",),
)  # fmt: skip
CERTAIN = (
    ("account",), ("email", "last"), ("first", "last", "birth_date"), ("business", "phone"),
    ("business", "address"),
)  # fmt: skip
SESSIONS = (
    ("last", "postal_code"), ("first", "birth_date"), ("first", "last"), ("business",), ("address",),
    ("phone",), ("city",),
)  # fmt: skip
LOOSE = (("last",), ("first",), ("birth_date",), ("postal_code",))
FEW_ROWS = 5_000  # up to here loose rules cost nothing: "as loose as the machine bears", its guide says
MANY_ROWS = 50_000  # above, blocks of one name or company would be too large


def cluster(task: Given) -> pl.DataFrame:
    """One run of the documented steps."""
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    connection.register("arrow", task.records.rename({"profile_id": "unique_id"}).to_arrow())
    connection.execute("create table records as select * from arrow")
    blocking = task.having(*BLOCKING)
    if task.records.height <= FEW_ROWS:
        blocking += task.having(*LOOSE)
    if task.records.height > MANY_ROWS:
        blocking = [
            fields for fields in blocking if fields not in {("business",), ("first", "last"), ("address",)}
        ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[make() for field, make in COMPARISONS.items() if field in task.fields],
        blocking_rules_to_generate_predictions=[block_on(*fields) for fields in blocking],
    )
    linker = Linker(DuckDBAPI(connection=connection).register("records"), settings)
    certain = task.having(*CERTAIN) or blocking[:1]
    linker.training.estimate_probability_two_random_records_match(
        [block_on(*fields) for fields in certain], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for fields in task.having(*SESSIONS)[:2]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*fields))
    pairs = linker.inference.predict(threshold_match_probability=0.01)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, 0.95)
    table = pl.DataFrame(found.as_duckdbpyrelation().to_arrow_table())
    return table.rename({"unique_id": "profile_id"})


if __name__ == "__main__":
    run(cluster)
