"""docs/local-service.md is made from the handlers and the tests, and must be current."""

from __future__ import annotations

import ast
import inspect
import os
import re
from pathlib import Path

from botocore import xform_name
from documented_rules import RULES

from resolver.local.operations import HANDLERS
from resolver.local.wire import service_model

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "local-service.md"
BEGIN, END = "<!-- generated: operations -->\n", "<!-- end -->\n"
FOR_ALL = ("contract", "paging", "fuzz", "model", "checked_service", "document")
CERTAINTY = {"D": "documented", "O": "observed"}


def calls_of_tests():
    """Which tests call which client method, through whatever helper of their file."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests" / "local").glob("test_*.py")):
        if path.stem.removeprefix("test_") in FOR_ALL:
            continue
        tree = ast.parse(path.read_text())
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for name, node in functions.items():
            if not name.startswith("test_"):
                continue
            called = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & functions.keys()
            for body in (node, *(functions[helper] for helper in called)):
                for part in ast.walk(body):
                    if isinstance(part, ast.Attribute):
                        found.setdefault(part.attr, set()).add(f"{path.stem}::{name}")
    return found


def names_in(stem):
    """The tests of one file."""
    tree = ast.parse((ROOT / "tests" / "local" / f"test_{stem}.py").read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def told(operation):
    """A handler's docstring in one line."""
    text = re.sub(r"\s+", " ", inspect.getdoc(HANDLERS[operation].function))
    return text.replace("|", "\\|")


def table():
    tests = calls_of_tests()
    head = "| Operation | Handler | What it does, and how sure that is | Tests |"
    lines = [head, "| --- | --- | --- | --- |"]
    for operation, handler in HANDLERS.items():
        where = f"`{handler.function.__module__.rpartition('.')[2]}.{handler.function.__name__}`"
        names = sorted(tests.get(xform_name(operation), ()))
        shown = "<br>".join(f"`{name.removeprefix('test_')}`" for name in names)
        lines.append(f"| {operation} | {where} | {told(operation)} | {shown} |")
    missing = sorted(set(service_model().operation_names) - HANDLERS.keys())
    lines += [
        "",
        f"{len(HANDLERS)} operations. The other {len(missing)} of the API answer 501 and name themselves.",
    ]
    lines += ["", "### Rules and the tests that hold them", "", "| Operation | Rule | Sure | Test |"]
    lines += ["| --- | --- | --- | --- |"]
    for operation, certainty, rule, test in RULES:
        lines.append(f"| {operation} | {rule} | {CERTAINTY[certainty]} | `{test}` |")
    return "\n".join(lines) + "\n"


def test_every_rule_is_held_by_a_test_that_is_there_and_every_operation_has_one():
    assert {operation for operation, *_ in RULES} == HANDLERS.keys()
    for _, _, rule, test in RULES:
        stem, _, name = test.partition("::")
        assert name in names_in(stem), rule


def test_the_operation_table_is_current():
    """Set RESOLVER_WRITE_DOCS=1 to renew it."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    current = before + BEGIN + "\n" + table() + "\n" + END + after
    if os.environ.get("RESOLVER_WRITE_DOCS"):
        DOCUMENT.write_text(current)
    assert DOCUMENT.read_text() == current


def test_every_operation_has_a_test_and_says_how_sure_it_is():
    tests = calls_of_tests()
    assert [name for name in HANDLERS if not tests.get(xform_name(name))] == []
    sure = re.compile("documented|observed|assumed", re.IGNORECASE)
    unsure = [name for name, handler in HANDLERS.items() if not sure.search(inspect.getdoc(handler.function))]
    assert unsure == []
