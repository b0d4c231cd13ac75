"""Files poured together: found by their gaps, and each with its own rates."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from resolver.matching.comparison import compare
from resolver.matching.estimation import LOWEST_RATE
from resolver.matching.evidence import Evidence
from resolver.matching.explanation import explain_pair
from resolver.matching.linkage import link_profiles
from resolver.matching.pair_index import all_pairs, unpack
from resolver.matching.parameters import Parameters
from resolver.matching.passes import first_view, next_view
from resolver.matching.scoring import match_weights
from resolver.matching.strata import _patterns, strata_of
from resolver.matching.strata_estimation import entities_by_part, parted, shift_of, shifts_of, with_strata
from resolver.model.frames import DECISIONS, empty


def small_parts(rules, **over):
    changed = rules.estimation.model_copy(update={"smallest_part": 20, **over})
    return rules.model_copy(update={"estimation": changed})


def people(count, seed=1):
    """Names from a vocabulary of their own, some births missing at random."""
    draw = np.random.default_rng(seed)
    return [
        {
            "first_name": f"Anna{draw.integers(30)}",
            "last_name": f"Roe{draw.integers(40)}",
            "birth_date": f"19{draw.integers(40, 99)}-0{draw.integers(1, 9)}-11"
            if draw.random() < 0.7
            else None,
            "phone_number": f"+13125550{draw.integers(100, 999)}",
        }
        for _ in range(count)
    ]


def shops(count, seed=2):
    draw = np.random.default_rng(seed)
    return [
        {
            "business_name": f"Bakery number{draw.integers(50)}",
            "phone_number": f"+120255501{draw.integers(10, 99)}",
        }
        for _ in range(count)
    ]


def test_two_sources_in_one_file_are_two_parts_whatever_the_order(rules, columns):
    rows = [*people(60), *shops(40)]
    draw = np.random.default_rng(3).permutation(len(rows))
    strata = strata_of(columns([rows[k] for k in draw]), small_parts(rules).estimation)
    is_shop = draw >= 60
    assert len(strata.names) == 2
    assert len(set(strata.part[is_shop].tolist())) == len(set(strata.part[~is_shop].tolist())) == 1
    assert strata.part[is_shop][0] != strata.part[~is_shop][0]
    assert len(strata.sides) == 3
    numbers = {strata.name(k): strata.sizes(k) for k in (1, 2, 3)}
    assert sorted(numbers.values()) == sorted([(60, 1770.0), (40, 780.0), (40, 2400.0)])


def test_gaps_that_say_nothing_of_each_other_and_small_files_part_nothing(rules, columns):
    assert not strata_of(columns(people(200)), small_parts(rules).estimation).divided
    rows = columns([*people(60), *shops(40)])
    assert not strata_of(rows, rules.estimation).divided, "parts would be smaller than allowed"
    assert not strata_of(rows, small_parts(rules, parts=1).estimation).divided, "switched off"


def test_an_undivided_file_is_scored_by_the_one_model(rules, columns):
    strata = strata_of(columns(people(30)), rules.estimation)
    assert strata.of((np.array([0]), np.array([1]))) is None


def test_values_common_in_one_source_and_rare_in_the_file_are_strangers_values_there(rules, columns):
    """Slow twin: collisions of entities within and between parts, counted pair by pair."""
    rows = [*people(60), *shops(40)]
    laid = columns(rows)
    view = first_view(small_parts(rules), laid)
    entity = np.arange(len(rows))
    view = next_view(small_parts(rules), view, entity)
    last = next(k for k, column in enumerate(laid) if column.name == "last_name")
    column, bins, step = laid[last], view.bins[last], rules.estimation.frequency_step
    found = shift_of(entities_by_part(column, parted(view.strata, entity)), bins, step)
    assert np.array_equal(view.shifts[last], found)

    part, whole = view.strata.part, column.whole[:, 0]
    here = int(part[0])
    rows_here = [k for k in range(len(rows)) if part[k] == here]
    met = sum(
        1 for n, a in enumerate(rows_here) for b in rows_here[n + 1 :] if whole[a] == whole[b] and whole[a]
    )
    counts = np.bincount(whole)
    named = sum(1 for k in rows_here if whole[k])
    expected = (
        sum(np.exp(-step * float(bins[whole[k]])) for k in rows_here if counts[whole[k]] >= 2) * named / 2
    )
    assert found[here, here] == pytest.approx(np.log((met + 10) / (expected + 10)))


def test_a_stratum_scores_with_its_own_prior_tables_and_relations(rules, columns):
    rules = small_parts(rules)
    rows = [*people(60), *people(20), *shops(40), *shops(15)]
    linkage = link_profiles(
        pl.DataFrame(
            [{"profile_id": f"p{k}", **row} for k, row in enumerate(rows)], infer_schema_length=None
        ),
        rules,
        empty(DECISIONS),
        lambda *_: None,
    )
    model, view = linkage.parameters, linkage.answer.view
    assert model is not None
    assert len(model.strata) == 3
    assert Parameters.from_json(model.to_json()) == model
    words = all_pairs(len(rows))
    pairs = unpack(words)
    bytes_, stratum = compare(view.columns, view.bins, pairs), view.strata.of(pairs)
    together = match_weights(model, bytes_, stratum)
    for number in (1, 2, 3):
        alone = match_weights(model.of(number), bytes_[:, stratum == number])
        assert together[stratum == number] == pytest.approx(alone)
    rate = {view.strata.name(k): model.of(k).match_rate for k in (1, 2, 3)}
    assert min(rate, key=rate.__getitem__).startswith("one "), "no shop is a person"


def test_an_explanation_adds_up_and_says_for_whom_it_holds(rules):
    rules = small_parts(rules)
    rows = [*people(60), *shops(40)]
    frame = pl.DataFrame(
        [{"profile_id": f"p{k}", **row} for k, row in enumerate(rows)], infer_schema_length=None
    )
    linkage = link_profiles(frame, rules, empty(DECISIONS), lambda *_: None)
    told = explain_pair(linkage, frame, ("p0", "p1"))
    assert told.stratum is not None
    assert told.stratum.startswith("both with")
    total = told.prior + sum(line.weight for line in told.evidence) - told.relation_discount
    assert told.held or told.total == pytest.approx(total)
    scored = linkage.pairs.filter(pl.col("match_weight").is_not_null())
    for left, right, weight in scored.select("left", "right", "match_weight").head(20).iter_rows():
        assert explain_pair(linkage, frame, (f"p{left}", f"p{right}")).total == pytest.approx(
            weight, abs=1e-6
        )


@pytest.mark.parametrize("account", [None, "A{:05d}"])
def test_colleagues_are_known_between_staff_with_names_and_companies_without(rules, columns, account):
    """Else a switchboard makes one customer of a firm and its clerk.

    Where they have nothing to compare but what colleagues share, the file says how common that is.
    """
    firms = [
        {"business_name": f"Maple{k} Bakery{k}", "phone_number": f"+1202555{1000 + k}"} for k in range(40)
    ]
    staff = [
        {**person, "business_name": firm["business_name"], "business_phone_number": firm["phone_number"]}
        for person, firm in zip(people(60), firms, strict=False)
    ]
    rows = [*staff, *people(60, seed=4), *firms]
    if account:
        rows = [{**row, "account_number": account.format(k * 7919 % 100_000)} for k, row in enumerate(rows)]
    view = first_view(small_parts(rules), columns(rows))
    words = all_pairs(len(rows))
    bytes_ = compare(view.columns, view.bins, unpack(words))
    pairs = Evidence(words, np.zeros(len(words), np.uint16), bytes_)
    model = with_strata(rules, view, view.model, (pairs, shifts_of(rules, view)))
    work = next(k for k, relation in enumerate(model.relations) if relation.name == "work")
    parts = {view.strata.name(k): model.of(k) for k in range(1, len(model.strata) + 1)}
    mixed = next(part for name, part in parts.items() if name.startswith("one "))
    firms_alone = next(part for name, part in parts.items() if name.startswith("both without"))
    assert firms_alone.relations[work].rate == LOWEST_RATE, "two companies are not colleagues"
    assert mixed.relations[work].rate > 1000 * LOWEST_RATE
    per_match = model.relations[work].rate / model.match_rate
    assert (mixed.relations[work].rate / mixed.match_rate == pytest.approx(per_match)) == (account is None)


@pytest.mark.parametrize("fields", [3, 32, 40, 70])  # more than one word tells of
def test_profiles_have_one_pattern_where_they_have_the_same_fields(fields):
    kinds = np.random.default_rng(fields).random((6, fields)) < 0.5
    which = np.random.default_rng(1).integers(0, 6, 300)
    pattern, known = _patterns(list(kinds[which].T))
    assert np.array_equal(known[pattern], kinds[which])
    assert len(known) == len(np.unique(kinds[which], axis=0))
