from __future__ import annotations

import numpy as np
import pytest

from resolver.matching.key_parts import parts_of

ROWS = [
    {
        "first_name": first,
        "last_name": last,
        "business_name": company,
        "phone_number": phone,
        "email_address": f"{first}.{last}{k}12345@example.com".lower(),
        "birth_date": f"19{k + 50}-0{k % 9 + 1}-1{k % 9}",
        "account_number": f"A-{k}00{k}",
        "address": {"address1": f"{k} Main St Apt {k}", "city": last, "postal_code": f"1{k}01{k % 9}"},
    }
    for k, (first, last, company, phone) in enumerate(
        [
            ("Anna", "Roe", "Scan Graphics", "212 838 2600"),
            ("Bob", "Ho", "Acme Tools of Ohio", "212 838 2600 x12"),
            ("Al", "Anna", "J P Morgan", "+44 20 7946 0958"),
            ("Robert", "Baker", "Scangraphics", "030 901820"),
            (None, "Meyer", None, None),
            ("Zoe", None, "Acme", "212 838 2601"),
        ]
    )
]


@pytest.mark.parametrize("rows", [[0], [1, 3], [4], [5, 2, 0], [0, 1, 2, 3, 4, 5]])
def test_the_words_of_some_profiles_are_those_of_the_whole_file(columns, rows: list[int]) -> None:
    rows_ = np.array(rows)
    whole = parts_of(columns(ROWS))
    made_for_some = 0
    for name, part in parts_of(columns(ROWS)).items():
        own = part.of(rows_)
        made_for_some += "table" not in part.__dict__ and part.make is not None
        width = max(own.alternatives, whole[name].alternatives)
        found, expected = np.zeros((2, len(rows), width), np.uint64)
        for k in range(own.alternatives):
            found[:, k] = own.word(k, np.arange(len(rows)))
        for k in range(whole[name].alternatives):
            expected[:, k] = whole[name].word(k, rows_)
        assert np.array_equal(found, expected), name
    assert made_for_some or len(rows) > 1, "or this test looks at nothing"


def test_a_profile_that_may_have_a_word_is_known(columns) -> None:
    for name, part in parts_of(columns(ROWS)).items():
        every = np.arange(len(ROWS))
        for k in range(part.alternatives):
            has = np.flatnonzero(part.word(k, every))
            assert np.isin(has, part.known(k)).all(), name


def test_names_in_either_order_are_one_word(columns) -> None:
    made = parts_of(
        columns([{"first_name": "Ann", "last_name": "Lee"}, {"first_name": "Lee", "last_name": "Ann"}])
    )
    one, other = made["first and last name"].word(0, np.arange(2))
    assert one == other != 0
