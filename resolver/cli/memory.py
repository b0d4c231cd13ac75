"""How this process keeps freed memory."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

#: ``M_ARENA_MAX`` of glibc's malloc.h.
_ARENA_MAX: Final = -8
_ARENAS: Final = 2


def share_arenas() -> bool:
    """Let all threads allocate from two of glibc's arenas, where each would keep freed memory in its own.

    An eighth less memory at a million profiles, at no cost in time. Returns whether it could: without glibc
    nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_ARENA_MAX, _ARENAS) == 1
