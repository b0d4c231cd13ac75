"""Profiles as they are now: the review notices what changed in the domain since the run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from resolver.profiles.reading import read_profiles

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Reader
    from resolver.profiles.domain import Domain


def reader_of(domain: Domain) -> Reader:
    """Reads profiles from the domain; one call for up to 20 of them."""
    return partial(read_profiles, domain)
