from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import tables

from resolver.matching.standardising.emails import clean_email, cleaned_emails, standardise_emails


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("John.Smith@Example.COM", "john.smith@example.com"),
        ("john+promo@example.com", "john@example.com"),
        ("john+a+b@example.com", "john@example.com"),
        ("John Smith <john@example.com>", "john@example.com"),
        ("mailto:john@example.com;", "john@example.com"),
        ("a@b@example.com", "ab@example.com"),
        ("josé@exämple.com", "josé@exämple.com"),
        ("haoleyk@hrustonnet", "haoleyk@hrustonnet"),
        ("+x@example.com", "+x@example.com"),
        ("john smith@example.com", ""),
        ("22 91 93", ""),
        ("@example.com", ""),
        ("john@", ""),
        ("", ""),
    ],
)
def test_an_address_is_lower_case_without_its_tag(text, address):
    assert clean_email(text) == address
    assert cleaned_emails(pl.Series([text])).to_list() == [address]


@given(st.lists(st.one_of(st.text(alphabet="aB1.+@-_%<> ;é", max_size=12), st.emails()), min_size=1))
def test_columns_of_addresses_are_read_as_each_address_is(texts):
    assert cleaned_emails(pl.Series(texts)).to_list() == [clean_email(text) for text in texts]


def test_three_columns_are_one_set_with_shared_mailboxes_marked():
    columns = [
        pl.Series(["info@acme.com", None, "test@test.com"]),
        pl.Series(["INFO@acme.com", "ana@gmail.com", "noemail@anything.org"]),
        pl.Series([None, "ana@acme.com", "x@none.com"]),
    ]
    field = standardise_emails(columns, tables())
    texts = field.vocabulary["text"]
    assert [[texts[c] for c in row] for row in field.codes.tolist()] == [
        ["info@acme.com", ""],
        ["ana@gmail.com", "ana@acme.com"],
        ["", ""],
    ]
    facts = {row[0]: row[1:] for row in field.vocabulary.iter_rows()}
    assert facts["info@acme.com"] == ("info", "acme.com", True, False)
    assert facts["ana@gmail.com"] == ("ana", "gmail.com", False, True)
