"""What the cluster template is given beside the page itself: pictures, and words about the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.app.reviewing import overview, wording
from resolver.app.reviewing.pacing import pace_of, pause_words
from resolver.app.reviewing.pair_verdicts import SPOKEN
from resolver.app.reviewing.patterns import LANE_SECONDS
from resolver.app.reviewing.regretting import gone_words
from resolver.app.reviewing.standing import State
from resolver.web import drawing

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk
    from resolver.app.reviewing.evidence import Link
    from resolver.app.reviewing.page import Page

#: Second opinions of planning in words.
_OPINIONS = {
    "same": "One match group of exactly these profiles. A second opinion, not a measure.",
    "ours_only": "No match group links any two of these.",
    "aws_only": "Its group holds profiles that we keep apart.",
    "split": "Its match groups link fewer of these profiles.",
    "joined": "Its match group holds all of these and others.",
    "differently": "Its match groups link others than we do.",
    "no_run": "No identity resolution run to compare with.",
    "ignored": "Not compared, by rule.",
}


def cluster_facts(desk: Desk, page: Page) -> dict[str, Any]:
    """Everything ``cluster.html`` asks for."""
    letters = page.letters
    reviewer = page.viewer.reviewer

    def pair_name(link: Link) -> str:
        return "–".join(sorted((letters[link.left], letters[link.right]), key=lambda x: (len(x), x)))

    mine = desk.mine(reviewer)
    compared = {link.ends for link in page.case.web.links}
    ids = page.case.profile_ids
    missing = [
        f"{letters[a]}–{letters[b]}"
        for n, a in enumerate(ids)
        for b in ids[n + 1 :]
        if frozenset((a, b)) not in compared
    ]
    pace = pace_of(desk, reviewer).get(page.pattern.lane)
    held = page.holder is not None and page.holder[0] != reviewer
    return {
        "screen": "cluster",
        "page": page,
        "pair_name": pair_name,
        "first_pair": pair_name(page.links[0]) if page.links else "",
        "would_change": wording.what_would_change_it,
        "waterfalls": [
            drawing.waterfall(link, letters, desk.batch.model, f"w{n}") for n, link in enumerate(page.links)
        ],
        "graph": drawing.graph(page) if len(ids) > 2 and not page.blind else "",  # noqa: PLR2004 - a pair has one link
        "uncompared": f"{', '.join(missing[:6])}{' …' if len(missing) > 6 else ''}" if missing else "",  # noqa: PLR2004 - a line's worth
        "opinion": _OPINIONS.get(page.case.plan.second_opinion if page.case.plan else "", "Not asked."),
        "earlier": overview.earlier_words(desk, page.case),
        "post_to": f"/clusters/{page.case.cluster_id}/verdict",
        "second_note": desk.needs_second(page.case.cluster_id, "merge") and not page.blind,
        "split_digits": " ".join(str(page.suggested[i]) for i in ids) if len(ids) <= 9 else "",  # noqa: PLR2004 - digits
        "undoable": f"Undo {SPOKEN[mine[0].content['verdict']]} {mine[0].cluster_id[:12]}" if mine else "",
        "why_off": _why_off(page),
        "blocked": next((f"{c.plan.reasons[0]}." for c in page.columns if not c.plan.steps), ""),
        "held_by_other": held,
        "gone": gone_words(desk, page.case.cluster_id) if page.case.gone else "",
        "unread": desk.unread,
        "pace": f"{pace:.0f} s" if pace else "",
        "saved_at": f"{mine[0].at:%H:%M}" if mine else "",
        "pause": pause_words(desk, reviewer),
        "usual": f"about {wording.spoken_seconds(pace or LANE_SECONDS[page.pattern.lane])}",
        "confirm": None,
        "both": None,
        "asking": False,
        "revealed_note": page.standing.verdict.note if page.standing.verdict and not page.blind else "",
    }


def _why_off(page: Page) -> str:
    """Why the verdict buttons are off."""
    if page.standing.state is State.MERGED:
        return "This cluster is merged."
    if page.case.gone:
        return f"{wording.listed([page.letters[i] for i in page.case.gone])} no longer exists."
    if page.holder and page.holder[0] != page.viewer.reviewer:
        return f"{page.holder[0]} holds this until {page.holder[1]}."
    verdict = page.standing.verdict
    if verdict is None:
        return ""
    what = SPOKEN[verdict.content["verdict"]]
    tail = {State.WAITING: " It waits for a second look.", State.DIFFERS: " A second reviewer differs."}.get(
        page.standing.state, ""
    )
    return f"{verdict.reviewer} said {what} at {verdict.at:%H:%M}.{tail}"
