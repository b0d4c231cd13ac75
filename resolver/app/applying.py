"""Apply: merge plans carried out on a domain, one run at a time, stoppable and resumable at any instant."""

from __future__ import annotations

import threading
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from resolver.app.execution import Executor, PlanOutcome, Result, Terms
from resolver.errors import AlreadyRunning, BadInput, Held, LedgerFailed, ResolverError
from resolver.model.journal import JournalState
from resolver.model.run import Run
from resolver.profiles.domain import describe_domain
from resolver.profiles.reading import object_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from resolver.ledger.ledger import Ledger
    from resolver.model.journal import JournalEntry
    from resolver.model.merge_plan import MergePlan
    from resolver.profiles.domain import Domain

HEARTBEAT: Final = 15.0  # seconds between renewals of the lease
#: A merge is not sent unless the lease outlasts it: the client's read time-out, and some.
LEFT_AT_LEAST: Final = timedelta(seconds=200)
#: So many failures in a row end the run: the service is in trouble, or the role lacks a permission.
FAILURES_IN_A_ROW: Final = 5


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """Whose run it is and how far it may go. ``run_id`` is unique to the run.

    ``limit`` ends the run after so many applied plans, ``workers`` of which are under way at a time;
    ``should_stop`` is asked before any call that would change something.
    """

    run_id: str
    actor: str
    clock: Callable[[], datetime]
    dry_run: bool = False
    limit: int | None = None
    workers: int = 4
    allow_merging_by_aws: bool = False
    settle_seconds: float = 15.0
    should_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[PlanOutcome], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What became of each plan. ``settled`` are the results of calls that an earlier run left open.

    ``stopped`` says why the run ended before its last plan; null where it did not.
    """

    domain: str
    run_id: str
    dry_run: bool
    outcomes: tuple[PlanOutcome, ...]
    settled: tuple[JournalEntry, ...]
    stopped: str | None
    calls: Mapping[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """Plans by result."""
        counted = Counter(outcome.result.value for outcome in self.outcomes)
        return {result.value: counted[result.value] for result in Result if counted[result.value]}

    @property
    def merged(self) -> int:
        """Profiles that this run merged away, calls of an interrupted run that it found done included."""
        done = (e.request or {} for e in self.settled if e.state is JournalState.DONE)
        settled = sum(len(request.get("ProfileIdsToBeMerged", ())) for request in done)
        return settled + sum(outcome.merged for outcome in self.outcomes)

    @property
    def complete(self) -> bool:
        """Whether every plan is applied, or would be, and nothing waits for a person."""
        good = {Result.APPLIED, Result.ALREADY_APPLIED, Result.WOULD_APPLY}
        unclear = any(entry.state is JournalState.UNCLEAR for entry in self.settled)
        return not unclear and all(outcome.result in good for outcome in self.outcomes)


def apply_plans(
    plans: Sequence[MergePlan], domain: Domain, ledger: Ledger, options: ApplyOptions
) -> ApplyReport:
    """Carry out the plans in their order, each call written down before it is sent and read back after it.

    Calls that a dead run left open are settled first, by reading; plans that it left half done are finished.
    A plan whose members changed is refused with its reason and the others go on; an unclear outcome ends the
    run. A dry run reads, says what would happen, and neither sends nor records anything.

    Raises:
        AlreadyRunning: another run works in this domain, or took over its lease.
        Held: AWS itself merges in this domain.
        BadInput: a plan was made for another domain, or two plans have the same id.
        LedgerFailed: the ledger cannot be written; nothing is sent without it.
        ServiceFailed, Unreachable: the domain cannot be read.
    """
    _check(plans, domain)
    if options.dry_run:
        _preflight(domain, options)
        executor = Executor(domain, ledger, _terms(options, lambda: None), object_types(domain))
        return _Round(executor, ledger, options).report(plans, domain)
    now = options.clock()
    with _lease(domain.name, ledger, options) as may_send:
        _preflight(domain, options)
        ledger.start_run(Run(options.run_id, domain.name, "apply", options.actor, now))
        ledger.record_plans(options.run_id, plans)
        with _ended(ledger, options):
            executor = Executor(domain, ledger, _terms(options, may_send), object_types(domain))
            report = _Round(executor, ledger, options).report(plans, domain)
        outcome = "complete" if report.complete else "partly"
        summary = {**report.counts, "merged": report.merged, "stopped": report.stopped}
        ledger.end_run(options.run_id, outcome, summary, options.clock())
    return report


@contextmanager
def _ended(ledger: Ledger, options: ApplyOptions) -> Iterator[None]:
    """Remember of a run that breaks off what broke it; a ledger that failed is not asked again."""
    try:
        yield
    except ResolverError as error:
        if not isinstance(error, LedgerFailed):
            ledger.end_run(options.run_id, "broken off", {"error": type(error).__name__}, options.clock())
        raise


def _check(plans: Sequence[MergePlan], domain: Domain) -> None:
    foreign = sorted({p.domain_name for p in plans if p.domain_name not in (None, domain.name)})
    if foreign:
        raise BadInput(f"plans for domain {', '.join(map(str, foreign))} cannot be applied to {domain.name}")
    twice = [plan_id for plan_id, count in Counter(p.plan_id for p in plans).items() if count > 1]
    if twice:
        raise BadInput(f"plan {twice[0]} is there more than once")


def _preflight(domain: Domain, options: ApplyOptions) -> None:
    by_aws = describe_domain(domain).merging_by_aws
    if by_aws and not options.allow_merging_by_aws:
        raise Held(
            f"domain {domain.name}: AWS merges profiles there, too ({', '.join(by_aws)}): two writers would "
            "merge the same profiles; switch it off, or allow it explicitly"
        )


def _terms(options: ApplyOptions, may_send: Callable[[], None]) -> Terms:
    return Terms(
        run_id=options.run_id,
        actor=options.actor,
        clock=options.clock,
        may_send=may_send,
        should_stop=options.should_stop,
        settle_seconds=options.settle_seconds,
    )


@contextmanager
def _lease(domain_name: str, ledger: Ledger, options: ApplyOptions) -> Iterator[Callable[[], None]]:
    """Hold the domain while the run lasts; what is yielded raises once the hold is no longer sure."""
    holder = f"run {options.run_id} of {options.actor}"
    expires_at = [ledger.acquire_lease(domain_name, holder, options.clock())]
    over = threading.Event()

    def renew() -> None:
        while not over.wait(HEARTBEAT):
            try:
                expires_at[0] = ledger.renew_lease(domain_name, holder, options.clock())
            except AlreadyRunning:
                expires_at[0] = options.clock()
                return
            except LedgerFailed:
                continue  # the ledger may come back before the lease ends; if not, nothing more is sent

    def may_send() -> None:
        if expires_at[0] - options.clock() < LEFT_AT_LEAST:
            raise AlreadyRunning(f"domain {domain_name}: the lease of {holder} could not be renewed in time")

    beating = threading.Thread(target=renew, name="lease", daemon=True)
    beating.start()
    try:
        yield may_send
    finally:
        over.set()
        beating.join()
        ledger.release_lease(domain_name, holder)


class _Round:
    """One pass over the plans."""

    def __init__(self, executor: Executor, ledger: Ledger, options: ApplyOptions) -> None:
        self._executor = executor
        self._ledger = ledger
        self._options = options
        self._by_number: dict[int, PlanOutcome] = {}
        self._finished: list[PlanOutcome] = []  # in the order of their ends
        self._stopped: str | None = None

    def report(self, plans: Sequence[MergePlan], domain: Domain) -> ApplyReport:
        settled: tuple[JournalEntry, ...] = ()
        if not self._options.dry_run:
            settled = tuple(self._executor.settle(entry) for entry in self._ledger.open_intents(domain.name))
        unfinished = self._ledger.unfinished_plans(domain.name)
        theirs = {plan.plan_id for plan in unfinished}
        self._pass_over([*unfinished, *(p for p in plans if p.plan_id not in theirs)], domain)
        return ApplyReport(
            domain=domain.name,
            run_id=self._options.run_id,
            dry_run=self._options.dry_run,
            outcomes=tuple(outcome for _, outcome in sorted(self._by_number.items())),
            settled=settled,
            stopped=self._stopped,
            calls=domain.calls.counts,
        )

    def _pass_over(self, plans: Sequence[MergePlan], domain: Domain) -> None:
        """Several plans at a time; two that share a profile are never both carried out."""
        done = self._ledger.done_steps(domain.name)
        waiting = _members_of(self._ledger.unclear(domain.name))
        taken: dict[str, str] = {}
        queue = deque(enumerate(plans))
        running: dict[Future[PlanOutcome], int] = {}
        with ThreadPoolExecutor(self._options.workers, thread_name_prefix="apply") as pool:
            while queue or running:
                while queue and len(running) < self._options.workers and self._may_begin(len(running)):
                    number, plan = queue.popleft()
                    steps = done.get(plan.plan_id, 0)
                    outcome = self._before(plan, steps, waiting) or self._clash(plan, taken)
                    if outcome is None:
                        taken |= dict.fromkeys(plan.profile_ids, plan.plan_id)
                        running[pool.submit(self._run, plan, steps)] = number
                    else:
                        self._end(number, outcome)
                for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                    self._end(running.pop(future), future.result())

    def _may_begin(self, running: int) -> bool:
        """Whether the limit leaves room for one more; a stopped run goes through the rest, beginning none."""
        limit = self._options.limit
        return self._stopped is not None or limit is None or self._applied() + running < limit

    def _applied(self) -> int:
        return sum(outcome.result in (Result.APPLIED, Result.WOULD_APPLY) for outcome in self._finished)

    def _end(self, number: int, outcome: PlanOutcome) -> None:
        self._by_number[number] = outcome
        self._finished.append(outcome)
        self._options.on_progress(outcome)
        self._stopped = self._stopped or self._reason_to_stop()

    def _run(self, plan: MergePlan, done: int) -> PlanOutcome:
        if self._options.dry_run:
            return self._executor.rehearse(plan, done)
        return self._executor.execute(plan, done)

    def _before(self, plan: MergePlan, done: int, waiting: Mapping[str, str]) -> PlanOutcome | None:
        """What is to be said of a plan without asking the service."""
        calls = len(plan.steps) + len(plan.post_steps)
        held = sorted({waiting[i] for i in plan.profile_ids if i in waiting})
        if self._stopped:
            return PlanOutcome(plan.plan_id, Result.NOT_REACHED, self._stopped)
        if not plan.steps:
            return PlanOutcome(plan.plan_id, Result.REFUSED, "; ".join(plan.reasons) or "nothing to merge")
        if done >= calls:
            return PlanOutcome(plan.plan_id, Result.ALREADY_APPLIED)
        if held:
            return PlanOutcome(
                plan.plan_id,
                Result.REFUSED,
                f"shares profiles with plan {', '.join(held)}, which waits for a person",
            )
        if plan.after:
            return PlanOutcome(
                plan.plan_id, Result.REFUSED, f"to be planned anew after plan {', '.join(plan.after)}"
            )
        return None

    def _clash(self, plan: MergePlan, taken: Mapping[str, str]) -> PlanOutcome | None:
        clashes = sorted({taken[i] for i in plan.profile_ids if i in taken})
        if not clashes:
            return None
        return PlanOutcome(plan.plan_id, Result.REFUSED, f"shares profiles with plan {', '.join(clashes)}")

    def _reason_to_stop(self) -> str | None:
        latest = self._finished[-1]
        if latest.result is Result.UNCLEAR:
            return f"the outcome of plan {latest.plan_id} is unclear"
        if latest.result is Result.NOT_REACHED:
            return latest.reason
        if self._options.limit is not None and self._applied() >= self._options.limit:
            return f"the limit of {self._options.limit} plans is reached"
        last = self._finished[-FAILURES_IN_A_ROW:]
        if len(last) == FAILURES_IN_A_ROW and all(outcome.result is Result.FAILED for outcome in last):
            return f"{FAILURES_IN_A_ROW} plans in a row failed"
        return None


def _members_of(unclear: Sequence[JournalEntry]) -> dict[str, str]:
    return {
        profile_id: entry.plan_id
        for entry in unclear
        for profile_id in (entry.before or {}).get("profiles", ())
    }
