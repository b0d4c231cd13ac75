"""Profiles to clusters: the whole of matching as a short list of stages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.matching.absorption import absorbed
from resolver.matching.blocking import MOST_KEYS, Candidates, Limits, block, every_pair, row_bits
from resolver.matching.columns import columns_of
from resolver.matching.comparison import rebin
from resolver.matching.components import joined
from resolver.matching.constraints import Constraints, constraints_of
from resolver.matching.doubts import with_doubts
from resolver.matching.keys import keys_of
from resolver.matching.learning_keys import learn_keys
from resolver.matching.memory import give_back
from resolver.matching.ordering import content_hashes, in_order, order_of
from resolver.matching.pair_index import find
from resolver.matching.passes import Scored, View, estimate, first_view, next_view, score_and_cluster
from resolver.matching.results import (
    MATCH,
    REVIEW,
    Answer,
    Learned,
    Membership,
    cluster_frame,
    cores,
    doubted,
    membership_of,
    pair_frame,
)
from resolver.matching.standardisation import standardise, standardise_whole
from resolver.matching.work import HERE
from resolver.model.frames import CLUSTERS, SCORED_PAIRS, Band, empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resolver.matching.evidence import Evidence
    from resolver.matching.keys import Key
    from resolver.matching.parameters import Parameters
    from resolver.matching.trained import Trained
    from resolver.matching.values import Array
    from resolver.matching.work import Work
    from resolver.model.rule_set import Blocking, RuleSet

    OnStage = Callable[[str, Mapping[str, int | float]], None]


@dataclass(frozen=True, eq=False)
class Linkage:
    """Who is who in one file.

    ``pairs`` is a SCORED_PAIRS frame whose ``left`` and ``right`` are rows of the PROFILES frame, with
    ``<comparison>_level``, ``<comparison>_weight`` (log2) and ``blocking_rule``; pairs far below even odds
    are left out. ``clusters`` is a CLUSTERS frame in the order of the profiles, with its doubts (see
    ``cluster_frame``). ``parameters`` is None where there was nothing to compare. ``answer`` and ``told``
    serve explanations of this same run and the state for the next.
    """

    pairs: pl.DataFrame
    clusters: pl.DataFrame
    parameters: Parameters | None
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    told: Membership | None = None


def link_profiles(  # noqa: PLR0913, PLR0917 - what is linked, and where
    profiles: pl.DataFrame, rules: RuleSet, decisions: pl.DataFrame, on_stage: OnStage, work: Work = HERE
) -> Linkage:
    """Conclude who is who. Same profiles, rules and decisions, same answer, in any row order.

    ``on_stage`` is told each stage's name and counts as it ends. ``work`` does the heavy stages of a
    file too large for all its pairs.
    """
    ids, height = profiles["profile_id"], profiles.height
    on_stage = _giving_back(on_stage, height)
    handed_on = [profiles]
    del profiles  # each text is free once it is standardised, unless the caller still holds them
    standardised, context = standardise_whole(handed_on.pop(), rules.reference, rules.default_region)
    fields = tuple(standardised.fields)
    hashes = content_hashes(standardised)
    order = order_of(hashes, ids)
    columns = columns_of(rules, in_order(standardised, order))
    constraints = constraints_of(decisions, ids, order)
    on_stage("standardise", {"profiles": height, "fields": len(standardised.fields)})
    del standardised
    if height < 2 or not columns:  # noqa: PLR2004 - one profile makes no pair
        return _nothing_to_compare(ids)

    view = replace(first_view(rules, columns), work=work)
    learned = Learned(view.bins, view.model, fields, context, hashes)
    give_back(height)
    candidates = find_candidates(rules.blocking, view)
    on_stage("block", {"pairs": len(candidates.words), "keys": len(candidates.names)})

    known = [gather(rules, view, (candidates, constraints))]
    view = replace(view, all_bytes=None)
    on_stage("compare", {"pairs": len(known[0].words), "comparisons": len(columns)})

    scored, view, core = alternate(rules, view, (known.pop(), constraints), on_stage)
    answer = Answer(order, view, scored, constraints, core, candidates, learned)
    return conclude(ids, rules, answer, on_stage)


def _giving_back(on_stage: OnStage, profiles: int) -> OnStage:
    """``on_stage`` that hands back what each stage leaves behind."""

    def told(name: str, counts: Mapping[str, int | float]) -> None:
        on_stage(name, counts)
        give_back(profiles)

    return told


def conclude(ids: pl.Series, rules: RuleSet, answer: Answer, on_stage: OnStage) -> Linkage:
    """The answer as frames."""
    with ThreadPoolExecutor(1) as pool:  # neither frame needs the other
        others = pool.submit(pair_frame, answer)
        told = membership_of(ids, rules.thresholds, answer)
        pairs = others.result()
        clusters = pool.submit(cluster_frame, ids, told)
        told = with_doubts(told, pairs, rules)
    return concluded(ids, (answer, told), (pairs, doubted(clusters.result(), told)), on_stage)


def concluded(
    ids: pl.Series,
    found: tuple[Answer, Membership],
    frames: tuple[pl.DataFrame, pl.DataFrame],
    on_stage: OnStage,
) -> Linkage:
    """The answer with its pairs and clusters as frames."""
    (answer, told), (pairs, clusters) = found, frames
    on_stage("conclude", {"profiles": clusters.height, "pairs": pairs.height})
    return Linkage(pairs, clusters, answer.view.model, diagnostics_of(answer, ids), answer, told)


def find_candidates(rules: Blocking, view: View) -> Candidates:
    """All pairs of a small file; else the pairs of its keys, learned where the file is large."""
    profiles = view.model.profiles
    if profiles <= rules.all_pairs_up_to:
        return every_pair(profiles)
    keys = keys_for(rules, view)[:MOST_KEYS]
    budget = rules.pairs_per_profile * profiles if profiles > rules.learn_above else float("inf")
    limits = Limits(rules.largest_block, budget, rules.most_pairs_per_profile * profiles)
    return view.work.block(keys, limits, row_bits(profiles))


def keys_for(rules: Blocking, view: View) -> list[Key]:
    """The keys of a file of ``view.model.profiles`` profiles; of a large one those worth their pairs."""
    large = view.model.profiles > rules.learn_above
    keys = [key for key in keys_of(view.columns, small=not large) if key.name not in rules.forbidden]
    keys = [replace(key, always=key.always or key.name in rules.pinned) for key in keys]
    return learn_keys(rules, keys, (view.columns, view.bins), view.model) if large else keys


def gather(rules: RuleSet, view: View, known: tuple[Candidates, Constraints]) -> Evidence:
    """The candidates compared, without the hopeless, and the pairs that people decided."""
    candidates, constraints = known
    work = view.work if view.all_bytes is None else HERE  # or compared already
    evidence = work.compare(view, candidates, rules.estimation.drop_below)
    decided = constraints.words[find(evidence.words, constraints.words) < 0]
    return evidence.also(decided, view.columns, view.bins)


def alternate(
    rules: RuleSet, view: View, known: tuple[Evidence, Constraints], on_stage: OnStage
) -> tuple[Scored, View, Array]:
    """Estimate, score and cluster in turn, each pass with what the one before found out about entities.

    Returns what ``last_pass`` does.
    """
    evidence, constraints = known
    constants = rules.estimation
    passes = constants.passes if view.model.profiles <= constants.large else constants.passes_when_large

    def estimated(number: int, view: View, evidence: Evidence) -> View:
        stale = number > 1  # since the view before, values are counted otherwise
        model = replace(estimate(rules, view, evidence, stale=stale), passes=number)
        on_stage("estimate", {"pass": number, "iterations": model.iterations})
        return replace(view, model=model)

    for number in range(1, passes):
        view = estimated(number, view, evidence)
        handed_on = [known]
        del evidence, known  # a dozen bytes per pair, which grow into others
        scored = score_and_cluster(rules, view, handed_on.pop(), [rules.clustering.provisional_cut])
        evidence = scored.evidence
        known = evidence, constraints
        on_stage("cluster", {"pass": number, "pairs": len(evidence.words)})
        view = next_view(rules, view, scored.clusters[0])
        del scored
        on_stage("recount", {"pass": number})
    view = estimated(passes, view, evidence)
    # what earlier clusters asked for is asked for again: the model and candidates alone decide
    handed_on = [(evidence.found(constraints.words), constraints)]
    del evidence, known
    last = last_pass(rules, view, handed_on.pop())
    on_stage("cluster", {"pass": passes, "pairs": len(last[0].evidence.words)})
    return last


def last_pass(rules: RuleSet, view: View, known: tuple[Evidence, Constraints]) -> tuple[Scored, View, Array]:
    """The clusters of a model that is final; the view with how many of each size there were; ``cores``.

    Single profiles are taken in by the clusters they fit; what is one cluster is one for review too.
    """
    cuts = [rules.thresholds.merge_cut, rules.thresholds.match, rules.thresholds.review]
    constraints, handed_on = known[1], [known]
    del known
    scored = score_and_cluster(rules, view, handed_on.pop(), cuts, last=True)
    clusters = scored.clusters  # nobody else has them
    model = view.model, view.strata.of(scored.evidence.sides)
    with ThreadPoolExecutor(
        1
    ) as pool:  # cores lie inside the clusters at the merge cut, which take in no one
        core = pool.submit(cores, rules.thresholds, view, scored, constraints)
        found = absorbed(model, (scored.evidence, constraints), clusters[MATCH], rules.clustering)
        clusters[MATCH] = found.cluster
        clusters[REVIEW] = joined(clusters[REVIEW], clusters[MATCH])
    view = replace(view, model=replace(view.model, sizes=found.sizes))
    return replace(scored, clusters=clusters, met=found.met), view, core.result()


def diagnostics_of(answer: Answer, ids: pl.Series) -> dict[str, Any]:
    """What people should know of the run: keys, convergence, decisions it could not follow."""
    constraints, candidates, view = answer.constraints, answer.candidates, answer.view
    contradicted = ids.gather(answer.order[constraints.contradicted]).sort().to_list()
    return {
        "blocking": list(candidates.figures),
        "candidate_pairs": candidates.count,
        "pairs_per_profile": candidates.count / max(len(ids), 1),
        "passes": view.model.passes,
        "converged": view.model.converged,
        "match_rate": view.model.match_rate,
        "relations": {relation.name: relation.rate for relation in view.model.relations},
        "decisions_contradicted": contradicted,
        "decisions_about_absent_profiles": constraints.unknown,
    }


def link_again(
    profiles: pl.DataFrame, rules: RuleSet, known: tuple[pl.DataFrame, Trained], on_stage: OnStage
) -> Linkage:
    """``link_profiles`` with a model that is learned already; ``known`` are decisions and that model."""
    decisions, trained = known
    ids, height = profiles["profile_id"], profiles.height
    standardised = standardise(profiles, rules.reference, rules.default_region, trained.context)
    hashes = content_hashes(trained.fields_of(standardised))
    order = order_of(hashes, ids)
    columns = trained.columns_of(rules, in_order(standardised, order))
    constraints = constraints_of(decisions, ids, order)
    on_stage("standardise", {"profiles": height, "fields": len(trained.fields)})
    del standardised, profiles
    first, last = trained.views(columns)
    if trained.keys is None:
        candidates = every_pair(height)
    else:
        allowed = [size for _, size in trained.keys]
        candidates = block(trained.keys_of(columns), allowed, trained.bits)
    on_stage("block", {"pairs": len(candidates.words), "keys": len(candidates.names)})
    evidence = gather(rules, first, (candidates, constraints))
    rebin(columns, last.bins, evidence.sides, evidence.bytes_)
    on_stage("compare", {"pairs": len(evidence.words), "comparisons": len(columns)})
    scored, last, core = last_pass(rules, last, (evidence, constraints))
    on_stage("cluster", {"pairs": len(scored.evidence.words)})
    learned = Learned(first.bins, first.model, trained.fields, trained.context, hashes)
    answer = Answer(order, last, scored, constraints, core, candidates, learned)
    return conclude(ids, rules, answer, on_stage)


def _nothing_to_compare(ids: pl.Series) -> Linkage:
    """Every profile is a cluster of its own."""
    clusters = ids.to_frame().select(
        cluster_id="profile_id",
        profile_id="profile_id",
        core_id="profile_id",
        size=pl.lit(1, pl.UInt32),
        weakest_link=pl.lit(None, pl.Float64),
        contested=pl.lit(value=False),
        band=pl.lit("distinct", Band),
    )
    pairs = empty(SCORED_PAIRS).with_columns(blocking_rule=pl.lit(None, pl.String))
    return Linkage(pairs, clusters.select(list(CLUSTERS.columns)), None)
