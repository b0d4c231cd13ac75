"""How this process keeps freed memory."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from resolver.cli.leaving import is_alone

if TYPE_CHECKING:
    from collections.abc import Iterator

#: ``M_ARENA_MAX`` of glibc's malloc.h.
_ARENA_MAX: Final = -8
_ARENAS: Final = 2
#: What Polars' allocator, jemalloc, is told (its `TUNING` page): few arenas, and freed pages go back soon.
_POLARS: Final = "narenas:2,dirty_decay_ms:50,muzzy_decay_ms:0"
#: How what Polars tells it begins; what somebody else told it stands.
_OF_POLARS: Final = "dirty_decay_ms:500,muzzy_decay_ms:1000"


def share_arenas() -> bool:
    """Let all threads allocate from two arenas, where each would keep freed memory in its own.

    Of glibc, for numpy, and of Polars' own allocator, which must not be loaded yet. A third less memory at a
    million profiles, at no cost in time. Returns whether glibc could be told: there may be another C library.
    """
    told = os.environ.get("_RJEM_MALLOC_CONF", "")
    # a process that started this one may have loaded Polars
    if not told or (told.startswith(_OF_POLARS) and not told.endswith(_POLARS)):
        os.environ["_RJEM_MALLOC_CONF"] = f"{told},{_POLARS}".lstrip(",")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more of them wait for each other, and work on little
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_ARENA_MAX, _ARENAS) == 1


@contextmanager
def uncollected() -> Iterator[None]:
    """Load modules without looking for garbage among what they make, which stays: a twentieth of a second.

    Only where the process is one command: what is garbage in another would stay with it.
    """
    if not is_alone() or not gc.isenabled():
        yield
        return
    # or every installed package is asked whether it has one
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
