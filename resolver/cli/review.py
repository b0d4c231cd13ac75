"""`resolver review`: the analysts' web app on what a run concluded."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from resolver.cli.demo import reviewable
from resolver.cli.job import actor, default_ledger, ledger_beside
from resolver.cli.options import AwsProfile, Endpoint, Ledger, Quiet, Region, Rules
from resolver.cli.output import Output
from resolver.errors import BadFile, BadInput, ServiceFailed

if TYPE_CHECKING:
    from resolver.profiles.domain import Domain
    from resolver.web.guard import Admission

#: Where the sample of `--demo` goes, and how large it is: an afternoon's clusters.
DEMO: Final = Path("out/review-demo")
DEMO_PROFILES: Final = 2500
LOOPBACK: Final = ("127.0.0.1", "::1")


class Auth(Enum):
    """How the app knows who asks."""

    TOKEN = "token"  # noqa: S105 - the name of a way, not a secret
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Work:
    """What is reviewed: a run's directory, its rule set and the ledger that remembers."""

    directory: Path
    rules: Path | None
    ledger: str | None


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(review)


def review(
    *,
    run_directory: Annotated[
        Path | None,
        typer.Option("--run", help=f"Directory of a run: what --out was; with --demo [default: {DEMO}]."),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Sample data on the embedded service; kept, and gone on with.")
    ] = False,
    profiles: Annotated[
        int, typer.Option("--profiles", help="With --demo: size of a new sample.", min=10)
    ] = DEMO_PROFILES,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.", min=1, max=65535)] = 8400,
    auth: Annotated[
        Auth, typer.Option("--auth", help="token: whoever has the printed address. header: a proxy says who.")
    ] = Auth.TOKEN,
    user_header: Annotated[
        str, typer.Option("--user-header", help="With --auth header: the header that holds the name.")
    ] = "X-Forwarded-User",
    proxy: Annotated[
        list[str] | None,
        typer.Option("--proxy", help="With --auth header: addresses that are believed [default: loopback]."),
    ] = None,
    public_name: Annotated[
        list[str] | None,
        typer.Option("--public-name", help="With --auth header: host names under which browsers ask."),
    ] = None,
    rules: Rules = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    quiet: Quiet = False,
) -> None:
    """Review the candidate clusters of a run in the browser, hands on the keyboard. Nothing is merged there.

    Prints an address with a token; listens on 127.0.0.1 only. Verdicts go to the ledger, and the next run
    follows them. Profiles are read again before each verdict, where the domain answers.
    """
    from resolver.profiles.domain import ConnectionSettings

    if run_directory is None and not demo:
        raise BadInput("review: --run DIR or --demo says what to review")
    directory = run_directory or DEMO
    if auth is not Auth.HEADER and (proxy or public_name):
        raise BadInput("review: --proxy and --public-name need --auth header")
    admission = _by_header(user_header, proxy or LOOPBACK, public_name or ()) if auth is Auth.HEADER else None
    output = Output(as_json=False, quiet=quiet)
    # the demo's service must end with us, however we end
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        if demo:
            endpoint_url = stack.enter_context(reviewable(directory, profiles, output))
        settings = ConnectionSettings(endpoint_url, region, profile)
        _serve(Work(directory, rules, ledger), settings, (port, admission), output)


def _serve(work: Work, settings: Any, where: tuple[int, Admission | None], output: Output) -> None:
    from resolver.app.reviewing.desk import Desk
    from resolver.app.reviewing.reading import read_batch
    from resolver.app.reviewing.watching import reader_of
    from resolver.ledger.reviews import open_review_book
    from resolver.rule_file import load_rules
    from resolver.web.server import Settings, serve

    port, admission = where
    batch = read_batch(work.directory, load_rules(work.rules))
    store = _store(batch.domain, settings)
    url = work.ledger or _ledger_of(work.directory, store, settings)
    answers = _answers(store)
    if not answers:
        output.log(
            {"warning": "the domain does not answer: changes since the run are not seen in the review"}
        )
    with open_review_book(url) as book:
        desk = Desk(batch, book, reader=reader_of(store) if store is not None and answers else None)
        desk.recheck()
        serve(Settings(desk, port=port, admission=admission, reviewer=actor(), announce=output.say))


def _by_header(name: str, proxies: Any, hosts: Any) -> Admission:
    from resolver.web.guard import Admission

    own = Admission("")
    return Admission("", user_header=name, proxies=frozenset(proxies), hosts=own.hosts | frozenset(hosts))


def _store(domain: str, settings: Any) -> Domain | None:
    """The domain, if there is anything to ask it with."""
    from resolver.profiles.domain import Domain, connect

    try:
        return Domain(domain, connect(settings))
    except ServiceFailed:
        return None


def _answers(store: Domain | None) -> bool:
    from resolver.profiles.domain import describe_domain

    if store is None:
        return False
    try:
        describe_domain(store)
    except ServiceFailed:
        return False
    return True


def _ledger_of(directory: Path, store: Domain | None, settings: Any) -> str:
    """The ledger beside the run, else the one that its report names, else the domain's own."""
    from resolver.profiles.domain import Domain, connect

    if (directory / "ledger.sqlite").exists():
        return ledger_beside(directory)
    report = _reported(directory)
    named = report.get("ledger")
    if named and Path(named).is_file():
        return str(named)
    return default_ledger(store or Domain(str(report["domain"]), connect(settings)), directory)


def _reported(directory: Path) -> dict[str, Any]:
    """The run's report, which names its domain and its ledger."""
    try:
        report: dict[str, Any] = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        report["domain"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{directory}: no report of a run there ({type(error).__name__})") from None
    return report
