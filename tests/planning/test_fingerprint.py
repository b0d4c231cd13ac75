from __future__ import annotations

import random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from planning_cases import draw_profile, profiles_frame

from resolver.model.canonical import canonical_json
from resolver.model.profile import from_row
from resolver.planning.fingerprint import fingerprint_profile, fingerprint_rows


@given(seed=st.integers(0, 10**6), size=st.integers(1, 8))
def test_the_fingerprint_of_a_row_is_that_of_the_profile_read_alone(seed, size):
    rng = random.Random(seed)
    profiles = [draw_profile(rng, n, rng.choice([0.1, 0.5, 1.0]), 9) for n in range(size)]
    assert fingerprint_rows(profiles_frame(profiles)) == [fingerprint_profile(p) for p in profiles]


texts = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))
parts = st.fixed_dictionaries({"city": texts, "address1": texts, "postal_code": texts})
entries = st.fixed_dictionaries({"key": texts, "value": texts})


@given(
    st.lists(st.tuples(texts, texts, st.one_of(st.none(), parts), st.one_of(st.none(), st.lists(entries))))
)
def test_any_text_and_any_blank_is_hashed_as_the_api_returns_it(rows):
    names = ("first_name", "gender_string", "address", "attributes")
    schema = {
        "profile_id": pl.String,
        "first_name": pl.String,
        "gender_string": pl.String,
        "address": pl.Struct(dict.fromkeys(("city", "address1", "postal_code"), pl.String)),
        "attributes": pl.List(pl.Struct({"key": pl.String, "value": pl.String})),
    }
    records = [{"profile_id": str(n), **dict(zip(names, row, strict=True))} for n, row in enumerate(rows)]
    frame = pl.DataFrame(records, schema=schema)
    expected = []
    for row in frame.iter_rows(named=True):
        row["attributes"] = [e for e in row["attributes"] or () if e["key"] is not None]
        expected.append(fingerprint_profile(from_row(row)))
    assert fingerprint_rows(frame) == expected


def test_blanks_and_what_a_search_adds_do_not_count():
    plain = {"ProfileId": "a", "FirstName": "Ana", "Address": {"City": "Bonn"}}
    noisy = {
        "FoundByItems": [{"KeyName": "_email", "Values": ["x"]}],
        "Address": {"City": "Bonn", "State": ""},
        "BillingAddress": {},
        "LastName": "",
        "FirstName": "Ana",
        "ProfileId": "a",
    }
    assert fingerprint_profile(noisy) == fingerprint_profile(plain)


def test_any_change_counts_and_so_does_what_plans_do_not_know():
    plain = {"ProfileId": "a", "FirstName": "Ana"}
    others = [
        {"ProfileId": "a", "FirstName": "ana"},
        {"ProfileId": "a", "LastName": "Ana"},
        {"ProfileId": "a", "FirstName": "Ana", "Attributes": {"x": "1"}},
        {"ProfileId": "a", "FirstName": "Ana", "EngagementPreferences": {"Phone": [{"KeyName": "k"}]}},
    ]
    assert len({fingerprint_profile(p) for p in [plain, *others]}) == 5


def test_canonical_json_knows_no_order():
    assert canonical_json({"b": "ü", "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":"ü"}'
