"""The figures by which a run is compared with others, counted from what the run has written. No values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.errors import BadFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Columns of profiles.parquet that no source fills.
_NO_FIELDS: Final = frozenset(("profile_id", "last_updated_at", "source"))
#: Above it a cluster is large: a person seldom has more profiles.
_LARGE: Final = 5
#: Profile ids shown beside a figure.
_EXAMPLES: Final = 5


def read_table(directory: Path, name: str) -> pl.DataFrame:
    """A table of a run's directory.

    Raises:
        BadFile: it is not there or not readable.
    """
    path = directory / name
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path}: no table of a run there ({type(error).__name__})") from None


def figures_of(directory: Path, diagnostics: Mapping[str, Any]) -> dict[str, float]:
    """The figures of ``model.gates.FIGURES`` of a published run, and counts of its plans."""
    profiles = read_table(directory, "profiles.parquet")
    clusters = read_table(directory, "clusters.parquet")
    plans = read_table(directory, "plans.parquet")
    count = profiles.height
    if not count:
        return {"profiles": 0.0}
    sizes = clusters["size"]
    ready = plans.filter(pl.col("band") == "merge")
    return {
        "profiles": float(count),
        **fill_rates(profiles),
        "pairs_per_profile": diagnostics.get("candidate_pairs", 0) / count,
        **{
            f"pairs_per_profile.{key['key']}": key["pairs"] / count for key in diagnostics.get("blocking", ())
        },
        "match_rate": float((sizes > 1).sum()) / count,
        "largest_cluster": float(sizes.max() or 0),  # type: ignore[arg-type]
        "share_above_five": float((sizes > _LARGE).sum()) / count,
        "plans_ready": float(ready.height),
        "plans_review": float((plans["band"] == "review").sum()),
        "merges_per_profile": float(ready["merged_profile_ids"].list.len().sum()) / count,
    }


def fill_rates(profiles: pl.DataFrame) -> dict[str, float]:
    """``fill_rate.<field>`` of every field that some profile has."""
    rates = profiles.select(_filled(profiles, name).mean().alias(name) for name in _fields(profiles))
    return {f"fill_rate.{name}": rate for name, rate in rates.row(0, named=True).items() if rate}


def examples_of(directory: Path, figure: str, *, rose: bool) -> tuple[str, ...]:
    """A few ids of profiles that a figure speaks of, the most telling first; none for the number of profiles.

    Of a fill rate that fell those without the field, of pairs those with the most, else members of the
    largest clusters or merge plans.
    """
    family, _, member = figure.partition(".")
    if family == "fill_rate":
        profiles = read_table(directory, "profiles.parquet")
        filled = _filled(profiles, member) if member in profiles.columns else pl.lit(value=False)
        return _first(profiles.filter(filled if rose else ~filled)["profile_id"].sort())
    if family == "pairs_per_profile":
        return _busiest(read_table(directory, "pairs.parquet"), member)
    if family == "merges_per_profile":
        plans = read_table(directory, "plans.parquet").filter(pl.col("band") == "merge")
        size = pl.col("merged_profile_ids").list.len()
        return _first(plans.sort(-size.cast(pl.Int64), "plan_id")["main_profile_id"])
    if family in {"match_rate", "largest_cluster", "share_above_five"}:
        clusters = read_table(directory, "clusters.parquet").filter(pl.col("size") > 1)
        return _first(clusters.sort(-pl.col("size").cast(pl.Int64), "cluster_id", "profile_id")["profile_id"])
    return ()


def _busiest(pairs: pl.DataFrame, rule: str) -> tuple[str, ...]:
    if rule:
        pairs = pairs.filter(pl.col("blocking_rule") == rule)
    ids = pl.concat([pairs["profile_id_left"], pairs["profile_id_right"]]).rename("profile_id")
    return _first(
        ids.to_frame()
        .group_by("profile_id")
        .len()
        .sort(-pl.col("len").cast(pl.Int64), "profile_id")["profile_id"]
    )


def _first(ids: pl.Series) -> tuple[str, ...]:
    return tuple(ids.head(_EXAMPLES).to_list())


def _fields(profiles: pl.DataFrame) -> Sequence[str]:
    return [name for name in profiles.columns if name not in _NO_FIELDS]


def _filled(profiles: pl.DataFrame, name: str) -> pl.Expr:
    """Whether a profile has a field: an address with any part, attributes with any key."""
    kind = profiles.schema[name]
    if isinstance(kind, pl.Struct):
        parts = [pl.col(name).struct.field(part.name).is_not_null() for part in kind.fields]
        return pl.any_horizontal(parts).fill_null(value=False)
    if isinstance(kind, pl.List):
        return (pl.col(name).list.len() > 0).fill_null(value=False)
    return pl.col(name).is_not_null()
