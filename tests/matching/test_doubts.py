"""Clusters held by one thin link, or by contacts that people share."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from resolver.matching.doubts import with_doubts
from resolver.matching.results import Membership
from resolver.rule_file import load_rules

RULES = load_rules(None)
TIGHT, LOOSE = RULES.thresholds.merge + 1, RULES.thresholds.merge - 1


def doubts(links, size):
    """(bridge_held, shared_contact_only) of one cluster; a link: left, right, weight, evidence."""
    named = np.array([0] * size + [size], np.uint32)
    told = Membership(named, *[np.zeros(size + 1, bool)] * 7)
    rows = [
        {
            "left": a,
            "right": b,
            "match_weight": w,
            "phone_weight": 0.0,
            "email_weight": 0.0,
            "last_name_weight": 0.0,
        }
        | {f"{name}_weight": bits for name, bits in evidence.items()}
        for a, b, w, evidence in links
    ]
    marked = with_doubts(told, pl.DataFrame(rows), RULES)
    *members, lone = zip(marked.bridged.tolist(), marked.shared.tolist(), strict=True)
    assert lone == (False, False)
    (doubts_of_all,) = set(members)
    return doubts_of_all


NAMES = {"last_name": 12.0, "phone": 8.0}


@pytest.mark.parametrize(
    ("links", "is_held"),
    [
        ([(0, 1, TIGHT), (1, 2, LOOSE)], True),
        ([(0, 1, TIGHT), (1, 2, LOOSE), (0, 2, LOOSE)], False),
        ([(0, 1, TIGHT), (1, 2, LOOSE), (0, 2, -1.0)], True),
        ([(0, 1, TIGHT), (1, 2, TIGHT)], False),
        ([(0, 1, LOOSE), (1, 2, LOOSE)], True),
        ([(0, 1, LOOSE), (1, 2, LOOSE), (2, 3, LOOSE), (0, 3, LOOSE)], False),
        ([(0, 1, TIGHT), (2, 3, TIGHT), (1, 2, LOOSE)], True),
    ],
)
def test_a_cluster_that_one_thin_link_holds_together_is_bridge_held(links, is_held):
    size = 1 + max(b for _, b, _ in links)
    assert doubts([(*link, NAMES) for link in links], size) == (is_held, False)


def test_a_pair_has_no_bridge():
    assert doubts([(0, 1, LOOSE, NAMES)], 2) == (False, False)


@pytest.mark.parametrize(
    ("evidence", "only"),
    [
        ({"phone": 9.0}, True),
        ({"email": 9.0, "last_name": 1.0}, True),
        ({"phone": 9.0, "email": 9.0}, False),
        ({"phone": 9.0, "last_name": 9.0}, False),
        ({"last_name": 9.0}, False),
    ],
)
def test_a_link_by_one_kind_of_contact_alone_is_told(evidence, only):
    assert doubts([(0, 1, LOOSE, evidence)], 2) == (False, only)


def test_a_shared_contact_beside_a_better_link_holds_nothing():
    links = [(0, 1, TIGHT, NAMES), (1, 2, TIGHT, NAMES), (0, 2, TIGHT, {"phone": 9.0})]
    assert doubts(links, 3) == (False, False)
