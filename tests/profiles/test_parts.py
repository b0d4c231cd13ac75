from __future__ import annotations

import errno
import os
from datetime import UTC, datetime

import pytest
from embedded import pid

from resolver.errors import AlreadyRunning, BadFile
from resolver.profiles.parts import open_parts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ABOUT = {"domain": "retail"}
ANA, BEN = b"ana-----", b"ben-----"


def opened(tmp_path, about=ABOUT):
    return open_parts(tmp_path / "profiles.parquet", about, NOON, keys_at_risk=1)


def test_a_digest_that_was_cut_short_does_not_garble_those_behind_it(tmp_path):
    with opened(tmp_path) as parts:
        parts.note([ANA], [ANA])
    for name in ("asked", "hit"):
        with (tmp_path / "profiles.parquet.partial" / name).open("ab") as file:
            file.write(BEN[:3])
    with opened(tmp_path) as parts:
        parts.note([BEN], [BEN])

    with opened(tmp_path) as parts:
        assert (list(parts.asked()), list(parts.hit())) == ([ANA, BEN], [ANA, BEN])


def test_two_exports_to_one_file_do_not_overwrite_each_others_parts(tmp_path):
    with (
        opened(tmp_path),
        pytest.raises(AlreadyRunning, match=r"profiles\.parquet: another export"),
        opened(tmp_path),
    ):
        pass
    with opened(tmp_path) as parts:
        parts.remove()
        with opened(tmp_path):
            pass


def test_parts_of_a_domain_that_was_made_anew_are_not_continued(tmp_path):
    with opened(tmp_path) as parts:
        parts.add("_email", {"ProfileId": pid(1)})
        parts.note([ANA])

    with opened(tmp_path, ABOUT | {"created_at": "later"}) as parts:
        assert (list(parts.asked()), list(parts.profiles())) == ([], [])


def test_a_full_disk_is_a_clear_error(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(tmp_path) as parts:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(BadFile, match=r"asked: cannot be written \(No space left on device\)"):
            parts.note([ANA])
