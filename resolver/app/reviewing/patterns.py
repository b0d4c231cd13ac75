"""Evidence patterns, guards and lanes: how clusters are put into piles that are judged alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resolver.planning.bands import CLUSTER_DOUBTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resolver.app.reviewing.batch import Case, ReviewBatch
    from resolver.app.reviewing.evidence import Link

#: Lanes in the order of the queue.
LANES: Final = ("batch", "single", "hard")
LANE_NAMES: Final = {"batch": "As a batch", "single": "One by one", "hard": "Hard"}
LANE_HINTS: Final = {
    "batch": "low-risk patterns, sampled looks and a bound",
    "single": "10 to 25 seconds each",
    "hard": "2 to 3 minutes each, then a second reviewer",
}
#: Seconds for one cluster before a reviewer has a pace of their own (planning figures of the specification).
LANE_SECONDS: Final = {"batch": 4, "single": 15, "hard": 150}

#: Fewer clusters of a pattern than this are not worth a sample: they are judged one by one.
BATCH_FROM: Final = 10
#: Fewer clusters than this make no pile of their own.
PILE_FROM: Final = 4
#: Comparisons too small to name a pattern by, and the weight (bits) from which evidence speaks against.
_DETAILS: Final = ("attribute", "state", "unit", "postal", "city", "country")
_AGAINST: Final = -1.0
#: How planning says that a cluster needs a person at all; the review is that person.
_NOT_A_GUARD: Final = "not held together"
#: Profiles that carry at most this many values beside their id: contact records left them behind.
_INFERRED_VALUES: Final = 2
_CONTACTS: Final = ("phone", "email", "address", "street", "postal", "home")
_CASE_TYPE: Final = "_case"


@dataclass(frozen=True, slots=True)
class Guard:
    """A reason for care. ``pattern`` names the pile that such clusters go to, null where it makes none."""

    key: str
    chip: str
    pattern: str | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pile of the queue.

    ``key`` stays the same between runs as long as the evidence is of the same kind.
    """

    key: str
    lane: str
    name: str


def guards_of(case: Case, batch: ReviewBatch, fights: frozenset[frozenset[str]]) -> tuple[Guard, ...]:
    """Everything about a cluster that asks for care, the gravest first.

    ``fights`` holds the pairs of profiles on which an earlier decision says that they are not the same.
    """
    found = []
    if any(pair <= set(case.profile_ids) for pair in fights):
        found.append(Guard("fights", "Fights an earlier decision", "Fights an earlier decision"))
    weakest = case.web.weakest
    for link in case.web.bridges:
        if link is weakest and link.weight < batch.model.merge:
            alone = _lonely_end(case, link)
            chip = f"{alone} hangs on one link" if alone else "Two groups joined by one link"
            found.append(Guard("bridge", chip, "Two groups joined by one link"))
    if weakest and _household(weakest):
        found.append(
            Guard(
                "household",
                "Shared contact, first names differ: household?",
                "Shared contact, two first names",
            )
        )
    if case.contested and not found:
        found.append(
            Guard("contested", "Fits another cluster nearly as well", "Fits another cluster nearly as well")
        )
    known = set(CLUSTER_DOUBTS.values())
    for reason in case.plan.reasons if case.plan else ():
        if (reason in known and found) or _NOT_A_GUARD in reason:
            continue
        pile = "A value would be given up for good" if "protected" in reason else "A rule asks for a person"
        found.append(Guard("reason", _sentence(reason), pile))
    cases = [i for i in case.profile_ids if batch.objects.get(i, (0, 0))[1]]
    if cases:
        letters = " and ".join(case.letters[i] for i in cases)
        found.append(Guard("cases", f"Open case on {letters}", "Open cases"))
    if any(_inferred(case, i) for i in case.profile_ids):
        found.append(Guard("inferred", "Inferred profile", None))
    return tuple(found)


def sort_into_patterns(batch: ReviewBatch, guards: Mapping[str, tuple[Guard, ...]]) -> dict[str, Pattern]:
    """The pattern of every cluster.

    A cluster with a guard of its own pile is hard; a low-risk signature that many clusters share is a batch;
    the rest is judged one by one.
    """
    signatures = {i: _signature(case) for i, case in batch.cases.items()}
    low = {i for i, case in batch.cases.items() if _low_risk(case, guards[i])}
    often = Counter(signatures[i][0] for i in low)
    usual = Counter(signatures[i][0] for i in batch.cases)
    patterns = {}
    for cluster_id in batch.cases:
        pile = next((g.pattern for g in guards[cluster_id] if g.pattern), None)
        name, coarse = signatures[cluster_id]
        if pile:
            patterns[cluster_id] = _pattern("hard", pile)
        elif cluster_id in low and often[name] >= BATCH_FROM:
            patterns[cluster_id] = _pattern("batch", name)
        else:
            patterns[cluster_id] = _pattern("single", name if usual[name] >= PILE_FROM else coarse)
    return patterns


def _pattern(lane: str, name: str) -> Pattern:
    return Pattern(hashlib.sha256(f"{lane}|{name}".encode()).hexdigest()[:8], lane, name)


def _signature(case: Case) -> tuple[str, str]:
    """What the weakest link rests on, in words: a full name, and a coarse one for evidence that is rare."""
    weakest = case.web.weakest
    if weakest is None:
        return "No link that holds it together", "No link that holds it together"
    telling = [e for e in weakest.evidence if not any(word in e.comparison for word in _DETAILS)]
    same = sorted((e for e in telling if e.same and e.weight > 0), key=lambda e: (-e.weight, e.comparison))
    against = sorted((e for e in telling if e.weight < _AGAINST), key=lambda e: (e.weight, e.comparison))
    near = sorted(
        (e for e in telling if not e.same and not e.differs and e.weight > 0), key=lambda e: -e.weight
    )
    name = " and ".join(sorted(e.words for e in same[:2]))
    name = f"Same {name}" if name else "Nothing equal, only near"
    if against:
        name += f", {against[0].words} differs"
    elif near:
        name += f", {near[0].words} near"
    coarse = f"Same {same[0].words}, mixed evidence" if same else "Nothing equal, only near"
    return name, coarse


def _low_risk(case: Case, guards: Iterable[Guard]) -> bool:
    """In the merge band, nothing to care about, nothing that differs given up for good."""
    return case.band == "merge" and not any(g.pattern for g in guards)


def _household(link: Link) -> bool:
    """First names differ between profiles that share where they can be reached."""
    first = next((e for e in link.evidence if e.comparison == "first_name"), None)
    shares = any(e.same and any(c in e.comparison for c in _CONTACTS) for e in link.evidence)
    return bool(first and first.differs and shares)


def _lonely_end(case: Case, link: Link) -> str | None:
    """The letter of a member whose only link this is."""
    for end in (link.right, link.left):
        if sum(end in x.ends for x in case.web.tree) == 1:
            return case.letters[end]
    return None


def _inferred(case: Case, profile_id: str) -> bool:
    values = {k for k in case.profiles[profile_id] if k not in ("ProfileId", "Attributes")}
    return len(values) <= _INFERRED_VALUES and not values & {"FirstName", "LastName", "BusinessName"}


def _sentence(reason: str) -> str:
    text = reason.split(":", 1)[0]
    return text[0].upper() + text[1:]
