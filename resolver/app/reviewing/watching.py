"""Profiles as they are now: the review notices what changed in the domain since the run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from resolver.model.frames import PROFILES
from resolver.model.profile import from_row, to_row
from resolver.profiles.reading import read_profiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.reviewing.batch import Case, ReviewBatch
    from resolver.app.reviewing.givens import Reader
    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain


def reader_of(domain: Domain) -> Reader:
    """Reads profiles from the domain; one call for up to 20 of them."""
    return partial(read_profiles, domain)


def renewed(case: Case, read: Mapping[str, Profile]) -> Case | None:
    """The case with its profiles as just read; None where nothing changed or vanished.

    What a profile held when the batch was made stays with the case, to be shown beside the new value.
    """
    now = {i: from_row(to_row(p)) for i, p in read.items()}
    gone = tuple(i for i in case.profile_ids if i not in now)
    changed = {i: p for i, p in now.items() if p != case.profiles[i]}
    if not changed and gone == case.gone:
        return None
    before = {i: case.before.get(i, case.profiles[i]) for i in (*case.before, *changed)}
    return replace(case, profiles={**case.profiles, **changed}, before=before, gone=gone)


def with_case(batch: ReviewBatch, case: Case) -> ReviewBatch:
    """The batch with one case renewed, so that plans are foreseen from what its profiles hold now."""
    rows = pl.DataFrame([to_row(p) for p in case.profiles.values()], schema=PROFILES.columns)
    others = batch.profiles.filter(~pl.col("profile_id").is_in(list(case.profiles)))
    profiles = pl.concat([others, rows.select(others.columns)])
    return replace(batch, cases={**batch.cases, case.cluster_id: case}, profiles=profiles)
