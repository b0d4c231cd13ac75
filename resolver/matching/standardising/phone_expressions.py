"""Plain numbers judged by the patterns of numbering plans, a column at a time: where no kernel does it."""

from __future__ import annotations

from typing import Final

import polars as pl

from resolver.matching.standardising.coding import placed
from resolver.matching.standardising.phone_patterns import CALLING_CODE, decide, plan, plans_of

#: Accuracy was measured with the last ten; longer national numbers are rare.
NATIONAL_DIGITS: Final = 10
#: Distinct texts judged at a time: half a dozen columns are made of them on the way.
_AT_ONCE: Final = 524_288


def decided_by_expression(asked: pl.DataFrame) -> pl.Series:
    """The number of each ``compact`` text that the patterns decide, null for others.

    ``regions`` are those to try, as one text separated by spaces.
    """
    begins = range(0, max(asked.height, 1), _AT_ONCE)
    return pl.concat([_decided(asked.slice(begin, _AT_ONCE)) for begin in begins], rechunk=True)


def _decided(asked: pl.DataFrame) -> pl.Series:
    asked = asked.with_row_index("row")
    usual = asked.filter(pl.col("compact").str.contains(r"^\+?[0-9]{7,15}$"))
    answers = _usual(usual)
    found = pl.concat([pl.DataFrame(schema={"row": pl.UInt32, "number": pl.String}), *answers])
    numbers = placed(
        pl.repeat(None, asked.height, dtype=pl.String, eager=True), found["row"], found["number"]
    )
    short = asked.filter(pl.col("compact").str.contains(r"^\+?[0-9]{0,6}$"))
    return placed(numbers, short["row"], "")


def _usual(usual: pl.DataFrame) -> list[pl.DataFrame]:
    """``row`` and ``number`` of the plain numbers that the patterns decide."""
    plus = pl.col("compact").str.starts_with("+")
    answers: list[pl.DataFrame] = []
    abroad = usual.filter(plus).with_columns(pl.col("compact").str.extract(CALLING_CODE).alias("code"))
    for group in abroad.partition_by("code", maintain_order=False) if abroad.height else []:
        calling = group["code"][0]
        if calling is None:
            answers.append(group.select("row", _last_digits(pl.col("compact")).alias("number")))
            continue
        national = group["compact"].str.slice(1 + len(calling))
        judged = group.hstack(decide(national, plans_of(calling)[0], international=True))
        answers.append(_numbers(judged.filter(pl.col("verdict").is_not_null()), calling))
    return answers + _dialled(usual.filter(~plus))


def _dialled(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Numbers without ``+``: the first of its regions in which each is valid; undecided ones are left out.

    All that try a region next are judged together: a plan's patterns cost more than the numbers.
    """
    answers = []
    tried = {text: text.split() for text in rows["regions"].unique()}
    for turn in range(max(map(len, tried.values()), default=0)):
        nexts = {text: own[turn] if turn < len(own) else None for text, own in tried.items()}
        rows = rows.with_columns(region=pl.col("regions").replace_strict(nexts, return_dtype=pl.String))
        left = []
        for group in rows.partition_by("region", maintain_order=False):
            region = group["region"][0]
            one = plan(region.upper()) if region else None
            if one is not None:
                verdict = decide(group["compact"], one, international=False)
                judged = group.select("row", "compact").hstack(verdict)
                answers.append(_numbers(judged.filter("verdict"), one.calling_code))
                group = group.filter(~judged["verdict"].fill_null(value=True))  # noqa: PLW2901 - what is left of it
            left.append(group)
        rows = pl.concat(left) if left else rows
    answers.append(rows.select("row", _last_digits(pl.col("compact")).alias("number")))
    return answers


def _numbers(judged: pl.DataFrame, code: str) -> pl.DataFrame:
    e164 = pl.concat_str(pl.lit(f"+{code}"), pl.col("national"))
    return judged.select(
        "row", pl.when("verdict").then(e164).otherwise(_last_digits(pl.col("compact"))).alias("number")
    )


def _last_digits(compact: pl.Expr) -> pl.Expr:
    return compact.str.strip_prefix("+").str.tail(NATIONAL_DIGITS)
