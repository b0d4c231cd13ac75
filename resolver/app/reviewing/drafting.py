"""What a reviewer has begun on a cluster: groups, chosen main and sources, a note. Saved at every key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resolver.app.reviewing.judging import Answer
from resolver.app.reviewing.outcome import wish_of
from resolver.app.reviewing.page import suggest
from resolver.model.profile import UNSTEERABLE
from resolver.planning.members import flat

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.app.reviewing.batch import Case
    from resolver.app.reviewing.desk import Desk

#: Longest note, in characters.
NOTE_LENGTH = 1_000
_DIGITS = frozenset("0123456789")

Draft = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Begin:
    """What a key begins: an action with what it needs."""

    action: str
    value: str = ""
    field: str = ""
    profile_id: str = ""
    blind: bool = False


def begin(desk: Desk, key: tuple[str, str], what: Begin) -> Answer:
    """Do what a key asks; ``key`` is (cluster id, reviewer)."""
    actions: dict[str, Callable[[], Answer]] = {
        "group": lambda: put_in_group(desk, key, int(what.value) if what.value in _DIGITS else 0),
        "split": lambda: start_split(desk, key, blind=what.blind),
        "detach": lambda: detach(desk, key, what.profile_id or None),
        "back": lambda: step_back(desk, key),
        "leave": lambda: leave_split(desk, key),
        "main": lambda: choose_main(desk, key, what.profile_id),
        "source": lambda: choose_source(desk, key, what.field, what.profile_id),
        "keep": lambda: keep_value(desk, key, what.field, what.profile_id),
        "reset": lambda: reset_choices(desk, key),
        "note": lambda: write_note(desk, key, what.value.strip()),
    }
    if what.action not in actions:
        return Answer("refused", "No such action. Not done.")
    return actions[what.action]()


def put_in_group(desk: Desk, key: tuple[str, str], group: int) -> Answer:
    """Put the member under the cursor into a group (0: leave it open) and go on to the next member.

    The first digit on a cluster starts from everybody open. ``key`` is (cluster id, reviewer).
    """

    def change(draft: Draft, case: Case) -> Answer:
        groups = draft.setdefault("groups", dict.fromkeys(case.profile_ids, 0))
        place = int(draft.get("cursor", 0)) % len(case.profile_ids)
        groups[case.profile_ids[place]] = group
        draft["cursor"] = (place + 1) % len(case.profile_ids)
        return Answer("saved", "")

    return _with_draft(desk, key, change)


def detach(desk: Desk, key: tuple[str, str], profile_id: str | None = None) -> Answer:
    """Put one member into a group of its own.

    All others staying where the suggestion or the draft has them.
    """

    def change(draft: Draft, case: Case) -> Answer:
        groups = draft.get("groups") or dict.fromkeys(case.profile_ids, 1)
        place = int(draft.get("cursor", 0)) % len(case.profile_ids)
        alone = profile_id if profile_id in case.profile_ids else case.profile_ids[place]
        groups[alone] = max(groups.values()) + 1
        draft["groups"] = groups
        draft["cursor"] = (case.profile_ids.index(alone) + 1) % len(case.profile_ids)
        return Answer("saved", "")

    return _with_draft(desk, key, change)


def start_split(desk: Desk, key: tuple[str, str], *, blind: bool) -> Answer:
    """Open the groups pre-filled with the suggestion; when blind with everybody open."""

    def change(draft: Draft, case: Case) -> Answer:
        filled = dict.fromkeys(case.profile_ids, 0) if blind else suggest(case, desk.batch.model.merge)
        draft["groups"] = draft.get("groups") or filled
        return Answer("saved", "")

    return _with_draft(desk, key, change)


def step_back(desk: Desk, key: tuple[str, str]) -> Answer:
    """Go back one member and leave it open again."""

    def change(draft: Draft, case: Case) -> Answer:
        place = (int(draft.get("cursor", 0)) - 1) % len(case.profile_ids)
        if draft.get("groups"):
            draft["groups"][case.profile_ids[place]] = 0
        draft["cursor"] = place
        return Answer("saved", "")

    return _with_draft(desk, key, change)


def leave_split(desk: Desk, key: tuple[str, str]) -> Answer:
    """Forget the groups; chosen sources and the note stay."""

    def change(draft: Draft, case: Case) -> Answer:  # noqa: ARG001 - every change is given the case
        draft.pop("groups", None)
        draft.pop("cursor", None)
        return Answer("saved", "")

    return _with_draft(desk, key, change)


def choose_main(desk: Desk, key: tuple[str, str], profile_id: str) -> Answer:
    """Make another member the main profile."""

    def change(draft: Draft, case: Case) -> Answer:
        if profile_id not in case.profile_ids:
            return Answer("refused", "No such member. Not done.")
        draft["main"] = profile_id
        return Answer("saved", f"{case.letters[profile_id]} is main.")

    return _with_draft(desk, key, change)


def choose_source(desk: Desk, key: tuple[str, str], field: str, profile_id: str) -> Answer:
    """Take one field's value from a member.

    Refused where the member has none (the merge would erase the value) and where no merge can choose.
    """

    def change(draft: Draft, case: Case) -> Answer:
        if profile_id not in case.profile_ids:
            return Answer("refused", "No such member. Not done.")
        mark = case.letters[profile_id]
        if field in UNSTEERABLE:
            return Answer(
                "refused", "Cannot be chosen. The main profile’s text stays. Make another member main with p."
            )
        if field not in flat(case.profiles[profile_id]):
            return Answer("refused", f"{mark} has no {field}. Choosing it would erase the value. Not done.")
        draft.setdefault("sources", {})[field] = profile_id
        return Answer("saved", f"{field} comes from {mark}.")

    return _with_draft(desk, key, change)


def keep_value(desk: Desk, key: tuple[str, str], field: str, profile_id: str) -> Answer:
    """Keep a value that the merge gives up as an attribute of the main profile; a second time: give it up.

    Refused where nothing is given up: the member has no value there, or it is kept as things are.
    """

    def change(draft: Draft, case: Case) -> Answer:
        mark = case.letters.get(profile_id, "")
        value = flat(case.profiles[profile_id]).get(field) if mark else None
        if value is None:
            return Answer("refused", f"{mark or 'Nobody here'} has no {field or 'such value'}. Not done.")
        holders = {i for i in case.profile_ids if flat(case.profiles[i]).get(field) == value}
        kept = {name: set(ids) for name, ids in draft.get("kept", {}).items()}
        if kept.get(field, set()) & holders:
            kept[field] -= holders
            said = f"{field} of {mark} is given up again."
        elif not _gives_up(desk, case, draft, (field, value)):
            return Answer("refused", f"{field} of {mark} is not given up. Not done.")
        else:
            kept[field] = kept.get(field, set()) | {profile_id}
            said = f"{field} of {mark} is kept in Attributes."
        draft["kept"] = {name: sorted(ids) for name, ids in kept.items() if ids}
        return Answer("saved", said)

    return _with_draft(desk, key, change)


def _gives_up(desk: Desk, case: Case, draft: Draft, value: tuple[str, Any]) -> bool:
    """Whether a plan of the groups begun, or of the whole, gives that (field, value) up."""
    groups = draft.get("groups") or suggest(case, desk.batch.model.merge)
    for group in {g for g in groups.values() if g}:
        ids = [i for i in case.profile_ids if groups[i] == group]
        plan = desk.foresee(wish_of(case.cluster_id, ids, draft))
        if plan and any((d.field, d.value) == value for d in plan.given_up):
            return True
    return False


def reset_choices(desk: Desk, key: tuple[str, str]) -> Answer:
    """Back to the rule: main, all sources and what is kept as the rule set has them."""

    def change(draft: Draft, case: Case) -> Answer:  # noqa: ARG001 - every change is given the case
        draft.pop("main", None)
        draft.pop("sources", None)
        draft.pop("kept", None)
        return Answer("saved", "Back to the rules.")

    return _with_draft(desk, key, change)


def write_note(desk: Desk, key: tuple[str, str], note: str) -> Answer:
    """Keep a note until the verdict takes it along."""

    def change(draft: Draft, case: Case) -> Answer:  # noqa: ARG001 - every change is given the case
        draft["note"] = note[:NOTE_LENGTH]
        if not note:
            draft.pop("note")
        return Answer("saved", "Note saved.")

    return _with_draft(desk, key, change)


def _with_draft(desk: Desk, key: tuple[str, str], change: Callable[[Draft, Case], Answer]) -> Answer:
    cluster_id, reviewer = key
    draft = desk.book.draft(desk.batch.domain, cluster_id, reviewer)
    answer = change(draft, desk.batch.cases[cluster_id])
    if answer.kind == "saved":
        desk.book.save_draft(desk.batch.domain, key, draft, desk.clock())
    return answer
