"""The command line: argv → use case → text or JSON.

Exit codes: 0 done · 1 failed · 2 bad usage, rules or input · 3 held by a gate · 4 partly applied ·
75 another run holds the lock · 130 interrupted. An error is one line on stderr (JSON with ``--json``).
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import typer

from resolver import __version__
from resolver.cli import demo, drill, engine, export, job, local, operating, policy, recovery, review
from resolver.cli.leaving import alone
from resolver.cli.output import BAD_USAGE, FAILED, HELD, LOCKED
from resolver.errors import (
    AlreadyRunning,
    BadInput,
    Held,
    PlanRefused,
    ResolverError,
    UnknownDomain,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

#: First match wins; anything else of ours is FAILED.
EXIT_CODES: tuple[tuple[type[ResolverError], int], ...] = (
    (BadInput, BAD_USAGE),
    (PlanRefused, BAD_USAGE),
    (UnknownDomain, BAD_USAGE),
    (Unreachable, BAD_USAGE),
    (Held, HELD),
    (AlreadyRunning, LOCKED),
)

app = typer.Typer(
    name="resolver",
    help="Find, review and safely merge duplicate customers in Amazon Connect Customer Profiles.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables would print customers' data
    context_settings={"help_option_names": ["-h", "--help"]},
)
demo.register(app)
engine.register(app)
export.register(app)
job.register(app)
drill.register(app)
recovery.register(app)
operating.register(app)
policy.register(app)
review.register(app)
app.add_typer(local.app, name="local")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"resolver {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Find, review and safely merge duplicate customers in Amazon Connect Customer Profiles."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        alone()
    try:
        app(args=arguments, prog_name="resolver")
    except ResolverError as error:
        _complain(str(error), as_json="--json" in arguments)
        code = next((code for kind, code in EXIT_CODES if isinstance(error, kind)), FAILED)
        raise SystemExit(code) from None
    except KeyboardInterrupt:
        _complain("interrupted", as_json="--json" in arguments)
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        raise SystemExit(FAILED) from None
    except Exception as error:  # the last resort: a traceback may carry customers' data
        if os.environ.get("RESOLVER_DEBUG"):
            raise
        _complain(
            f"internal error ({type(error).__name__}); RESOLVER_DEBUG=1 shows where",
            as_json="--json" in arguments,
        )
        raise SystemExit(FAILED) from None


def _complain(text: str, *, as_json: bool) -> None:
    sys.stderr.write(json.dumps({"error": text}) + "\n" if as_json else f"error: {text}\n")
