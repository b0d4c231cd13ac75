from __future__ import annotations

import gc
import json
import subprocess
import sys

from resolver.cli import leaving
from resolver.cli.memory import uncollected

SCRIPT = """
import atexit, sys
atexit.register(lambda: print("exit functions run"))
from resolver.cli import leaving
leaving.alone()
print("written", end=" ")
leaving.leave_at_once()
print("never said")
"""


def test_a_process_that_is_one_command_ends_at_once_with_all_that_it_said():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "written exit functions run\n"


def test_another_process_goes_on():
    assert not leaving.is_alone()
    leaving.leave_at_once()


def test_modules_are_loaded_without_a_look_for_garbage_where_the_process_is_one_command(monkeypatch):
    with uncollected():
        assert gc.isenabled(), "here are other things"
    monkeypatch.setattr(leaving, "_ALONE", [True])
    kept = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > kept
        gc.disable()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled(), "as it was"
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_match_of_its_own_process_leaves_whole_results(tmp_path):
    people, out = tmp_path / "people.csv", tmp_path / "out"
    people.write_text(
        "profile_id,first_name,email_address\na,Ann,ann@x.com\nb,Ann,ann@x.com\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "resolver", "match", str(people), "--out", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert json.loads(done.stdout) == json.loads((out / "match.json").read_text(encoding="utf-8"))
    assert {path.name for path in out.iterdir()} >= {"clusters.parquet", "pairs.parquet", "match.json"}
