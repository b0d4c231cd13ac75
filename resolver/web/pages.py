"""Routes: the queue, one cluster, claims.

Each translates a request into one use case and shows its answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from resolver.app.reviewing import drafting, judging, overview, wording
from resolver.app.reviewing.drafting import Begin
from resolver.app.reviewing.judging import Ask
from resolver.app.reviewing.page import Viewer, open_page
from resolver.app.reviewing.pair_verdicts import SPOKEN
from resolver.web import charts
from resolver.web.cluster_view import cluster_facts
from resolver.web.rendering import Card, Renderer, is_htmx, preferences, reviewer_of, see_other

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk

Text = Annotated[str, Form(max_length=2000)]


class VerdictForm(BaseModel):
    """What a verdict button sends: the verdict, and what was on the screen."""

    verdict: str = Field(max_length=40)
    seq: int = Field(ge=0, le=2**31)
    version: str = Field(max_length=64)
    confirmed: bool = False
    look_ms: int = Field(default=0, ge=0, le=2**31)
    blind: bool = False
    note: str = Field(default="", max_length=4000)
    to: str = Field(default="", max_length=100)


class TakeForm(BaseModel):
    """Whether the question was answered."""

    confirmed: bool = False


class DraftForm(BaseModel):
    """Something begun on a cluster."""

    action: str = Field(max_length=40)
    value: str = Field(default="", max_length=4000)
    field: str = Field(default="", max_length=300)
    profile: str = Field(default="", max_length=300)


class Pages:
    """The handlers with the desk they serve."""

    def __init__(self, desk: Desk, renderer: Renderer) -> None:
        self._desk = desk
        self._render = renderer

    def router(self) -> APIRouter:
        """All routes of this part."""
        router = APIRouter(default_response_class=Response)
        router.get("/")(self.queue)
        router.get("/patterns/{key}")(self.pattern)
        router.get("/clusters/{cluster_id}")(self.cluster)
        router.get("/clusters/{cluster_id}/next")(self.following)
        router.get("/clusters/{cluster_id}/previous")(self.previous)
        router.post("/clusters/{cluster_id}/verdict")(self.verdict)
        router.post("/clusters/{cluster_id}/draft")(self.draft)
        router.post("/clusters/{cluster_id}/take")(self.take_over)
        router.post("/claims")(self.claims)
        router.post("/undo")(self.undo)
        return router

    def queue(self, request: Request) -> Response:
        """The queue by evidence pattern."""
        return self._queue(request)

    def pattern(self, request: Request, key: str) -> Response:
        """The first open cluster of a pattern."""
        pile = next((p for p in self._desk.piles() if p.pattern.key == key), None)
        if pile is None:
            return self._message(request, "No such pattern.", "It may belong to another run.")
        target = self._desk.after(None, reviewer_of(request), key)
        if target is None or target not in pile.left:
            target = next(iter(pile.left or pile.cluster_ids))
        return self._show(request, target)

    def cluster(self, request: Request, cluster_id: str) -> Response:
        """One cluster."""
        if cluster_id not in self._desk.batch.cases:
            return self._unknown(request)
        return self._show(request, cluster_id)

    def following(self, request: Request, cluster_id: str) -> Response:
        """The next cluster, without a verdict."""
        if cluster_id not in self._desk.batch.cases:
            return self._unknown(request)
        return self._show(request, self._desk.skip(cluster_id))

    def previous(self, request: Request, cluster_id: str) -> Response:
        """The cluster before."""
        if cluster_id not in self._desk.batch.cases:
            return self._unknown(request)
        return self._show(request, self._desk.before(cluster_id) or cluster_id)

    def verdict(self, request: Request, cluster_id: str, form: Annotated[VerdictForm, Form()]) -> Response:
        """A verdict on what was on the screen."""
        if cluster_id not in self._desk.batch.cases:
            return self._unknown(request)
        reviewer = reviewer_of(request)
        draft = self._desk.book.draft(self._desk.batch.domain, cluster_id, reviewer)
        ask = Ask(
            cluster_id,
            form.verdict,
            form.seq,
            form.version,
            reviewer,
            groups={k: int(v) for k, v in draft.get("groups", {}).items()},
            confirmed=form.confirmed,
            look_ms=form.look_ms,
            note=form.note.strip()[: drafting.NOTE_LENGTH] or str(draft.get("note", "")),
            blind=form.blind,
            to=form.to,
        )
        answer = judging.judge(self._desk, ask)
        if answer.kind == "saved":
            return self._saved(request, ask)
        if answer.kind == "confirm":
            people = judging.people_of(self._desk, reviewer) if form.verdict in judging.WITH_NOTE else None
            confirm = {"text": answer.message, "verdict": form.verdict, "look_ms": form.look_ms}
            confirm |= {"people": people, "note": ask.note}
            return self._show(request, cluster_id, confirm=confirm)
        if answer.kind == "refused":
            return self._show(request, cluster_id, say=answer.message)
        acts = (
            {"key": "Enter", "name": "Next cluster", "href": f"/clusters/{cluster_id}/next"},
            {"key": "r", "name": "See it again", "href": f"/clusters/{cluster_id}"},
        )
        return self._show(request, cluster_id, status=409, card=Card(answer.kind, answer.message, acts))

    def draft(self, request: Request, cluster_id: str, form: Annotated[DraftForm, Form()]) -> Response:
        """Something begun on a cluster: a group, a chosen source, a note."""
        if cluster_id not in self._desk.batch.cases:
            return self._unknown(request)
        key = (cluster_id, reviewer_of(request))
        begin = Begin(form.action, form.value, form.field, form.profile, preferences(request).blind)
        answer = drafting.begin(self._desk, key, begin)
        return self._show(request, cluster_id, say=answer.message)

    def take_over(self, request: Request, cluster_id: str, form: Annotated[TakeForm, Form()]) -> Response:
        """Hold a cluster that somebody else holds; asks once."""
        if cluster_id not in self._desk.batch.cases:
            return self._unknown(request)
        holder = self._desk.holder(cluster_id)
        if holder and not form.confirmed:
            text = f"{holder[0]} holds this until {holder[1]:%H:%M}. Enter: take over. Esc: back."
            return self._show(request, cluster_id, confirm={"text": text, "take": True})
        self._desk.take_over(cluster_id, reviewer_of(request))
        return self._show(request, cluster_id, say="You hold this now.")

    def claims(self, request: Request, action: Text) -> Response:
        """Take or hand back work."""
        reviewer = reviewer_of(request)
        if action == "take":
            taken = self._desk.take(reviewer)
            return self._queue(request, f"You hold {len(taken)} more clusters.")
        if action == "hand_back":
            return self._queue(request, f"{self._desk.hand_back(reviewer)} clusters handed back.")
        return self._message(request, "No such action.", "", status=422)

    def undo(self, request: Request) -> Response:
        """Take back the last verdict, and show the cluster as it was judged."""
        reviewer = reviewer_of(request)
        mine = self._desk.mine(reviewer)
        answer = judging.undo(self._desk, reviewer)
        if answer.kind != "saved":
            return self._queue(request, answer.message)
        return self._show(request, mine[0].cluster_id, say=answer.message)

    def _saved(self, request: Request, ask: Ask) -> Response:
        """After a verdict: the evidence that a blind look left out, or the next cluster."""
        if ask.blind:
            return self._show(
                request, ask.cluster_id, say="Your verdict is saved. This is what the model thinks."
            )
        following = self._desk.after(ask.cluster_id, ask.reviewer, self._desk.patterns[ask.cluster_id].key)
        if following is None:
            return self._queue(request, "That was the last one.")
        if not is_htmx(request):
            return see_other(f"/clusters/{following}")
        return self._show(request, following, say=f"Saved: {SPOKEN[ask.verdict]}.")

    def _show(self, request: Request, cluster_id: str, status: int = 200, **more: object) -> Response:
        reviewer, prefs = reviewer_of(request), preferences(request)
        if (
            request.method == "POST"
            and not is_htmx(request)
            and not more.get("confirm")
            and not more.get("card")
        ):
            return see_other(f"/clusters/{cluster_id}")
        page = open_page(self._desk, cluster_id, Viewer(reviewer, prefs.hidden, prefs.blind))
        if not page.standing.decided:
            self._desk.look_at(cluster_id, reviewer)
        facts = cluster_facts(self._desk, page) | {"here": f"/clusters/{cluster_id}"} | more
        return self._render.page(request, "cluster.html", facts, status)

    def _queue(self, request: Request, say: str = "") -> Response:
        if request.method == "POST" and not is_htmx(request):
            return see_other("/")
        reviewer = reviewer_of(request)
        view = overview.queue(self._desk, reviewer)
        lanes = [
            {
                "name": lane.name,
                "hint": lane.hint,
                "rows": [
                    {
                        **row.shown,
                        "bar": charts.progress(row.shown["done"], row.shown["total"]),
                        "histogram": charts.histogram(row.weights, self._desk.batch.model),
                        "minutes": wording.minutes(row.seconds),
                    }
                    for row in lane.rows
                ],
            }
            for lane in view.lanes
        ]
        burn = view.facts["burn_down"]
        facts = {**view.facts, "lanes": lanes, "piles": lanes, "screen": "queue", "say": say, "here": "/"}
        facts["burn_picture"] = charts.burn_down(burn.points, burn.seconds_left, burn.clock) if burn else ""
        return self._render.page(request, "queue.html", facts)

    def _unknown(self, request: Request) -> Response:
        return self._message(request, "No such cluster.", "It is not among those of this run.")

    def _message(self, request: Request, headline: str, text: str, status: int = 404) -> Response:
        return self._render.page(
            request, "message.html", {"screen": "message", "headline": headline, "text": text}, status
        )
