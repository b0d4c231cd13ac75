"""A drill: the executor struck by every kind of trouble at every moment, and what is left afterwards.

Each cell makes a small domain of its own, plans a chain of three merges and three calls after them, lets one
fault strike one moment of one step, and runs again until the plan is done. Then the domain must be as one
that no fault ever struck, each merge done exactly once, and the ledger must say so.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.calls import Moment
from resolver.app.drill_plan import OBJECT_TYPE, PEOPLE, plan_chain
from resolver.errors import ResolverError
from resolver.ledger.ledger import open_ledger
from resolver.ledger.plan_texts import plan_of, plan_text
from resolver.ledger.sealing import KEY, KEY_FILE
from resolver.profiles.domain import ConnectionSettings, Domain, connect, describe_domain
from resolver.profiles.merge_history import count_merges
from resolver.profiles.reading import object_types, read_objects, read_profiles, search
from resolver.profiles.search_keys import SearchKey, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from resolver.ledger.ledger import Ledger

KILL: Final = "kill"
#: Kind of fault → what it is.
FAULTS: Final = {
    "throttle": "429",
    "fail_before": "500 before work",
    "fail_after": "500 after commit",
    "delay_after": "time-out after commit",
    "reset_after": "reset after commit",
    KILL: "SIGKILL of the executor",
}
MOMENTS: Final = (
    "before intent",
    "after intent",
    "during send",
    "after send",
    "during verify",
    "during post-steps",
)
STEPS: Final = ("first", "middle", "last")

#: A fault strikes this call of the API at that moment, so many times in a row.
_STRUCK: Final = {
    "before intent": ("BatchGetProfile", 1),  # the members are read again
    "after intent": ("MergeProfiles", 1),
    "during send": ("MergeProfiles", 3),  # the sends that follow, too
    "after send": ("SearchProfiles", 1),  # the first look
    "during verify": ("SearchProfiles", 6),  # more often than a read is asked again
}
_POST_STEPS: Final = (("UpdateProfile", 0), ("AddProfileKey", 0), ("UpdateProfile", 1))
_KILLED_AT: Final = {
    "before intent": Moment.BEFORE_INTENT,
    "after intent": Moment.AFTER_INTENT,
    "during send": Moment.AFTER_INTENT,  # and a moment later: the answer is held back
    "after send": Moment.AFTER_SEND,
    "during verify": Moment.DURING_VERIFY,
}
_POST_KILLED_AT: Final = (Moment.POST_STEP_INTENT, Moment.POST_STEP_SENT, Moment.POST_STEP_INTENT)

RUNS: Final = 8  # after so many the plan must be done
TIMEOUT: Final = 1.0  # seconds that an executor waits for an answer that is to come too late
DELAY: Final = 1.6  # seconds that a delayed answer takes
PATIENCE: Final = 60.0  # seconds that everybody else waits
_HELD: Final = 0.3  # seconds after which a merge is committed and not answered

#: operation, kind of fault, (times, skip), seconds
PlanFault = Callable[[str, str, tuple[int, int], float], None]


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault at one moment of one step."""

    fault: str
    moment: str
    step: str

    @property
    def number(self) -> int:
        """The step's place among the three."""
        return STEPS.index(self.step)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was left of a cell: ``faults`` in words, none where all is well; after so many runs."""

    cell: Cell
    runs: int
    faults: tuple[str, ...]


def cells() -> list[Cell]:
    """The whole matrix."""
    return [Cell(*facts) for facts in product(FAULTS, MOMENTS, STEPS)]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where drills are held: a service with faults at an address, and a directory for ledgers."""

    url: str
    plan_fault: PlanFault
    directory: Path

    def domain(self, name: str, timeout: float = PATIENCE) -> Domain:
        """A domain there, and a client that waits so many seconds for an answer."""
        settings = ConnectionSettings(
            self.url,
            calls_per_second=None,
            merges_per_second=None,
            read_timeout=timeout,
            merge_read_timeout=timeout,
        )
        return Domain(name, connect(settings))


def drill(ground: Ground, chosen: Sequence[Cell]) -> Iterator[Finding]:
    """Each cell's finding, one after another.

    Raises:
        ResolverError: the service cannot be used at all, or the plan fails without any fault.
    """
    calm = _Exercise(ground, "calm")
    with open_ledger(str(calm.ledger)) as ledger:
        if not apply_plans([calm.plan], calm.domain, ledger, _options("calm")).complete:
            raise ResolverError("drill: the plan is not carried out even where nothing strikes")
        wanted = calm.state(ledger)
    for number, cell in enumerate(chosen):
        yield _strike(ground, cell, (f"drill-{number}", wanted))


def _strike(ground: Ground, cell: Cell, against: tuple[str, dict[str, Any]]) -> Finding:
    name, wanted = against
    exercise = _Exercise(ground, name)
    if cell.fault == KILL:
        exercise.be_killed(cell)
    else:
        exercise.plan_fault(cell)
    domain = ground.domain(name, TIMEOUT if cell.fault == "delay_after" else PATIENCE)
    with open_ledger(str(exercise.ledger)) as ledger:
        for runs in range(1, RUNS + 1):
            try:
                report = apply_plans([exercise.plan], domain, ledger, _options(f"{name}-{runs}"))
            except ResolverError:
                continue  # it broke off: the next run goes on
            if report.complete:
                break
        found = exercise.state(ledger)
    exercise.end()
    faults = [
        f"{what}: {found[what]} instead of {wanted[what]}" for what in wanted if found[what] != wanted[what]
    ]
    return Finding(cell, runs + (cell.fault == KILL), tuple(faults))


class _Exercise:
    """One domain with seven profiles, and the plan that makes one of them."""

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self.domain = ground.domain(name)
        self.ledger = ground.directory / f"{name}.sqlite"
        client = self.domain.clients.read
        client.create_domain(DomainName=name, DefaultExpirationDays=366)
        self.domain.ask("put_profile_object_type", **OBJECT_TYPE)
        self._ids = [client.create_profile(DomainName=name, **fields)["ProfileId"] for fields in PEOPLE]
        for fields in PEOPLE[:3]:
            body = f'{{"id": "{fields["AccountNumber"]}"}}'
            self.domain.ask("put_profile_object", ObjectTypeName=OBJECT_TYPE["ObjectTypeName"], Object=body)
        self.plan = plan_chain(read_profiles(self.domain, self._ids), self._ids, name)

    def end(self) -> None:
        """Take the domain away: an account has at most 100, the matrix more cells."""
        self.domain.clients.read.delete_domain(DomainName=self.domain.name)

    def plan_fault(self, cell: Cell) -> None:
        """Let the service fail at that moment."""
        if cell.moment in _STRUCK:
            operation, times = _STRUCK[cell.moment]
            skip = cell.number
        else:
            (operation, skip), times = _POST_STEPS[cell.number], 2
        self._ground.plan_fault(operation, cell.fault, (times, skip), DELAY)

    def be_killed(self, cell: Cell) -> None:
        """Let an executor in a process of its own die at that moment."""
        if cell.moment == "during send":
            self._ground.plan_fault("MergeProfiles", "delay_after", (1, cell.number), DELAY)
        at = (self._ground.url, str(self.ledger), self.domain.name)
        keys = {name: os.environ.get(name) for name in (KEY, KEY_FILE)}
        child = _PROCESSES.Process(target=_apply_and_die, args=(plan_text(self.plan), at, cell, keys))
        child.start()
        child.join(60)
        if child.exitcode != -signal.SIGKILL:
            child.kill()
            raise ResolverError(f"the drill's executor was not killed but ended with {child.exitcode}")

    def state(self, ledger: Ledger) -> dict[str, Any]:
        """All that can be seen of the domain and the ledger, with ids by their place in the group."""
        names = {profile_id: f"#{place}" for place, profile_id in enumerate(self._ids)}
        there = read_profiles(self.domain, self._ids)
        keys = {key for fields in PEOPLE for key in keys_of(fields)} | {SearchKey("_phone", "0900")}
        survivor = self._ids[0]
        objects = read_objects(self.domain, survivor, object_types(self.domain))["unique_key"].to_list()
        name = self.domain.name
        return {
            "profiles": {names[i]: {**p, "ProfileId": ""} for i, p in sorted(there.items())},
            "in the domain": describe_domain(self.domain).profile_count,
            "objects": sorted(objects),
            "found by key": sorted(
                (key.name, key.value, names.get(hit["ProfileId"], "?"))
                for key in keys
                for hit in search(self.domain, [key])
            ),
            "merges in its history": count_merges(self.domain, survivor),
            "calls done by the ledger": list(ledger.done_steps(name).values()),
            "open in the ledger": len(ledger.open_intents(name)),
            "waiting for a person": len(ledger.unclear(name)),
            "merged ids in the ledger": {
                names[i]: names[s] for i, s in sorted(ledger.survivors(name).items())
            },
        }


_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["resolver.app.drilling"])


def _apply_and_die(text: str, at: tuple[str, str, str], cell: Cell, keys: Mapping[str, str | None]) -> None:
    """Apply the plan and be killed at the cell's moment; runs in a process of its own.

    ``keys`` are today's ledger keys: the environment here is that of whoever started the fork server.
    """
    for variable, value in keys.items():
        os.environ.pop(variable, None)
        if value is not None:
            os.environ[variable] = value
    url, path, name = at
    plan = plan_of(text)
    moment, number = _KILLED_AT.get(cell.moment), cell.number
    if moment is None:
        moment, number = _POST_KILLED_AT[cell.number], cell.number + len(plan.steps)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def at_moment(reached: Moment, call: int) -> None:
        if (reached, call) != (moment, number):
            return
        if cell.moment == "during send":
            threading.Timer(_HELD, die).start()
        else:
            die()

    settings = ConnectionSettings(url, calls_per_second=None, merges_per_second=None)
    with open_ledger(path) as ledger:
        options = replace(_options("killed"), at_moment=at_moment)
        apply_plans([plan], Domain(name, connect(settings)), ledger, options)


def _options(run_id: str) -> ApplyOptions:
    return ApplyOptions(run_id, "drill", lambda: datetime.now(UTC), workers=1, settle_seconds=2 * DELAY)
