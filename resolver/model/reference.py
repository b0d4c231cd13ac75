"""What is known about names, places and numbers before any profile is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Reference:
    """The tables of ``rules/reference/``, every text folded: lower case, ASCII, single spaces.

    - ``nicknames``: short name → the full names it stands for, the usual one first.
    - ``titles``: title before a name → whether it is one even where it is the only word; ``dignities``: words
      behind a comma that are a rank and no first name.
    - ``suffixes``: written form → canonical suffix, empty for those that tell no one apart (PhD).
    - ``legal_forms``: written form → canonical form; ``leading_legal_forms`` may also stand first;
      ``legal_affixes`` are those of scripts without spaces, unfolded.
    - ``business_words``: word of a company name cut short → the word, a singular.
    - ``street_types``: word → whether it may stand first (rue, calle); ``street_endings`` are glued to the
      name (hauptSTRASSE).
    - ``placeholders``: kind of value → texts that mean unknown.
    - ``countries``: name or code → ISO 3166 alpha-2 in lower case; ``dial_regions``: calling code → the
      region that stands for it; ``states``: name → abbreviation.
    - ``attribute_fields``: attribute key → the part of a name it holds.
    """

    nicknames: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, bool]
    dignities: frozenset[str]
    suffixes: Mapping[str, str]
    particles: frozenset[str]
    legal_forms: Mapping[str, str]
    leading_legal_forms: frozenset[str]
    legal_affixes: Mapping[str, str]
    business_noise: frozenset[str]
    business_words: Mapping[str, str]
    street_types: Mapping[str, bool]
    street_endings: tuple[str, ...]
    directions: frozenset[str]
    unit_words: frozenset[str]
    place_words: Mapping[str, str]
    placeholders: Mapping[str, frozenset[str]]
    role_mailboxes: frozenset[str]
    free_mail: frozenset[str]
    countries: Mapping[str, str]
    dial_regions: Mapping[str, str]
    states: Mapping[str, str]
    genders: Mapping[str, str]
    attribute_fields: Mapping[str, str]
