"""What is held while a file is linked, and what is not."""

from __future__ import annotations

import weakref

import polars as pl

from resolver.app.continuing import Continuation, link
from resolver.app.progress import Quiet, Stopwatch
from resolver.model.frames import DECISIONS, empty
from resolver.profile_columns import to_profiles
from resolver.rule_file import load_rules


def test_the_texts_of_a_file_are_free_once_they_are_standardised():
    held: list[weakref.ref] = []
    there_at: dict[str, bool] = {}

    def read() -> pl.DataFrame:
        names = ["Ana", "Ana", "Kim", "Lea"]
        table = pl.DataFrame({"profile_id": ["1", "2", "3", "4"], "FirstName": names, "LastName": names})
        profiles = to_profiles(table)
        held.append(weakref.ref(profiles))
        there_at["read"] = held[0]() is not None
        return profiles

    class Watching(Stopwatch):
        def stage(self, name, counts):  # noqa: ARG002 - as a listener is called
            there_at.setdefault(name, held[0]() is not None)

    link(read, (load_rules(), empty(DECISIONS)), Continuation(), Watching(Quiet()))
    assert there_at["read"], "or this test looks at nothing"
    assert not there_at["standardise"]
