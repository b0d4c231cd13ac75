from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching import comparison
from resolver.matching import levels as levels_
from resolver.matching.comparison import compare, level_of, rebin

names = st.sampled_from(["anna", "ana", "hanna", "bert", "berta", "smith", "smyth", "a", None])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "first_name": names,
            "last_name": names,
            "phone_number": st.sampled_from(["+12025550123", "+12025550124", "+12025559999", None]),
            "mobile_phone_number": st.sampled_from(["+12025550123", "+12025550177", None]),
        }
    ),
    min_size=2,
    max_size=6,
).filter(lambda made: any(v for row in made for v in row.values()))


def bins_for(columns, number=0):
    return [np.full(column.wholes, number, np.uint8) for column in columns]


def pairs(count):
    left, right = np.triu_indices(count, 1)
    return left.astype(np.uint32), right.astype(np.uint32)


def levels(columns, made, name):
    cols = columns(made)
    k = next(k for k, c in enumerate(cols) if c.name == name)
    bytes_ = compare(cols, bins_for(cols), (np.array([0]), np.array([1])))
    level = int(level_of(cols[k], bytes_[k])[0])
    return "unknown" if level < 0 else cols[k].comparison.rising[level].label


@given(rows)
def test_comparing_is_symmetric_and_pairs_do_not_influence_each_other(columns, made):
    cols = columns(made)
    bins = bins_for(cols, 3)
    left, right = pairs(len(made))
    together = compare(cols, bins, (left, right))
    assert (compare(cols, bins, (right, left)) == together).all()
    for k in range(len(left)):
        assert (compare(cols, bins, (left[k : k + 1], right[k : k + 1]))[:, 0] == together[:, k]).all()


def test_batches_on_threads_give_what_one_batch_gives(columns, monkeypatch):
    cols = columns([{"first_name": n, "last_name": "smith"} for n in ("anna", "ana", "bert", "berta", "a")])
    whole = compare(cols, bins_for(cols), pairs(5))
    monkeypatch.setattr(comparison, "BATCH", 3)
    monkeypatch.setattr(levels_, "TESTED", 2)
    monkeypatch.setattr(levels_, "WORTH_GROUPING", 0)
    monkeypatch.setattr(comparison, "_WORTH_THREADS", 0)
    assert (compare(cols, bins_for(cols), pairs(5)) == whole).all()


@given(rows)
def test_a_pair_of_values_is_tested_once_however_many_pairs_have_it(columns, made):
    cols = columns(made)
    left, right = pairs(len(made))
    singly = compare(cols, bins_for(cols), (left, right))
    times = levels_.WORTH_GROUPING // len(left) + 1
    often = compare(cols, bins_for(cols), (np.tile(left, times), np.tile(right, times)))
    assert (often == np.tile(singly, times)).all()


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("Anna", "Smith"), ("Anna", "Smith"), ("exact", "exact")),
        (("Anna", "Smith"), ("Smith", "Anna"), ("exact", "exact")),  # exchanged
        (("Smith", None), ("Anna", "Smith"), ("unknown", "exact")),  # a lone name is what it matches
        ((None, "Anna"), ("Anna", "Smith"), ("exact", "unknown")),
        (("A", "Smith"), ("Anna", "Smith"), ("prefix or initial", "exact")),
        (
            ("A", "Smith"),
            ("A", "Smith"),
            ("prefix or initial", "exact"),
        ),  # two initials agree no more than one
        (("Bill", "Smith"), ("William", "Smyth"), ("nickname", "close")),
        (("Anna", "Smith"), ("Bert", "Jones"), ("differ", "differ")),
    ],
)
def test_names_are_compared_straight_crosswise_and_alone(columns, left, right, expected):
    made = [{"first_name": f, "last_name": n} for f, n in (left, right)]
    assert (levels(columns, made, "first_name"), levels(columns, made, "last_name")) == expected


def test_phones_are_sets_and_the_best_pair_counts(columns):
    made = [
        {"phone_number": "+12025550123", "mobile_phone_number": "+12025550199"},
        {"phone_number": "+13105550000", "business_phone_number": "+12025550199"},
    ]
    assert levels(columns, made, "phone") == "exact"
    assert levels(columns, [made[0], {"phone_number": "+12025550128"}], "phone") == "one digit"
    assert levels(columns, [made[0], {"phone_number": None, "first_name": "A"}], "phone") == "unknown"


def test_of_several_shared_values_the_rarest_counts(columns):
    made = [{"phone_number": "+12025550123", "mobile_phone_number": "+12025550199"}] * 2
    cols = columns(made)
    k = next(k for k, c in enumerate(cols) if c.name == "phone")
    bins = bins_for(cols)
    bins[k][cols[k].whole[0]] = [5, 9]
    byte = compare(cols, bins, (np.array([0]), np.array([1])))[k, 0]
    assert byte == 1 + cols[k].top + 9


@given(rows)
def test_new_bins_change_the_bytes_of_equal_values_only(columns, made):
    cols = columns(made)
    bytes_ = compare(cols, bins_for(cols, 2), pairs(len(made)))
    levels_before = np.array([level_of(c, b) for c, b in zip(cols, bytes_, strict=True)])
    rebin(cols, bins_for(cols, 7), pairs(len(made)), bytes_)
    levels_after = np.array([level_of(c, b) for c, b in zip(cols, bytes_, strict=True)])
    assert (levels_after == levels_before).all()
    straight = compare(cols, bins_for(cols, 7), pairs(len(made)))
    different = bytes_ != straight
    assert (bytes_[different] == straight[different] - 5).all()  # swapped names keep their bins
