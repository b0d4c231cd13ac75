"""Why two profiles were joined or not, and what holds a cluster together, from the tables that scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.errors import BadInput
from resolver.matching.clustering import bridges
from resolver.matching.comparison import compare
from resolver.matching.evidence import ASKED_FOR
from resolver.matching.pair_index import find, pack
from resolver.matching.parameters import BITS
from resolver.matching.results import MATCH, REVIEW, Answer
from resolver.matching.scoring import HELD, Tables, lone_similar, match_weights, parts

if TYPE_CHECKING:
    import polars as pl

    from resolver.matching.columns import Column
    from resolver.matching.linkage import Linkage
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array

#: Relations that explain less than this share of the non-match side are not named.
_WORTH_A_WORD: Final = 0.05


@dataclass(frozen=True, slots=True)
class ComparisonExplained:
    """One line of evidence; weights in bits.

    ``level`` is "unknown" where a side lacks the field. ``frequency_adjustment`` is the part of the weight
    that this value's rarity adds to an average equal value's.
    """

    comparison: str
    level: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    weight: float
    frequency_adjustment: float


@dataclass(frozen=True, slots=True)
class PairExplained:
    """A pair's way from prior to total (bits): prior + evidence - relation_discount, unless held.

    ``relations`` gives the share of the non-match side that each relation explains. ``found_by`` is the
    blocking key that brought the pair up, None where no key did; ``stratum`` says for which profiles the
    weights hold, None for the whole file. ``held``: one similar field alone is never a match.
    """

    prior: float
    stratum: str | None
    evidence: tuple[ComparisonExplained, ...]
    relation_discount: float
    relations: tuple[tuple[str, float], ...]
    total: float
    probability: float
    held: bool
    band: str
    found_by: str | None
    together: bool
    without_strongest: float
    sentence: str


@dataclass(frozen=True, slots=True)
class ClusterExplained:
    """Links (ids and bits, strongest first), the weakest that holds the cluster, and its bridges.

    A bridge is a link without which the cluster's other links of at least even odds no longer connect it.
    """

    profile_ids: tuple[str, ...]
    links: tuple[tuple[str, str, float], ...]
    weakest: tuple[str, str, float] | None
    bridges: tuple[tuple[str, str], ...]
    sentence: str


def explain_pair(linkage: Linkage, profiles: pl.DataFrame, profile_ids: tuple[str, str]) -> PairExplained:
    """The whole way to a pair's match weight, scored or not; ``profiles`` is the frame that was linked.

    Raises:
        BadInput: an id is not in the frame, both are the same, or there was nothing to compare.
    """
    answer = _answer(linkage)
    left, right = sorted(_row(answer, profiles, profile_id) for profile_id in profile_ids)
    if left == right:
        raise BadInput("a profile is not compared with itself")
    pair = (np.array([left], np.uint32), np.array([right], np.uint32))
    stratum = 0 if (found := answer.view.strata.of(pair)) is None else int(found[0])
    model = answer.view.model.of(stratum)
    bytes_ = compare(answer.view.columns, answer.view.bins, pair)
    _, discount, tied = parts(Tables.of(model), bytes_)
    total = float(match_weights(model, bytes_)[0])
    lines = tuple(
        _line(column, model, k, (int(bytes_[k, 0]), left, right))
        for k, column in enumerate(answer.view.columns)
    )
    share = tied[:, 0] / (1 + tied[:, 0].sum()) if len(tied) else np.empty(0)
    relations = tuple(
        (relation.name, float(part))
        for relation, part in zip(model.relations, share, strict=True)
        if part >= _WORTH_A_WORD
    )
    held = bool(lone_similar(model, bytes_)[0]) and total <= HELD
    explained = PairExplained(
        prior=model.prior * BITS,
        stratum=answer.view.strata.name(stratum) if stratum else None,
        evidence=lines,
        relation_discount=float(discount[0]) * BITS,
        relations=relations,
        total=total,
        probability=float(1 / (1 + np.exp2(-total))),
        held=held,
        band=_band(answer, left, right),
        found_by=_found_by(answer, left, right),
        together=bool(answer.scored.clusters[MATCH][left] == answer.scored.clusters[MATCH][right]),
        without_strongest=_without(model, bytes_, max(range(len(lines)), key=lambda k: lines[k].weight)),
        sentence="",
    )
    return replace(explained, sentence=_sentence(explained))


def explain_cluster(linkage: Linkage, profiles: pl.DataFrame, cluster_id: str) -> ClusterExplained:
    """What holds a cluster together and what would part it.

    Raises:
        BadInput: no such cluster.
    """
    answer = _answer(linkage)
    members = linkage.clusters.filter(linkage.clusters["cluster_id"] == cluster_id)["profile_id"].to_list()
    if not members:
        raise BadInput(f"no cluster {cluster_id}")
    rows = sorted(_row(answer, profiles, profile_id) for profile_id in members)
    ids = profiles["profile_id"]
    name = {row: str(ids[int(answer.order[row])]) for row in rows}
    a, b = (np.array(rows)[k] for k in np.triu_indices(len(rows), 1))
    at = find(answer.scored.evidence.words, pack(a, b))
    known = zip(
        a[at >= 0].tolist(), b[at >= 0].tolist(), answer.scored.weight[at[at >= 0]].tolist(), strict=True
    )
    links = [(*sorted((name[x], name[y])), weight) for x, y, weight in known]
    links.sort(key=lambda link: (-link[2], link[0], link[1]))
    holding = bridges([(x, y) for x, y, weight in links if weight >= 0])
    weakest = _weakest(links, sorted(members))
    return ClusterExplained(
        tuple(sorted(members)), tuple(links), weakest, tuple(holding), _cluster_sentence(weakest, holding)
    )


def _answer(linkage: Linkage) -> Answer:
    if linkage.answer is None:
        raise BadInput("nothing was compared in this run: no two profiles, or no field to compare")
    return linkage.answer


def _row(answer: Answer, profiles: pl.DataFrame, profile_id: str) -> int:
    found = np.flatnonzero((profiles["profile_id"] == profile_id).to_numpy())
    if not len(found):
        raise BadInput(f"no profile {profile_id} in this run")
    return int(np.flatnonzero(answer.order == found[0])[0])


def _line(column: Column, model: Parameters, k: int, pair: tuple[int, int, int]) -> ComparisonExplained:
    byte, left, right = pair
    parameters = model.columns[k]
    weight = float(parameters.weights()[byte]) * BITS
    level = min(byte - 1, column.top)
    rarer = weight - parameters.level_bits[column.top] if level == column.top else 0.0
    return ComparisonExplained(
        column.name,
        parameters.labels[level] if byte else "unknown",
        _texts(column, left),
        _texts(column, right),
        weight,
        rarer,
    )


def _without(model: Parameters, bytes_: Array, column: int) -> float:
    """The total with one column unknown; what a relation explained of it goes too."""
    other = bytes_.copy()
    other[column] = 0
    return float(match_weights(model, other)[0])


def _texts(column: Column, row: int) -> tuple[str, ...]:
    """The standardised values of a profile, one text per slot."""
    slots = []
    for slot in range(column.slots):
        words = [
            values.text[int(codes[row, slot])]
            for values, codes in zip(column.values, column.codes, strict=True)
        ]
        slots.append(" ".join(word for word in words if word))
    return tuple(text for text in slots if text)


def _band(answer: Answer, left: int, right: int) -> str:
    if answer.core[left] == answer.core[right]:
        return "merge"
    review: Array = answer.scored.clusters[REVIEW]
    return "review" if review[left] == review[right] else "distinct"


def _found_by(answer: Answer, left: int, right: int) -> str | None:
    candidates = answer.candidates
    at = int(find(candidates.words, pack(np.array([left]), np.array([right])))[0])
    if at < 0 or candidates.key[at] == ASKED_FOR:
        return None
    return candidates.names[int(candidates.key[at])]


def _sentence(pair: PairExplained) -> str:
    """The strongest evidence on both sides, the discount, and what would change the answer."""
    spoken = sorted(
        (line for line in pair.evidence if line.level != "unknown"), key=lambda line: -line.weight
    )
    pro = [f"{line.comparison} {line.level} ({line.weight:+.1f})" for line in spoken if line.weight >= 1][:3]
    con = [
        f"{line.comparison} {line.level} ({line.weight:+.1f})"
        for line in reversed(spoken)
        if line.weight <= -1
    ][:3]
    words = [f"{pair.total:.1f} bits, odds of {_odds(pair.total)}"]
    words.append("for it: " + ", ".join(pro) if pro else "nothing speaks for it")
    if con:
        words.append("against it: " + ", ".join(con))
    if pair.relation_discount >= 1 and pair.relations:
        name = max(pair.relations, key=lambda relation: relation[1])[0]
        words.append(f"{name} relations explain {pair.relation_discount:.1f} bits of the agreement")
    if pair.held:
        words.append("held: one similar field alone is never a match")
    if pair.found_by is None:
        words.append("not a candidate: no blocking key in common")
    if pro and pair.total >= 0:
        words.append(f"without {spoken[0].comparison} it would be {pair.without_strongest:.1f}")
    return "; ".join(words) + "."


def _odds(bits: float) -> str:
    return f"{2 ** min(bits, 60):,.0f} to 1" if bits >= 0 else f"1 to {2 ** min(-bits, 60):,.0f}"


def _weakest(links: list[tuple[str, str, float]], members: list[str]) -> tuple[str, str, float] | None:
    """The last link that a strongest spanning tree needs."""
    group = {member: member for member in members}
    last = None
    for x, y, weight in links:
        if group[x] != group[y]:
            last = (x, y, weight)
            old, new = group[y], group[x]
            group = {member: new if g == old else g for member, g in group.items()}
    return last


def _cluster_sentence(weakest: tuple[str, str, float] | None, holding: list[tuple[str, str]]) -> str:
    if weakest is None:
        return "A single profile."
    text = f"Held together at its weakest by {weakest[0]} and {weakest[1]} ({weakest[2]:.1f} bits)"
    if not holding:
        return text + "; no single link parts it."
    named = ", ".join(f"{x} and {y}" for x, y in holding)
    return text + f"; a decision against {named} would part it."
