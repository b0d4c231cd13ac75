"""A review batch from what a run wrote into its directory, or from a resolution at hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.app.exporting import facts_beside
from resolver.app.matching import named_pairs
from resolver.app.results import read_plans
from resolver.app.reviewing.batch import Findings, Model, ReviewBatch, make_batch
from resolver.errors import BadFile
from resolver.model.frames import CLUSTERS, OBJECTS, PROFILES, conform, empty

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.rule_set import RuleSet, Thresholds
    from resolver.resolution import Resolution

#: Objects of this type are Amazon Connect cases: merging does not move what an agent has open.
CASE_TYPE = "_case"


def read_batch(directory: Path, rules: RuleSet) -> ReviewBatch:
    """The batch of the run that wrote this directory; ``rules`` must be the run's own.

    objects.parquet is read where the run wrote one; without it the plans' own choices still hold, and only
    what a reviewer changes is foreseen without objects.

    Raises:
        BadFile: a file of the run is missing or not readable.
        BadInput: the rule set is another than the run's.
    """
    report = _read_json(directory / "report.json")
    profiles = conform(_read(directory / "profiles.parquet"), PROFILES)
    pairs = _read(directory / "pairs.parquet")
    clusters = conform(_read(directory / "clusters.parquet"), CLUSTERS)
    path = directory / "parameters.json"
    model = _model(_read_json(path) if path.exists() else None, rules.thresholds)
    objects_path = directory / "objects.parquet"
    objects = conform(_read(objects_path), OBJECTS) if objects_path.exists() else empty(OBJECTS)
    facts = replace(facts_beside(directory / "profiles.parquet"), objects=objects)
    if report["rule_set"]["fingerprint"] != rules.fingerprint:
        raise BadFile(f"{directory}: the run was made with another rule set than {rules.name}")
    findings = Findings(profiles, pairs, clusters, read_plans(directory))
    return make_batch((report["run_id"], report["domain"]), findings, model, **_known(rules, facts))


def batch_of_resolution(
    run: tuple[str, str], profiles: pl.DataFrame, resolution: Resolution, beside: tuple[RuleSet, DomainFacts]
) -> ReviewBatch:
    """The batch of a resolution.

    ``run`` = (run id, domain), ``beside`` = the rules and facts it was made with.
    """
    rules, facts = beside
    linkage = resolution.linkage
    parameters = json.loads(linkage.parameters.to_json()) if linkage.parameters else None
    pairs = named_pairs(linkage.pairs, profiles["profile_id"])
    findings = Findings(profiles, pairs, linkage.clusters, resolution.planning.plans)
    return make_batch(run, findings, _model(parameters, rules.thresholds), **_known(rules, facts))


def _known(rules: RuleSet, facts: DomainFacts) -> dict[str, Any]:
    counts = facts.objects.group_by("profile_id").agg(
        pl.len().alias("objects"), (pl.col("object_type_name") == CASE_TYPE).sum().alias("cases")
    )
    objects = {row["profile_id"]: (row["objects"], row["cases"]) for row in counts.iter_rows(named=True)}
    return {
        "rules": rules,
        "facts": facts,
        "objects": objects,
        "rule_set_fingerprint": rules.fingerprint,
    }


def _model(parameters: dict[str, Any] | None, thresholds: Thresholds) -> Model:
    """Level labels and prior of the run's learned parameters."""
    if parameters is None:
        return Model({}, 0.0, thresholds.review, thresholds.merge)
    columns: Sequence[dict[str, Any]] = parameters["columns"]
    rate = parameters["match_rate"]
    prior = math.log2(rate / (1 - rate))
    labels = {column["name"]: tuple(column["labels"]) for column in columns}
    return Model(labels, prior, thresholds.review, thresholds.merge)


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path}: no file of a run there ({type(error).__name__})") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: no file of a run there ({type(error).__name__})") from None
    return content
