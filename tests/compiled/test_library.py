from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys

import numpy as np
import pytest

from resolver.compiled import library

ASK = "from resolver.compiled import library; print(library.there())"


def told(**more):
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, env={"PATH": "", **more}
    )
    return done.stdout.strip()


@pytest.fixture
def hook():
    spec = importlib.util.spec_from_file_location("build_hook", library.HERE / "build_hook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    for path in library.sources():
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.skipif(not library.there(), reason="the kernels were not built: no C compiler")
def test_kernels_can_be_left_unused():
    assert told() == "True"
    assert told(RESOLVER_KERNELS="numpy") == "False"


@pytest.mark.skipif(not library.there(), reason="the kernels were not built: no C compiler")
def test_a_kernel_short_of_memory_says_so(monkeypatch):
    class Short:
        @staticmethod
        def grouped(*_):
            return -1

    monkeypatch.setattr(library, "LIBRARY", Short)
    with pytest.raises(MemoryError, match="grouped"):
        library.call("grouped")


def test_an_array_that_is_no_run_is_not_passed():
    with pytest.raises(AssertionError):
        library._passed(np.zeros(6)[::2])


@pytest.mark.skipif(not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler")
def test_the_library_is_built_once_and_anew_for_other_sources(hook, folder, monkeypatch):
    built = hook.build(folder)
    assert built == folder / "kernels.so"
    first = built.stat().st_ino
    assert hook.build(folder).stat().st_ino == first
    monkeypatch.setattr(library, "HERE", folder)
    assert library._loaded() is not None
    with (folder / "built_from.c").open("a") as source:
        source.write("/* other */\n")
    assert library._loaded() is None  # of other sources
    hook.build(folder)
    assert library.fingerprint().encode() in built.read_bytes()


def test_without_a_compiler_the_kernels_are_left_out(hook, folder, monkeypatch, capsys):
    (folder / "kernels.so").write_text("of other sources")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "")
    assert hook.build(folder) is None
    assert not (folder / "kernels.so").exists()
    assert "no C compiler" in capsys.readouterr().err


def test_what_the_compiler_says_is_told(hook, folder, monkeypatch, capsys):
    monkeypatch.setenv("CC", f"{sys.executable} -c raise(SystemExit('cannot'))")
    assert hook.build(folder) is None
    assert "cannot" in capsys.readouterr().err
    assert [path.name for path in folder.glob("kernels.so*")] == []


def test_a_file_that_is_no_library_is_not_loaded(folder, monkeypatch):
    monkeypatch.setattr(library, "HERE", folder)
    (folder / "kernels.so").write_text("text")
    assert library._loaded() is None
