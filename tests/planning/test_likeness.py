from __future__ import annotations

import pytest

from resolver.planning.likeness import likeness


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("FirstName", "Ana  Maria", "ANA-MARIA"),
        ("LastName", "Straße", "STRASSE"),
        ("PhoneNumber", "+1 (206) 345-7890", "1.206.345.7890"),
        ("EmailAddress", " A@x.io", "a@X.io"),
        ("BirthDate", "1980-01-02", "2/1/1980"),
        ("BirthDate", "1980-01-02", "01/02/1980"),
        ("BirthDate", "1980-01-02", "19800102"),
        ("BirthDate", "1980-01-02", "02011980"),
        ("BirthDate", "1980-01-02", "1980-01-02T00:00:00Z"),
        ("Address", {"City": "Bonn", "Country": "de"}, {"Country": "DE", "City": "BONN"}),
        ("Attributes.tier", "Gold", "gold "),
    ],
)
def test_values_that_differ_in_form_only_are_alike(field, one, other):
    assert likeness(field, one) == likeness(field, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("FirstName", "Ana", "Anna"),
        ("PhoneNumber", "2063457890", "2063457891"),
        ("PhoneNumber", "anonymous", "unknown"),
        ("EmailAddress", "a@x.io", "a@x.com"),
        ("BirthDate", "1980-01-02", "1980-01-03"),
        ("BirthDate", "unknown", "1980-01-03"),
        ("BirthDate", "2 Jan 1980", "2 Feb 1980"),
        ("BirthDate", "1980", "1981"),
        ("Address", {"City": "Bonn"}, {"City": "Bonn", "Country": "DE"}),
        ("Address", {"City": "Bonn"}, {"County": "Bonn"}),
        ("LastName", "-", "."),
    ],
)
def test_values_that_say_different_things_are_not(field, one, other):
    assert likeness(field, one) != likeness(field, other)
