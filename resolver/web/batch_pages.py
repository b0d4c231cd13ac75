"""Routes: batches judged by sampled looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from resolver.app.reviewing import batching
from resolver.app.reviewing.bounds import percent_up, wrong_at_most
from resolver.app.reviewing.page import Viewer, open_page
from resolver.web import charts
from resolver.web.rendering import Card, Renderer, is_htmx, preferences, reviewer_of, see_other

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk
    from resolver.app.reviewing.sampling import Batch


class LookForm(BaseModel):
    """What a key of the batch page says, and what was on the screen."""

    action: str = Field(max_length=20)
    cluster: str = Field(default="", max_length=300)
    seq: int = Field(default=0, ge=0, le=2**31)
    typed: str = Field(default="", max_length=20)


class BatchPages:
    """The handlers with the desk they serve."""

    def __init__(self, desk: Desk, renderer: Renderer) -> None:
        self._desk = desk
        self._render = renderer

    def router(self) -> APIRouter:
        """All routes of this part."""
        router = APIRouter(default_response_class=Response)
        router.get("/batches")(self.batches)
        router.get("/patterns/{key}/batch")(self.batch)
        router.post("/patterns/{key}/batch")(self.act)
        return router

    def batches(self, request: Request) -> Response:
        """Patterns that can be judged as a batch."""
        piles = [p for p in self._desk.piles() if p.pattern.lane == "batch"]
        rows = [(p, batching.batch_of(self._desk, p.pattern.key)) for p in piles]
        facts = {
            "screen": "batch",
            "rows": [
                {
                    "key": p.pattern.key,
                    "name": p.pattern.name,
                    "left": len(p.left),
                    "looks": batch.counted[0],
                    "bound": percent_up(batch.bound) if batch.counted[0] else "–",
                    "state": "approved" if batch.approved else batch.missing or "can be approved",
                }
                for p, batch in rows
                if batch is not None
            ],
            "here": "/batches",
        }
        return self._render.page(request, "batches.html", facts)

    def batch(self, request: Request, key: str, look: str = "") -> Response:
        """One batch: looks, odd ones, the others, and the bound; ``look`` opens one that is due."""
        return self._show(request, key, look[:300])

    def act(self, request: Request, key: str, form: Annotated[LookForm, Form()]) -> Response:
        """A look, the approval, or giving the batch up."""
        reviewer = reviewer_of(request)
        if form.action in batching.LOOKS:
            answer = batching.look(self._desk, key, form.action, (reviewer, form.cluster, form.seq))
        elif form.action == "out":
            answer = batching.take_out(self._desk, key, (reviewer, form.cluster, form.seq))
        elif form.action == "draw":
            answer = batching.draw(self._desk, key, reviewer)
        elif form.action == "approve":
            answer = batching.approve(self._desk, key, form.typed, (reviewer, form.seq))
        elif form.action == "one_by_one":
            answer = batching.one_by_one(self._desk, key, reviewer)
        else:
            return self._missing(request, status=422)
        if answer.kind == "conflict":
            acts = ({"key": "Enter", "name": "See it as it is", "href": f"/patterns/{key}/batch"},)
            return self._show(request, key, status=409, card=Card("conflict", answer.message, acts))
        if not is_htmx(request):
            return see_other(f"/patterns/{key}/batch")
        return self._show(request, key, say=answer.message)

    def _show(
        self, request: Request, key: str, look: str = "", *, status: int = 200, **more: object
    ) -> Response:
        batch = batching.batch_of(self._desk, key)
        if batch is None:
            return self._missing(request)
        viewer = Viewer(reviewer_of(request), preferences(request).hidden)
        current = batch.due(look) or batch.current
        page = open_page(self._desk, current.cluster_id, viewer) if current else None
        profiles = sum(len(self._desk.batch.cases[i].profile_ids) for i in batch.cluster_ids)
        name = next((p.name for p in self._desk.patterns.values() if p.key == key), key)
        facts: dict[str, Any] = {
            "screen": "batch",
            "batch": batch,
            "current": current,
            "beside": batch.beside(current.cluster_id) if current else None,
            "name": name,
            "profiles": profiles,
            "look_page": page,
            "look_words": self._words(batch),
            "bound": percent_up(batch.bound) if batch.counted[0] else "–",
            "gate_words": percent_up(batch.gate),
            "next_bound": percent_up(wrong_at_most(batch.counted[0] + 1, batch.counted[1])),
            "curve": self._curve(batch),
            "here": f"/patterns/{key}/batch",
        }
        return self._render.page(request, "batch.html", facts | more, status)

    def _words(self, batch: Batch) -> dict[str, str]:
        """What is told of each look in its line: sizes and differing fields, never a value."""
        words = {}
        for look in batch.looks:
            case = self._desk.batch.cases[look.cluster_id]
            fields = [set(case.profiles[i]) - {"ProfileId"} for i in case.profile_ids]
            some = len(set.union(*fields)) - len(set.intersection(*fields))
            words[look.cluster_id] = f"{len(case.profile_ids)} profiles, {some} fields only in some"
        return words

    @staticmethod
    def _curve(batch: Batch) -> object:
        looks, wrong = batch.counted
        until = max(260, looks + 40)
        points = [(n, wrong_at_most(n, wrong)) for n in range(max(wrong + 1, 20), until, 4)]
        return charts.curve(points, (looks, batch.bound), batch.gate)

    def _missing(self, request: Request, status: int = 404) -> Response:
        facts = {
            "screen": "message",
            "headline": "No such batch.",
            "text": "This pattern is judged one by one.",
        }
        return self._render.page(request, "message.html", facts, status)
