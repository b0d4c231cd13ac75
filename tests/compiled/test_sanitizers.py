"""The tests of kernels again, on a library that tells of accesses out of bounds and undefined behaviour."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resolver.compiled import library

SOAK = os.environ.get("RESOLVER_SOAK") == "1"
FLAGS = ["-O1", "-g", "-fPIC", "-shared", "-ffp-contract=off", "-fvisibility=hidden"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
PLUGIN = """
import ctypes, os
from resolver.compiled import library
library.LIBRARY = ctypes.CDLL(os.environ["KERNELS"])
"""
KERNELS = sorted(str(path) for path in Path(__file__).parents[1].glob("matching/test_kernels*.py"))


def runtime(name):
    """A sanitizer's library that gcc links with, None where it has none."""
    found = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)  # noqa: S603, S607
    path = Path(found.stdout.strip())
    return path if path.is_absolute() else None


@pytest.mark.skipif(not SOAK, reason="minutes of sanitized kernels (RESOLVER_SOAK=1)")
def test_kernels_stay_in_bounds(tmp_path):
    if shutil.which("gcc") is None or not all(map(runtime, ("libasan.so", "libubsan.so"))):
        pytest.skip("no gcc with sanitizers")
    built = tmp_path / "built.so"
    sources = [str(path) for path in library.sources() if path.suffix == ".c"]
    told = ["gcc", *FLAGS, *SANITIZERS, '-DBUILT_FROM="sanitized"', *sources, "-o", str(built), "-lm"]
    subprocess.run(told, check=True)  # noqa: S603 - our own
    (tmp_path / "sanitized.py").write_text(PLUGIN, encoding="utf-8")
    env = {
        **os.environ,
        "KERNELS": str(built),
        "PYTHONPATH": str(tmp_path),
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libubsan.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "sanitized",
        "-p",
        "no:cacheprovider",
        *KERNELS,
    ]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert not done.returncode, done.stdout[-4000:] + done.stderr[-4000:]
    assert "100%" in done.stdout
