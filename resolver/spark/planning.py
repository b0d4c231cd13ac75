"""Survivorship and merge plans by groups of clusters, on executors: planning's functions decide."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from resolver.matching.fingerprints import IGNORED
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import FIELD_CHOICES, empty
from resolver.planning.plan_table import PLANS
from resolver.planning.plans import FEW, Plans, checked, plan_groups, prepared
from resolver.planning.second_opinion import SECOND_OPINION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from resolver.planning.group_plan import PlanningRules
    from resolver.spark.cluster import OnCluster
    from resolver.spark.tasks import Task

_SCHEMA = "place int, plans binary, choices binary"


def plan_on(work: OnCluster, profiles: pl.DataFrame, clusters: pl.DataFrame, rules: PlanningRules) -> Plans:
    """As ``plan_merges`` without facts of a domain: the same plans in the same order.

    A task is sent the profiles of its clusters, and who is named in the preferences of any profile.

    Raises:
        BadFrame: as there.
    """
    profiles, clusters = checked(profiles, clusters)
    planner, groups = prepared(profiles, clusters, rules, DomainFacts())
    members = profiles.join(
        clusters.filter(pl.col("size") > 1).select("profile_id"), on="profile_id", how="semi"
    )

    def rows() -> Iterator[tuple[int, bytearray, bytearray]]:
        for place, begin in enumerate(range(0, groups.height, work.clusters_each)):
            own = groups.slice(begin, work.clusters_each)
            ids = own.select(pl.col("profile_ids").explode(empty_as_null=False).alias("profile_id"))
            yield place, _bytes(own), _bytes(members.join(ids, on="profile_id", how="semi"))

    if not groups.height:
        return Plans(empty(PLANS), empty(FIELD_CHOICES), empty(SECOND_OPINION))

    def write(place: str) -> dict[str, Any]:
        sent = work.spark.sparkContext.broadcast(planner)
        frame = work.sent(rows(), "place int, groups binary, profiles binary")
        work.write(frame.mapInArrow(plan_task(sent), _SCHEMA), place)
        sent.destroy()
        return {}

    stages = replace(work.checkpoints, identity=_identity(work.checkpoints.identity, profiles, clusters))
    address, _ = stages.stage("plans", write)
    found = {
        row["place"]: (row["plans"], row["choices"])
        for row in work.spark.read.parquet(address).toLocalIterator(prefetchPartitions=True)
    }
    tables, choices = zip(*(found[place] for place in sorted(found)), strict=True)
    return Plans(
        pl.concat(map(_frame, tables)),
        pl.concat(map(_frame, choices)).sort("cluster_id", "field"),
        empty(SECOND_OPINION),
    )


def _identity(identity: str, profiles: pl.DataFrame, clusters: pl.DataFrame) -> str:
    """That of matching, with what planning reads beside it: clusters, and columns that matching ignores."""
    out = hashlib.blake2b(identity.encode(), digest_size=16)
    ignored = profiles.select(name for name in sorted(IGNORED) if name in profiles.columns)
    for column in (*ignored, *clusters):
        out.update(column.hash(1).to_numpy().tobytes())
    return out.hexdigest()


def plan_task(planner: Any) -> Task:
    """From (place, groups, profiles) to (place, plans, choices), frames as Arrow files."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.to_pylist():
                made = plan_groups(planner.value, _frame(row["profiles"]), _frame(row["groups"]), few=FEW)
                values = [pa.array([row["place"]], pa.int32())]
                values += [pa.array([bytes(_bytes(frame))], pa.binary()) for frame in made]
                yield pa.RecordBatch.from_arrays(values, names=["place", "plans", "choices"])

    return run


def _bytes(frame: pl.DataFrame) -> bytearray:
    file = BytesIO()
    frame.write_ipc(file, compression="zstd")
    return bytearray(file.getbuffer())


def _frame(packed: bytes | bytearray) -> pl.DataFrame:
    return pl.read_ipc(BytesIO(packed))
