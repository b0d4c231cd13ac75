from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.components import bounded_components, components, first_rows, joined, weakest_links

edges = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12)


def as_sets(label: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(label == k).tolist()) for k in label}


@given(edges)
def test_components_are_those_of_networkx(pairs):
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(10))
    found = components(10, np.array([a for a, _ in pairs], int), np.array([b for _, b in pairs], int))
    assert as_sets(found) == {frozenset(c) for c in nx.connected_components(graph)}


@given(edges, st.lists(st.integers(-3, 3), min_size=12, max_size=12))
def test_the_weakest_link_is_that_of_the_strongest_spanning_tree(pairs, weights):
    pairs = {(min(pair), max(pair)): float(weight) for pair, weight in zip(pairs, weights, strict=False)}
    pairs = {pair: weight for pair, weight in pairs.items() if pair[0] != pair[1]}
    left, right = (np.array([pair[side] for pair in pairs], int) for side in (0, 1))
    group = components(10, left, right)
    found = weakest_links(group, (left, right, np.array(list(pairs.values()), float)))
    graph = nx.Graph()
    graph.add_nodes_from(range(10))
    graph.add_weighted_edges_from((*pair, weight) for pair, weight in pairs.items())
    tree = nx.maximum_spanning_tree(graph)
    for part in nx.connected_components(tree):
        held = [data["weight"] for _, _, data in tree.subgraph(part).edges(data=True)]
        expected = min(held, default=np.nan)
        assert np.array_equal(found[sorted(part)], np.full(len(part), expected), equal_nan=True)


@given(edges, edges)
def test_joining_two_groupings_keeps_every_group_of_both_whole(one, other):
    def grouping(pairs):
        return first_rows(
            components(10, np.array([a for a, _ in pairs], int), np.array([b for _, b in pairs], int))
        )

    first, second = grouping(one), grouping(other)
    both = grouping([*one, *other])
    assert joined(first, second).tolist() == both.tolist()


def test_a_component_that_is_too_large_falls_apart_at_its_weakest_link():
    left, right = np.array([0, 1, 2]), np.array([1, 2, 3])
    weight = np.array([9.0, 0.0, 9.0])
    assert as_sets(bounded_components(4, (left, right, weight), (-1.4, 4))) == {frozenset({0, 1, 2, 3})}
    parted = bounded_components(4, (left, right, weight), (-1.4, 3))
    assert as_sets(parted) == {frozenset({0, 1}), frozenset({2, 3})}


def test_what_no_bar_can_part_stays_one_component():
    left, right = np.array([0, 1, 0]), np.array([1, 2, 2])
    assert as_sets(bounded_components(3, (left, right, np.full(3, 1e9)), (0.0, 2))) == {frozenset({0, 1, 2})}
