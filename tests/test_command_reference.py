"""`docs/commands.md` is what the commands say of themselves; `make docs` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from resolver.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

DOCUMENT = Path(__file__).parent.parent / "docs" / "commands.md"
HEAD = """# Commands

What every command takes, in the order of `resolver --help`. `make docs` writes this page: do not edit it.
Exit codes: 0 done, 1 failed, 2 bad input; the others are in the [README](../README.md).
"""


def documented(name: str, command: click.Command) -> Iterator[str]:
    """The section of one command and of those under it."""
    under = getattr(command, "commands", None)
    if under:
        for word, one in under.items():
            yield from documented(f"{name} {word}".strip(), one)
        return
    yield f"\n## {name}\n\n{one_paragraph(command.help)}\n"
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    shown = " ".join(f"{(p.metavar or p.name or '').upper()}" for p in arguments)
    words = ["resolver", name, *([shown] if shown else [])]
    words += ["[OPTIONS]"] if len(command.params) > len(arguments) else []
    yield f"\n`{' '.join(words)}`\n"
    rows = [row(param) for param in command.params if not getattr(param, "hidden", False)]
    if rows:
        yield "\n| option | default | |\n|---|---|---|\n" + "".join(rows)


def row(param: click.Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    default = "" if param.default in (None, False, ()) or callable(param.default) else f"`{param.default}`"
    if param.required:
        default = "required"
    return f"| {names} | {default} | {one_paragraph(getattr(param, 'help', None))} |\n"


def one_paragraph(text: str | None) -> str:
    return " ".join((text or "").replace("|", "\\|").split())


def test_the_command_reference_is_up_to_date():
    command = typer.main.get_command(app)
    current = HEAD + "".join(documented("", command))
    if os.environ.get("RESOLVER_WRITE_DOCS"):
        DOCUMENT.write_text(current)
    assert DOCUMENT.read_text() == current, "`make docs` writes it anew"
