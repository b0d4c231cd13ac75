"""Freed memory, given back: numpy's is the C library's, which keeps it."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Profiles from which on a stage leaves enough behind for the milliseconds that giving it back takes.
_WORTH: Final = 100_000


@cache
def _trim() -> Callable[[int], int] | None:
    """Glibc's ``malloc_trim``; None where the C library has none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None


def worth_giving_back(profiles: int) -> bool:
    """Whether a file of so many profiles leaves enough behind."""
    return profiles >= _WORTH


def give_back(profiles: int) -> bool:
    """Hand memory that is free, but between what is held, back to the system where a file is large.

    Returns whether it could: without glibc nothing happens.
    """
    trim = _trim() if worth_giving_back(profiles) else None
    return trim is not None and trim(0) == 1
