"""Who holds a lease, so exactly that another process on the same machine can tell whether it still lives."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_START_TIME: Final = 19  # of the fields after the command's name in /proc/PID/stat (proc(5): field 22)


def this_process() -> str | None:
    """This process as JSON: machine, its present boot, the namespace of its pids, pid and start.

    Null where the system does not tell: then only time ends a lease.
    """
    where = _where()
    started = _started(os.getpid())
    if where is None or started is None:
        return None
    return json.dumps({**where, "pid": os.getpid(), "started": started}, sort_keys=True)


def is_surely_dead(process: str | None) -> bool:
    """Whether that process ran here, in this boot and this pid namespace, and is there no more."""
    if process is None:
        return False
    try:
        facts = json.loads(process)
        pid, started = int(facts.pop("pid")), str(facts.pop("started"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return facts == _where() and _started(pid) != started


def _where() -> dict[str, str] | None:
    try:
        return {
            "host": socket.gethostname(),
            "boot": (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
            "namespace": str((_PROC / "self/ns/pid").readlink()),
        }
    except OSError:
        return None


def _started(pid: int) -> str | None:
    """When a living process started, in ticks since the boot; null for one that is gone or only a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[_START_TIME - 1]
