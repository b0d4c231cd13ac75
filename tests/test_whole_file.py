from __future__ import annotations

import resource

import polars as pl
import pytest

from resolver.errors import BadFile
from resolver.whole_file import check_directory, whole, write_frame, write_json


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "data.txt"

    def fail_half_way():
        with whole(path) as partial:
            partial.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert list(path.parent.iterdir()) == []
    with whole(path) as partial:
        partial.write_text("all", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "all"
    assert list(path.parent.iterdir()) == [path]


def test_an_older_file_stays_when_the_new_one_fails(tmp_path):
    write_json({"a": 1}, tmp_path / "r.json")

    def fail():
        with whole(tmp_path / "r.json"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert "1" in (tmp_path / "r.json").read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BadFile, match="file"):
        write_frame(pl.DataFrame({"a": [1]}), tmp_path / "file" / "below.parquet")


def test_a_directory_that_could_not_be_written_to_is_named(tmp_path, monkeypatch):
    check_directory(tmp_path / "new" / "below")
    assert list(tmp_path.iterdir()) == [], "asked, not made"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(BadFile, match="link is a link to nothing"):
        check_directory(tmp_path / "link" / "below")
    with pytest.raises(BadFile, match="File name too long"):
        check_directory(tmp_path / ("x" * 300))
    monkeypatch.setattr("os.access", lambda _place, _mode: False)  # root may write anywhere
    with pytest.raises(BadFile, match=f"{tmp_path} is not writable"):
        check_directory(tmp_path / "new")


@pytest.fixture
def full_disk():
    """A process may write no file over a kilobyte: Polars and Python see it as they see a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path):
    frame = pl.DataFrame({"n": [str(n * n) for n in range(10_000)]})

    with pytest.raises(BadFile, match=r"a\.parquet: cannot be written \(File too large"):
        write_frame(frame, tmp_path / "a.parquet")
    with pytest.raises(BadFile, match=r"a\.json: cannot be written \(File too large"):
        write_json({"n": "x" * 2_000}, tmp_path / "a.json")

    assert list(tmp_path.iterdir()) == []
