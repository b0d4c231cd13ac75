"""What a process may do that is one command and nothing else: end at once, collect no garbage at first."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Final

#: Holds something once it is said.
_ALONE: Final[list[bool]] = []


def alone() -> None:
    """Say that this process is one command and nothing else."""
    _ALONE.append(True)


def is_alone() -> bool:
    """Whether this process is one command and nothing else."""
    return bool(_ALONE)


def leave_at_once() -> None:
    """End the process with success, if it is one command and nothing else.

    To free what a million profiles take, one thing after the other, takes an interpreter a tenth of a second;
    the system has it back at once.
    """
    if not is_alone():
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what sys.exit would do, too
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
