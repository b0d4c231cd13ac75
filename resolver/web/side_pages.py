"""Routes: look-up and saved filters, settings, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from resolver.app.reviewing import overview
from resolver.web.rendering import PREFERENCES, Renderer, preferences, reviewer_of, see_other

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resolver.app.reviewing.desk import Desk

#: Cookies of preferences last a year.
_YEAR = 365 * 86_400


class SwitchForm(BaseModel):
    """Switches of how pages look, and the page to go back to."""

    back: str = Field(default="/", max_length=2000)
    hidden: str = Field(default="", max_length=10)
    blind: str = Field(default="", max_length=10)
    theme: str = Field(default="", max_length=10)
    density: str = Field(default="", max_length=10)
    letters: str = Field(default="", max_length=10)


class SidePages:
    """The handlers with the desk they serve."""

    def __init__(self, desk: Desk, renderer: Renderer) -> None:
        self._desk = desk
        self._render = renderer

    def router(self) -> APIRouter:
        """All routes of this part."""
        router = APIRouter(default_response_class=Response)
        router.get("/find")(self.shortlist)
        router.post("/find")(self.find)
        router.get("/settings")(self.show_settings)
        router.post("/settings")(self.settings)
        router.get("/keys")(self.keys)
        return router

    def find(self, request: Request, q: Annotated[str, Form(max_length=255)] = "") -> Response:
        """Look a cluster up by its id, a profile's id or any value; values stay out of addresses."""
        found = overview.find(self._desk, q.strip())
        if len(found) == 1:
            return see_other(f"/clusters/{found[0]}")
        return self._found(request, found)

    def shortlist(self, request: Request, show: Literal["mine", "cases", "losses"]) -> Response:
        """The open clusters of a saved filter."""
        return self._found(request, overview.shortlist(self._desk, reviewer_of(request), show), show)

    def show_settings(self, request: Request) -> Response:
        """How pages look and which keys count, for this person."""
        return self._render.page(
            request, "settings.html", {"screen": "settings", "here": "/settings", "chosen": _chosen(request)}
        )

    def settings(self, request: Request, form: Annotated[SwitchForm, Form()]) -> Response:
        """Switch how pages look for this person."""
        back = form.back
        asked = {name: str(getattr(form, name)) for name in PREFERENCES}
        local = back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable()
        response = see_other(back if local and back.isascii() else "/")
        for name, value in asked.items():
            if not value:
                continue
            allowed = PREFERENCES[name]
            if value == "system":
                response.delete_cookie(f"review_{name}", path="/")
            if value == "next":
                now = str(getattr(preferences(request), name))
                value = allowed[(allowed.index(now) + 1) % len(allowed)]  # noqa: PLW2901 - the next one
            if value in allowed:
                response.set_cookie(
                    f"review_{name}", value, max_age=_YEAR, httponly=True, samesite="strict", path="/"
                )
        return response

    def keys(self, request: Request) -> Response:
        """All keys as a page, for those without a script."""
        return self._render.page(request, "keys_page.html", {"screen": "keys"})

    def _found(self, request: Request, found: Sequence[str], show: str = "") -> Response:
        facts = {
            "screen": "find",
            "found": overview.lines(self._desk, found[:100]),
            "count": len(found),
            "filter_name": overview.FILTERS.get(show, ""),
            "here": f"/find?show={show}" if show else None,
        }
        return self._render.page(request, "find.html", facts)


def _chosen(request: Request) -> Callable[[str], str]:
    """Which choice of a setting holds now."""

    def chosen(name: str) -> str:
        now = getattr(preferences(request), name)
        if isinstance(now, bool):
            return "1" if now else "0"
        return now or "system"

    return chosen
