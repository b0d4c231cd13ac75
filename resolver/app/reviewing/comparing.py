"""Members side by side, differences first: rows and cells as they are shown, and what the merge will leave.

With personal data hidden, values are replaced here, before any page sees them: dots of one length; relations,
sources and guards stay, so that agreement can still be judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from resolver.app.reviewing.relations import alike, relation, text_of
from resolver.model.profile import ADDRESSES, EMAILS, PHONES, SCALARS, UNSTEERABLE
from resolver.planning.members import flat
from resolver.planning.survivorship import BY_PERSON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.reviewing.batch import Case
    from resolver.app.reviewing.evidence import Link
    from resolver.model.merge_plan import Disposal, MergePlan

HIDDEN: Final = "••••••••"
_FIELDS: Final = (
    *("FirstName", "LastName", "BusinessName", "BirthDate", *EMAILS, *PHONES, *ADDRESSES, "AccountNumber"),
)
ORDER: Final = {
    name: place for place, name in enumerate((*_FIELDS, *(f for f in SCALARS if f not in _FIELDS)))
}
#: Which comparisons speak of a field, by the start of their name.
_SPOKEN: Final = {
    **dict.fromkeys(PHONES, "phone"),
    **dict.fromkeys(EMAILS, "email"),
    **dict.fromkeys(ADDRESSES, "address"),
    **{name: column for name, column in SCALARS.items() if name not in (*PHONES, *EMAILS)},
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One member's value. ``marks`` are (text, differs) pieces; ``sign`` is ≡ ≈ ≠ or nothing."""

    marks: tuple[tuple[str, bool], ...] = ()
    sign: str = ""
    form: str = ""
    wins: bool = False
    lost: bool = False
    changed: bool = False
    source: str = ""

    @property
    def empty(self) -> bool:
        """No value."""
        return not self.marks


@dataclass(frozen=True, slots=True)
class Loss:
    """A value that its field will not hold: whose, where it goes, and whether only its spelling differs."""

    value: str
    letter: str
    where: str
    spelling_only: bool


@dataclass(frozen=True, slots=True)
class Left:
    """One field of the predicted profile."""

    value: str
    letter: str
    by_person: bool
    losses: tuple[Loss, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """One field over all members.

    ``left`` has one entry for each result column, null where it stays empty.
    """

    field: str
    hint: str
    cells: tuple[Cell, ...]
    left: tuple[Left | None, ...]
    choosable: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole table: rows that differ, rows that only some fill, equal rows, and names nobody fills."""

    differs: tuple[Row, ...]
    some: tuple[Row, ...]
    equal: tuple[Row, ...]
    empty: tuple[str, ...]
    given_up: tuple[int, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What is laid side by side.

    A cluster, the plans that would be made of it, and what changed meanwhile.
    """

    case: Case
    plans: Sequence[MergePlan] = ()
    hidden: bool = False
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def lay_out(subject: Subject) -> Sheet:
    """The table of one cluster, the fields with the strongest evidence first."""
    case = subject.case
    values = {i: flat(case.profiles[i]) for i in case.profile_ids}
    before = {i: flat(dict(profile)) for i, profile in subject.before.items()}
    names = {f for held in (*values.values(), *before.values()) for f in held}
    rows: dict[str, list[Row]] = {"differs": [], "some": [], "equal": []}
    for name in sorted(names, key=lambda f: _rank(f, case.web.weakest)):
        held = [values[i].get(name) for i in case.profile_ids]
        told = [v for v in held if v is not None]
        distinct = [v for n, v in enumerate(told) if v not in told[:n]]
        kind = "differs" if len(distinct) > 1 else "some" if len(told) < len(held) else "equal"
        rows[kind].append(_row(subject, name, values, before))
    rows["differs"].sort(key=_grade)
    empty = tuple(f for f in ORDER if f not in names)
    lefts = [row.left for kind in rows.values() for row in kind]
    given_up = tuple(
        sum(not loss.spelling_only for left in lefts for loss in (left[n].losses if left[n] else ()))  # type: ignore[union-attr]  # asked before
        for n in range(len(subject.plans))
    )
    return Sheet(tuple(rows["differs"]), tuple(rows["some"]), tuple(rows["equal"]), empty, given_up)


def _rank(name: str, weakest: Link | None) -> tuple[bool, float, int, str]:
    """Fields whose evidence speaks against come first, by its weight; attributes come last."""
    spoken = _SPOKEN.get(name, "")
    weights = (
        [e.weight for e in weakest.evidence if e.comparison.startswith(spoken)] if weakest and spoken else []
    )
    strongest = max(weights, key=abs, default=0.0)
    return strongest >= 0, -abs(strongest), ORDER.get(name, len(ORDER)), name


def _grade(row: Row) -> int:
    """Rows with different values come before rows with near ones, and those before mere spellings."""
    signs = {cell.sign for cell in row.cells}
    return 0 if "≠" in signs else 1 if "≈" in signs else 2


def _row(
    subject: Subject,
    name: str,
    values: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, Mapping[str, Any]],
) -> Row:
    case = subject.case
    left = tuple(_left(subject, plan, name, values) for plan in subject.plans)
    winners = {choice.letter for choice in left if choice}
    lost = {
        (loss.letter, plan_number)
        for plan_number, choice in enumerate(left)
        if choice
        for loss in choice.losses
        if not loss.spelling_only
    }
    lost_letters = {one for one, _ in lost}
    main = next((i for i in case.profile_ids if name in values[i]), case.profile_ids[0])
    cells = []
    for profile_id in case.profile_ids:
        value = values[profile_id].get(name)
        mark = case.letters[profile_id]
        changed = profile_id in before and before[profile_id].get(name) != value
        if value is None:
            cells.append(Cell(changed=changed, source=profile_id))
            continue
        sign, form, marks = relation(case, name, (profile_id, main), values)
        if subject.hidden:
            marks, form = ((HIDDEN, False),), form if form.startswith("as ") else ""
        cells.append(Cell(marks, sign, form, mark in winners, mark in lost_letters, changed, profile_id))
    hint = "Attributes" if name.startswith("Attributes.") else "all or nothing" if name in ADDRESSES else ""
    return Row(name, hint, tuple(cells), left, name not in UNSTEERABLE)


def _left(
    subject: Subject, plan: MergePlan, name: str, values: Mapping[str, Mapping[str, Any]]
) -> Left | None:
    """What one result column says of a field."""
    predicted = flat(dict(plan.predicted))
    if name not in predicted:
        return None
    case, value = subject.case, predicted[name]
    choice = next((c for c in plan.field_choices if c.field == name), None)
    holders = [i for i in case.profile_ids if i in plan.profile_ids and values[i].get(name) == value]
    source = choice.source_profile_id if choice else next(iter(holders), plan.main_profile_id)
    losses = tuple(_loss(subject, d, value) for d in plan.disposals if d.field == name)
    by_person = bool(choice and choice.strategy == BY_PERSON)
    note = "chosen by you" if by_person else ""
    if choice and not by_person and source != plan.main_profile_id:
        note = choice.strategy.replace("_", " ").split(",")[0]
    if name in ADDRESSES and choice:
        note = f"taken as a whole block{'; ' if note else ''}{note}"
    shown = HIDDEN if subject.hidden else text_of(value)
    return Left(shown, case.letters[source], by_person, losses, note)


def _loss(subject: Subject, disposal: Disposal, kept: Any) -> Loss:
    where = {
        "given_up": "restore kit",
        "attribute": f"Attributes.{disposal.target}",
        "key": "search key",
        "slot": f"{disposal.target}",
        "kept": f"stands in {disposal.target}",
    }[disposal.fate]
    shown = HIDDEN if subject.hidden else text_of(disposal.value)
    spelling = disposal.fate == "kept" or alike(disposal.field, disposal.value, kept)
    return Loss(shown, subject.case.letters[disposal.profile_id], where, spelling)
