from __future__ import annotations

import random
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.errors import BadInput
from resolver.matching.explanation import explain_cluster, explain_pair
from resolver.matching.linkage import link_profiles
from resolver.model.frames import CLUSTERS, DECISIONS, SCORED_PAIRS, conform, empty

FIRST = ["Anna", "Bert", "Carla", "Dora", "Emil", "Frida", "Gustav", "Hanna"]
LAST = ["Smith", "Jones", "Taylor", "Brown", "Wilson", "Evans", "Walker", "Wright"]


def people(count, seed=1):
    """Distinct people, every third of them written down twice with some damage."""
    draw = random.Random(seed)
    rows = []
    for k in range(count):
        person = {
            "first_name": draw.choice(FIRST),
            "last_name": draw.choice(LAST) + draw.choice(["", "son", "er"]),
            "birth_date": f"{draw.randint(1940, 2000)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
            "phone_number": f"+1202555{draw.randint(1000, 9999)}",
            "email_address": f"{draw.choice(FIRST)}{draw.randint(100, 999)}@mail{k % 5}.com".lower(),
        }
        rows.append(person)
        if k % 3 == 0:
            rows.append({**person, "first_name": person["first_name"][0], "phone_number": None})
    return rows


def link(frame, rules, decisions=None):
    return link_profiles(frame, rules, empty(DECISIONS) if decisions is None else decisions, lambda *_: None)


def partition(linkage, rename=None):
    named = linkage.clusters.group_by("cluster_id").agg("profile_id")["profile_id"].to_list()
    return {frozenset(rename[i] if rename else i for i in members) for members in named}


def decided(*pairs):
    rows = [
        {"profile_id_left": x, "profile_id_right": y, "verdict": verdict, "reviewer": "r", "reason": "",
         "decided_at": datetime(2026, 1, 1, tzinfo=UTC)}
        for x, y, verdict in pairs
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=DECISIONS.columns)


@pytest.fixture(scope="module")
def file(frame):
    return frame(people(60))


@pytest.fixture(scope="module")
def linked(file, rules):
    return link(file, rules)


def test_copies_are_found_and_strangers_left_apart(file, linked):
    expected, k = set(), 0
    for n in range(60):
        size = 2 if n % 3 == 0 else 1
        expected.add(frozenset(f"p{i}" for i in range(k, k + size)))
        k += size
    assert partition(linked) == expected


def test_the_frames_are_what_their_schemas_promise(file, linked):
    assert conform(linked.clusters, CLUSTERS).columns == list(CLUSTERS.columns)
    assert linked.clusters["profile_id"].to_list() == file["profile_id"].to_list()
    conform(linked.pairs, SCORED_PAIRS)
    assert (linked.pairs["left"] < linked.pairs["right"]).all()
    assert linked.pairs["first_name_level"].dtype == pl.Int8
    assert linked.pairs["first_name_weight"].dtype == pl.Float32
    pairs = linked.clusters.filter(pl.col("size") == 2)
    assert pairs["weakest_link"].null_count() == 0
    assert linked.clusters.filter(pl.col("size") == 1)["weakest_link"].null_count() == 40
    assert (linked.clusters.group_by("cluster_id").agg(pl.col("profile_id").min())
            .select((pl.col("cluster_id") == pl.col("profile_id")).all()).item())  # fmt: skip


def test_a_clusters_band_says_whether_one_core_covers_it(linked):
    merged = linked.clusters.filter(pl.col("band") == "merge")
    assert merged.height
    assert (merged["core_id"] == merged["cluster_id"]).all()
    assert (linked.clusters.filter(pl.col("size") == 1)["band"] == "distinct").all()


@given(st.integers(0, 1000))
def test_row_order_column_order_and_ids_never_change_the_partition(file, linked, rules, seed):
    draw = random.Random(seed)
    ids = file["profile_id"].to_list()
    renamed = dict(zip(ids, draw.sample([f"x{k}" for k in range(len(ids))], len(ids)), strict=True))
    back = {new: old for old, new in renamed.items()}
    other = (
        file.select(draw.sample(file.columns, len(file.columns)))
        .with_columns(pl.col("profile_id").replace_strict(renamed))
        .sample(fraction=1, shuffle=True, seed=seed)
    )
    assert partition(link(other, rules), back) == partition(linked)


def test_a_copied_attribute_is_not_a_second_piece_of_evidence(frame, rules):
    draw = random.Random(4)
    rows = [
        {**row, "attributes": [{"key": "badge", "value": str(draw.randint(10**5, 10**6))}]}
        for row in people(40)
    ]
    twice = [
        {
            **row,
            "attributes": [*row["attributes"], {"key": "badge_copy", "value": row["attributes"][0]["value"]}],
        }
        for row in rows
    ]
    one, two = link(frame(rows), rules), link(frame(twice), rules)
    assert partition(one) == partition(two)
    assert [c.name for c in two.parameters.columns] == [c.name for c in one.parameters.columns]


def test_a_match_decision_joins_what_evidence_would_not(file, linked, rules):
    assert not {frozenset({"p2", "p3"})} & partition(linked)
    again = link(file, rules, decided(("p2", "p3", "match")))
    assert frozenset({"p2", "p3"}) in partition(again)


def test_a_non_match_decision_keeps_two_profiles_apart(file, linked, rules):
    assert frozenset({"p0", "p1"}) in partition(linked)
    again = link(file, rules, decided(("p1", "p0", "non_match")))
    assert not any({"p0", "p1"} <= members for members in partition(again))


def test_contradictory_decisions_are_reported_and_contested(file, rules):
    verdicts = decided(("p0", "p1", "match"), ("p1", "p2", "match"), ("p0", "p2", "non_match"))
    again = link(file, rules, verdicts)
    assert again.diagnostics["decisions_contradicted"] == ["p0", "p1", "p2"]
    touched = again.clusters.filter(pl.col("profile_id").is_in(["p0", "p1", "p2"]))
    assert touched["contested"].all()
    assert (touched["band"] != "merge").all()
    assert not any({"p0", "p2"} <= members for members in partition(again))


def test_stages_are_announced_with_counts(file, rules):
    told = []
    link_profiles(file, rules, empty(DECISIONS), lambda name, counts: told.append((name, dict(counts))))
    names = [name for name, _ in told]
    assert names[:3] == ["standardise", "block", "compare"]
    assert names[-1] == "conclude"
    assert names.count("cluster") == rules.estimation.passes
    assert dict(told)["standardise"]["profiles"] == file.height


@pytest.mark.parametrize("rows", [[{"first_name": "Anna"}], [{"first_name": None}, {"first_name": None}]])
def test_nothing_to_compare_leaves_every_profile_alone(frame, rules, rows):
    linkage = link(frame(rows), rules)
    assert linkage.parameters is None
    assert linkage.clusters["size"].to_list() == [1] * len(rows)
    conform(linkage.clusters, CLUSTERS)
    with pytest.raises(BadInput, match="nothing was compared"):
        explain_pair(linkage, frame(rows), ("p0", "p1"))


def forced(rules, **blocking):
    return rules.model_copy(update={"blocking": rules.blocking.model_copy(update=blocking)})


def test_blocking_finds_what_comparing_all_pairs_finds(file, linked, rules):
    assert partition(link(file, forced(rules, all_pairs_up_to=0))) == partition(linked)


def test_keys_learned_without_labels_find_what_all_keys_find(frame, rules):
    made = frame(people(400))
    every = link(made, forced(rules, all_pairs_up_to=0))
    learned = link(
        made, forced(rules, all_pairs_up_to=0, learn_above=0, learn_from=300, pairs_per_profile=5.0)
    )
    assert len(learned.diagnostics["blocking"]) < len(every.diagnostics["blocking"]) / 4
    assert partition(learned) == partition(every)


def test_a_file_without_likely_matches_uses_every_key(frame, rules):
    made = frame([{"first_name": chr(97 + k) * 5} for k in range(20)])
    learned = link(made, forced(rules, all_pairs_up_to=0, learn_above=0))
    assert [figures["key"] for figures in learned.diagnostics["blocking"]] == ["a name"]


def test_a_file_with_hundreds_of_keys_is_linked_and_names_them_all(frame, rules):
    draw = random.Random(8)
    rows = [
        {
            **row,
            "attributes": [{"key": f"group{k}", "value": draw.choice("abcdef") * 3} for k in range(9)],
            "address": {
                "city": draw.choice(LAST),
                "postal_code": str(draw.randint(10_000, 10_009)),
                "state": "TX",
            },
        }
        for row in people(40)
    ]
    linkage = link(frame(rows), forced(rules, all_pairs_up_to=0))
    assert len(linkage.diagnostics["blocking"]) > 300
    assert linkage.pairs["blocking_rule"].cast(pl.String).str.len_chars().min() > 0


def test_pinned_keys_are_used_and_forbidden_ones_are_not(frame, rules):
    made = frame(people(60))
    chosen = forced(
        rules, all_pairs_up_to=0, learn_above=0, pinned=("birth year + birth day",), forbidden=("e-mail",)
    )
    names = [figures["key"] for figures in link(made, chosen).diagnostics["blocking"]]
    assert "birth year + birth day" in names
    assert "e-mail" not in names


def test_an_explanation_adds_up_to_the_weight_in_the_frame(file, linked):
    row = linked.pairs.row(0, named=True)
    ids = [file["profile_id"][row[side]] for side in ("left", "right")]
    pair = explain_pair(linked, file, (ids[1], ids[0]))
    assert pair.total == pytest.approx(row["match_weight"])
    assert pair.probability == pytest.approx(row["match_probability"])
    assert pair.prior + sum(e.weight for e in pair.evidence) - pair.relation_discount == pytest.approx(
        pair.total
    )
    assert pair.band == row["band"]
    for line in pair.evidence:
        assert line.weight == pytest.approx(row[f"{line.comparison}_weight"], abs=1e-4)


def test_a_match_is_explained_by_its_strongest_evidence(file, linked):
    pair = explain_pair(linked, file, ("p0", "p1"))
    assert pair.together
    assert "for it:" in pair.sentence
    assert "without" in pair.sentence
    assert pair.without_strongest < pair.total
    assert pair.found_by == "all pairs"


def test_two_that_did_not_match_are_explained_too(file, rules):
    blocked = link(file, forced(rules, all_pairs_up_to=0))
    sentences = [explain_pair(blocked, file, ("p2", f"p{k}")).sentence for k in range(3, 30)]
    assert any("not a candidate: no blocking key in common" in sentence for sentence in sentences)
    assert all("against it:" in sentence for sentence in sentences)


def test_one_similar_field_alone_is_said_to_be_held(frame, rules):
    made = frame([{"business_name": f"northern {w} supplies"} for w in ("timber", "timbre", "lamp", "soap")])
    linkage = link(made, rules)
    pair = explain_pair(linkage, made, ("p0", "p1"))
    assert pair.held
    assert "one similar field alone" in pair.sentence
    assert not pair.together


def test_a_cluster_names_its_weakest_link_and_its_bridges(file, linked):
    cluster = explain_cluster(linked, file, "p0")
    assert cluster.profile_ids == ("p0", "p1")
    assert cluster.weakest is not None
    assert cluster.weakest[:2] == ("p0", "p1")
    assert cluster.bridges == (("p0", "p1"),)
    assert "would part it" in cluster.sentence
    single = explain_cluster(linked, file, "p2")
    assert single.weakest is None
    assert single.sentence == "A single profile."


def test_a_cluster_without_bridges_is_said_to_be_whole(frame, rules):
    person = {"first_name": "Anna", "last_name": "Smith", "email_address": "anna.smith@roe.com"}
    made = frame([person, person, person, *people(20)])
    cluster = explain_cluster(link(made, rules), made, "p0")
    assert len(cluster.profile_ids) == 3
    assert cluster.bridges == ()
    assert "no single link parts it" in cluster.sentence


def test_ids_that_are_not_in_the_run_are_refused(file, linked):
    with pytest.raises(BadInput, match="no profile nobody"):
        explain_pair(linked, file, ("p0", "nobody"))
    with pytest.raises(BadInput, match="not compared with itself"):
        explain_pair(linked, file, ("p0", "p0"))
    with pytest.raises(BadInput, match="no cluster nowhere"):
        explain_cluster(linked, file, "nowhere")


def test_changing_one_comparison_in_the_rules_changes_the_answer(file, linked, rules):
    blind = rules.model_copy(
        update={"comparisons": tuple(c for c in rules.comparisons if c.name == "first_name"), "relations": ()}
    )
    assert partition(link(file, blind)) != partition(linked)
