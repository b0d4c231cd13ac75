from __future__ import annotations

import numpy as np

from resolver.matching.columns import columns_of
from resolver.matching.standardisation import standardise


def names(made):
    return [column.name for column in made]


def attributes(*values):
    return [{"attributes": [{"key": k, "value": v} for k, v in row.items()]} for row in values]


def test_only_comparisons_that_the_file_has_fields_for_become_columns(columns):
    assert names(columns([{"first_name": "Anna"}, {"last_name": "Roe"}])) == ["first_name", "last_name"]


def test_an_address_needs_its_number_and_its_street_to_be_equal_as_a_whole(columns):
    made = columns([{"address": {"address1": t}} for t in ("12 Main St", "Main Street", "12 Main Street")])
    address = next(c for c in made if c.name == "address")
    assert address.whole[1, 0] == 0
    assert address.whole[0, 0] == address.whole[2, 0] > 0
    assert address.known.tolist() == [True, True, True]


def test_company_names_that_differ_in_spaces_only_are_one_name(columns):
    column = columns([{"business_name": "Scan Graphics"}, {"business_name": "Scangraphics"}])[0]
    assert column.whole[0, 0] == column.whole[1, 0]


def test_attributes_become_columns_by_kind_and_copies_are_left_out(rules, frame):
    rows = attributes(
        *(
            {"badge": f"{k}77{k}", "team": f"t{k % 3}", "crew": f"x{k % 3}", "shift": f"s{k % 2}"}
            for k in range(12)
        )
    )
    made = columns_of(rules, standardise(frame(rows), rules.reference, None))
    assert names(made) == ["attribute:badge", "attribute:crew", "attribute:shift"]


def test_equal_values_get_their_bins_and_single_letters_the_level_of_initials(columns):
    column = columns([{"first_name": "A"}, {"first_name": "Anna"}])[0]
    bytes_ = column.equal_bytes(np.full(column.wholes, 4, np.uint8))
    assert bytes_[column.whole[1, 0]] == 1 + column.top + 4
    assert bytes_[column.whole[0, 0]] == 1 + column.comparison.index("prefix or initial")
