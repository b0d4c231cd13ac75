"""How one value relates to another, as a reader sees it: the same, near, different, or standing elsewhere."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from anyascii import anyascii

from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, EMAILS, PHONES
from resolver.planning.likeness import likeness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.reviewing.batch import Case

#: Two texts are near when this share of their characters can be laid over each other.
NEAR: Final = 0.72
#: A number without its country's code has at least this many digits, a country's code at most that many.
_LOCAL_DIGITS: Final = 8
_CODE_DIGITS: Final = 3
_KINDS: Final = {name: kind for kind in (PHONES, EMAILS, tuple(ADDRESSES)) for name in kind}
#: One character more or less makes another number, mailbox or day: such values are never near.
_EXACT: Final = frozenset((*PHONES, *EMAILS, "BirthDate", "AccountNumber"))
#: Words of a list, which have nothing in common but letters.
_WORDS: Final = frozenset(("Gender", "GenderString", "PartyType", "PartyTypeString"))


def alike(name: str, one: Any, other: Any) -> bool:
    """Two values that a reader would call the same.

    Accents, and a country code that one of them lacks, aside.
    """
    first, second = likeness(name, one), likeness(name, other)
    if first == second:
        return True
    if name in PHONES:
        short, long = sorted((str(first), str(second)), key=len)
        return (
            len(short) >= _LOCAL_DIGITS
            and len(long) - len(short) <= _CODE_DIGITS
            and long.endswith(short.lstrip("0"))
        )
    if isinstance(first, str) and isinstance(second, str) and name not in EMAILS:
        return anyascii(first).casefold() == anyascii(second).casefold()
    return False


def text_of(value: Any) -> str:
    """A value as one line."""
    if isinstance(value, dict):
        return ", ".join(str(value[part]) for part in ADDRESS_PARTS if part in value)
    return str(value)


def relation(
    case: Case, name: str, ends: tuple[str, str], values: Mapping[str, Mapping[str, Any]]
) -> tuple[str, str, tuple[tuple[str, bool], ...]]:
    """Sign, normalised form and marked text of one value beside the first column's.

    ``ends`` = (the profile, the member that it is held against). Signs are ≡, ≈, ≠ or nothing.
    """
    profile_id, main = ends
    value, reference = values[profile_id][name], values[main][name]
    text = text_of(value)
    plain = ((text, False),)
    if profile_id == main:
        other = _other_slot(case, name, ends, values) if main != case.profile_ids[0] else ""
        return ("≡", other, plain) if other else ("", "", plain)
    if value == reference:
        return "≡", "", plain
    if alike(name, value, reference):
        return "≡", _form(name, value), plain
    other = _other_slot(case, name, (profile_id, case.profile_ids[0]), values)
    if other:
        return "≡", other, plain
    matcher = SequenceMatcher(None, text_of(reference).casefold(), text.casefold(), autojunk=False)
    if matcher.ratio() < NEAR or name in _WORDS:
        return "≠", "", plain
    marks = (
        tuple((text[b1:b2], tag != "equal") for tag, _, _, b1, b2 in matcher.get_opcodes() if b2 > b1)
        if len(text) == len(text.casefold())
        else plain
    )
    return ("≠", "", marks) if name in _EXACT else ("≈", "near", marks)


def _other_slot(case: Case, name: str, ends: tuple[str, str], values: Mapping[str, Mapping[str, Any]]) -> str:
    """The same value standing in another field of the main member, in words."""
    profile_id, main = ends[0], case.profile_ids[0]
    for other in _KINDS.get(name, ()):
        if (
            other != name
            and other in values[main]
            and alike(name, values[profile_id][name], values[main][other])
        ):
            return f"as {case.letters[main]}’s {other}"
    return ""


def _form(name: str, value: Any) -> str:
    """The normalised form, where a reader gains from seeing it."""
    form = likeness(name, value)
    if name in PHONES or name in EMAILS:
        return str(form)
    return "same once normalised" if not isinstance(form, str) else form
