"""The notebooks run, ask nobody but this machine, and keep no code that belongs in the package."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(HERE.glob("*.ipynb"))
LONGEST_FUNCTION = 5  # lines: what is longer is missing from the package
#: Runs first in every kernel: whatever asks for another machine fails there and then.
NO_NETWORK = """
import socket as _socket
_connect = _socket.socket.connect
def _loopback_only(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a notebook asked for {address[0]}")
    return _connect(self, address)
_socket.socket.connect = _loopback_only
"""


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_are_six_in_order():
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_no_output_and_no_long_function(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [], "run `jupyter nbconvert --clear-output`"
            assert cell.execution_count is None
    for node in ast.walk(ast.parse("\n".join(sources(path)))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.timeout(180)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_without_the_network(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK))
    client = NotebookClient(
        notebook, timeout=150, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    failed = ""
    try:
        client.execute()
    except CellExecutionError as error:
        failed = str(error)
    assert not failed, failed
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert any(out.output_type == "execute_result" for out in outputs)
    kinds = {kind for out in outputs for kind in out.get("data", ())}
    assert not {kind for kind in kinds if "javascript" in kind or "vega" in kind}, (
        "a chart that needs a script"
    )
