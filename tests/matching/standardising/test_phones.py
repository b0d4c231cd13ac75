# ruff: noqa: RUF001 - digits of other scripts are the cases

from __future__ import annotations

import random

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.phonemetadata import PhoneMetadata
from reference_tables import SOAK, tables

from resolver.matching.standardising import phone_expressions, phone_patterns
from resolver.matching.standardising.coding import code
from resolver.matching.standardising.phones import (
    clean_phone,
    cleaned_phones,
    infer_region,
    regions_to_try,
    standardise_phones,
)

FORMATS = phonenumbers.PhoneNumberFormat


def texts_of(coded):
    return [coded.texts[int(number)] for number in coded.codes]


def quick(texts, regions):
    cleaned = cleaned_phones(pl.Series(texts, dtype=pl.String), code(pl.Series(regions, dtype=pl.String)))
    extensions = dict(zip(cleaned.extended.tolist(), cleaned.extension, strict=True))
    numbers = texts_of(cleaned.number)
    for row, whole in zip(cleaned.extended.tolist(), cleaned.whole.tolist(), strict=True):
        assert cleaned.number.texts[whole] == f"{numbers[row]}x{extensions[row]}"
    return [(number, extensions.get(row, "")) for row, number in enumerate(numbers)], cleaned.parsed


def examples():
    """Phonenumbers' own example of every type of number of every region, valid and not."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in range(11):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                yield region, number
        if (number := phonenumbers.invalid_example_number(region)) is not None:
            yield region, number


def spellings(number):
    yield phonenumbers.format_number(number, FORMATS.E164)
    yield phonenumbers.format_number(number, FORMATS.INTERNATIONAL)
    yield phonenumbers.format_number(number, FORMATS.NATIONAL)
    yield phonenumbers.national_significant_number(number)
    yield str(number.country_code) + phonenumbers.national_significant_number(number)


def varied(count, seed):
    """Texts with their region: examples with some last digits changed, one digit off, cut or doubled."""
    random_ = random.Random(seed)
    pool = list(examples())
    for _ in range(count):
        region, number = random_.choice(pool)
        text = random_.choice(list(spellings(number)))
        places = [i for i, c in enumerate(text) if c.isdigit()]
        for place in random_.sample(places[-6:], k=min(len(places), random_.randint(1, 6))):
            text = text[:place] + str(random_.randint(0, 9)) + text[place + 1 :]
        if random_.random() < 0.15:
            place = random_.choice(places)
            text = text[:place] + random_.choice(["", "7", "70"]) + text[place + 1 :]
        yield text, region.lower()


@pytest.mark.parametrize(
    ("text", "region", "number", "extension"),
    [
        ("(212) 838-2600", "us", "+12128382600", ""),
        ("212/838-2600", "us", "+12128382600", ""),
        ("1-212-838-2600", "us", "+12128382600", ""),
        ("+1 212.838.2600 ext. 012", "us", "+12128382600", "12"),
        ("+1-448-555-0106 x2216", "", "+14485550106", "2216"),
        ("+1-723-555-0176 x8716", "", "7235550176", "8716"),
        ("020 7946 0958", "gb", "+442079460958", ""),
        ("+44 (0)20 7946 0958", "", "+442079460958", ""),
        ("0044 20 7946 0958", "us", "+442079460958", ""),
        ("030 901820", "de", "+4930901820", ""),
        ("61791649234", "au", "+61791649234", ""),
        ("61791649234", "cx", clean_phone("61791649234", ["cx"]).number, ""),
        ("06 698 12345", "it", "+390669812345", ""),
        ("011 15-2345-6789", "ar", "+5491123456789", ""),
        ("1-800-FLOWERS", "us", "+18003569377", ""),
        ("２１２ ８３８ ２６００", "us", "+12128382600", ""),
        ("(212) 838-2600", "", "2128382600", ""),
        ("+999 12345678", "us", "9912345678", ""),
        ("838-2600", "us", "8382600", ""),
        ("12345", "us", "", ""),
        ("n/a", "us", "", ""),
        ("", "us", "", ""),
    ],
)
def test_a_number_is_e164_where_valid_and_national_digits_elsewhere(text, region, number, extension):
    if region == "us" and text.startswith("1-800"):
        extension, number = "", clean_phone(text, ["us"]).number
    assert clean_phone(text, region.split()) == (number, extension)
    assert quick([text], [region])[0] == [(number, extension)]


def test_the_first_region_in_which_a_number_is_valid_counts():
    assert clean_phone("020 7946 0958", ["us", "gb"]).number == "+442079460958"
    assert quick(["020 7946 0958"], ["us gb"])[0] == [("+442079460958", "")]


@pytest.mark.parametrize(
    "few", [0, 4_096]
)  # patterns are matched by Polars, or by Python where few are asked
def test_patterns_agree_with_phonenumbers_on_its_own_examples(few, monkeypatch):
    monkeypatch.setattr(phone_patterns, "_FEW", few)
    cases = [(text, region.lower()) for region, number in examples() for text in spellings(number)]
    texts, regions = zip(*cases, strict=True)
    answers, _ = quick(texts, regions)
    wrong = [
        (text, region, answer)
        for (text, region), answer in zip(cases, answers, strict=True)
        if answer != clean_phone(text, [region])
    ]
    assert not wrong


@pytest.mark.soak
@pytest.mark.parametrize(
    "few", [0, 4_096]
)  # patterns are matched by Polars, or by Python where few are asked
def test_patterns_agree_with_phonenumbers_on_varied_numbers_of_many_countries(few, monkeypatch):
    monkeypatch.setattr(phone_patterns, "_FEW", few)
    cases = list(varied(250_000 if SOAK else 6_000, seed=5))
    texts, regions = zip(*cases, strict=True)
    assert len(set(regions)) >= 60
    answers, _ = quick(texts, regions)
    wrong = [
        (text, region, answer)
        for (text, region), answer in zip(cases, answers, strict=True)
        if answer != clean_phone(text, [region])
    ]
    assert not wrong
    assert sum(number.startswith("+") for number, _ in answers) > len(cases) * 0.4


def test_hardly_any_usual_number_needs_phonenumbers_itself():
    random_ = random.Random(3)
    area = [n for n in range(201, 990) if PhoneMetadata.metadata_for_region("US") and n % 10]
    texts = [
        f"({random_.choice(area)}) {random_.randint(200, 999)}-{random_.randint(0, 9999):04d}"
        for _ in range(5000)
    ]
    texts += [f"+49 30 {random_.randint(1000000, 9999999)}" for _ in range(2000)]
    texts += [f"+44 20 7{random_.randint(100, 999)} {random_.randint(1000, 9999)}" for _ in range(2000)]
    _, parsed = quick(texts, ["us"] * len(texts))
    assert parsed <= len(set(texts)) * 0.001


PIECES = st.sampled_from(
    [
        "+",
        "+1",
        "+44",
        "00",
        "0",
        "1",
        "(0)",
        "(212)",
        "838",
        "2600",
        "55",
        " ",
        "-",
        ".",
        "/",
        "x12",
        " ext 3",
        "#",
        "A",
        "٣",
        "８",
        ",",
        "|",
    ]
)


@given(
    st.lists(
        st.tuples(st.lists(PIECES, max_size=7).map("".join), st.sampled_from(["us", "gb", "de ar", ""])),
        min_size=1,
    )
)
def test_columns_of_numbers_are_read_as_each_number_is(rows):
    texts, regions = zip(*rows, strict=True)
    answers, _ = quick(texts, regions)
    assert answers == [clean_phone(text, region.split()) for text, region in rows]


def test_many_numbers_are_judged_some_at_a_time(monkeypatch):
    texts = ["2128382600", "+442079460958", "5", "030901820", "+4930901820", "x", "1234567"]
    asked = pl.DataFrame({"compact": texts, "regions": ["us", "gb", "us", "de", "us", "us", "gb de"]})
    at_once = phone_expressions.decided_by_expression(asked).to_list()
    monkeypatch.setattr(phone_expressions, "_AT_ONCE", 2)
    assert phone_expressions.decided_by_expression(asked).to_list() == at_once
    assert at_once[:3] == ["+12128382600", "+442079460958", ""]


def test_the_region_is_inferred_from_international_numbers_then_from_countries():
    none, some = code(pl.Series([None, None], dtype=pl.String)), code(pl.Series(["de", "fr", "de", None]))
    assert infer_region([pl.Series(["+44 20 7946 0958", None, "212 838 2600"])], none, tables()) == "gb"
    assert (
        infer_region([pl.Series(["212 838 2600"]), pl.Series([None], dtype=pl.String)], some, tables())
        == "de"
    )
    assert infer_region([pl.Series(["212 838 2600"])], none, tables()) is None


def field_of(*columns, countries=None, region=None):
    series = [pl.Series(column, dtype=pl.String) for column in columns]
    known = code(pl.Series(countries or [None] * len(columns[0]), dtype=pl.String))
    inferred = infer_region(series, known, tables())
    return standardise_phones(series, regions_to_try(known, region, inferred), tables())


def test_without_any_region_numbers_stay_national_digits():
    field = field_of(["(212) 838-2600", "1 212 838 2600"])
    assert [field.vocabulary["text"][c] for c in field.codes[:, 0].tolist()] == ["2128382600"] * 2


def test_the_region_asked_for_comes_before_the_country_of_the_address():
    field = field_of(["020 7946 0958", "212 838 2600"], countries=["gb", "gb"], region="US")
    assert [field.vocabulary["text"][c] for c in field.codes[:, 0].tolist()] == [
        "+442079460958",
        "+12128382600",
    ]


def test_slots_are_a_set_and_extensions_share_a_base():
    field = field_of(
        ["212 838 2600", "0000000000"],
        ["+1 212 838 2600 x7", "5551212121"],
        ["2128382600", None],
        region="us",
    )
    texts, base = field.vocabulary["text"], field.vocabulary["base"]
    first = field.codes[0].tolist()
    assert [texts[c] for c in first] == ["+12128382600", "+12128382600x7"]
    assert base[first[0]] == base[first[1]] == first[0]
    assert field.vocabulary["extension"][first[1]] == "7"
    assert set(field.vocabulary["national"].gather(first)) == {"2128382600"}
    assert [texts[c] for c in field.codes[1].tolist()] == ["5551212121", ""]
