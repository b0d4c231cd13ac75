"""Average linkage over many small components at once, cut at several heights of one dendrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.values import Array

#: Numbers held per batch: 2 million doubles are 16 MB.
_BATCH = 2_000_000


def cut_average_linkage(similarity: Array, cuts: Sequence[float]) -> Array:
    """Cluster numbers per component and cut, shape (cuts, components, members).

    ``similarity`` is (components, members, members), symmetric; a member that is not there has -inf to all.
    At each cut, clusters whose average similarity is at least the cut are joined, the most similar first; a
    cluster is numbered by its first member. Of equally similar pairs the first in order is joined first.
    """
    count, size, _ = similarity.shape
    out = np.empty((len(cuts), count, size), np.int32)
    step = max(1, _BATCH // (size * size))
    for begin in range(0, count, step):
        part = slice(begin, begin + step)
        out[:, part] = _cut(similarity[part].astype(float), cuts)
    return out


def _cut(similarity: Array, cuts: Sequence[float]) -> Array:
    count, size, _ = similarity.shape
    heights = np.asarray(cuts, float)
    lowest = heights.min()
    cluster = np.tile(np.arange(size, dtype=np.int32), (count, 1))
    out = np.tile(cluster, (len(cuts), 1, 1))
    weight = np.ones((count, size))
    similarity[:, np.arange(size), np.arange(size)] = -np.inf
    alive = np.arange(count)
    for _ in range(size - 1):
        flat = similarity.reshape(len(alive), -1)
        best = flat.argmax(axis=1)
        height = flat[np.arange(len(alive)), best]
        going = height >= lowest
        if not going.any():
            break
        if not going.all():
            alive, best, height = alive[going], best[going], height[going]
            similarity, weight = similarity[going], weight[going]
        a, b = np.divmod(best, size)
        rows = np.arange(len(alive))
        heavy_a, heavy_b = weight[rows, a], weight[rows, b]
        joined = similarity[rows, a] * heavy_a[:, None] + similarity[rows, b] * heavy_b[:, None]
        joined /= (heavy_a + heavy_b)[:, None]
        similarity[rows, a] = joined
        similarity[rows, :, a] = joined
        similarity[rows, a, a] = -np.inf
        similarity[rows, b] = -np.inf
        similarity[rows, :, b] = -np.inf
        weight[rows, a] += heavy_b
        moved = cluster[alive] == b[:, None]
        cluster[alive] = np.where(moved, a[:, None].astype(np.int32), cluster[alive])
        # the joins of a dendrogram never rise again, so a cut sees all joins from its height up
        for c, cut in enumerate(heights):
            seen = height >= cut
            out[c, alive[seen]] = cluster[alive[seen]]
    return out
