# ruff: noqa: E501  # SVG reads better in whole elements
"""Charts of the queue, the batch and the report; each with a text alternative that carries the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from resolver.app.reviewing.wording import bits
from resolver.web.drawing import WIDTH, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.reviewing.batch import Model

#: Weights that the small histograms span, in bits.
HISTOGRAM: Final = (0.0, 40.0)


def histogram(weights: Sequence[float], model: Model) -> Markup:
    """Weakest links on 0–40 as small bars, the band that a person decides shaded."""
    low, high = HISTOGRAM
    bins = [0] * 16
    for weight in weights:
        place = (min(max(weight, low), high - 1e-9) - low) / (high - low)
        bins[int(place * len(bins))] += 1
    most = max(bins, default=1) or 1
    start = (min(max(model.review, low), high) - low) / (high - low) * 108 + 2
    end = (min(max(model.merge, low), high) - low) / (high - low) * 108 + 2
    bars = "".join(
        f'<rect class="ink" x="{2 + n * 6.75:.1f}" y="{19 - 15 * count / most:.1f}" width="5.2" height="{15 * count / most:.1f}"/>'
        for n, count in enumerate(bins)
        if count
    )
    said = (
        f"{len(weights)} weakest links, from {bits(min(weights))} to {bits(max(weights))}"
        if weights
        else "No links"
    )
    return Markup(  # noqa: S704 - numbers only
        f'<svg width="112" height="22" viewBox="0 0 112 22" role="img" aria-label="{said}">'
        f'<rect class="band" x="{start:.1f}" y="0" width="{end - start:.1f}" height="19"/>'
        f'<line class="thin" x1="1" x2="111" y1="19.5" y2="19.5"/>{bars}</svg>'
    )


def progress(done: int, total: int, width: int = 64) -> Markup:
    """A thin bar; the numbers stand beside it."""
    filled = width * done / total if total else 0
    return Markup(  # noqa: S704 - numbers only
        f'<svg width="{width}" height="6" viewBox="0 0 {width} 6" aria-hidden="true">'
        f'<rect class="track" width="{width}" height="6" rx="3"/>'
        f'<rect class="ink" width="{filled:.1f}" height="6" rx="3"/></svg>'
    )


def curve(points: Sequence[tuple[int, float]], at: tuple[int, float], gate: float) -> Markup:
    """The bound over the number of looks, with the gate and where the batch stands now."""
    width, height, left, top, bottom = WIDTH, 132, 34, 10, 22
    most_looks = max((n for n, _ in points), default=1)
    most = 0.06

    def place(looks: float, bound: float) -> tuple[float, float]:
        x = left + (width - left - 8) * looks / most_looks
        y = top + (height - top - bottom) * (1 - min(bound, most) / most)
        return round(x, 1), round(y, 1)

    line = " ".join(f"{x},{y}" for x, y in (place(n, b) for n, b in points if b <= most))
    gate_y = place(0, gate)[1]
    dot = place(min(at[0], most_looks), at[1])
    ticks = "".join(
        f'<line class="thin" x1="{left}" x2="{width - 8}" y1="{place(0, b)[1]}" y2="{place(0, b)[1]}"/>'
        f'<text class="t11 soft end" x="{left - 6}" y="{place(0, b)[1] + 4}">{b * 100:.0f} %</text>'
        for b in (0.0, 0.02, 0.04, 0.06)
    )
    marks = "".join(
        f'<text class="t11 soft mid" x="{place(n, 0)[0]}" y="{height - 6}">{n}</text>'
        for n in range(50, most_looks + 1, 50)
    )
    mark = f'<circle class="dot" cx="{dot[0]}" cy="{dot[1]}" r="4.5"/>' if at[1] <= most else ""
    said = f"The bound at {at[0]} looks is {at[1] * 100:.2f} percent; the gate is {gate * 100:.1f} percent."
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="chart" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{said}">'
        f'{ticks}<line class="gate" x1="{left}" x2="{width - 8}" y1="{gate_y}" y2="{gate_y}"/>'
        f'<text class="t11 warn halo" x="{left + 4}" y="{gate_y + 12}">gate {gate * 100:.1f} %</text>'
        f'<polyline class="line" points="{line}"/>{mark}{marks}</svg>'
    )


def bars(counts: Sequence[tuple[str, int]], unit: str, kinds: Mapping[str, str] | None = None) -> Markup:
    """Horizontal bars with their numbers. ``kinds`` names a class for a label's bar: soft, accent, warn."""
    most = max((count for _, count in counts), default=1) or 1
    height = 24 * len(counts) + 4
    said = ". ".join(f"{escape(label)}: {count} {unit}" for label, count in counts)
    rows = "".join(
        f'<text class="t12" x="0" y="{n * 24 + 16}">{escape(shortened(label, 30))}</text>'
        f'<rect class="ink {(kinds or {}).get(label, "")}" x="196" y="{n * 24 + 5}" '
        f'width="{max(184 * count / most, 1 if count else 0):.1f}" height="14"/>'
        f'<text class="t12 bold num" x="{204 + 184 * count / most:.1f}" y="{n * 24 + 16}">{count:,}</text>'
        for n, (label, count) in enumerate(counts)
    )
    return Markup(  # noqa: S704 - labels are escaped, the rest are numbers
        f'<svg class="chart" width="440" height="{height}" viewBox="0 0 440 {height}" role="img" aria-label="{said}.">{rows}</svg>'
    )


def columns(weights: Sequence[float], model: Model) -> Markup:
    """How many clusters hang on a link of each weight; the band that a person decides is shaded."""
    step, low, high = 2, -4, 44
    bins = [0] * ((high - low) // step)
    for weight in weights:
        bins[int((min(max(weight, low), high - 1e-9) - low) // step)] += 1
    most = max(bins) or 1
    width, height, left, bottom, top = 520, 176, 34, 34, 24
    room, tall = width - left - 6, height - bottom - top

    def x(weight: float) -> float:
        return round(left + room * (min(max(weight, low), high) - low) / (high - low), 1)

    body = "".join(
        f'<rect class="ink {"accent" if model.review <= low + (n + 0.5) * step < model.merge else "grey"}" '
        f'x="{x(low + n * step) + 1}" y="{top + tall * (1 - count / most):.1f}" width="{room / len(bins) - 2:.1f}" '
        f'height="{tall * count / most:.1f}"/>'
        for n, count in enumerate(bins)
        if count
    )
    ticks = "".join(
        f'<text class="t11 soft mid" x="{x(weight)}" y="{height - 18}">{str(weight).replace("-", "−")}</text>'
        for weight in range(low, high + 1, 8)
    )
    said = ". ".join(
        f"{low + n * step} to {low + (n + 1) * step} bits: {count} clusters"
        for n, count in enumerate(bins)
        if count
    )
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="chart" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{said}.">'
        f'<rect class="band" x="{x(model.review)}" y="{top - 8}" width="{x(model.merge) - x(model.review):.1f}" height="{tall + 8}"/>'
        f'<text class="t11 soft" x="{x(model.review)}" y="12">a person decides</text>'
        f'<text class="t11 soft end" x="{left - 6}" y="{top + 4}">{most:,}</text>'
        f'<text class="t11 soft end" x="{left - 6}" y="{height - bottom + 2}">0</text>'
        f'{body}<line class="thin" x1="{left}" x2="{width - 6}" y1="{height - bottom}" y2="{height - bottom}"/>{ticks}'
        f'<text class="t11 soft mid" x="{left + room / 2}" y="{height - 3}">match weight of the weakest link</text></svg>'
    )


def weekly(points: Sequence[tuple[str, int]], predicted: int) -> Markup:
    """A count by week, from zero up, and dashed what it is predicted to be next."""
    width, height, left, bottom, top, right = 440, 150, 44, 22, 12, 96
    floor, most = height - bottom, max([count for _, count in points] + [predicted, 1])
    step = (width - left - right) / max(len(points) - 1, 1)

    def place(n: float, count: float) -> str:
        return f"{left + n * step:.1f},{top + (floor - top) * (1 - count / most):.1f}"

    line = " ".join(place(n, count) for n, (_, count) in enumerate(points))
    last, (label, count) = len(points) - 1, points[-1]
    x, y = place(last, count).split(",")
    end = top + (floor - top) * (1 - predicted / most)
    ahead = f"{width - right + 36:.1f},{end:.1f}"
    dots = "".join(
        f'<circle class="dot" cx="{at.split(",")[0]}" cy="{at.split(",")[1]}" r="2.5"/>'
        for at in line.split()
    )
    said = ". ".join(f"week of {week}: {n:,}" for week, n in points)
    return Markup(  # noqa: S704 - numbers and dates only
        f'<svg class="chart" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Callers that find several profiles, {said}. Predicted after what is approved: {predicted:,}.">'
        f'<text class="t11 soft end" x="{left - 6}" y="{top + 5}">{most:,}</text>'
        f'<text class="t11 soft end" x="{left - 6}" y="{floor + 3}">0</text>'
        f'<line class="thin" x1="{left}" x2="{width - 8}" y1="{floor}" y2="{floor}"/>'
        f'<polyline class="line" points="{line}"/>{dots}<polyline class="ahead" points="{x},{y} {ahead}"/>'
        f'<text class="t11 soft" x="{left}" y="{height - 5}">{points[0][0]}</text>'
        + (f'<text class="t11 soft mid" x="{x}" y="{height - 5}">{label}</text>' if last else "")
        + f'<text class="t11 bold" x="{width - right + 42}" y="{end + 4:.1f}">{predicted:,} next</text></svg>'
    )


def burn_down(points: Sequence[tuple[float, int]], seconds_left: float, clock: Sequence[str]) -> Markup:
    """Clusters left over time, and when they run out at this pace.

    ``points`` = (seconds since the first verdict, clusters left); ``clock`` = when it began, now and the end.
    """
    width, height, left, bottom, top, right = 262, 96, 30, 20, 8, 6
    now, least = points[-1]
    span = max(now + seconds_left, 1.0)
    most = max(count for _, count in points) or 1

    def place(seconds: float, count: float) -> str:
        x = left + (width - left - right) * seconds / span
        return f"{x:.1f},{top + (height - top - bottom) * (1 - count / most):.1f}"

    line = " ".join(place(*point) for point in points)
    here, end = place(now, least), place(span, 0)
    floor = height - bottom
    said = f"{most:,} clusters at {clock[0]}, {least:,} left at {clock[1]}. At this pace the last one at {clock[2]}."
    return Markup(  # noqa: S704 - numbers and times only
        f'<svg class="chart" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{said}">'
        f'<text class="t11 soft end" x="{left - 6}" y="{top + 5}">{most:,}</text>'
        f'<text class="t11 soft end" x="{left - 6}" y="{floor + 3}">0</text>'
        f'<line class="thin faint" x1="{left}" x2="{width - right}" y1="{top}" y2="{top}"/>'
        f'<line class="thin" x1="{left}" x2="{width - right}" y1="{floor}" y2="{floor}"/>'
        f'<polyline class="line" points="{line}"/><polyline class="ahead" points="{here} {end}"/>'
        f'<circle class="dot" cx="{here.split(",")[0]}" cy="{here.split(",")[1]}" r="3.5"/>'
        f'<text class="t11 soft" x="{left}" y="{height - 5}">{clock[0]}</text>'
        f'<text class="t11 bold end" x="{width - right}" y="{height - 5}">{clock[2]}</text></svg>'
    )
