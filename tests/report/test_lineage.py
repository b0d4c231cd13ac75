from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from resolver.report.lineage import FORMER, fresh_id, trace


def former(**ids: str) -> pl.DataFrame:
    """Profile → persistent id, all present and unmerged."""
    return pl.DataFrame([(p, p, c, True) for p, c in ids.items()], schema=FORMER, orient="row")


def today(*groups: str) -> pl.DataFrame:
    rows = [(p, min(group)) for group in groups for p in group]
    return pl.DataFrame(rows, schema=["profile_id", "cluster_id"], orient="row")


def told(lineage) -> dict[str | None, tuple[str, str]]:
    return {
        row["cluster_id"]: (row["persistent_id"], row["change"])
        for row in lineage.clusters.iter_rows(named=True)
    }


def test_the_first_run_names_clusters_and_leaves_single_profiles_alone():
    lineage = trace(former(), today("ab", "c"), "r1")
    assert told(lineage) == {"a": (fresh_id("r1", "a"), "new")}
    assert lineage.members["profile_id"].to_list() == ["a", "b"]


def test_kept_and_grown_clusters_keep_their_id():
    lineage = trace(former(a="F", b="F", c="G", d="G"), today("abx", "cd"), "r2")
    assert told(lineage) == {"a": ("F", "grown"), "c": ("G", "kept")}
    assert lineage.members.rows() == [("x", "F", True)]


def test_a_split_leaves_the_id_with_the_larger_part():
    lineage = trace(former(a="F", b="F", c="F"), today("a", "bc"), "r2")
    assert told(lineage) == {"b": ("F", "split"), "a": (fresh_id("r2", "a"), "split")}


def test_joined_clusters_go_on_under_the_id_with_more_members():
    lineage = trace(former(a="F", b="F", c="G", d="G", e="G"), today("abcde"), "r2")
    assert told(lineage) == {"a": ("G", "joined")}
    assert lineage.clusters["former_ids"].to_list() == [["F", "G"]]
    assert lineage.counts["gone"] == 0


def test_a_tie_goes_to_what_sorts_first():
    assert told(trace(former(a="F", b="F"), today("a", "b"), "r"))["a"] == ("F", "split")
    assert told(trace(former(a="G", b="F"), today("ab"), "r"))["a"] == ("F", "joined")


def test_merged_profiles_count_with_their_survivor():
    rows = [("a", "a", "F", True), ("b", "a", "F", True), ("c", "c", "G", True), ("d", "d", "G", True)]
    lineage = trace(pl.DataFrame(rows, schema=FORMER, orient="row"), today("a", "cd"), "r2")
    assert told(lineage) == {"a": ("F", "kept"), "c": ("G", "kept")}
    joined = trace(
        pl.DataFrame([*rows, ("e", "c", "G", True)], schema=FORMER, orient="row"), today("acd"), "r3"
    )
    assert told(joined) == {"a": ("G", "joined")}
    assert joined.members.rows() == [("a", "G", True), ("b", "G", True)]


def test_a_cluster_that_left_is_told_once_and_comes_back_under_its_id():
    gone = trace(former(a="F", b="F"), today("x"), "r2")
    assert told(gone) == {None: ("F", "gone")}
    assert gone.members.rows() == [("a", "F", False), ("b", "F", False)]
    absent = former(a="F", b="F").with_columns(present=pl.lit(value=False))
    assert told(trace(absent, today("x"), "r3")) == {}
    assert told(trace(absent, today("ab", "x"), "r4")) == {"a": ("F", "kept")}


partitions = st.lists(st.integers(0, 4), min_size=1, max_size=10)


@given(partitions, partitions, st.randoms(use_true_random=False))
def test_ids_stay_with_most_of_their_members_in_any_row_order(before, now, random):
    was = former(**{f"p{i}": f"F{c}" for i, c in enumerate(before)})
    groups: dict[int, list[str]] = {}
    for i, c in enumerate(now):
        groups.setdefault(c, []).append(f"p{i}")
    rows = [(p, min(ids)) for ids in groups.values() for p in ids]
    clusters = pl.DataFrame(rows, schema=["profile_id", "cluster_id"], orient="row")
    lineage = trace(was, clusters, "r")
    random.shuffle(rows)
    shuffled = pl.DataFrame(rows, schema=["profile_id", "cluster_id"], orient="row")
    again = trace(was.sample(fraction=1, shuffle=True, seed=1), shuffled, "r")
    assert lineage.clusters.rows() == again.clusters.rows()
    assert lineage.members.rows() == again.members.rows()
    names = lineage.clusters.drop_nulls("cluster_id")["persistent_id"]
    assert names.is_unique().all()

    member = dict(was.select("profile_id", "persistent_id").iter_rows())
    for cluster_id, (name, _) in told(lineage).items():
        votes = Counter(member[p] for p, c in rows if c == cluster_id and p in member)
        if cluster_id is not None and name in votes:  # it kept an id: no other cluster has more of it
            most = max(Counter(c for p, c in rows if member.get(p) == name).values())
            assert votes[name] == most

    ledger = member | dict(lineage.members.select("profile_id", "persistent_id").iter_rows())
    for row in lineage.clusters.drop_nulls("cluster_id").iter_rows(named=True):
        ids = [p for p, c in rows if c == row["cluster_id"]]
        assert {ledger[p] for p in ids} == {row["persistent_id"]}
    settled = former(**ledger).join(lineage.members.drop("persistent_id"), on="profile_id", how="left")
    settled = settled.with_columns(present=pl.coalesce("present_right", "present")).drop("present_right")
    after = trace(settled, clusters, "r2")
    assert set(after.clusters["change"]) <= {"kept"}, "the same clusters again are all kept"
    assert after.members.height == 0
