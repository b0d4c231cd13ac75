"""The names that `from resolver import …` gives: documented by examples that hold, and typed."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from importlib import resources

import pytest

import resolver

WITH_EXAMPLES = ("resolver", "resolver.exploring")


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_hold(name):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 3
    assert outcome.failed == 0


def test_no_example_stands_where_nobody_runs_it():
    source = resources.files("resolver")
    modules = [m.name for m in pkgutil.walk_packages(resolver.__path__, "resolver.") if not m.ispkg]
    files = {m: source.joinpath(*m.split(".")[1:-1], f"{m.rpartition('.')[2]}.py") for m in modules}
    with_examples = {m for m, file in files.items() if file.is_file() and ">>> " in file.read_text()}
    assert with_examples <= set(WITH_EXAMPLES)


def test_every_public_name_is_there_documented_and_typed():
    assert resources.files("resolver").joinpath("py.typed").is_file()
    for name in resolver.__all__:
        thing = getattr(resolver, name)
        assert inspect.getdoc(thing), name
        if inspect.isfunction(thing):
            signature = inspect.signature(thing)
            assert signature.return_annotation is not inspect.Signature.empty, name
            assert all(p.annotation is not p.empty for p in signature.parameters.values()), name


def test_an_unknown_name_is_told():
    with pytest.raises(AttributeError, match="no attribute 'rezolve'"):
        resolver.rezolve  # noqa: B018 - that it raises is the point
