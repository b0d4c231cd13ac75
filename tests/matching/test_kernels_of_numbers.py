"""Numbering plans walked by kernels decide as Python's regular expressions do."""

from __future__ import annotations

import random
import re

import phonenumbers
import polars as pl
import pytest

from resolver.compiled import library, numbering
from resolver.matching.standardising.phone_patterns import plans_of

pytestmark = pytest.mark.skipif(not library.there(), reason="the kernels were not built: no C compiler")


def digits_near(code, region, draw):
    """Texts of digits of any length, and some around the region's own example."""
    yield from ("".join(draw.choices("0123456789", k=draw.randint(0, 15))) for _ in range(25))
    example = phonenumbers.example_number(region) if region != "001" else None
    own = str(example.national_number) if example else str(code)
    yield from (own, "0" + own, own[:-1], own + "1", f"{code}{own}", f"00{own}")
    yield from (own[:3] + "".join(draw.choices("0123456789", k=max(len(own) - 3, 0))) for _ in range(9))


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_every_pattern_of_every_plan_is_walked_as_it_is_searched_for(code):
    draw = random.Random(code)
    texts = [
        text
        for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        for text in digits_near(code, region, draw)
    ]
    for plan in plans_of(str(code)):
        for pattern in (plan.general, plan.types, plan.leading, plan.prefix, plan.international):
            if pattern is None:
                continue
            whole = pattern.endswith("$")
            walked = numbering.matching(
                pl.Series(texts), pattern[1:-1] if whole else pattern[1:], whole=whole
            )
            assert walked is not None, pattern
            assert walked.tolist() == [re.search(pattern, text) is not None for text in texts], pattern


@pytest.mark.parametrize(
    "pattern",
    ["", "1|", "|1", "1|2|34?", "(?:1|2)3", "[2-46]{2}", "1{2,3}", "2{0,2}", "(?:12?){0,2}3", "1*2", "1+",
     "3{2,}", "(1)$|1", "1(?:$|2)", "[\\d]3", "(?:(?:1|12)(?:3|23))?4"],
)  # fmt: skip
@pytest.mark.parametrize("whole", [True, False])
def test_what_patterns_are_made_of(pattern, whole):
    texts = [f"{number:b}".replace("0", digit) for number in range(1, 32) for digit in "234"]
    texts += ["", "1", "12", "123", "1234", "1223", "x", "1x", "12é", "11123", "33333", "112"]
    expected = [re.search(f"^(?:{pattern})" + ("$" if whole else ""), text) is not None for text in texts]
    assert numbering.matching(pl.Series(texts), pattern, whole=whole).tolist() == expected


@pytest.mark.parametrize(
    "pattern",
    ["a", "1*?", "(1)*", "(?:1){2,}", "[^1]", "[1", "1{2", "1{3,2}", "1{0}", "(1", "1)", "(?=1)", "\\D", ".",
     "1{2}{3}", "[3-a]", "(?:" * 40 + "1" + ")" * 40, "(?:1{99}){999}"],
)  # fmt: skip
def test_other_patterns_are_not_known(pattern):
    assert numbering.matching(pl.Series(["1"]), pattern, whole=True) is None


def test_too_many_ways_at_once_are_not_walked():
    assert numbering.matching(pl.Series(["1" * 400]), "1?" * 400, whole=True) is None
