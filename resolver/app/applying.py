"""Apply: merge plans carried out on a domain, one run at a time, stoppable and resumable at any instant."""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from resolver.app.apply_report import ApplyReport
from resolver.app.approvals import approvals, objectors
from resolver.app.brakes import Brakes, Progress
from resolver.app.calls import Moment, Result, Terms
from resolver.app.clashes import Clashes, members_of
from resolver.app.execution import Executor, PlanOutcome
from resolver.app.gating import refuse_held
from resolver.app.leasing import leased
from resolver.app.readiness import Conditions, Lookout, check_ready
from resolver.errors import BadInput, Held, LedgerFailed, ResolverError
from resolver.model.journal import JournalState
from resolver.model.run import Run
from resolver.profiles.reading import object_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from resolver.ledger.ledger import Ledger
    from resolver.model.journal import JournalEntry
    from resolver.model.merge_plan import MergePlan
    from resolver.profiles.domain import Domain

#: A merge that was taken for not executed is looked for in every run of so many days, in case it was late.
LATE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """Whose run it is and how far it may go. ``run_id`` is unique to the run.

    ``workers`` plans are under way at a time. Profiles with Connect Cases are held unless ``allow_cases``.
    Before-images older than ``keep_days`` are emptied at the end; null keeps them. ``conditions`` are what
    the rule set asks of the domain before the first call. ``hold`` is given where the run holds the domain
    already, and raises once that is no longer sure.
    """

    run_id: str
    actor: str
    clock: Callable[[], datetime]
    dry_run: bool = False
    workers: int = 4
    settle_seconds: float = 15.0
    allow_cases: bool = False
    keep_days: int | None = None
    conditions: Conditions = field(default_factory=Conditions)
    brakes: Brakes = field(default_factory=Brakes)
    hold: Callable[[], None] | None = None
    on_progress: Callable[[PlanOutcome], None] = lambda _: None
    at_moment: Callable[[Moment, int], None] = lambda *_: None

    @property
    def holder(self) -> str:
        """The name under which the run holds its domain."""
        return f"run {self.run_id} of {self.actor}"


def apply_plans(
    plans: Sequence[MergePlan], domain: Domain, ledger: Ledger, options: ApplyOptions
) -> ApplyReport:
    """Carry out the plans in their order, each call written down before it is sent and read back after it.

    Calls that a dead run left open are settled first, by reading; plans that it left half done are finished.
    A plan whose members changed is refused with its reason and the others go on; an unclear outcome ends the
    run. A dry run reads, says what would happen, and neither sends nor records anything.

    Raises:
        AlreadyRunning: another run works in this domain, or took over its lease.
        Held: AWS itself merges in this domain, the caller may not, the matching run that had to agree is too
            old, a gate holds the run of a plan, or the stop file is there.
        BadInput: a plan was made for another domain, or two plans have the same id.
        LedgerFailed: the ledger cannot be written; nothing is sent without it.
        ServiceFailed, Unreachable: the domain cannot be read.
    """
    _check(plans, domain)
    refuse_held(plans, (domain.name, ledger), options.run_id)
    if options.dry_run:
        check_ready(domain, options.conditions, options.clock())
        progress = Progress(options.brakes)
        executor = Executor(domain, ledger, _terms(options, lambda: None, lambda: None), object_types(domain))
        return _Round(executor, ledger, options, progress).report(plans, domain)
    if options.brakes.stop_file is not None and options.brakes.stop_file.exists():
        raise Held(f"the stop file {options.brakes.stop_file} is there: remove it to let merges begin")
    with _held(domain, ledger, options) as may_send:
        check_ready(domain, options.conditions, options.clock())
        ledger.start_run(Run(options.run_id, domain.name, "apply", options.actor, options.clock()))
        ledger.record_plans(options.run_id, plans, approvals(plans, ledger.decisions_of(domain.name)))
        with ending(ledger, options.run_id, options.clock):
            progress = Progress(options.brakes)
            lookout = Lookout(domain, options.clock)

            def why_stop() -> str | None:
                return progress.why_stop(options.clock()) or lookout.why_stop()

            executor = Executor(domain, ledger, _terms(options, may_send, why_stop), object_types(domain))
            report = _Round(executor, ledger, options, progress).report(plans, domain)
            if options.keep_days is not None:
                ledger.expire(domain.name, options.clock() - timedelta(days=options.keep_days))
        outcome = "complete" if report.complete else "partly"
        summary = {**report.counts, "merged": report.merged, "stopped": report.stopped}
        ledger.end_run(options.run_id, outcome, summary, options.clock())
    return report


def _held(
    domain: Domain, ledger: Ledger, options: ApplyOptions
) -> AbstractContextManager[Callable[[], None]]:
    if options.hold is not None:
        return nullcontext(options.hold)
    return leased(domain.name, ledger, options.holder, options.clock)


@contextmanager
def ending(ledger: Ledger, run_id: str, clock: Callable[[], datetime]) -> Iterator[None]:
    """Remember of a run that breaks off what broke it; a ledger that failed is not asked again."""
    try:
        yield
    except ResolverError as error:
        if not isinstance(error, LedgerFailed):
            ledger.end_run(run_id, "broken off", {"error": type(error).__name__}, clock())
        raise


def _check(plans: Sequence[MergePlan], domain: Domain) -> None:
    foreign = sorted({p.domain_name for p in plans if p.domain_name not in (None, domain.name)})
    if foreign:
        raise BadInput(f"plans for domain {', '.join(map(str, foreign))} cannot be applied to {domain.name}")
    twice = [plan_id for plan_id, count in Counter(p.plan_id for p in plans).items() if count > 1]
    if twice:
        raise BadInput(f"plan {twice[0]} is there more than once")


def _terms(options: ApplyOptions, may_send: Callable[[], None], why_stop: Callable[[], str | None]) -> Terms:
    return Terms(
        run_id=options.run_id,
        actor=options.actor,
        clock=options.clock,
        may_send=may_send,
        why_stop=why_stop,
        settle_seconds=options.settle_seconds,
        allow_cases=options.allow_cases,
        max_objects=options.conditions.max_objects,
        at_moment=options.at_moment,
    )


class _Round:
    """One pass over the plans."""

    def __init__(self, executor: Executor, ledger: Ledger, options: ApplyOptions, progress: Progress) -> None:
        self._executor = executor
        self._ledger = ledger
        self._options = options
        self._progress = progress
        self._by_number: dict[int, PlanOutcome] = {}

    def report(self, plans: Sequence[MergePlan], domain: Domain) -> ApplyReport:
        settled: tuple[JournalEntry, ...] = ()
        if not self._options.dry_run:
            settled = tuple(self._executor.settle(entry) for entry in self._ledger.open_intents(domain.name))
            settled += tuple(self._late(domain))
        unfinished = self._ledger.unfinished_plans(domain.name)
        theirs = {plan.plan_id for plan in unfinished}
        self._pass_over([*unfinished, *(p for p in plans if p.plan_id not in theirs)], domain)
        return ApplyReport(
            domain=domain.name,
            run_id=self._options.run_id,
            dry_run=self._options.dry_run,
            outcomes=tuple(outcome for _, outcome in sorted(self._by_number.items())),
            settled=settled,
            stopped=self._progress.stopped,
            calls=domain.calls.counts,
        )

    def _late(self, domain: Domain) -> Iterator[JournalEntry]:
        """Merges that were taken for not executed and were executed since, whoever hands in which plans."""
        done = self._ledger.done_steps(domain.name)
        since = self._options.clock() - LATE
        latest = {(e.plan_id, e.step): e for e in self._ledger.standing(domain.name, (JournalState.FAILED,))}
        for entry in latest.values():
            if entry.at >= since and entry.step >= done.get(entry.plan_id, 0):
                found = self._executor.settle_late(entry)
                if found is not None:
                    yield found

    def _pass_over(self, plans: Sequence[MergePlan], domain: Domain) -> None:
        """Several plans at a time; two that share a profile are never both carried out."""
        done = self._ledger.done_steps(domain.name)
        waiting = members_of(self._ledger.unclear(domain.name)) | self._ledger.restoring(domain.name)
        clashes = Clashes(waiting, self._ledger.survivors(domain.name))
        undone = self._ledger.restore_states(domain.name)
        closed = self._ledger.closed_plans(domain.name)
        against = objectors(plans, self._ledger.decisions_of(domain.name))
        queue = deque(enumerate(plans))
        running: dict[Future[PlanOutcome], int] = {}
        with ThreadPoolExecutor(self._options.workers, thread_name_prefix="apply") as pool:
            while queue or running:
                while (
                    queue and len(running) < self._options.workers and self._progress.may_begin(len(running))
                ):
                    number, plan = queue.popleft()
                    steps = done.get(plan.plan_id, 0)
                    outcome = self._before(plan, steps, undone)
                    if outcome is None and (reason := clashes.why(plan)):
                        outcome = PlanOutcome(plan.plan_id, Result.REFUSED, reason)
                    if plan.plan_id in closed:
                        outcome = PlanOutcome(plan.plan_id, Result.REFUSED, "a person has closed it")
                    if plan.plan_id in against and not steps:
                        reason = f"{against[plan.plan_id]} said that two of these are different customers"
                        outcome = PlanOutcome(plan.plan_id, Result.REFUSED, reason)
                    if outcome is None:
                        clashes.take(plan)
                        running[pool.submit(self._run, plan, steps)] = number
                    else:
                        self._end(number, outcome)
                for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                    self._end(running.pop(future), future.result())

    def _end(self, number: int, outcome: PlanOutcome) -> None:
        self._by_number[number] = outcome
        self._progress.note(outcome)
        self._options.on_progress(outcome)

    def _run(self, plan: MergePlan, done: int) -> PlanOutcome:
        if self._options.dry_run:
            return self._executor.rehearse(plan, done)
        return self._executor.execute(plan, done)

    def _before(
        self, plan: MergePlan, done: int, undone: Mapping[str, tuple[str, str]]
    ) -> PlanOutcome | None:
        """What is to be said of a plan without asking the service."""
        if self._progress.stopped:
            return PlanOutcome(plan.plan_id, Result.NOT_REACHED, self._progress.stopped)
        if not plan.steps:
            return PlanOutcome(plan.plan_id, Result.REFUSED, "; ".join(plan.reasons) or "nothing to merge")
        if plan.plan_id in undone:
            restore_id, state = undone[plan.plan_id]
            reason = f"it was undone by restore {restore_id[:12]} ({state})"
            return PlanOutcome(plan.plan_id, Result.REFUSED, reason)
        if done >= len(plan.steps) + len(plan.post_steps):
            return PlanOutcome(plan.plan_id, Result.ALREADY_APPLIED)
        if plan.after:
            return PlanOutcome(
                plan.plan_id, Result.REFUSED, f"to be planned anew after plan {', '.join(plan.after)}"
            )
        return None
