"""`docs/rules.md` says every key of a rule set, as the model and the shipped file have it."""

from __future__ import annotations

import inspect
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from resolver.cli import main
from resolver.model import gates, rule_set, survivorship_policy
from resolver.model.rule_set import RuleSet
from resolver.rule_file import rules_directory

DOCUMENT = Path(__file__).parent.parent / "docs" / "rules.md"
SHIPPED = rules_directory() / "default.toml"
HEAD = """# Rule sets, key by key

Every section and key of a rule file: its type, what the shipped [`rules/default.toml`](../rules/default.toml)
has, and why. [`rules/README.md`](../rules/README.md) tells how to change one thing and lists the tests of
levels. `make docs` writes this page: do not edit it. Weights and thresholds are in bits (log2 of odds).
"""
TAIL = """
## What a wrong file is told

Everything at once, with file, section and key; nothing is run. This file names a level twice, has a threshold
out of order and a key that does not exist:

```text
{told}
```
"""
#: A section of the file, the class that says it, and how its keys are found in the shipped file.
SECTIONS = (
    ("(top of the file)", "RuleSet", ()),
    ("[blocking]", "Blocking", ("blocking",)),
    ("[[comparisons]]", "Comparison", ("comparisons", 0)),
    ("levels of a comparison", "Level", ("comparisons", 0, "levels", 1)),
    ("[[relations]]", "Relation", ("relations", 0)),
    ("[estimation]", "Estimation", ("estimation",)),
    ("[clustering]", "Clustering", ("clustering",)),
    ("[thresholds]", "Thresholds", ("thresholds",)),
    ("[survivorship]", "Survivorship", ("survivorship",)),
    ("[merging]", "Merging", ("merging",)),
    ("[second_opinion]", "SecondOpinion", ("second_opinion",)),
    ("[preservation]", "Preservation", ("preservation",)),
    ("[[gates.limits]]", "Limit", ("gates", "limits", 0)),
)
#: Tables and lists of tables: sections of their own.
_NESTED = {"blocking", "comparisons", "relations", "estimation", "clustering", "thresholds", "survivorship"}
_NESTED |= {"merging", "second_opinion", "preservation", "gates", "levels"}


def class_of(name: str) -> type:
    return next(
        getattr(module, name) for module in (rule_set, survivorship_policy, gates) if hasattr(module, name)
    )


def comments() -> dict[tuple[str, str], str]:
    """(section, key) → what the shipped file says beside or right above it."""
    found, section, above = {}, "", []
    for line in SHIPPED.read_text().splitlines():
        if match := re.match(r"\[\[?([a-z_.]+)\]\]?$", line):
            section, above = match[1], []
        elif line.startswith("# "):
            above.append(line[2:])
        elif match := re.match(r'(?:# )?([A-Za-z_]+) = (?:"[^"]*"|[^#"]*|\[[^\]]*\])\s*(?:#\s*(.*))?$', line):
            said = match[2] or " ".join(above)
            found.setdefault((section, match[1]), said)
            above = []
        else:
            above = []
    return found


_NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_LIMITS = {"exclusiveMinimum": "above", "minimum": "from", "exclusiveMaximum": "below", "maximum": "up to"}


def kind_of(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A type in words: `number above 0`, `one of a, b`, `list: text`."""
    if "$ref" in schema:
        return kind_of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        kinds = [kind_of(one, definitions) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(kinds)
    if "enum" in schema or "const" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") in ("array", "object"):
        word, inner = ("list", "items") if schema["type"] == "array" else ("table", "additionalProperties")
        return f"{word}: {kind_of(schema.get(inner) or {}, definitions)}"
    words = [_NAMES.get(schema.get("type", ""), "any")]
    words += [f"{word} {schema[key]:g}" for key, word in _LIMITS.items() if key in schema]
    if "pattern" in schema:
        words.append(f"like `{schema['pattern'].strip('^$')}`")
    return " ".join(words)


def shown(value: Any) -> str:
    if (
        value is None
        or value == {}
        or isinstance(value, dict)
        or (isinstance(value, list) and value and isinstance(value[0], dict))
    ):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    text = f'"{value}"' if isinstance(value, str) else str(value).replace("'", '"')
    return f"`{text}`" if len(text) < 60 else "in the file"


def reach(table: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    for step in path:
        table = table[step]
    return table


def page(told: str) -> str:
    schema = RuleSet.model_json_schema()
    definitions, said = schema["$defs"], comments()
    table = tomllib.loads(SHIPPED.read_text())
    parts = [HEAD]
    for title, name, path in SECTIONS:
        mine = schema if name == "RuleSet" else definitions[name]
        values = reach(table, path)
        section = ".".join(str(step) for step in path if isinstance(step, str))
        text = inspect.cleandoc(class_of(name).__doc__ or "").replace("``", "`")
        parts.append(f"\n## {title}\n\n{text}\n\n| key | type | shipped | why |\n|---|---|---|---|\n")
        for key, one in mine["properties"].items():
            if key in _NESTED and name in ("RuleSet", "Comparison"):
                continue
            value = values.get(key, one.get("default"))
            why = (
                said.get((section, key), "")
                if name not in ("Level", "Comparison", "Relation", "Limit")
                else ""
            )
            must = " (must be there)" if key in mine.get("required", ()) else ""
            cells = (f"`{key}`{must}", kind_of(one, definitions), shown(value), why.replace("|", "\\|"))
            parts.append(f"| {' | '.join(cells)} |\n")
    return "".join(parts) + TAIL.format(told=told)


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """What the command says of a file with three faults."""
    monkeypatch.chdir(tmp_path)
    text = SHIPPED.read_text()
    for right, wrong in (
        ('{ label = "close", m = 0.12, when', '{ label = "exact", m = 0.12, when'),
        ("match = 2.0 ", "match = 9.0 "),
        ("learn_above = 50000", "learn_abov = 50000"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SystemExit) as left:
        main(["rules", "check", "mine.toml"])
    assert left.value.code == 2
    return capsys.readouterr().err.strip()


def test_the_rules_reference_is_up_to_date(told):
    current = page(told)
    if os.environ.get("RESOLVER_WRITE_DOCS"):
        DOCUMENT.write_text(current)
    assert DOCUMENT.read_text() == current, "`make docs` writes it anew"


def test_a_wrong_file_is_told_everything_at_once(told):
    assert "mine.toml" in told
    for named in ("first_name", "learn_abov", "thresholds"):
        assert named in told


def test_every_key_of_the_model_is_on_the_page():
    text = DOCUMENT.read_text()
    definitions = RuleSet.model_json_schema()["$defs"]
    for _, name, _ in SECTIONS[1:]:
        assert all(f"| `{key}`" in text for key in definitions[name]["properties"] if key not in _NESTED), (
            name
        )
