"""What the review says in words: short, plain, present tense; letters and field names, never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from resolver.app.reviewing.batch import Case
    from resolver.app.reviewing.evidence import Evidence, Link

#: From this match probability on a pair "looks like" one person; under it, it "may be".
_LOOKS = 0.9
#: A relation discount under this many bits is not worth a sentence.
_SMALL = 0.5


def number(count: int) -> str:
    """1,087."""
    return f"{count:,}"


def bits(weight: float) -> str:
    """A match weight with its sign and one decimal: +2.9, −4.2."""
    rounded = round(weight, 1)
    return f"{'−' if rounded < 0 else '+'}{abs(rounded):.1f}"


def day(moment: date) -> str:
    """21 Nov."""
    return f"{moment.day} {moment:%b}"


def minutes(seconds: float) -> str:
    """About how long: 9 min, 2 h 15 min."""
    whole = max(round(seconds / 60), 1)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60} min"  # noqa: PLR2004 - an hour


def spoken_seconds(seconds: float) -> str:
    """A usual time: 14 s, 2 min."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - a minute and a half


def listed(words: Sequence[str], last: str = "and") -> str:
    """A, B and C."""
    if len(words) < 2:  # noqa: PLR2004 - one word needs no joining
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def judgement(case: Case, groups: Mapping[str, int], *, guarded: bool) -> str:
    """The suggestion as a sentence: who looks like one, who may be another; with a guard nobody looks so."""
    kind = "business" if all("BusinessName" in case.profiles[i] for i in case.profile_ids) else "person"
    kind = kind if kind == "business" or not _nameless(case) else "customer"
    together = [case.letters[i] for i in case.profile_ids if groups.get(i) == 1]
    apart = [case.letters[i] for i in case.profile_ids if groups.get(i) != 1]
    weakest = case.web.weakest
    sure = weakest is not None and weakest.probability >= _LOOKS and not guarded
    if len(together) < 2:  # noqa: PLR2004 - nobody is together with oneself
        return f"{listed([case.letters[i] for i in case.profile_ids])} may be two {kind}s."
    if not apart:
        verb = "look like" if sure else "may be"
        return f"{listed(together)} {verb} one {kind}."
    verb = "may be someone else" if kind != "business" else "may be another business"
    return f"{listed(together)} look like one {kind}. {listed(apart)} {verb}."


def blind_judgement(case: Case) -> str:
    """What may be said when the evidence is not to be shown."""
    return f"{len(case.profile_ids)} profiles may belong together."


def why(case: Case, link: Link | None) -> str:
    """What the weakest link shares and where it differs."""
    if link is None:
        return "No scored link holds these profiles together."
    ends = sorted((case.letters[link.left], case.letters[link.right]), key=lambda x: (len(x), x))
    share = _words(e for e in link.evidence if e.same and e.weight > 0)
    near = _words(e for e in link.evidence if not e.same and not e.differs)
    differ = _words(e for e in link.evidence if e.differs)
    said = [f"{listed(ends)} share {listed(share)}." if share else f"{listed(ends)} share no equal value."]
    if near:
        said.append(f"{listed(near).capitalize()} {'is' if len(near) == 1 else 'are'} near.")
    if differ:
        said.append(f"{listed(differ).capitalize()} differ{'s' if len(differ) == 1 else ''}.")
    return " ".join(said)


def what_would_change_it(link: Link) -> str:
    """One sentence: what carries most, and the weight without it.

    Where a relation explains part of the agreement, taking evidence away would shrink that part, too: then
    the sentence says what the relation takes instead of a weight that would be wrong.
    """
    strongest = max(link.evidence, key=lambda e: e.weight, default=None)
    if strongest is None or strongest.weight <= 0:
        return "Nothing speaks for this pair beyond chance."
    if link.discount < -_SMALL:
        return f"People or firms that share such things explain {-link.discount:.1f} bits of the agreement."
    against = [e for e in link.evidence if e.weight < 0]
    tail = "Nothing speaks against." if not against else ""
    return (
        f"Take away {strongest.words} and it falls to {bits(link.weight - strongest.weight)}. {tail}".strip()
    )


def split_sentence(case: Case, groups: Mapping[str, int]) -> str:
    """What saving these groups would do."""
    members: dict[int, list[str]] = {}
    for profile_id in case.profile_ids:
        members.setdefault(groups.get(profile_id, 0), []).append(profile_id)
    said = []
    for group in sorted(members):
        letters = [case.letters[i] for i in members[group]]
        if group == 0:
            said.append(f"{listed(letters)} {'goes' if len(letters) == 1 else 'go'} back to the queue.")
        elif len(letters) == 1:
            said.append(f"{letters[0]} stays.")
        else:
            said.append(f"{listed(letters)} become one.")
    apart = [f"{case.letters[a]}–{case.letters[b]}" for a, b in apart_pairs(case.profile_ids, groups)]
    if apart:
        said.append(f"Kept apart from now on: {', '.join(apart[:12])}{' …' if len(apart) > 12 else ''}.")  # noqa: PLR2004 - a line's worth
    return " ".join(said)


def apart_pairs(profile_ids: Sequence[str], groups: Mapping[str, int]) -> list[tuple[str, str]]:
    """Every pair of members that stand in different groups; members left open make no pair."""
    placed = [i for i in profile_ids if groups.get(i)]
    return [(a, b) for n, a in enumerate(placed) for b in placed[n + 1 :] if groups[a] != groups[b]]


def _words(evidence: Iterable[Evidence]) -> list[str]:
    strongest_first = sorted(evidence, key=lambda e: -abs(e.weight))
    return list(dict.fromkeys(e.words for e in strongest_first))[:4]


def _nameless(case: Case) -> bool:
    return all("FirstName" not in p and "LastName" not in p for p in case.profiles.values())
