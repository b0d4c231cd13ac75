# ruff: noqa: E501, ISC004  # SVG reads better in whole elements
"""SVG by hand: small pictures with a text alternative that carries the numbers.

Classes only, no inline style.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from resolver.app.reviewing.wording import bits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.reviewing.batch import Model
    from resolver.app.reviewing.evidence import Link
    from resolver.app.reviewing.page import Page

WIDTH: Final = 326
_LABEL: Final = 124  # px for words on the left of a waterfall
_NUMBER: Final = 42  # px for weights on the right
_ROW: Final = 20


def waterfall(link: Link, letters: Mapping[str, str], model: Model, key: str) -> Markup:
    """Bars from the prior to the total, the band that a person decides shaded. ``key`` keeps ids apart."""
    parts = link.parts
    name = "–".join(sorted((letters[link.left], letters[link.right])))
    sums, running = [], 0.0
    for _, weight in parts:
        sums.append((running, running + weight))
        running += weight
    low = min(0.0, *(min(pair) for pair in sums), model.review)
    high = max(0.0, *(max(pair) for pair in sums), model.merge)
    room = WIDTH - _LABEL - _NUMBER - 8

    def x(value: float) -> float:
        return round(_LABEL + (value - low) / (high - low) * room, 1)

    height = 30 + _ROW * len(parts) + 26
    words = ". ".join(f"{label} {bits(weight)}" for label, weight in parts)
    out = [
        f'<svg class="chart" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="{key}t {key}d"><title id="{key}t">Match weight of {escape(name)}: {bits(link.weight)}</title>',
        f'<desc id="{key}d">{escape(words)}. Total {bits(link.weight)}. A person decides from {bits(model.review)} '
        f"to {bits(model.merge)}.</desc>",
        f'<defs><pattern id="{key}h" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="5"/></pattern></defs>',
        f'<rect class="band" x="{x(model.review)}" y="24" width="{x(model.merge) - x(model.review):.1f}" '
        f'height="{height - 30}"/><text class="t10 soft mid" x="{(x(model.review) + x(model.merge)) / 2:.1f}" '
        f'y="18">a person decides</text>',
        f'<line class="thin" x1="{x(0)}" x2="{x(0)}" y1="24" y2="{height - 6}"/>',
    ]
    for n, ((label, weight), (start, end)) in enumerate(zip(parts, sums, strict=True)):
        y = 30 + n * _ROW
        left, width = x(min(start, end)), max(abs(x(end) - x(start)), 1)
        kind = "prior" if n == 0 else "minus" if weight < 0 else "plus"
        fill = f' fill="url(#{key}h)"' if kind == "minus" else ""
        out.append(f'<text class="t11" x="0" y="{y + 11}">{escape(shortened(label, 19))}</text>')
        out.append(f'<rect class="bar {kind}"{fill} x="{left}" y="{y + 1}" width="{width:.1f}" height="12"/>')
        out.append(f'<line class="thin" x1="{x(end)}" x2="{x(end)}" y1="{y + 1}" y2="{y + _ROW + 1}"/>')
        out.append(f'<text class="t11 end num {kind}" x="{WIDTH}" y="{y + 11}">{bits(weight)}</text>')
    y = 30 + len(parts) * _ROW
    total = x(link.weight)
    out.append(f'<line class="rule" x1="0" x2="{WIDTH}" y1="{y}" y2="{y}"/>')
    out.append(f'<text class="t12 bold" x="0" y="{y + 17}">Match weight</text>')
    out.append(f'<path class="dot" d="M{total} {y + 6}l6 6-6 6-6-6z"/>')
    out.append(
        f'<text class="t12 bold end num" data-total="{bits(link.weight)}" x="{WIDTH}" y="{y + 17}">{bits(link.weight)}</text></svg>'
    )
    return Markup("".join(out))  # noqa: S704 - every value in it was escaped or is a number


def graph(page: Page) -> Markup:
    """Members in their groups and the links between them; the weakest dashed, with its weight."""
    case, groups = page.case, page.groups
    names = sorted({groups.get(i, 0) for i in case.profile_ids})
    members = {g: [i for i in case.profile_ids if groups.get(i, 0) == g] for g in names}
    shares = {g: 1 + math.sqrt(len(members[g])) for g in names}
    height, gap = 190, 18
    room = WIDTH - 2 - gap * (len(names) - 1)
    at: dict[str, tuple[float, float]] = {}
    out, left = [], 1.0
    for g in names:
        width = room * shares[g] / sum(shares.values())
        middle = (left + width / 2, height / 2 + 6)
        kind = f"g{min(g, 4)}" if g else "g0"
        out.append(
            f'<rect class="area {kind}" x="{left:.1f}" y="2" width="{width:.1f}" height="{height - 4}" rx="10"/>'
            f'<text class="t11 bold" x="{left + 9:.1f}" y="18">{f"Group {g}" if g else "Open"}</text>'
        )
        radius = min(width, height) / 2 - 30
        for n, profile_id in enumerate(members[g]):
            turn = 2 * math.pi * n / len(members[g]) - math.pi / 2
            far = 0 if len(members[g]) == 1 else radius
            at[profile_id] = (middle[0] + far * math.cos(turn), middle[1] + far * math.sin(turn))
        left += width + gap
    weakest = case.web.weakest
    shown = case.web.tree if len(case.profile_ids) > 6 else case.web.links  # noqa: PLR2004 - more lines than a picture holds
    told = []
    for link in shown:
        (x1, y1), (x2, y2) = at[link.left], at[link.right]
        thick = min(max(link.weight / 6, 1), 7)
        ends = "–".join(sorted((case.letters[link.left], case.letters[link.right])))
        told.append(f"{ends} {bits(link.weight)}")
        kind = "weak" if link is weakest else "link"
        out.append(
            f'<line class="{kind}" stroke-width="{2.5 if link is weakest else thick:.1f}" x1="{x1:.1f}" y1="{y1:.1f}" '
            f'x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )
        along = 0.5 if link is weakest else 0.36
        mid = (x1 + (x2 - x1) * along, y1 + (y2 - y1) * along - 5)
        mark = f' data-weakest="{bits(link.weight)}"' if link is weakest else ""
        out.append(
            f'<text class="t11 halo mid {kind}"{mark} x="{mid[0]:.1f}" y="{mid[1]:.1f}">{bits(link.weight)}</text>'
        )
    for profile_id, (px, py) in at.items():
        main = profile_id in {column.plan.main_profile_id for column in page.columns}
        kind = "node main" if main else "node"
        g = groups.get(profile_id, 0)
        out.append(f'<circle class="{kind} g{min(g, 4)}" cx="{px:.1f}" cy="{py:.1f}" r="13"/>')
        out.append(
            f'<text class="t12 bold mid {"on" if main else ""}" x="{px:.1f}" y="{py + 4:.1f}">'
            f"{escape(case.letters[profile_id])}</text>"
        )
    title = f"{len(case.profile_ids)} members. {page.bridge_words} Links: {', '.join(told)}."
    return Markup(  # noqa: S704 - every value in it was escaped or is a number
        f'<svg class="chart" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="gt"><title id="gt">{escape(title)}</title>{"".join(out)}</svg>'
    )


def shortened(text: str, most: int) -> str:
    """A label that fits."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
