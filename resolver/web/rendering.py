"""Templates and what every page shows around its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, RedirectResponse

from resolver.app.reviewing import overview, wording
from resolver.app.reviewing.pair_verdicts import SPOKEN
from resolver.web import charts
from resolver.web.keys import KEY_SECTIONS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from resolver.app.reviewing.desk import Desk

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
PREFERENCES: Final = {
    "hidden": ("0", "1"),
    "blind": ("0", "1"),
    "density": ("dense", "roomy"),
    "theme": ("", "light", "dark"),
    "letters": ("1", "0"),
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """How one person looks at the pages.

    Kept in cookies, so that the server leaves out what must not be seen.
    """

    hidden: bool
    blind: bool
    density: str
    theme: str
    letters: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """A message that a key did nothing, and the ways on."""

    kind: str
    text: str
    acts: tuple[dict[str, str], ...] = ()


class Renderer:
    """Turns a template and its facts into a response: the whole page, or what htmx swaps."""

    def __init__(self, desk: Desk, arm_ms: int) -> None:
        self._desk = desk
        self._arm_ms = arm_ms
        env = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        env.filters["breakable"] = breakable
        env.filters["foldable"] = foldable
        env.globals.update(
            number=wording.number,
            day=wording.day,
            listed=wording.listed,
            minutes=wording.minutes,
            bits=wording.bits,
            percent=percent,
            spoken=SPOKEN,
            key_sections=KEY_SECTIONS,
            assets=_assets_version(),
            run_id=desk.batch.run_id,
            domain=desk.batch.domain,
        )
        self._env = env

    def page(self, request: Request, template: str, facts: dict[str, Any], status: int = 200) -> Response:
        """The page; for htmx only the part that is swapped, with the address it stands for."""
        reviewer = reviewer_of(request)
        total = len(self._desk.batch.cases)
        done = total - self._desk.left()
        context = {
            "card": None,
            "page": None,
            "say": "",
            **facts,
            "fragment": is_htmx(request),
            "prefs": preferences(request),
            "reviewer": reviewer,
            "arm_ms": self._arm_ms,
            "nav": _nav(self._desk, reviewer, done, total),
            "done": done,
            "total": total,
            "progress_bar": charts.progress(done, total, 72),
            "here": facts.get("here") or request.url.path,
        }
        html = self._env.get_template(template).render(context)
        response = HTMLResponse(html, status_code=status)
        if is_htmx(request) and facts.get("here"):
            response.headers["HX-Push-Url"] = facts["here"]
        return response


def reviewer_of(request: Request) -> str:
    """Who asks, as the guard found out."""
    return str(request.state.reviewer)


def is_htmx(request: Request) -> bool:
    """The request comes from htmx and wants a part of a page."""
    return request.headers.get("hx-request") == "true"


def see_other(path: str) -> Response:
    """Go there and look."""
    return RedirectResponse(path, status_code=303)


def preferences(request: Request) -> Preferences:
    """What the cookies ask for; anything odd reads as the default."""
    chosen = {
        name: value if (value := request.cookies.get(f"review_{name}", "")) in allowed else allowed[0]
        for name, allowed in PREFERENCES.items()
    }
    return Preferences(
        chosen["hidden"] == "1",
        chosen["blind"] == "1",
        chosen["density"],
        chosen["theme"],
        chosen["letters"] == "1",
    )


def breakable(name: str) -> Markup:
    """A field name that may break where a new word begins."""
    out, before = [], ""
    for char in name:
        if char.isupper() and before.islower():
            out.append("<wbr>")
        out.append(str(escape(char)))
        before = char
    return Markup("".join(out))  # noqa: S704 - every character was escaped


def foldable(value: str) -> Markup:
    """A value that may break before its @."""
    return Markup(str(escape(value)).replace("@", "<wbr>@"))  # noqa: S704 - escaped first


def percent(share: float) -> str:
    """A probability in whole percent, never rounded up to certainty."""
    return "over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"  # noqa: PLR2004 - the printed limits


def _nav(desk: Desk, reviewer: str, done: int, total: int) -> list[dict[str, Any]]:
    counts = overview.counts(desk, reviewer)
    return [
        {"key": "queue", "name": "Queue", "href": "/", "count": total - done, "hot": False},
        {"key": "batch", "name": "Batches", "href": "/batches", "count": counts.batches, "hot": False},
        {"key": "second", "name": "Second look", "href": "/second", "count": counts.second, "hot": False},
        {
            "key": "contradictions",
            "name": "Contradictions",
            "href": "/contradictions",
            "count": counts.contradictions,
            "hot": counts.contradictions > 0,
        },
        {"key": "history", "name": "History", "href": "/history", "count": None, "hot": False},
        {
            "key": "report",
            "name": "Run report",
            "href": f"/runs/{desk.batch.run_id}",
            "count": None,
            "hot": False,
        },
    ]


def _assets_version() -> str:
    """A hash of the static files, so that a new version is never mixed with an old one."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
