from __future__ import annotations

import phonenumbers
import pytest

from resolver.planning.validity import valid_email, valid_phone

KINDS = [
    getattr(phonenumbers.PhoneNumberType, n) for n in ("FIXED_LINE", "MOBILE", "TOLL_FREE", "VOIP", "PAGER")
]


def examples():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in KINDS:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None and len(phonenumbers.national_significant_number(number)) >= 7:
                yield region, number


def test_the_librarys_own_example_numbers_are_valid_in_every_way_to_write_them():
    wrong = []
    for region, number in examples():
        for form in ("E164", "INTERNATIONAL", "NATIONAL"):
            text = phonenumbers.format_number(number, getattr(phonenumbers.PhoneNumberFormat, form))
            if not valid_phone(text, region):
                wrong.append((region, text))
    assert len(wrong) <= 0.01 * sum(1 for _ in examples()), wrong


def test_numbers_one_digit_off_are_judged_as_the_library_does():
    asked = agreed = 0
    for _, number in examples():
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for other in (text[:-1], text + "0", text[:4] + text[5:] + "1"):
            asked += 1
            try:
                library = phonenumbers.is_valid_number(phonenumbers.parse(other))
            except phonenumbers.NumberParseException:
                library = False
            agreed += valid_phone(other, None) == library
    assert agreed >= 0.99 * asked


@pytest.mark.parametrize(
    ("text", "region", "valid"),
    [
        ("206-345-7890", "US", True),
        ("1 206 345 7890", "US", True),
        ("206-345-7890 x12", "US", True),
        ("106-345-7890", "US", False),
        ("106-345-7890", None, True),
        ("000-000-0000", None, False),
        ("12345", None, False),
        ("anonymous", "US", False),
        ("+999 1234567", None, False),
        ("+0 12345678", None, False),
        ("0049 30 901820", None, True),
        ("+800 1234 5678", None, True),
        ("030 901820", "DE", True),
        ("030 901820", "XX", True),
    ],
)
def test_a_number_is_valid_by_its_country_or_by_its_digits(text, region, valid):
    assert valid_phone(text, region) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("ana@x.io", True),
        (" Ana.Ruiz+b@Mail.X.io ", True),
        ("ana", False),
        ("ana@x", False),
        ("ana@-x.io", False),
        ("a b@x.io", False),
        ("ana@x.io, b@x.io", False),
        ("ana@example.com", False),
        ("ana@mail.test", False),
    ],
)
def test_an_address_is_valid_by_its_form(text, valid):
    assert valid_email(text) is valid
