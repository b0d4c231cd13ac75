from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workshop import batch_of, stories

from resolver.app.reviewing.batch import letter
from resolver.app.reviewing.evidence import Evidence, Link, weave
from resolver.app.reviewing.outcome import Wish, foresee
from resolver.app.reviewing.page import suggest
from resolver.model.domain_facts import DomainFacts
from resolver.planning.group_plan import Planner, plan_group
from resolver.planning.groups import Group
from resolver.planning.members import gather


@st.composite
def links(draw):
    size = draw(st.integers(2, 7))
    ids = [f"p{n}" for n in range(size)]
    pairs = [(a, b) for n, a in enumerate(ids) for b in ids[n + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1))
    weights = draw(st.lists(st.integers(-200, 400), unique=True, min_size=len(chosen), max_size=len(chosen)))
    made = [Link(a, b, w / 10, 0.5, "review", (), 0.0) for (a, b), w in zip(chosen, weights, strict=True)]
    return ids, made


@given(links())
def test_the_web_is_the_strongest_spanning_forest_and_its_weakest_link(drawn):
    ids, made = drawn
    graph = nx.Graph()
    graph.add_nodes_from(ids)
    graph.add_weighted_edges_from((x.left, x.right, x.weight) for x in made)
    slow = {frozenset(edge) for edge in nx.maximum_spanning_edges(graph, data=False)}
    web = weave(made, ids)
    assert {x.ends for x in web.tree} == slow
    assert web.weakest.weight == min(x.weight for x in web.tree)
    assert web.by_need[0] is web.weakest
    assert len(web.by_need) == len(made)


@given(links())
def test_bridges_are_those_of_the_links_that_hold(drawn):
    ids, made = drawn
    web = weave(made, ids)
    graph = nx.Graph()
    graph.add_nodes_from(ids)
    graph.add_edges_from(x.ends for x in made if x.weight > 0 or x in web.tree)
    if len(ids) > 2 and nx.is_connected(graph):
        assert {x.ends for x in web.bridges} == {frozenset(edge) for edge in nx.bridges(graph)}


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(-20, 20)), max_size=8),
    st.floats(-20, 0),
    st.floats(-30, 30),
)
def test_the_bars_always_sum_to_the_weight(parts, prior, rest):
    evidence = tuple(Evidence(f"c{n}", level, 2, w, "near") for n, (level, w) in enumerate(parts))
    weight = prior + sum(w for _, w in parts) + rest
    link = Link("a", "b", weight, 0.5, "review", evidence, prior)
    assert sum(w for _, w in link.parts) == pytest.approx(weight, abs=0.05)


def test_the_household_is_suggested_apart_at_its_bridge():
    case = batch_of(stories()).cases["cluster-h"]
    groups = suggest(case, 12.0)
    assert [groups[i] for i in ("h-a", "h-b", "h-c", "h-d")] == [1, 1, 1, 2]


def test_letters_go_on_after_z():
    assert [letter(n) for n in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]


@pytest.mark.parametrize("cluster_id", ["cluster-h", "cluster-e", "cluster-b"])
def test_without_a_choice_the_foreseen_plan_is_the_plan_of_a_run(cluster_id):
    batch = batch_of(stories())
    ids = tuple(sorted(batch.cases[cluster_id].profile_ids))
    members = {
        m.profile_id: m for m in gather(batch.profiles, batch.rules.survivorship, DomainFacts().objects)
    }
    planner = Planner(
        batch.rules,
        batch.rules.fingerprint,
        DomainFacts(),
        batch.rules.survivorship.model_copy(update={"phone_region": "US"}),
        members,
        {},
    )
    slow = plan_group(planner, Group(cluster_id, ids, "review"), ())
    unplanned = replace(batch.cases[cluster_id], plan=None)
    fast = foresee(replace(batch, cases={cluster_id: unplanned}), Wish(cluster_id, ids))
    assert fast.plan_id == slow.plan_id
    assert fast.predicted == slow.predicted
    assert fast.disposals == slow.disposals
    assert fast.field_choices == slow.field_choices
