"""EDGE: rule files (TOML) to rule sets; complaints name file, key, what is there and what may be."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from resolver.errors import BadRules
from resolver.matching.columns import FIELDS
from resolver.matching.similarity import TESTS
from resolver.model.profile import UNSTEERABLE
from resolver.model.rule_set import RuleSet
from resolver.planning.bands import DOUBTS
from resolver.planning.survivorship import STRATEGIES, TIE_BREAKS
from resolver.reference_file import load_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from resolver.matching.linkage import Linkage
    from resolver.model.rule_set import Comparison

#: A comparison whose largest weight is below this many bits says nothing about this file.
_SILENT: Final = 0.5
#: A key whose largest block is so many times the limit is one value that half the file has.
_EXPLODES: Final = 100


def rules_directory() -> Path:
    """Where the shipped rule sets are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "rules"
    return installed if installed.is_dir() else package.parent / "rules"


def load_rules(path: Path | None = None) -> RuleSet:
    """The rule set of a file; the shipped default without one.

    Reference tables are read from the folder ``reference`` beside the file, else from the shipped one.

    Raises:
        BadRules: everything that is wrong with the file, at once.
    """
    shipped = rules_directory()
    file = path or shipped / "default.toml"
    rules = parse_rules(_read(file), file.name)
    own = file.parent / "reference"
    reference = load_reference(own if own.is_dir() else shipped / "reference")
    return rules.model_copy(update={"reference": reference})


def parse_rules(text: str, file: str) -> RuleSet:
    """The rule set that a TOML text states, without reference tables. ``file`` names it in complaints."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRules(f"{file}: not TOML: {error}") from error
    try:
        rules = RuleSet.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        faults = [_fault(data, entry) for entry in error.errors()]
        raise BadRules(_listed(file, faults)) from error
    faults = [fault for comparison in rules.comparisons for fault in _unknown_names(comparison)]
    if faults:
        raise BadRules(_listed(file, faults))
    return rules


def schema() -> dict[str, Any]:
    """The JSON Schema of rule files, for editors that complete and check TOML."""
    return RuleSet.model_json_schema()


def rule_tables() -> str:
    """The tables of ``rules/README.md``: tests of levels, fields, strategies and doubts."""
    tests = [f"| `{name}` | {test.fields} | {test.meaning} |" for name, test in sorted(TESTS.items())]
    return "\n".join(
        [
            "| test | fields | what its limit means |",
            "|---|---:|---|",
            *tests,
            "",
            "Fields: " + ", ".join(f"`{name}`" for name in FIELDS) + ".",
            "",
            *_survivorship_table(),
        ]
    )


def _survivorship_table() -> list[str]:
    """What each strategy promises, in the words of its docstring, and what holds a plan back."""
    strategies = [
        f"| `{name}` | {' '.join((rule.__doc__ or '').split())} |" for name, rule in STRATEGIES.items()
    ]
    doubts = [f"| `{name}` | {meaning} |" for name, meaning in DOUBTS.items()]
    unsteerable = " and ".join(f"`{name}`" for name in UNSTEERABLE)
    ties = ", ".join(f"`{name}`" for name in TIE_BREAKS)
    return [
        "## Survivorship: which value stays where profiles disagree",
        "",
        "A strategy a field in `[survivorship.fields]`, `default` for the rest. A blank is always filled,",
        "whatever the strategy. An address moves as one block, attributes are decided key by key, and a",
        f"merge cannot choose {unsteerable}: the main profile's value stays.",
        "",
        "| strategy | what it takes |",
        "|---|---|",
        *strategies,
        "",
        f"Where a strategy ranks several different values alike, these decide, in this order: {ties}.",
        "The plan says which of them did (`most_recent, then main`).",
        "",
        "## Doubts that `merging.allow` may name",
        "",
        "| doubt | what it says of the plan |",
        "|---|---|",
        *doubts,
    ]


def check_rules(rules: RuleSet, linkage: Linkage | None = None) -> list[str]:
    """What a rule set states to no effect, in general or on the file of a linkage."""
    warnings = [warning for comparison in rules.comparisons for warning in _never_reached(comparison)]
    if linkage is None or linkage.parameters is None:
        return warnings
    for column in linkage.parameters.columns:
        weights = [round(w, 2) for w in column.level_bits]
        if max(abs(w) for w in weights) < _SILENT:
            warnings.append(f"{column.name}: carries no information here (at most {max(weights):.1f} bits)")
        warnings += [
            f"{column.name}: level {column.labels[k + 1]!r} ({weights[k + 1]:.1f} bits) weighs less than "
            f"{column.labels[k]!r} ({weights[k]:.1f} bits) below it"
            for k in range(len(weights) - 1)
            if weights[k + 1] < weights[k] - _SILENT
        ]
    for figures in linkage.diagnostics.get("blocking", ()):
        if figures["largest_block"] > _EXPLODES * rules.blocking.largest_block:
            warnings.append(
                f"blocking key {figures['key']!r}: one value on {figures['largest_block']} profiles "
                f"(blocks above {rules.blocking.largest_block} bring no pairs)"
            )
    return warnings


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadRules(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadRules(f"{file}: not UTF-8 text") from error


def _listed(file: str, faults: Sequence[str]) -> str:
    return f"{file}: " + "; ".join(faults)


def _fault(data: dict[str, Any], error: Any) -> str:
    """One complaint in words: where by names instead of numbers, what is there, what may be."""
    path, at = _named(data, error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{path}: unknown key"
    if error["type"] == "missing":
        return f"{path}: missing"
    there = "" if isinstance(at, (dict, list)) else f" (there: {at!r})"
    return f"{path}: {message}{there}"


def _named(data: Any, location: Sequence[str | int]) -> tuple[str, Any]:
    """The location with the names of list entries, and what stands there."""
    words: list[str] = []
    at: Any = data
    for step in location:
        if isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
            name = at.get("name") or at.get("label") if isinstance(at, dict) else None
            words[-1] += f"[{name or step}]"
        else:
            at = at.get(step) if isinstance(at, dict) else None
            words.append(str(step))
    return ".".join(words) or "rule set", at


def _unknown_names(comparison: Comparison) -> Iterator[str]:
    where = f"comparisons[{comparison.name}]"
    for name in comparison.fields:
        if name not in FIELDS:
            yield f"{where}.fields: unknown field {name!r}; known are {', '.join(FIELDS)}"
    for level in comparison.levels:
        for test in level.when:
            place = f"{where}.levels[{level.label}].when"
            if test not in TESTS:
                yield f"{place}: unknown test {test!r}; known are {', '.join(sorted(TESTS))}"
            elif TESTS[test].fields != len(comparison.fields):
                yield (
                    f"{place}: {test} looks at {TESTS[test].fields} field(s), "
                    f"the comparison has {len(comparison.fields)}"
                )


def _never_reached(comparison: Comparison) -> Iterator[str]:
    """Tests that an earlier level with a laxer limit of the same test always answers first."""
    seen: dict[str, tuple[float, str]] = {}
    for level in comparison.levels:
        for test, limit in level.when.items():
            if test in seen and TESTS[test].at_most == (limit <= seen[test][0]):
                yield (
                    f"{comparison.name}: level {level.label!r} asks {test} {limit:g}, "
                    f"which {seen[test][1]!r} above it ({seen[test][0]:g}) already takes"
                )
            seen.setdefault(test, (limit, level.label))
