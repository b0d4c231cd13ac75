from __future__ import annotations

import polars as pl
import pytest

import resolver
from resolver import DomainFacts, Evidence, load_rules, resolve
from resolver.errors import BadFrame
from resolver.local.sample.generator import make_sample
from resolver.model.frames import MATCH_GROUPS, empty
from resolver.profiles.convert import profiles_frame


@pytest.fixture(scope="module")
def profiles():
    return profiles_frame(make_sample(200, seed=5).profiles)


def test_a_resolution_holds_clusters_and_plans_of_the_same_profiles(profiles):
    told = []
    resolution = resolve(profiles, load_rules(), on_stage=lambda name, _: told.append(name))
    assert resolution.linkage.clusters["profile_id"].sort().equals(profiles["profile_id"].sort())
    planned = {i for plan in resolution.planning.plans for i in plan.profile_ids}
    shared = resolution.linkage.clusters.filter(pl.col("size") > 1)["profile_id"]
    assert planned == set(shared)
    assert told[0] == "standardise"
    assert told[-1] == "plan"


def test_row_order_never_changes_an_answer(profiles):
    one = resolve(profiles, load_rules())
    other = resolve(profiles.reverse(), load_rules())
    columns = ["profile_id", "cluster_id", "core_id", "band"]
    assert (
        one.linkage.clusters.select(columns)
        .sort("profile_id")
        .equals(other.linkage.clusters.select(columns).sort("profile_id"))
    )
    assert sorted(p.plan_id for p in one.planning.plans) == sorted(p.plan_id for p in other.planning.plans)


def test_evidence_of_the_domain_reaches_the_plans(profiles):
    ids = profiles["profile_id"].head(2).to_list()
    groups = pl.DataFrame({"match_id": ["m", "m"], "profile_id": ids, "confidence_score": [0.9, 0.9]})
    resolution = resolve(profiles, load_rules(), Evidence(facts=DomainFacts("d", groups)))
    assert all(plan.domain_name == "d" for plan in resolution.planning.plans)
    assert resolve(profiles, load_rules(), Evidence()).planning.second_opinion.height == 0
    assert empty(MATCH_GROUPS).height == 0


def test_a_frame_without_ids_is_refused():
    with pytest.raises(BadFrame, match="profile_id"):
        resolve(pl.DataFrame({"first_name": ["Ana"]}), load_rules())


def test_the_public_names_are_complete_and_sorted():
    assert sorted(resolver.__all__) == resolver.__all__
    for name in resolver.__all__:
        assert getattr(resolver, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = resolver.nothing
