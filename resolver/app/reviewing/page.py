"""One cluster as a reviewer sees it: everything a face needs to show, and nothing it may not.

Blind and hidden are decided here: what must not be seen does not leave this room.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from resolver.app.reviewing import wording
from resolver.app.reviewing.comparing import Sheet, Subject, lay_out
from resolver.app.reviewing.evidence import side_of
from resolver.app.reviewing.outcome import wish_of
from resolver.app.reviewing.standing import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.reviewing.batch import Case
    from resolver.app.reviewing.desk import Desk
    from resolver.app.reviewing.evidence import Link
    from resolver.app.reviewing.patterns import Guard, Pattern
    from resolver.app.reviewing.standing import Standing
    from resolver.model.merge_plan import MergePlan

#: Links that get a waterfall of their own; the rest are named in the graph.
_MOST_LINKS: Final = 8


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and how: ``hidden`` personal data, ``blind`` evidence."""

    reviewer: str
    hidden: bool = False
    blind: bool = False
    second: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One column's head."""

    profile_id: str
    letter: str
    group: int
    main: bool
    source: str
    objects: int
    cases: int

    @property
    def short_id(self) -> str:
        """The id as a person compares it."""
        i = self.profile_id
        return i if len(i) <= 12 else f"{i[:6]}…{i[-4:]}"  # noqa: PLR2004 - what fits a column


@dataclass(frozen=True, slots=True)
class Column:
    """One result column's head."""

    group: int
    letters: tuple[str, ...]
    plan: MergePlan
    given_up: int


@dataclass(frozen=True)
class Page:
    """A cluster page."""

    case: Case
    standing: Standing
    pattern: Pattern
    guards: tuple[Guard, ...]
    viewer: Viewer
    blind: bool
    groups: Mapping[str, int]
    splitting: bool
    cursor: int
    members: tuple[Member, ...]
    columns: tuple[Column, ...]
    sheet: Sheet
    links: tuple[Link, ...]
    headline: str
    why: str
    bridge_words: str
    place: tuple[int, int]
    suggested: Mapping[str, int]
    note: str = ""
    holder: tuple[str, str] | None = None
    chosen_main: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def letters(self) -> Mapping[str, str]:
        """Profile id → column letter."""
        return self.case.letters

    @property
    def read_only(self) -> bool:
        """Nothing can be decided on this page."""
        if self.viewer.second:
            return False
        if self.case.gone:
            return True
        taken = self.holder is not None and self.holder[0] != self.viewer.reviewer
        return taken or self.standing.state in (State.APPROVED, State.WAITING, State.DIFFERS, State.MERGED)

    @property
    def split_words(self) -> str:
        """What saving the groups would do."""
        return wording.split_sentence(self.case, self.groups)


def open_page(desk: Desk, cluster_id: str, viewer: Viewer) -> Page:
    """The page of one cluster for one viewer, with what that viewer has begun on it."""
    desk.refresh(cluster_id)
    case = desk.batch.cases[cluster_id]
    standing = desk.standing(cluster_id)
    draft = desk.book.draft(desk.batch.domain, cluster_id, viewer.reviewer)
    blind = (viewer.blind or desk.blind_by_lot(cluster_id)) and not standing.decided
    suggested = suggest(case, desk.batch.model.merge)
    splitting = bool(draft.get("groups"))
    groups = _groups(case, draft, standing, (viewer, suggested))
    plans = _plans(desk, case, groups, draft)
    subject = Subject(case, [plan for _, plan in plans], viewer.hidden, case.before)
    sheet = lay_out(subject)
    holder = desk.holder(cluster_id)
    order = [i for i in desk.order if desk.patterns[i].key == desk.patterns[cluster_id].key]
    columns = tuple(
        Column(group, tuple(case.letters[i] for i in case.profile_ids if i in plan.profile_ids), plan, lost)
        for (group, plan), lost in zip(plans, sheet.given_up, strict=True)
    )
    guarded = any(g.pattern for g in desk.guards[cluster_id])
    mains = {plan.main_profile_id for _, plan in plans}
    return Page(
        case=case,
        standing=standing,
        pattern=desk.patterns[cluster_id],
        guards=tuple(g for g in desk.guards[cluster_id] if not blind or g.key not in ("bridge", "contested")),
        viewer=viewer,
        blind=blind,
        groups=groups,
        splitting=splitting,
        cursor=int(draft.get("cursor", 0)) % len(case.profile_ids),
        members=tuple(_member(desk, case, i, (groups, mains)) for i in case.profile_ids),
        columns=columns,
        sheet=sheet,
        links=() if blind else case.web.by_need[:_MOST_LINKS],
        headline=wording.blind_judgement(case)
        if blind
        else wording.judgement(case, suggested, guarded=guarded),
        why="" if blind else wording.why(case, case.web.weakest),
        bridge_words="" if blind else _bridge_words(case),
        place=(order.index(cluster_id) + 1, len(order)),
        suggested=suggested,
        note=str(draft.get("note", "")),
        holder=(holder[0], f"{holder[1]:%H:%M}") if holder else None,
        chosen_main=draft.get("main"),
        sources=draft.get("sources", {}),
    )


def suggest(case: Case, merge_from: float) -> dict[str, int]:
    """The groups that the evidence suggests.

    The weakest bridge cut where it is too thin to merge unattended.
    """
    weakest = case.web.weakest
    if weakest is None:
        return {i: n + 1 for n, i in enumerate(case.profile_ids)}
    if weakest in case.web.bridges and weakest.weight < merge_from:
        kept = side_of(case.profile_ids[0], [x for x in case.web.tree if x is not weakest])
        return {i: 1 if i in kept else 2 for i in case.profile_ids}
    if len(case.profile_ids) == 2 and weakest.weight < 0:  # noqa: PLR2004 - a pair
        return {i: n + 1 for n, i in enumerate(case.profile_ids)}
    return dict.fromkeys(case.profile_ids, 1)


def _groups(
    case: Case, draft: Mapping[str, Any], standing: Standing, shown: tuple[Viewer, Mapping[str, int]]
) -> dict[str, int]:
    """The groups that the page shows: begun, decided, or suggested where the viewer may see a suggestion."""
    viewer, suggested = shown
    if draft.get("groups"):
        return {i: int(draft["groups"].get(i, 0)) for i in case.profile_ids}
    decided = standing.verdict
    if decided and not viewer.second and decided.content["verdict"] == "split":
        return {i: decided.content["groups"].get(i, 0) for i in case.profile_ids}
    if viewer.blind:
        return dict.fromkeys(case.profile_ids, 1)
    return dict(suggested)


def _plans(
    desk: Desk, case: Case, groups: Mapping[str, int], draft: Mapping[str, Any]
) -> list[tuple[int, MergePlan]]:
    plans = []
    for group in sorted({g for g in groups.values() if g}):
        ids = tuple(i for i in case.profile_ids if groups[i] == group)
        plan = desk.foresee(wish_of(case.cluster_id, ids, draft))
        if plan is not None:
            plans.append((group, plan))
    return plans


def _member(desk: Desk, case: Case, profile_id: str, shown: tuple[Mapping[str, int], set[str]]) -> Member:
    groups, mains = shown
    profile = case.profiles[profile_id]
    attributes = profile.get("Attributes", {})
    objects, cases = desk.batch.objects.get(profile_id, (0, 0))
    source = attributes.get("source") or attributes.get("Source") or profile.get("PartyType", "")
    return Member(
        profile_id=profile_id,
        letter=case.letters[profile_id],
        group=groups.get(profile_id, 0),
        main=profile_id in mains,
        source=str(source),
        objects=objects,
        cases=cases,
    )


def _bridge_words(case: Case) -> str:
    weakest = case.web.weakest
    if weakest is None:
        return "No scored link holds these profiles together."
    ends = "–".join(sorted((case.letters[weakest.left], case.letters[weakest.right])))
    if weakest not in case.web.bridges:
        return f"{ends} is the weakest link."
    sides = side_of(weakest.right, [x for x in case.web.tree if x is not weakest])
    cut = [case.letters[i] for i in case.profile_ids if i in sides]
    who = f"{wording.listed(cut)} {'is' if len(cut) == 1 else 'are'} alone"
    return f"{ends} is the weakest link and a bridge. Cut it and {who}."
