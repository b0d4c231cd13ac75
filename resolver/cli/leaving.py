"""How a process ends that has written everything."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Final

#: Whether this process is one command and nothing else.
_ALONE: Final[list[bool]] = []


def alone() -> None:
    """Say that this process is one command and nothing else."""
    _ALONE.append(True)


def leave_at_once() -> None:
    """End the process with success, if it is one command and nothing else.

    To free what a million profiles take, one thing after the other, takes an interpreter a tenth of a second;
    the system has it back at once.
    """
    if not _ALONE:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()  # noqa: SLF001 - what sys.exit would do, too
    os._exit(0)
