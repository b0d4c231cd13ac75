"""Routes: second looks, contradictions, history, the run report, and decisions to take away."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from resolver.app.reviewing import history, judging, regretting
from resolver.app.reviewing.judging import Ask
from resolver.app.reviewing.page import Viewer, open_page
from resolver.app.reviewing.reporting import summarise
from resolver.app.reviewing.standing import State
from resolver.app.reviewing.weekly import callers_by_week
from resolver.web import charts
from resolver.web.cluster_view import cluster_facts
from resolver.web.rendering import Card, Renderer, is_htmx, preferences, reviewer_of, see_other

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk


#: Colours of outcomes: grey is nobody's verdict yet, amber is held back, the rest people decided.
_KINDS = {
    "Open": "grey",
    **dict.fromkeys(("Merge", "Split", "Not the same", "Unsure", "Ask", "Fix at source"), "accent"),
    **{
        state.value.capitalize(): "held"
        for state in (State.WAITING, State.DIFFERS, State.CHANGED, State.FIGHTS)
    },
    State.MERGED.value.capitalize(): "accent",
}


class SecondForm(BaseModel):
    """A second reviewer's verdict and what was on the screen."""

    verdict: str = Field(max_length=40)
    seq: int = Field(ge=0, le=2**31)
    version: str = Field(max_length=64)
    look_ms: int = Field(default=0, ge=0, le=2**31)


class UndoForm(BaseModel):
    """The cluster whose verdict is taken back."""

    cluster: str = Field(max_length=300)


class RestoreForm(BaseModel):
    """Why a merge should not have been."""

    reason: str = Field(max_length=1_000)


class SettleForm(BaseModel):
    """What is to hold of a contradiction: the old verdict, the new one, or neither for now."""

    cluster: str = Field(max_length=300)
    choice: Literal["old", "new", "unsure"]


class RecordPages:
    """The handlers with the desk they serve."""

    def __init__(self, desk: Desk, renderer: Renderer) -> None:
        self._desk = desk
        self._render = renderer

    def router(self) -> APIRouter:
        """All routes of this part."""
        router = APIRouter(default_response_class=Response)
        router.get("/second")(self.second)
        router.get("/second/{cluster_id}")(self.second_look)
        router.post("/second/{cluster_id}")(self.second_verdict)
        router.get("/clusters/{cluster_id}/restore")(self.restore)
        router.post("/clusters/{cluster_id}/restore")(self.ask_for_restore)
        router.get("/contradictions")(self.contradictions)
        router.post("/contradictions")(self.settle)
        router.get("/history")(self.history)
        router.post("/history/undo")(self.undo)
        router.get("/export.csv")(self.export_csv)
        router.get("/export.parquet")(self.export_parquet)
        router.get("/runs/{run_id}")(self.report)
        return router

    def second(self, request: Request) -> Response:
        """Clusters that wait for a second look."""
        facts = {
            "screen": "second",
            "waiting": history.waiting(self._desk, reviewer_of(request)),
            "here": "/second",
        }
        return self._render.page(request, "second.html", facts)

    def second_look(self, request: Request, cluster_id: str) -> Response:
        """One cluster without the first reviewer's verdict."""
        return self._second(request, cluster_id)

    def second_verdict(
        self, request: Request, cluster_id: str, form: Annotated[SecondForm, Form()]
    ) -> Response:
        """A second verdict; nobody judges their own."""
        if cluster_id not in self._desk.batch.cases:
            return self._missing(request)
        reviewer = reviewer_of(request)
        draft = self._desk.book.draft(self._desk.batch.domain, cluster_id, reviewer)
        ask = Ask(
            cluster_id,
            form.verdict,
            form.seq,
            form.version,
            reviewer,
            groups={k: int(v) for k, v in draft.get("groups", {}).items()},
            confirmed=True,
            look_ms=form.look_ms,
            note=str(draft.get("note", "")),
        )
        answer = judging.judge_second(self._desk, ask)
        if answer.kind == "saved":
            if self._desk.standing(cluster_id).state is State.DIFFERS:
                return self._second(request, cluster_id, say=answer.message)
            return self.second(request) if is_htmx(request) else see_other("/second")
        status = 403 if answer.kind == "forbidden" else 409
        acts = ({"key": "Enter", "name": "Second looks", "href": "/second"},)
        return self._second(request, cluster_id, status=status, card=Card(answer.kind, answer.message, acts))

    def restore(self, request: Request, cluster_id: str, say: str = "") -> Response:
        """What a restore of a merged cluster would leave lost, and the form that asks for one."""
        known = regretting.regret(self._desk, cluster_id)
        if known is None:
            return self._missing(request)
        facts = {"screen": "restore", "regret": known, "say": say, "here": f"/clusters/{cluster_id}/restore"}
        return self._render.page(request, "restore.html", facts)

    def ask_for_restore(
        self, request: Request, cluster_id: str, form: Annotated[RestoreForm, Form()]
    ) -> Response:
        """A request in the history; it restores nothing."""
        answer = regretting.ask_for_restore(self._desk, reviewer_of(request), cluster_id, form.reason.strip())
        if answer.kind != "saved":
            return self._missing(request)
        return self.restore(request, cluster_id, "Asked.") if is_htmx(request) else see_other("/history")

    def contradictions(self, request: Request) -> Response:
        """Verdicts that fight each other."""
        facts = {
            "screen": "contradictions",
            "conflicts": history.contradictions(self._desk),
            "here": "/contradictions",
        }
        return self._render.page(request, "contradictions.html", facts)

    def settle(self, request: Request, form: Annotated[SettleForm, Form()]) -> Response:
        """One of the three ways out of a contradiction."""
        if form.cluster not in self._desk.batch.cases:
            return self._missing(request)
        reviewer = reviewer_of(request)
        if form.choice == "new":
            judging.keep(self._desk, reviewer, form.cluster)
        else:
            judging.withdraw(self._desk, reviewer, form.cluster)
        return self.contradictions(request) if is_htmx(request) else see_other("/contradictions")

    def history(self, request: Request, show: str = "") -> Response:
        """Everything that was said, newest first."""
        lines = history.lines_of(self._desk, reviewer_of(request), show[:40])
        facts = {
            "screen": "history",
            "lines": lines[:500],
            "count": len(lines),
            "show": show,
            "here": "/history",
        }
        return self._render.page(request, "history.html", facts)

    def undo(self, request: Request, form: Annotated[UndoForm, Form()]) -> Response:
        """Take back a verdict of one's own, from the history."""
        answer = judging.undo(self._desk, reviewer_of(request), form.cluster)
        if not is_htmx(request):
            return see_other("/history")
        lines = history.lines_of(self._desk, reviewer_of(request))
        facts = {
            "screen": "history",
            "lines": lines[:500],
            "count": len(lines),
            "show": "",
            "here": "/history",
        }
        return self._render.page(request, "history.html", facts | {"say": answer.message})

    def export_csv(self) -> Response:
        """All decisions of the run as CSV, safe to open in a spreadsheet."""
        text = history.safe_cells(history.export(self._desk)).write_csv()
        return Response(text, media_type="text/csv; charset=utf-8", headers=_download("decisions.csv"))

    def export_parquet(self) -> Response:
        """All decisions of the run as Parquet."""
        buffer = io.BytesIO()
        history.export(self._desk).write_parquet(buffer)
        return Response(
            buffer.getvalue(),
            media_type="application/vnd.apache.parquet",
            headers=_download("decisions.parquet"),
        )

    def report(self, request: Request, run_id: str) -> Response:
        """What this run did and would do."""
        if run_id != self._desk.batch.run_id:
            return self._missing(request)
        summary = summarise(self._desk)
        weeks = callers_by_week(self._desk, summary.callers)
        facts: dict[str, Any] = {
            "screen": "report",
            "report": summary,
            "weeks": charts.weekly(weeks.points, weeks.predicted) if weeks else "",
            "outcomes": charts.bars(summary.outcomes, "clusters", _KINDS),
            "held": charts.bars(
                summary.held_back[:8], "clusters", dict.fromkeys(dict(summary.held_back), "held")
            ),
            "fates": charts.bars(summary.fates, "values"),
            "weakest": charts.columns(summary.weakest, self._desk.batch.model),
            "verdicts": Counter(dict(summary.verdicts)),
            "here": f"/runs/{run_id}",
        }
        return self._render.page(request, "report.html", facts)

    def _second(self, request: Request, cluster_id: str, status: int = 200, **more: object) -> Response:
        desk, reviewer = self._desk, reviewer_of(request)
        standing = desk.standing(cluster_id)
        if cluster_id not in desk.batch.cases or standing.verdict is None:
            return self._missing(request)
        if standing.verdict.reviewer == reviewer and "card" not in more:
            acts = ({"key": "Enter", "name": "Second looks", "href": "/second"},)
            text = "Nobody takes the second look at their own decision."
            facts = {"screen": "message", "headline": text, "text": "", "card": Card("forbidden", text, acts)}
            return self._render.page(request, "message.html", facts, 403)
        prefs = preferences(request)
        page = open_page(desk, cluster_id, Viewer(reviewer, prefs.hidden, second=True))
        facts = cluster_facts(desk, page)
        facts |= {
            "screen": "second",
            "post_to": f"/second/{cluster_id}",
            "here": f"/second/{cluster_id}",
            "revealed_note": "",
            "second_note": False,
        }
        if standing.second is not None:
            facts["both"] = {"first": standing.verdict, "second": standing.second}
        return self._render.page(request, "cluster.html", facts | more, status)

    def _missing(self, request: Request) -> Response:
        facts = {"screen": "message", "headline": "Not found.", "text": "It is not part of this run."}
        return self._render.page(request, "message.html", facts, 404)


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
