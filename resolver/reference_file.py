"""EDGE: the editable tables of ``rules/reference/`` as a Reference."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from resolver.errors import BadRules
from resolver.matching.standardising.folding import fold, phrase, split_words
from resolver.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "nicknames": ("nickname", "name"),
    "titles": ("title", "alone"),
    "suffixes": ("written", "suffix"),
    "particles": ("particle",),
    "legal_forms": ("written", "form", "place"),
    "business_noise": ("word",),
    "business_words": ("written", "word"),
    "street_types": ("word", "place"),
    "directions": ("word",),
    "unit_words": ("word",),
    "place_words": ("written", "word"),
    "placeholders": ("kind", "value"),
    "role_mailboxes": ("local_part",),
    "free_mail": ("domain",),
    "countries": ("iso2", "iso3", "dial", "names"),
    "states": ("country", "abbreviation", "names"),
    "genders": ("word", "gender"),
    "attribute_keys": ("key", "field"),
}
_CHOICES: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("titles", "alone"): frozenset({"yes", "no", "after"}),
    ("legal_forms", "place"): frozenset({"end", "either", "affix"}),
    ("street_types", "place"): frozenset({"after", "first", "ending"}),
    ("placeholders", "kind"): frozenset({"any", "name", "date", "phone", "email", "identifier"}),
    ("attribute_keys", "field"): frozenset({"full_name", "name_suffix"}),
}
_CHOOSING: Final = frozenset(table for table, _ in _CHOICES)
_MAY_BE_EMPTY: Final = frozenset({("suffixes", "suffix"), ("countries", "dial"), ("genders", "gender")})

Rows = list[tuple[str, ...]]


def load_reference(directory: Path) -> Reference:
    """The tables of a directory, one CSV file each.

    Lines that begin with ``#`` are comments; the first other line names the columns.

    Raises:
        BadRules: a table is missing, or a line has other columns, an empty cell or an unknown choice; the
            message lists every such line with its file and number, and what is there.
    """
    faults: list[str] = []
    tables = {name: _read(directory / f"{name}.csv", faults) for name in _COLUMNS}
    if faults:
        raise BadRules("; ".join(faults))
    return _reference(tables)


def _read(path: Path, faults: list[str]) -> Rows:
    """The rows of one table; whatever is wrong with it is added to ``faults``."""
    table = path.stem
    wanted = _COLUMNS[table]
    try:
        lines = list(_lines(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{path.name}: cannot be read ({error.__class__.__name__})")
        return []
    header = lines[0][1] if lines else ()
    if header != wanted:
        where = lines[0][0] if lines else 1
        faults.append(f"{path.name}:{where}: columns {', '.join(header) or 'none'}, not {', '.join(wanted)}")
        return []
    for number, row in lines[1:]:
        fault = _fault(table, row)
        if fault:
            faults.append(f"{path.name}:{number}: {fault}")
    return [row for _, row in lines[1:]]


def _lines(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            cells = next(csv.reader([line])) if '"' in line else line.split(",")
            yield number, tuple([cell.strip() for cell in cells])


def _fault(table: str, row: tuple[str, ...]) -> str:
    columns = _COLUMNS[table]
    if len(row) != len(columns):
        return f"{len(row)} cells, not {len(columns)}"
    if table not in _CHOOSING and all(row):
        return ""
    for column, cell in zip(columns, row, strict=True):
        if not cell and (table, column) not in _MAY_BE_EMPTY:
            return f"{column} is empty"
        choices = _CHOICES.get((table, column))
        if choices and cell not in choices:
            return f"{column} is {cell!r}, not one of {', '.join(sorted(choices))}"
    return ""


def _reference(tables: dict[str, Rows]) -> Reference:
    nicknames: dict[str, dict[str, None]] = {}
    for nickname, name in tables["nicknames"]:
        nicknames.setdefault(phrase(nickname), {})[phrase(name)] = None
    forms = [(_spaced(w), form) for w, form, place in tables["legal_forms"] if place != "affix"]
    placeholders: dict[str, set[str]] = {kind: set() for kind in _CHOICES["placeholders", "kind"]}
    for kind, value in tables["placeholders"]:
        plain = fold(value) if kind == "email" else _spaced(value)
        placeholders[kind].add(plain.replace(" ", "") if kind == "identifier" else plain)
    for kind in ("name", "phone", "date", "email"):
        placeholders[kind] |= placeholders["any"]
    return Reference(
        nicknames={nickname: tuple(names) for nickname, names in nicknames.items()},
        titles={phrase(title): alone == "yes" for title, alone in tables["titles"] if alone != "after"},
        dignities=frozenset(phrase(title) for title, alone in tables["titles"] if alone != "yes"),
        suffixes={phrase(written): suffix for written, suffix in tables["suffixes"]},
        particles=_set(tables["particles"]),
        legal_forms=dict(forms),
        leading_legal_forms=frozenset(
            _spaced(w) for w, _, place in tables["legal_forms"] if place == "either"
        ),
        legal_affixes={w: form for w, form, place in tables["legal_forms"] if place == "affix"},
        business_noise=_set(tables["business_noise"]),
        business_words={phrase(written): word for written, word in tables["business_words"]},
        street_types={
            _spaced(w): place == "first" for w, place in tables["street_types"] if place != "ending"
        },
        street_endings=tuple(
            sorted(
                (_spaced(w) for w, place in tables["street_types"] if place == "ending"),
                key=len,
                reverse=True,
            )
        ),
        directions=_set(tables["directions"]),
        unit_words=_set(tables["unit_words"]),
        place_words={_spaced(written): word for written, word in tables["place_words"]},
        placeholders={kind: frozenset(values) for kind, values in placeholders.items()},
        role_mailboxes=frozenset(local.lower() for (local,) in tables["role_mailboxes"]),
        free_mail=frozenset(domain.lower() for (domain,) in tables["free_mail"]),
        countries=_countries(tables["countries"]),
        dial_regions=_dial_regions(tables["countries"]),
        states={
            _spaced(name): abbreviation.lower()
            for _, abbreviation, names in tables["states"]
            for name in names.split("|")
        },
        genders={_spaced(word): gender for word, gender in tables["genders"]},
        attribute_fields={phrase(key).replace(" ", "_"): field for key, field in tables["attribute_keys"]},
    )


def _spaced(text: str) -> str:
    return " ".join(split_words(text))


def _set(rows: Rows) -> frozenset[str]:
    return frozenset(_spaced(row[0]) for row in rows)


def _countries(rows: Rows) -> dict[str, str]:
    return {
        _spaced(name): iso2.lower()
        for iso2, iso3, _, names in rows
        for name in (iso2, iso3, *names.split("|"))
    }


def _dial_regions(rows: Rows) -> dict[str, str]:
    """Calling code to region; of several with one code, the first in the table."""
    regions: dict[str, str] = {}
    for iso2, _, dial, _ in rows:
        if dial:
            regions.setdefault(dial, iso2.lower())
    return regions
