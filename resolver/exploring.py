"""What an analyst asks in a notebook, a Polars frame for each question.

Every function takes what ``resolve`` takes or gives, and reads nothing else. Charts are left to the notebook.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Final

import polars as pl
from scipy.special import betaincinv

from resolver.errors import BadInput
from resolver.matching.explanation import explain_cluster
from resolver.model.decision import Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.explanation import PairExplained
    from resolver.matching.linkage import Linkage
    from resolver.resolution import Resolution

#: Columns of PROFILES that are no field of a customer.
_NO_FIELDS: Final = ("profile_id", "last_updated_at", "source")
_LEVEL: Final = 0.95


def field_overview(profiles: pl.DataFrame) -> pl.DataFrame:
    """How well each field is filled: ``field``, ``filled`` (share), ``distinct``, ``most_shared``.

    ``most_shared`` is on how many profiles the commonest value stands: a placeholder, a switchboard, or a
    name that many people have. Address parts and attributes are fields of their own (``address.city``). Best
    filled first; fields that no profile has are left out.

    >>> import polars as pl
    >>> field_overview(pl.DataFrame({"profile_id": ["a", "b"], "first_name": ["Ana", "Ana"]})).rows()
    [('first_name', 1.0, 1, 2)]
    """
    long = _long(profiles)
    counts = long.group_by("field", "value").agg(pl.col("profile_id").n_unique().alias("n"))
    height = max(profiles.height, 1)
    filled = long.group_by("field").agg((pl.col("profile_id").n_unique() / height).alias("filled"))
    told = counts.group_by("field").agg(pl.len().alias("distinct"), pl.col("n").max().alias("most_shared"))
    return filled.join(told, on="field").sort(-pl.col("filled"), "field")


def repeated_values(profiles: pl.DataFrame, fields: Sequence[str] = (), at_least: int = 5) -> pl.DataFrame:
    """Values that stand on many profiles: ``field``, ``value``, ``profiles``, the commonest first.

    Phones, mailboxes and account numbers by default: what many share identifies nobody. Values are compared
    as they are written.
    """
    shared = ("phone_number", "email_address", "account_number")
    long = _long(profiles)
    wanted = (
        pl.col("field").is_in(list(fields))
        if fields
        else pl.any_horizontal(pl.col("field").str.ends_with(name) for name in shared)
    )
    counted = (
        long.filter(wanted).group_by("field", "value").agg(pl.col("profile_id").n_unique().alias("profiles"))
    )
    return counted.filter(pl.col("profiles") >= at_least).sort(
        -pl.col("profiles").cast(pl.Int64), "field", "value"
    )


def weight_histogram(linkage: Linkage, width: float = 1.0) -> pl.DataFrame:
    """Scored pairs by match weight: ``bits`` (lower edge of a bin of ``width``), ``band``, ``pairs``."""
    edge = (pl.col("match_weight") / width).floor() * width
    return (
        linkage.pairs.group_by(edge.alias("bits"), pl.col("band").cast(pl.String))
        .agg(pl.len().alias("pairs"))
        .sort("bits", "band")
    )


def by_threshold(
    linkage: Linkage, profiles: pl.DataFrame, decisions: pl.DataFrame, bits: Sequence[float]
) -> pl.DataFrame:
    """What each threshold would take for a match, and how right that is by people's decisions.

    Columns: ``bits``, ``pairs`` and ``profiles`` at or above it; of the decided pairs (DECISIONS, "unsure"
    left out) ``decided`` at or above it, ``precision`` and ``recall`` with ``*_low`` and ``*_high``, the
    exact binomial (Clopper-Pearson) interval of 95 %; null where nobody decided. Decided pairs are no random
    sample unless they were drawn as one: say so where you quote these figures.
    """
    ids = profiles["profile_id"]
    pairs = linkage.pairs.select(
        "match_weight",
        one=ids.gather(linkage.pairs["left"]),
        other=ids.gather(linkage.pairs["right"]),
    ).select(
        "match_weight",
        one=pl.min_horizontal("one", "other"),
        other=pl.max_horizontal("one", "other"),
    )
    told = decisions.filter(pl.col("verdict") != "unsure").select(
        is_match=pl.col("verdict") == "match",
        one=pl.min_horizontal("profile_id_left", "profile_id_right"),
        other=pl.max_horizontal("profile_id_left", "profile_id_right"),
    )
    known = told.join(pairs, on=["one", "other"], how="left").with_columns(
        pl.col("match_weight").fill_null(-float("inf"))
    )
    matches = int(known["is_match"].sum())
    rows = []
    for bar in bits:
        above, taken = (
            pairs.filter(pl.col("match_weight") >= bar),
            known.filter(pl.col("match_weight") >= bar),
        )
        right = int(taken["is_match"].sum())
        precision, recall = interval(right, taken.height), interval(right, matches)
        touched = pl.concat([above["one"], above["other"].rename("one")]).n_unique()
        rows.append((float(bar), above.height, touched, taken.height, *precision, *recall))
    names = ["bits", "pairs", "profiles", "decided"]
    names += [f"{what}{end}" for what in ("precision", "recall") for end in ("", "_low", "_high")]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(names, pl.Float64), orient="row", strict=False
    ).with_columns(pl.col("pairs", "profiles", "decided").cast(pl.UInt32))


def interval(right: int, of: int) -> tuple[float | None, float | None, float | None]:
    """A share and its exact binomial (Clopper-Pearson) interval of 95 %; nulls of nothing.

    >>> [round(x, 3) for x in interval(59, 60)]
    [0.983, 0.911, 1.0]
    """
    if not of:
        return None, None, None
    tail = (1 - _LEVEL) / 2
    low = float(betaincinv(right, of - right + 1, tail)) if right else 0.0
    high = float(betaincinv(right + 1, of - right, 1 - tail)) if right < of else 1.0
    return right / of, low, high


def waterfall(pair: PairExplained) -> pl.DataFrame:
    """A pair's way from prior to total: ``step``, ``bits``, ``from_bits``, ``to_bits``, in order."""
    steps = [("prior", pair.prior)]
    steps += [(line.comparison, line.weight) for line in pair.evidence if line.level != "unknown"]
    if pair.relation_discount:
        steps.append(("relations", -pair.relation_discount))
    frame = pl.DataFrame(steps, schema={"step": pl.String, "bits": pl.Float64}, orient="row")
    held = pair.total - float(frame["bits"].sum())
    if pair.held:
        frame = pl.concat([frame, pl.DataFrame({"step": ["one field alone"], "bits": [held]})])
    ends = pl.col("bits").cum_sum()
    return frame.with_columns(from_bits=ends - pl.col("bits"), to_bits=ends)


def cluster_links(linkage: Linkage, profiles: pl.DataFrame, cluster_id: str) -> pl.DataFrame:
    """A cluster's links: ``left``, ``right``, ``bits``, ``is_bridge``, ``is_weakest``; strongest first.

    Raises:
        BadInput: no such cluster.
    """
    told = explain_cluster(linkage, profiles, cluster_id)
    bridges, weakest = {frozenset(pair) for pair in told.bridges}, told.weakest
    rows = [
        (left, right, weight, frozenset((left, right)) in bridges, (left, right, weight) == weakest)
        for left, right, weight in told.links
    ]
    schema = {
        "left": pl.String,
        "right": pl.String,
        "bits": pl.Float64,
        "is_bridge": pl.Boolean,
        "is_weakest": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def candidate_clusters(resolution: Resolution) -> pl.DataFrame:
    """What waits for a person: ``cluster_id``, ``plan_id``, ``profile_ids``, ``reasons``, largest first."""
    ids = pl.concat_list("main_profile_id", "merged_profile_ids")
    waiting = resolution.planning.table.filter(pl.col("band") == "review")
    return waiting.select("cluster_id", "plan_id", profile_ids=ids, reasons="reasons").sort(
        -pl.col("profile_ids").list.len().cast(pl.Int64), "cluster_id"
    )


def decide(profile_ids: Sequence[str], verdict: str, reviewer: str, reason: str = "") -> list[Decision]:
    """One verdict (match, non_match, unsure) on every pair of profiles, for ``Ledger.record_decisions``.

    Raises:
        BadInput: fewer than two profiles, no reviewer, or another word.

    >>> [d.verdict.value for d in decide(["a", "b", "c"], "match", "ana")]
    ['match', 'match', 'match']
    """
    distinct = sorted(set(profile_ids))
    if len(distinct) < 2:  # noqa: PLR2004 - a verdict is about two
        raise BadInput(f"a verdict needs two profiles, not {len(distinct)}")
    if verdict not in tuple(Verdict):
        raise BadInput(f"verdict {verdict!r}: one of {', '.join(Verdict)}")
    if not reviewer.strip():
        raise BadInput("a verdict needs the name of its reviewer")
    now = datetime.now(UTC)
    return [
        Decision(left, right, Verdict(verdict), reviewer, reason, "notebook", now)
        for left, right in combinations(distinct, 2)
    ]


def _long(profiles: pl.DataFrame) -> pl.DataFrame:
    """``profile_id``, ``field``, ``value`` of everything that is there, blanks left out."""
    parts = [_of_column(profiles, name) for name in profiles.columns if name not in _NO_FIELDS]
    schema = {"profile_id": pl.String, "field": pl.String, "value": pl.String}
    return pl.concat([pl.DataFrame(schema=schema), *parts]).filter(pl.col("value").str.strip_chars() != "")


def _of_column(profiles: pl.DataFrame, name: str) -> pl.DataFrame:
    kind = profiles.schema[name]
    if isinstance(kind, pl.Struct):
        blocks = profiles.select("profile_id", pl.col(name).struct.unnest())
        long = blocks.unpivot(index="profile_id", variable_name="part").drop_nulls("value")
        return long.select("profile_id", pl.format(f"{name}.{{}}", "part").alias("field"), "value")
    if isinstance(kind, pl.List):
        held = profiles.select("profile_id", pl.col(name)).explode(name).drop_nulls(name)
        key, value = pl.col(name).struct.field("key"), pl.col(name).struct.field("value")
        return held.select("profile_id", pl.format(f"{name}.{{}}", key).alias("field"), value.alias("value"))
    there = profiles.select(
        "profile_id", pl.lit(name).alias("field"), pl.col(name).cast(pl.String).alias("value")
    )
    return there.drop_nulls("value")
