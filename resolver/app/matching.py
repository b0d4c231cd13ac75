"""Use case: resolve profiles."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.app.continuing import Continuation, Linked, link
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import DECISIONS, empty
from resolver.model.profile import ADDRESSES, PREFERENCES, SCALARS
from resolver.report.summary import summarise_clusters, summarise_pairs
from resolver.rule_file import load_rules
from resolver.state_file import Origin, forget_state, prepare_state, publish_state, write_state
from resolver.whole_file import check_directory, write_frame, write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from resolver.app.progress import Stopwatch
    from resolver.matching.linkage import Linkage
    from resolver.matching.state import State
    from resolver.matching.work import Work
    from resolver.model.rule_set import RuleSet
    from resolver.planning.plans import Plans
    from resolver.spark.cluster import OnCluster

#: What merges would do, and why each value would stay. Not named as a run's plans: nothing carries them out.
_PREVIEW: Final = ("plan_preview.parquet", "field_choices.parquet")
#: Profiles whose attributes are asked for their names.
_FIRST: Final = 1000


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """Where results go, by which rules, how to go on from an earlier run, and on which engine.

    ``plans`` asks for what merges would do, too. ``cluster`` is the master URL of the Spark cluster that does
    the heavy stages ("": the environment's); None: this process does them. ``stages`` is the address where it
    keeps them; None: under ``out``.
    """

    out: Path
    rules: Path | None = None
    continuation: Continuation = field(default_factory=Continuation)
    cluster: str | None = None
    stages: str | None = None
    plans: bool = False


def match_profiles(
    read: Callable[[], pl.DataFrame], options: MatchOptions, watch: Stopwatch
) -> dict[str, Any]:
    """Link the profiles of a file and write what was concluded; returns the content of match.json.

    ``read`` gives the PROFILES frame, once.

    Raises:
        BadInput: the file, the rule set, the directory or the model of an earlier run cannot be used; nothing
            was written.
    """
    rules, out = load_rules(options.rules), options.out
    check_directory(out)
    how = options.continuation
    cluster = None
    if options.cluster is not None:
        cluster = _Cluster(options.cluster, options.stages or str(out / "stages"), watch)
        how = replace(how, work_for=cluster.work_for)
    columns: dict[str, list[str]] = {}
    held: list[pl.DataFrame] = []

    def reading() -> pl.DataFrame:
        profiles = _read(read, watch)
        columns.update(columns_of(profiles))
        if options.plans:
            held.append(profiles)
        return profiles

    writing = _Writing(Origin(out, rules, earlier=how.changes_since))
    linked = link(reading, (rules, empty(DECISIONS)), replace(how, meanwhile=writing.begin), watch)
    linkage = linked.linkage
    profiles = linkage.clusters.height
    writing.finish(linked)
    watch.stage("write", {"profiles": profiles})
    if held:
        planning = _planned((held.pop(), linkage.clusters), rules, cluster)
        for name, frame in zip(_PREVIEW, (planning.table, planning.field_choices), strict=True):
            write_frame(frame, out / name)
        watch.stage("plan", {"plans": planning.table.height})
    report = {
        "profiles": profiles,
        "columns": columns,
        "pairs": summarise_pairs(linkage.pairs, profiles),
        "clusters": summarise_clusters(linkage.clusters),
        "linked": linked.how,
        "rule_set": {"name": rules.name, "fingerprint": rules.fingerprint},
        "blocking": linkage.diagnostics,
        "stages": watch.stages,
    }
    write_json(report, out / "match.json")
    return report


class _Writing:
    """The results of one run going to its directory; what is known first may be written first."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pool = ThreadPoolExecutor(2)
        self._begun: list[Future[None]] = []

    def begin(self, clusters: pl.DataFrame, state: State) -> None:
        """Begin to write the clusters, and to prepare the state."""
        self._forget_preview()
        self._begun = [
            self._pool.submit(prepare_state, state, self._origin),
            self._pool.submit(write_clusters, clusters, self._origin.out),
        ]

    def finish(self, linked: Linked) -> None:
        """Write the rest; the state has its name last."""
        linkage, out = linked.linkage, self._origin.out
        profile_ids = linkage.clusters["profile_id"]
        if self._begun:
            write_pairs(linkage, profile_ids, out)
            for begun in self._begun:
                begun.result()
            publish_state(out)
            return
        self._forget_preview()
        write_linkage(linkage, profile_ids, out)
        if linked.state is None:
            forget_state(out)
        else:
            write_state(linked.state, replace(self._origin, earlier=linked.earlier))

    def _forget_preview(self) -> None:
        for name in _PREVIEW:  # of an earlier run: they would tell of other clusters
            (self._origin.out / name).unlink(missing_ok=True)


def columns_of(profiles: pl.DataFrame) -> dict[str, list[str]]:
    """What the file's columns were taken for: ``fields`` of the API by its names, and ``attributes``.

    Attributes are those of the first profiles: whoever misspelt a column sees it there.
    """
    known = {ours: name for name, ours in (SCALARS | ADDRESSES | PREFERENCES).items()}
    fields = [known[column] for column in profiles.columns if column in known]
    if "attributes" not in profiles.columns:
        return {"fields": fields, "attributes": []}
    first = profiles["attributes"].head(_FIRST).explode().drop_nulls()
    return {"fields": fields, "attributes": first.struct.field("key").unique().sort().to_list()}


class _Cluster:
    """A Spark session that the heavy stages of this run are done in."""

    def __init__(self, master: str, place: str, watch: Stopwatch) -> None:
        from resolver.spark.session import session  # noqa: PLC0415 - an extra that no one else needs

        self._spark, self._place = session(master or None), place
        cores = self._spark.sparkContext.defaultParallelism
        watch.stage("spark", {"version": str(self._spark.version), "cores": cores})
        self._work: OnCluster | None = None

    def work_for(self, profiles: pl.DataFrame, rules: RuleSet) -> Work:
        """The work on these profiles."""
        from resolver.spark.checkpoints import Checkpoints, identity_of  # noqa: PLC0415 - as above
        from resolver.spark.cluster import OnCluster  # noqa: PLC0415 - as above
        from resolver.spark.store import Store  # noqa: PLC0415 - as above

        stages = Store(self._spark, self._place)
        self._work = OnCluster(self._spark, Checkpoints(stages, identity_of(profiles, rules)))
        return self._work

    def plan(self, profiles: pl.DataFrame, clusters: pl.DataFrame, rules: RuleSet) -> Plans:
        """As ``plan_merges`` without facts of a domain."""
        from resolver.spark.planning import plan_on  # noqa: PLC0415 - as above

        assert self._work is not None  # noqa: S101 - profiles were linked before
        return plan_on(self._work, profiles, clusters, rules)


def _planned(frames: tuple[pl.DataFrame, pl.DataFrame], rules: RuleSet, cluster: _Cluster | None) -> Plans:
    profiles, clusters = frames
    if cluster is not None:
        return cluster.plan(profiles, clusters, rules)
    from resolver.planning.plans import plan_merges  # noqa: PLC0415 - what few runs are asked for

    return plan_merges(profiles, clusters, rules, DomainFacts())


def _read(read: Callable[[], pl.DataFrame], watch: Stopwatch) -> pl.DataFrame:
    profiles = read()
    watch.stage("read", {"profiles": profiles.height})
    return profiles


def write_linkage(linkage: Linkage, profile_ids: pl.Series, out: Path) -> None:
    """clusters.parquet, pairs.parquet and parameters.json of one run."""
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(write_clusters, linkage.clusters, out)
        write_pairs(linkage, profile_ids, out)
        beside.result()


def write_clusters(clusters: pl.DataFrame, out: Path) -> None:
    """clusters.parquet of one run."""
    write_frame(clusters.select("profile_id", pl.exclude("profile_id")), out / "clusters.parquet")


def write_pairs(linkage: Linkage, profile_ids: pl.Series, out: Path) -> None:
    """pairs.parquet of one run, and the parameters behind it."""
    write_frame(named_pairs(linkage.pairs, profile_ids), out / "pairs.parquet")
    if linkage.parameters is None:
        (out / "parameters.json").unlink(missing_ok=True)  # of an earlier run: it would explain nothing here
    else:
        write_json(json.loads(linkage.parameters.to_json()), out / "parameters.json")


def named_pairs(pairs: pl.DataFrame, profile_ids: pl.Series) -> pl.DataFrame:
    """The pairs with profile ids in place of row numbers."""
    return pairs.select(
        profile_ids.gather(pairs["left"]).alias("profile_id_left"),
        profile_ids.gather(pairs["right"]).alias("profile_id_right"),
        pl.exclude("left", "right"),
    )
