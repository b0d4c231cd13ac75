"""Linking a file as the run before would have, where that can be; in full, where it cannot."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resolver.errors import BadInput
from resolver.matching.fingerprints import Fingerprints
from resolver.matching.incremental import TooMuchChanged, link_changes, outgrown
from resolver.matching.linkage import Linkage, link_again, link_profiles
from resolver.matching.readable import readable
from resolver.matching.state import State, state_of
from resolver.matching.trained import trained_by
from resolver.matching.work import HERE
from resolver.state_file import read_state, read_trained, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import polars as pl

    from resolver.app.progress import Stopwatch
    from resolver.matching.work import Work
    from resolver.model.rule_set import RuleSet


def here(_profiles: pl.DataFrame, _rules: RuleSet) -> Work:
    """In this process."""
    return HERE


@dataclass(frozen=True, slots=True)
class Continuation:
    """How a run goes on from an earlier one, given by its directory.

    ``changes_since``: only what changed since is looked at, if that run left a state that can be used.
    With ``if_worth`` a file of which all pairs are compared is looked at in full: that takes a second.
    ``work_for`` says where the heavy stages of a file are done that is looked at in full, without a model.
    ``model_of``: the model of that run on the whole file. ``keep``: leave a state for the next run.
    ``fingerprints`` gives those of the file, once it is read, where they were taken beside. ``meanwhile``
    may begin to write the clusters and the state of what was gone on from: the frame of pairs takes longer.
    """

    changes_since: Path | None = None
    model_of: Path | None = None
    keep: bool = False
    if_worth: bool = False
    work_for: Callable[[pl.DataFrame, RuleSet], Work] = field(default=here, compare=False)
    fingerprints: Callable[[], Fingerprints] | None = field(default=None, compare=False)
    meanwhile: Callable[[pl.DataFrame, State], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Linked:
    """A linkage, the state to keep with it (None: none), how it came about.

    ``earlier`` is the run whose block index the state shares.
    """

    linkage: Linkage
    state: State | None
    how: dict[str, Any]
    earlier: Path | None = None

    def readable(self, profiles: pl.DataFrame, rules: RuleSet, ids: Collection[str]) -> Linkage:
        """The linkage, fit for explaining those profiles."""
        if self.earlier is None or self.state is None:
            return self.linkage
        return readable(self.linkage, profiles, rules, (self.state, ids))


def link(
    read: Callable[[], pl.DataFrame],
    known: tuple[RuleSet, pl.DataFrame],
    how: Continuation,
    watch: Stopwatch,
) -> Linked:
    """Link a PROFILES frame; ``known`` are the rules and people's decisions.

    ``read`` gives the frame, once. Where no state is asked for it is handed on, not held: its texts are free
    as soon as they are standardised.

    Raises:
        BadInput: the model of an earlier run was asked for, and cannot be used.
    """
    rules, decisions = known
    if how == Continuation():
        return Linked(_linked_in_full(read(), known, how, watch), None, {"way": "full"})
    why = None if how.changes_since is None else refusal(how.changes_since, rules)
    with ThreadPoolExecutor(1) as pool:  # either is a file of its own
        kept = None if how.changes_since is None or why else pool.submit(read_state, how.changes_since)
        profiles = read()
        prints = _fingerprints(profiles, how) if kept is not None else None
        state = None if kept is None else kept.result()
    if how.changes_since is not None:
        if state is not None:
            small = how.if_worth and state.trained.keys is None
            why = "the file is small" if small else outgrown(profiles.height, state)
        elif not why:
            why = f"the state of {how.changes_since.name} is damaged"
        if state is not None and prints is not None and not why:
            try:
                linkage, following = link_changes(
                    (profiles, prints), rules, (decisions, state), watch.stage, meanwhile=how.meanwhile
                )
            except TooMuchChanged as reason:
                why = str(reason)
        if state is not None and not why:
            gone_on = {
                "way": "incremental",
                "since": how.changes_since.name,
                "changed_since_learned": following.changed,
                "learned_from": state.trained.profiles,
            }
            return Linked(linkage, following, gone_on, how.changes_since)
        watch.stage("full", {"why": str(why)})
    if how.model_of is not None:
        return _with_model(profiles, known, how, watch)
    linkage = _linked_in_full(profiles, known, how, watch)
    facts: dict[str, Any] = {"way": "full"} | ({"why": why} if why else {})
    if not how.keep or linkage.answer is None:
        return Linked(linkage, None, facts)
    state = state_of(profiles, rules, linkage, (trained_by(linkage.answer, rules), decisions))
    watch.stage("state", {"profiles": profiles.height})
    return Linked(linkage, state, facts)


def _fingerprints(profiles: pl.DataFrame, how: Continuation) -> Fingerprints:
    return Fingerprints.of(profiles) if how.fingerprints is None else how.fingerprints()


def _linked_in_full(
    profiles: pl.DataFrame, known: tuple[RuleSet, pl.DataFrame], how: Continuation, watch: Stopwatch
) -> Linkage:
    rules, decisions = known
    work = how.work_for(profiles, rules)
    handed_on = [profiles]
    del profiles  # or this frame would hold the texts for as long as they are linked
    return link_profiles(handed_on.pop(), rules, decisions, watch.stage, work)


def _with_model(
    profiles: pl.DataFrame, known: tuple[RuleSet, pl.DataFrame], how: Continuation, watch: Stopwatch
) -> Linked:
    rules, decisions = known
    assert how.model_of is not None  # noqa: S101 - asked for by the caller
    if why := refusal(how.model_of, rules):
        raise BadInput(f"no model to use: {why}")
    trained = read_trained(how.model_of)
    if trained is None:
        raise BadInput(f"no model to use: the state of {how.model_of.name} is damaged")
    if profiles.height >= 1 << trained.bits or profiles.height < 2:  # noqa: PLR2004 - one profile makes no pair
        raise BadInput(f"no model to use: that of {how.model_of.name} is not for {profiles.height} profiles")
    linkage = link_again(profiles, rules, (decisions, trained), watch.stage)
    facts: dict[str, Any] = {"way": "full, with a model", "model_of": how.model_of.name}
    if not how.keep or linkage.answer is None:
        return Linked(linkage, None, facts)
    return Linked(linkage, state_of(profiles, rules, linkage, (trained, decisions)), facts)
