"""Settling: a person has looked at a merge that waits for one, and it stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from resolver.app.leasing import leased
from resolver.app.restoring import find_merge
from resolver.errors import BadInput, Held
from resolver.model.journal import JournalState
from resolver.profiles.reading import read_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from resolver.ledger.ledger import Ledger
    from resolver.model.journal import JournalEntry
    from resolver.profiles.domain import Domain


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a merge was settled as. ``gone`` are the profiles that count as merged away by its unclear calls.

    ``state`` is done (all its calls are), closed (it stays half done) or failed (nothing of it happened; it
    may be tried again).
    """

    plan_id: str
    state: str
    gone: tuple[str, ...]


def settle_merge(
    merge_id: str, domain: Domain, ledger: Ledger, by: tuple[str, str, Callable[[], datetime]]
) -> Settlement:
    """Take a merge that is unclear, or that cannot go on, for as far as the domain shows it to have come.

    ``by`` is who says so, why, and the clock. A profile that is not there any more counts as merged away.
    Nothing is sent; the merge can be restored all the same.

    Raises:
        BadInput: no such merge, or nothing of it waits for a person.
        Held: a call of it is open; the next run settles that by reading.
        AlreadyRunning: a run works in this domain.
    """
    actor, reason, clock = by
    with leased(domain.name, ledger, f"settling by {actor}", clock):
        plan_id = find_merge(merge_id, domain.name, ledger)
        if any(entry.plan_id == plan_id for entry in ledger.open_intents(domain.name)):
            raise Held(f"merge {plan_id[:12]}: a call of it is open; `resolver apply` settles it first")
        unclear = [entry for entry in ledger.unclear(domain.name) if entry.plan_id == plan_id]
        if not unclear and plan_id not in {plan.plan_id for plan in ledger.unfinished_plans(domain.name)}:
            raise BadInput(f"merge {plan_id[:12]}: nothing of it waits for a person")
        said = f"settled by {actor}: {reason}"
        gone: list[str] = []
        for entry in unclear:
            result = _as_it_is(entry, domain)
            gone += (result.request or {}).get("ProfileIdsToBeMerged", ()) if _done(result) else ()
            ledger.record_result(replace(result, detail=said, actor=actor, at=clock()))
        fact = next(f for f in ledger.merges_of(domain.name) if f.plan_id == plan_id)
        if fact.done and fact.done < fact.calls:
            last = ledger.entries_of(plan_id)[-1]
            closed = replace(last, entry_id=None, state=JournalState.CLOSED, request=None, response=None)
            ledger.record_result(replace(closed, detail=said, actor=actor, at=clock()))
            return Settlement(plan_id, "closed", tuple(gone))
    return Settlement(plan_id, "done" if fact.done else "failed", tuple(gone))


def _done(entry: JournalEntry) -> bool:
    return entry.state is JournalState.DONE


def _as_it_is(unclear: JournalEntry, domain: Domain) -> JournalEntry:
    """The call as done for those of its profiles that are not there, as failed where all of them are."""
    request = dict(unclear.request or {})
    result = replace(unclear, entry_id=None, before=None, expected=None, response=None)
    if "ProfileIdsToBeMerged" not in request:
        return replace(result, state=JournalState.DONE)
    merged = request["ProfileIdsToBeMerged"]
    there = read_profiles(domain, merged)
    gone = [profile_id for profile_id in merged if profile_id not in there]
    if not gone:
        return replace(result, state=JournalState.FAILED)
    return replace(result, state=JournalState.DONE, request={**request, "ProfileIdsToBeMerged": gone})
