"""One pair's way from prior to match weight, as a table of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from resolver.matching.explanation import PairExplained

#: Widths of the table's columns in characters: comparison, level, weight.
_COLUMNS: Final = (24, 24, 8)
_VALUE: Final = 30


def render_pair(profile_ids: Sequence[str], pair: PairExplained) -> str:
    """The sentence, then the table prior → each comparison → relations → total; weights in bits."""
    return "\n".join(_lines(profile_ids, pair))


def _lines(profile_ids: Sequence[str], pair: PairExplained) -> Iterator[str]:
    left, right = profile_ids
    yield f"{left} and {right}: {pair.sentence}"
    yield ""
    yield _row("", "level", "bits", "values")
    among = f"pairs of profiles {pair.stratum}" if pair.stratum else "all pairs of this file"
    yield _row("prior", "", f"{pair.prior:+.1f}", f"how rare matches are among {among}")
    for line in pair.evidence:
        if line.level != "unknown":
            values = f"{_text(line.left)} | {_text(line.right)}"
            rarity = f"  (rarity {line.frequency_adjustment:+.1f})" if line.frequency_adjustment else ""
            yield _row(line.comparison, line.level, f"{line.weight:+.1f}", values + rarity)
    unknown = [line.comparison for line in pair.evidence if line.level == "unknown"]
    if pair.relation_discount:
        names = ", ".join(f"{name} {share:.0%}" for name, share in pair.relations) or "several"
        yield _row(
            "relations", "", f"{-pair.relation_discount:+.1f}", f"different customers may share this: {names}"
        )
    verdict = "together" if pair.together else "apart"
    yield _row(
        "total", "", f"{pair.total:+.1f}", f"probability {pair.probability:.4f}, band {pair.band}, {verdict}"
    )
    yield ""
    yield f"without the strongest evidence: {pair.without_strongest:+.1f} bits"
    yield f"found by: {pair.found_by or 'no blocking key in common: not a candidate'}"
    if unknown:
        yield f"not compared, a side has none: {', '.join(unknown)}"


def _row(name: str, level: str, bits: str, values: str) -> str:
    first, second, third = _COLUMNS
    return f"{name:<{first}}{level:<{second}}{bits:>{third}}  {values}".rstrip()


def _text(values: Sequence[str]) -> str:
    text = "; ".join(values)
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"
