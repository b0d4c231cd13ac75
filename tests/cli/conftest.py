"""The command line in this process."""

from __future__ import annotations

import pytest

from resolver.cli import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Runs the command line; gives (exit code, stdout, stderr)."""

    def _run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return _run
