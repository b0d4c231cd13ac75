from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.clustering import NEVER, Edges, _classes, bridges, cut_components, softened
from resolver.matching.components import components
from resolver.matching.pair_index import pack

WHOLE = 400


def clusters(similarity, cut=0.0, largest=WHOLE):
    size = len(similarity)
    left, right = np.triu_indices(size, 1)
    edges = Edges(pack(left, right), similarity[left, right])
    label = components(size, left, right)
    return cut_components(label, edges, [cut], largest)[0].tolist()


def test_one_strong_link_does_not_chain_two_clusters():
    similarity = np.full((4, 4), -10.0)
    similarity[0, 1] = similarity[2, 3] = similarity[1, 2] = 9.0
    assert clusters(similarity, cut=1.5) == [0, 0, 2, 2]


def test_a_pair_that_must_never_be_joined_parts_its_component():
    similarity = np.full((3, 3), 12.0)
    similarity[0, 2] = NEVER
    found = clusters(similarity)
    assert found[0] != found[2]
    assert len(set(found)) == 2


def test_a_component_beyond_the_limit_stays_whole_unless_people_parted_it():
    similarity = np.full((5, 5), 12.0)
    assert clusters(similarity, largest=3) == [0] * 5
    similarity[0, 4] = NEVER
    parted = clusters(similarity, largest=3)
    assert parted[0] != parted[4]


def test_profiles_without_links_are_clusters_of_their_own():
    edges = Edges(np.empty(0, np.uint64), np.empty(0))
    assert cut_components(np.arange(3), edges, [0.0], WHOLE).tolist() == [[0, 1, 2]]


def test_components_of_almost_one_size_are_cut_together_as_each_alone():
    draw = np.random.default_rng(4)
    sizes = [2, 3, 9, 9, 10, 11, 12, 13, 20, 24, 26]
    label = np.repeat(np.arange(len(sizes)), sizes)[draw.permutation(sum(sizes))]
    rows = np.arange(len(label))
    left, right = (side.ravel() for side in np.meshgrid(rows, rows, indexing="ij"))
    inside = (left < right) & (label[left] == label[right]) & (draw.random(len(left)) < 0.9)
    left, right = left[inside], right[inside]
    weight = draw.integers(-6, 7, len(left)).astype(float)  # equal ones among them: the first goes first
    cuts = [4.0, 1.0, 0.0]
    together = cut_components(label, Edges(pack(left, right), weight), cuts, 25)
    for number in range(len(sizes)):
        own, mine = label[left] == number, label == number
        by_itself = np.where(mine, 0, 1 + rows)  # all others are components of one
        alone = cut_components(by_itself, Edges(pack(left[own], right[own]), weight[own]), cuts, 25)
        assert np.array_equal(together[:, mine], alone[:, mine])
    assert len(_classes(np.array(sizes), 25)) < len(set(sizes)), "some are cut together"


def test_negative_weights_get_a_share_of_the_prior_back_up_to_zero(rules):
    weight = np.array([-30.0, -8.0, -1.0, 3.0, 99.0])
    soft = softened(weight, prior=-10.0, rules=rules.clustering)
    assert soft.tolist() == pytest.approx([-6.5, -0.5, 0.0, 3.0, 14.0])


def test_bridges_are_the_links_that_hold_a_cluster():
    assert bridges([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]) == [("c", "d")]


@given(st.sets(st.sampled_from(list(combinations("abcdefghi", 2))), max_size=36), st.booleans())
def test_bridges_of_few_links_and_of_many_are_those_that_networkx_finds(links, turned):
    given_ = [pair[::-1] if turned else pair for pair in sorted(links)]
    assert bridges(given_) == sorted((min(pair), max(pair)) for pair in nx.bridges(nx.Graph(given_)))
