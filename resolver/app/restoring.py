"""Restore: a merge undone from its before-images, as far as AWS lets anybody; dry first, then for good."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from resolver.app.applying import ending
from resolver.app.leasing import leased
from resolver.app.readiness import check_nobody_else_merges, check_role
from resolver.app.rebuilding import Workshop
from resolver.app.restore_plan import Present, plan_restore
from resolver.errors import BadInput, Held
from resolver.ledger.restores import RestoreFact
from resolver.model.decision import Decision, Verdict
from resolver.model.journal import JournalState
from resolver.model.run import Run
from resolver.profiles.reading import object_types, read_objects, read_profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from resolver.ledger.ledger import Ledger
    from resolver.model.restoration import Restoration
    from resolver.profiles.domain import Domain


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """Whose run it is. ``apply`` makes it happen; without, only what would is told.

    ``allowed_roles`` are patterns of the caller's ARN, as for merging; empty: whoever IAM lets.
    ``at_step`` is told of each step's number right before it and right after it is in the ledger.
    """

    run_id: str
    actor: str
    clock: Callable[[], datetime]
    apply: bool = False
    allowed_roles: tuple[str, ...] = ()
    settle_seconds: float = 15.0
    should_stop: Callable[[], bool] = lambda: False
    at_step: Callable[[str, int], None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did, or would do.

    ``state`` is planned, unfinished (stopped on the way; the next run goes on), restored or differs;
    ``profiles`` maps each id of before to its id now. ``lost``: what cannot return. ``kept``: what changed
    since the merge and stays. ``told``: what the service said on the way; ``differences``: what is not as it
    was to be.
    """

    restore_id: str
    plan_id: str
    state: str
    survivor_id: str
    profiles: Mapping[str, str]
    steps: Mapping[str, int]
    lost: tuple[str, ...]
    kept: tuple[str, ...]
    told: tuple[str, ...]
    differences: tuple[str, ...]


def restore_merge(merge_id: str, domain: Domain, ledger: Ledger, options: RestoreOptions) -> RestoreReport:
    """Undo a merge (a plan's id or the beginning of it): its profiles made again, all that can be put back.

    Decided whole and put on disk before the first call; a restore that was cut off goes on where it was. At
    its end reviewers' verdicts say that these profiles are different, or the next run would merge them again.

    Raises:
        BadInput: no such merge, or none of it was done, or it was restored before.
        Held: the survivor is gone, AWS merges in this domain, or the caller is none of the allowed roles.
        AlreadyRunning: another run works in this domain.
        LedgerFailed: the before-image is gone or its key is not here; nothing was sent.
        ServiceFailed, Unreachable: the domain cannot be read, or a call was not done.
    """
    plan_id = find_merge(merge_id, domain.name, ledger)
    restoration = _begun(plan_id, ledger)
    check_nobody_else_merges(domain)
    check_role(domain, options.allowed_roles)
    if not options.apply:
        return _Course(restoration or _decide(plan_id, domain, ledger), ledger, options).report("planned")
    holder = f"restore {options.run_id} of {options.actor}"
    with leased(domain.name, ledger, holder, options.clock) as may_send:
        ledger.start_run(Run(options.run_id, domain.name, "restore", options.actor, options.clock()))
        with ending(ledger, options.run_id, options.clock):
            restoration = _begun(plan_id, ledger)  # another run may have, before this one held the domain
            if restoration is None:
                restoration = _decide(plan_id, domain, ledger)
                ledger.begin_restore(restoration, options.run_id, options.clock())
            report = _Course(restoration, ledger, options).run(domain, may_send)
        ledger.end_run(options.run_id, report.state, {"restored": len(report.profiles)}, options.clock())
    return report


def _begun(plan_id: str, ledger: Ledger) -> Restoration | None:
    """The restoration that was begun and not finished."""
    begun = ledger.restore_of(plan_id)
    if begun is not None and begun[1] != "unfinished":
        raise BadInput(f"merge {plan_id[:12]} was restored before ({begun[1]}, restore {begun[0][:12]})")
    return None if begun is None else begun[2]


def find_merge(merge_id: str, domain_name: str, ledger: Ledger) -> str:
    """The one plan of a domain's history whose id begins so.

    Raises:
        BadInput: none, or several.
    """
    found = [fact.plan_id for fact in ledger.merges_of(domain_name) if fact.plan_id.startswith(merge_id)]
    if not merge_id or not found:
        raise BadInput(f"no merge {merge_id} in the history of domain {domain_name} ({ledger.place})")
    if len(found) > 1:
        raise BadInput(f"{len(found)} merges begin with {merge_id}: give more of the id")
    return found[0]


def _decide(plan_id: str, domain: Domain, ledger: Ledger) -> Restoration:
    plan = ledger.plan_of(plan_id)
    entries = ledger.entries_of(plan_id)
    states = {e.step: e.state for e in entries if e.state is not JournalState.CLOSED}
    happened = (JournalState.DONE, JournalState.UNCLEAR)
    steps = sorted(step for step, state in states.items() if state in happened)
    if JournalState.INTENT in states.values() or JournalState.SENT in states.values():
        raise Held(f"merge {plan_id[:12]}: a call of it is open; `resolver apply` settles it first")
    if not steps or steps[0]:
        raise BadInput(f"nothing of merge {plan_id[:12]} was done: there is nothing to restore")
    intents = [ledger.intent_of(plan_id, step) for step in steps]
    survivor = _today(plan.main_profile_id, ledger.restored_as(domain.name))
    there = read_profiles(domain, [survivor, *plan.merged_profile_ids])
    if survivor not in there:
        into = ledger.survivors(domain.name).get(survivor)
        where = f"it was merged into {into}: restore that merge first" if into else "it was deleted"
        raise Held(f"merge {plan_id[:12]}: its survivor {survivor} is not there; {where}")
    types = object_types(domain)
    objects = read_objects(domain, survivor, types).select("object_type_name", "unique_key", "object")
    now = Present(there.pop(survivor), objects.to_dicts(), frozenset(there))
    return plan_restore(plan, intents, now, types)


class _Course:
    """One restoration as it is carried out by one run."""

    def __init__(self, restoration: Restoration, ledger: Ledger, options: RestoreOptions) -> None:
        self._restoration = restoration
        self._ledger = ledger
        self._options = options
        self._done, self._ids = ledger.restored(restoration.restore_id)
        self._ids[restoration.main_id] = restoration.survivor_id
        self._told: list[str] = []

    def run(self, domain: Domain, may_send: Callable[[], None]) -> RestoreReport:
        """Every step that is not done, then what came of all of them."""
        types = object_types(domain)
        seconds = self._options.settle_seconds
        workshop = Workshop(domain, self._restoration, types, self._ids, may_send, seconds)
        for number, step in enumerate(self._restoration.steps):
            if number in self._done:
                continue
            if self._options.should_stop():
                return self.report("unfinished")
            self._options.at_step("before", number)
            words = workshop.carry_out(step)
            self._options.at_step("done", number)
            self._told += [words] if words else []
            made = (step.member, self._ids[step.member]) if step.kind == "create" else None
            self._ledger.record_restore(self._fact(number, "done", words), made)
            self._options.at_step("after", number)
        differences = workshop.differences()
        self._keep_apart(domain.name)
        state = "differs" if differences else "restored"
        last = self._fact(len(self._restoration.steps), state, "; ".join(differences))
        self._ledger.record_restore(last)
        return self.report(state, differences)

    def _keep_apart(self, domain_name: str) -> None:
        now = sorted(self._ids[member] for member in self._restoration.members)
        reason = f"restored: merge {self._restoration.plan_id[:12]} was undone"
        actor, at = self._options.actor, self._options.clock()
        verdict = Verdict.NON_MATCH
        made = [Decision(left, right, verdict, actor, reason, "", at) for left, right in combinations(now, 2)]
        self._ledger.record_decisions(domain_name, made)

    def _fact(self, step: int, state: str, words: str) -> RestoreFact:
        run_id, at = self._options.run_id, self._options.clock()
        return RestoreFact(self._restoration.restore_id, run_id, step, state, words, at)

    def report(self, state: str, differences: Sequence[str] = ()) -> RestoreReport:
        """What there is to tell."""
        restoration = self._restoration
        kinds = [step.kind for step in restoration.steps]
        return RestoreReport(
            restore_id=restoration.restore_id,
            plan_id=restoration.plan_id,
            state=state,
            survivor_id=restoration.survivor_id,
            profiles={member: self._ids.get(member, "new") for member in restoration.members},
            steps={kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
            lost=restoration.lost,
            kept=restoration.kept,
            told=tuple(self._told),
            differences=tuple(differences),
        )


def _today(profile_id: str, restored: Mapping[str, str]) -> str:
    while profile_id in restored:
        profile_id = restored[profile_id]
    return profile_id
