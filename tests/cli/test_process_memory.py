from __future__ import annotations

import os
import platform

import pytest

from resolver.cli.memory import share_arenas

OF_POLARS = "dirty_decay_ms:500,muzzy_decay_ms:1000"


def test_glibc_takes_the_number_of_arenas() -> None:
    assert share_arenas() is (platform.libc_ver()[0] == "glibc")


@pytest.mark.parametrize("told", ["", OF_POLARS, f"{OF_POLARS},narenas:8"])
def test_polars_is_told_to_give_pages_back(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("_RJEM_MALLOC_CONF", told)
    ours = "narenas:2,dirty_decay_ms:50,muzzy_decay_ms:0"
    for _ in range(2):  # told once, however often it is asked
        share_arenas()
        assert os.environ["_RJEM_MALLOC_CONF"] == f"{told},{ours}".lstrip(",")


def test_what_somebody_told_polars_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_RJEM_MALLOC_CONF", "narenas:1")
    share_arenas()
    assert os.environ["_RJEM_MALLOC_CONF"] == "narenas:1"
