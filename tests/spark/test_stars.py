"""Components by large-star and small-star; scoring and cutting in groups: as the driver does them alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from blocked_people import MISSING, blocked_rules, people

from resolver.matching.clustering import Edges, cut_components
from resolver.matching.components import components
from resolver.matching.linkage import link_profiles
from resolver.matching.pair_index import pack
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import DECISIONS, PROFILES, conform, empty
from resolver.planning.plans import plan_merges
from resolver.resolution import silent

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"the Spark engine needs {', '.join(MISSING)}"),
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore"),
]


def work_on(spark, directory, identity="x", pairs_here=0):
    from resolver.spark.checkpoints import Checkpoints  # noqa: PLC0415
    from resolver.spark.cluster import OnCluster  # noqa: PLC0415 - needs pyarrow
    from resolver.spark.store import Store  # noqa: PLC0415

    return OnCluster(spark, Checkpoints(Store(spark, directory), identity), pairs_here)


def test_stars_find_the_components_that_the_driver_finds(spark, tmp_path):
    draw = np.random.default_rng(5)
    line = draw.permutation(120)  # in disorder: what label propagation takes a round per node for
    spokes = 120 + np.arange(90)  # of a hub that is not the smallest of them
    some = (220 + draw.integers(0, 80, 60) for _ in range(2))  # with loops and repeated pairs
    left, right = (
        np.concatenate(side)
        for side in zip((line[:-1], line[1:]), (np.full(90, 163), spokes), tuple(some), strict=True)
    )
    work = work_on(spark, tmp_path)
    work.pairs_each = 64
    assert np.array_equal(work.components(320, left, right), components(320, left, right))
    assert len(list(tmp_path.glob("stars-*"))) == 1, "rounds that are over are cleared away"


def test_components_are_cut_in_groups_as_they_are_together(spark, tmp_path):
    from resolver.spark.cluster import _groups  # noqa: PLC0415 - needs pyarrow

    draw = np.random.default_rng(6)
    label = np.sort(draw.integers(0, 60, 240)).astype(np.int32)[draw.permutation(240)]
    _, label = np.unique(label, return_inverse=True)
    rows = np.arange(240)
    one, other = (side.ravel() for side in np.meshgrid(rows, rows, indexing="ij"))
    pair = (one < other) & ((label[one] == label[other]) | (draw.random(len(one)) < 0.01))
    words = np.sort(pack(one[pair], other[pair]))
    edges = Edges(words, draw.normal(0, 4, len(words)))
    cuts = [5.0, 2.0, 0.0]
    work = work_on(spark, tmp_path)
    work.pairs_each = 50
    assert len(list(_groups(label, edges, work.pairs_each))) > 2
    assert np.array_equal(work.cut(label, edges, cuts, 9), cut_components(label, edges, cuts, 9))


def test_a_whole_file_is_answered_alike_with_nothing_left_to_the_driver(spark, tmp_path):
    profiles, rules = people(160), blocked_rules()
    here = link_profiles(profiles, rules, empty(DECISIONS), silent)
    work = work_on(spark, tmp_path)
    work.pairs_each = 200
    there = link_profiles(profiles, rules, empty(DECISIONS), silent, work)
    assert there.clusters.equals(here.clusters)
    assert there.pairs.equals(here.pairs)


def test_plans_are_made_in_groups_as_they_are_together(spark, tmp_path):
    from resolver.spark.planning import plan_on  # noqa: PLC0415 - needs pyarrow

    profiles, rules = people(600), blocked_rules()
    one = profiles["profile_id"][3]
    # who names another in preferences stands in another group, or in none
    preferences = [f'{{"Phone":[{{"ProfileId":"{one}"}}]}}' if k == 599 else None for k in range(600)]
    profiles = conform(profiles.with_columns(engagement_preferences=pl.Series(preferences)), PROFILES)
    clusters = link_profiles(profiles, rules, empty(DECISIONS), silent).clusters
    here = plan_merges(profiles, clusters, rules, DomainFacts())
    work = work_on(spark, tmp_path)
    work.clusters_each = 40
    there = plan_on(work, profiles, clusters, rules)
    assert here.table.height > 2 * work.clusters_each, "there are several groups"
    assert there.table.equals(here.table)
    assert there.field_choices.equals(here.field_choices)
    noted = (tmp_path / "plans.json").stat().st_mtime_ns
    again = plan_on(work, profiles, clusters, rules)  # from what is there
    assert again.table.equals(here.table)
    assert (tmp_path / "plans.json").stat().st_mtime_ns == noted

    # what matching does not look at may still decide which value stays
    now = datetime(2026, 1, 1, tzinfo=UTC)
    dates = [now + timedelta(days=k * 7 % 31) for k in range(600)]
    dated = conform(profiles.with_columns(last_updated_at=pl.Series(dates)), PROFILES)
    later = plan_on(work, dated, clusters, rules)
    assert (tmp_path / "plans.json").stat().st_mtime_ns != noted
    assert later.table.equals(plan_merges(dated, clusters, rules, DomainFacts()).table)
