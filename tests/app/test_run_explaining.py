from __future__ import annotations

from resolver.app.run_explaining import pairs_between


def test_a_group_is_explained_between_our_clusters_never_inside_one():
    cluster_of = {"a": "x", "b": "x", "c": "y", "d": "z", "e": "y"}
    assert pairs_between(("e", "d", "b", "a", "c"), cluster_of) == [("a", "c"), ("a", "d"), ("c", "d")]
    assert pairs_between(("a", "b"), cluster_of) == []
