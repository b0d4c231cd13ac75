"""What one run left for people to judge: profiles, scored pairs, clusters and plans, cluster by cluster."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.app.reviewing.evidence import Link, Web, evidence_of, weave
from resolver.errors import BadFrame
from resolver.model.domain_facts import DomainFacts
from resolver.model.profile import Profile, from_row
from resolver.planning.fingerprint import fingerprint_profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.model.merge_plan import MergePlan
    from resolver.planning.group_plan import PlanningRules

_WEIGHT: Final = "_weight"
_NOT_COMPARISONS: Final = frozenset(("match",))


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of the comparisons.

    Level labels from the weakest up, the prior and thresholds in bits.
    """

    labels: Mapping[str, Sequence[str]]
    prior: float
    review: float
    merge: float


@dataclass(frozen=True)
class Case:
    """One cluster under review.

    ``profile_ids`` in the order of the columns: the plan's main profile first.
    """

    cluster_id: str
    profile_ids: tuple[str, ...]
    profiles: Mapping[str, Profile]
    web: Web
    plan: MergePlan | None
    contested: bool
    band: str
    #: Members that are no longer there, and how changed ones were when the batch was made.
    gone: tuple[str, ...] = ()
    before: Mapping[str, Profile] = field(default_factory=dict)

    @cached_property
    def letters(self) -> dict[str, str]:
        """Profile id → the letter of its column."""
        return {profile_id: letter(i) for i, profile_id in enumerate(self.profile_ids)}

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Each member's content hash."""
        return {i: fingerprint_profile(self.profiles[i]) for i in self.profile_ids}

    @cached_property
    def version(self) -> str:
        """A hash of all that a verdict on this cluster rests on: members' content and match weights."""
        seen: list[object] = [
            sorted(self.fingerprints.items()),
            self.gone,
            [[x.left, x.right, round(x.weight, 3)] for x in self.web.links],
        ]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class ReviewBatch:
    """The clusters of one run that await people.

    Built once, never changed; what people say is the ledger's.
    """

    run_id: str
    domain: str
    cases: Mapping[str, Case]
    model: Model
    profiles: pl.DataFrame
    rules: PlanningRules | None = None
    facts: DomainFacts = field(default_factory=DomainFacts)
    objects: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rule_set_fingerprint: str = ""

    def case_of(self, profile_id: str) -> Case | None:
        """The cluster that holds a profile."""
        return self._case_by_profile.get(profile_id)

    @cached_property
    def _case_by_profile(self) -> dict[str, Case]:
        return {i: case for case in self.cases.values() for i in case.profile_ids}


@dataclass(frozen=True)
class Findings:
    """A run's frames as they are written: PROFILES, pairs with ``profile_id_left/right``, CLUSTERS, plans."""

    profiles: pl.DataFrame
    pairs: pl.DataFrame
    clusters: pl.DataFrame
    plans: Sequence[MergePlan] = ()


def make_batch(run: tuple[str, str], findings: Findings, model: Model, **known: object) -> ReviewBatch:
    """The batch of ``run`` = (run id, domain): every cluster of several profiles in band review or merge.

    ``known`` are further fields of ReviewBatch (rules, facts). Clusters without links are kept: a person must
    be able to see them.

    Raises:
        BadFrame: a cluster or pair names a profile that is not there.
    """
    clusters = findings.clusters.filter(pl.len().over("cluster_id") > 1, pl.col("band") != "distinct")
    wanted = clusters["profile_id"].unique()
    rows = findings.profiles.filter(pl.col("profile_id").is_in(wanted.implode()))
    profiles = {row["profile_id"]: from_row(row) for row in rows.iter_rows(named=True)}
    missing = [i for i in wanted.to_list() if i not in profiles]
    if missing:
        raise BadFrame(f"clusters name {len(missing)} profiles that are not among the profiles of the run")
    links = _links_by_cluster(findings.pairs, clusters, model)
    plans = _whole_plans(findings.plans)
    cases = {}
    for (cluster_id,), members in clusters.group_by("cluster_id", maintain_order=True):
        ids = sorted(members["profile_id"].to_list())
        plan = plans.get(str(cluster_id))
        head = [plan.main_profile_id] if plan and plan.main_profile_id in ids else []
        order = (*head, *(i for i in ids if i not in head))
        cases[str(cluster_id)] = Case(
            cluster_id=str(cluster_id),
            profile_ids=order,
            profiles={i: profiles[i] for i in order},
            web=weave(links.get(str(cluster_id), ()), order),
            plan=plan,
            contested=bool(members["contested"].fill_null(value=False).any()),
            band=str(members["band"][0]),
        )
    run_id, domain = run
    return ReviewBatch(run_id, domain, cases, model, rows, **known)  # type: ignore[arg-type]  # named fields


def letter(place: int) -> str:
    """A, B, … Z, AA, AB and so on."""
    text = ""
    place += 1
    while place:
        place, digit = divmod(place - 1, 26)
        text = chr(65 + digit) + text
    return text


def _whole_plans(plans: Sequence[MergePlan]) -> dict[str, MergePlan]:
    """The plan with most profiles of each cluster: of a cluster with cores that is the one of the whole."""
    whole: dict[str, MergePlan] = {}
    for plan in plans:
        known = whole.get(plan.cluster_id)
        if known is None or len(plan.profile_ids) > len(known.profile_ids):
            whole[plan.cluster_id] = plan
    return whole


def _links_by_cluster(pairs: pl.DataFrame, clusters: pl.DataFrame, model: Model) -> dict[str, list[Link]]:
    units = clusters.select("profile_id", "cluster_id")
    inside = (
        pairs.join(units, left_on="profile_id_left", right_on="profile_id")
        .join(units, left_on="profile_id_right", right_on="profile_id", suffix="_right")
        .filter(pl.col("cluster_id") == pl.col("cluster_id_right"))
    )
    comparisons = [
        name
        for column in pairs.columns
        if column.endswith(_WEIGHT) and (name := column.removesuffix(_WEIGHT)) not in _NOT_COMPARISONS
    ]
    links: dict[str, list[Link]] = {}
    for row in inside.iter_rows(named=True):  # an object per pair is what a page shows
        link = Link(
            left=row["profile_id_left"],
            right=row["profile_id_right"],
            weight=row["match_weight"],
            probability=row["match_probability"],
            band=str(row.get("band") or ""),
            evidence=evidence_of(row, comparisons, model.labels),
            prior=model.prior,
        )
        links.setdefault(row["cluster_id"], []).append(link)
    return links
