from __future__ import annotations

import platform

from resolver.cli.memory import share_arenas


def test_glibc_takes_the_number_of_arenas() -> None:
    assert share_arenas() is (platform.libc_ver()[0] == "glibc")
