from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.average_linkage import cut_average_linkage


def slow_twin(similarity: np.ndarray, cut: float) -> list[int]:
    """Join the most similar two clusters, by plain average over members, until none reaches the cut."""
    clusters = [[k] for k in range(len(similarity))]
    while len(clusters) > 1:
        pairs = [(i, j) for i in range(len(clusters)) for j in range(i + 1, len(clusters))]
        height = {
            (i, j): np.mean([similarity[a, b] for a in clusters[i] for b in clusters[j]]) for i, j in pairs
        }
        best = max(height, key=lambda pair: (round(height[pair], 9), -pair[0], -pair[1]))
        if height[best] < cut - 1e-9:
            break
        i, j = best
        clusters = [
            sorted(clusters[i] + clusters[j]) if k == i else c for k, c in enumerate(clusters) if k != j
        ]
        clusters.sort(key=min)
    label = {member: min(cluster) for cluster in clusters for member in cluster}
    return [label[k] for k in range(len(similarity))]


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_batched_linkage_agrees_with_its_slow_twin(size, seed):
    draw = np.random.default_rng(seed)
    similarity = draw.normal(0, 5, (4, size, size))
    similarity += similarity.transpose(0, 2, 1)
    found = cut_average_linkage(similarity, [5.0, 1.5, 0.0])
    for c, cut in enumerate([5.0, 1.5, 0.0]):
        for component in range(4):
            assert found[c, component].tolist() == slow_twin(similarity[component], cut)


def test_a_lower_cut_never_parts_what_a_higher_one_joined():
    draw = np.random.default_rng(3)
    similarity = draw.normal(1, 4, (50, 8, 8))
    similarity += similarity.transpose(0, 2, 1)
    high, low = cut_average_linkage(similarity, [4.0, 0.0])
    together = high[:, :, None] == high[:, None, :]
    assert (low[:, :, None] == low[:, None, :])[together].all()


def test_the_input_is_left_as_it_was():
    similarity = np.ones((1, 3, 3))
    cut_average_linkage(similarity, [0.5])
    assert (similarity == 1).all()
