from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.frequency import (
    BINS,
    Groups,
    bins_of,
    entities_with,
    entity_counts,
    first_counts,
    rarity,
)

people = st.lists(
    st.fixed_dictionaries({"first_name": st.sampled_from(["Anna", "Bert", "Carl", None])}),
    min_size=2,
    max_size=12,
).filter(lambda rows: any(row["first_name"] for row in rows))


@given(people, st.data())
def test_values_are_counted_once_per_entity(columns, people, data):
    entity = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(people), max_size=len(people))))
    column = columns(people)[0]
    counts, having = entity_counts(column, Groups(entity)), entities_with(column, entity)
    held = {(int(code), int(e)) for code, e in zip(column.whole[:, 0], entity, strict=True) if code}
    assert {k: int(n) for k, n in enumerate(counts) if n} == dict(Counter(code for code, _ in held))
    assert having == len({e for _, e in held})


def test_at_first_a_value_on_up_to_three_profiles_is_one_entitys(columns):
    rows = [{"first_name": n} for n in ["Anna", "Bert", "Bert", *["Carl"] * 3, *["Dora"] * 4]]
    column = columns(rows)[0]
    counts = first_counts(column)
    assert [int(counts[column.whole[k, 0]]) for k in (0, 1, 3, 6)] == [1, 1, 1, 4]
    assert entities_with(column, None) == 10


def test_the_rarity_of_single_values_is_learned_from_those_seen_twice():
    counts = np.array([0] + [1] * 100 + [2] * 40)
    assert rarity(counts, default=0.01, prior=20) == pytest.approx((80 + 0.2) / 120)
    assert rarity(np.array([0]), default=0.3, prior=20) == pytest.approx(0.3)


def test_a_value_that_more_entities_share_falls_into_a_lower_bin():
    bins = bins_of(np.array([0, 1, 2, 3, 50]), entities=100, rarity_=0.1, step=0.3)
    assert sorted(bins[1:].tolist(), reverse=True) == bins[1:].tolist()
    assert bins.max() < BINS
