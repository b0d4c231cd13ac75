"""Kernels say what their twins in NumPy say, to the last bit."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_incremental import NOBODY, domain, people, silent, two_sources

from resolver.compiled import library
from resolver.matching import average_linkage, clustering, comparison
from resolver.matching.blocking import Limits, block, index_of_key, pairs_of_keys
from resolver.matching.columns import columns_of
from resolver.matching.comparison import compare, rebin
from resolver.matching.components import first_members, first_rows, numbered
from resolver.matching.doubts import _bridges
from resolver.matching.estimation import byte_counts
from resolver.matching.evidence import Evidence
from resolver.matching.key_parts import Part
from resolver.matching.keys import Key, keys_of
from resolver.matching.linkage import link_profiles
from resolver.matching.lookups import look_up, of_one
from resolver.matching.ordering import content_hashes
from resolver.matching.pair_index import pack, pairs_within, unpack
from resolver.matching.results import _smallest_ids
from resolver.matching.scoring import Tables, lone_similar, match_weights, odds
from resolver.matching.sorting import hash_codes, ordered_hashes
from resolver.matching.standardisation import standardise
from resolver.matching.strata import Strata
from resolver.matching.strata_estimation import entities_by_part, parted
from resolver.matching.values import Values

pytestmark = pytest.mark.skipif(not library.there(), reason="the kernels were not built: no C compiler")


@contextmanager
def numpy_only():
    there, library.LIBRARY = library.LIBRARY, None
    try:
        yield
    finally:
        library.LIBRARY = there


def both(made):
    """What is made with kernels, and without them; each makes its own inputs, so that nothing is kept."""
    with_kernels = made()
    with numpy_only():
        return with_kernels, made()


def assert_same(one, other):
    if isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert np.array_equal(np.asarray(one), np.asarray(other)), (one, other)


words = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3) | st.just(2**63), max_size=60)


@given(words, st.integers(1, 400))
def test_hashes_are_ordered_and_ranked(given_, times):
    hashes = np.tile(np.array(given_, np.uint64), times)
    assert_same(*both(lambda: ordered_hashes(hashes)))
    for unknown in ([2, 3], [0, 2**63], [2**40 + 1, 2**40 + 2]):
        assert_same(*both(lambda unknown=unknown: hash_codes(hashes, np.array(unknown, np.uint64))))
    assert (ordered_hashes(hashes)[0] == np.argsort(hashes, kind="stable")).all()


@pytest.mark.parametrize("different", [5, 20_000, 10**12])
@pytest.mark.parametrize("shift", [0, 30, 60])
def test_many_hashes_are_ranked_however_alike_they_are(different, shift):
    draw = np.random.default_rng(different)
    hashes = draw.integers(0, different, 120_000, dtype=np.uint64) << np.uint64(shift)
    codes, first = hash_codes(hashes, np.array([1, 3], np.uint64) + hashes.max())
    _, where, back = np.unique(hashes, return_index=True, return_inverse=True)
    assert_same((codes, first), (back + 1, where))


texts = st.text(st.sampled_from("ab z0919+-.ßé字"), max_size=20)


@given(st.lists(texts, min_size=1, max_size=20))
def test_texts_are_spelled_and_their_digits_read(rules, made):
    vocabulary = pl.DataFrame({"text": ["", *made]})

    def tables():
        values = Values("x", "name", vocabulary, rules.reference)
        plain = values.ascii
        return (
            values.length,
            plain,
            values.letters * plain,
            values.word,
            values.digits,
            values.digit_count,
        )

    assert_same(*both(tables))


NAMES = [
    *("anna", "ana", "hanna", "bert", "berta", "smith", "smyth", "anna maria", "maria anna", "a", "bill"),
    *("william", "müller", "mueller", "o", None),
]
profiles = st.lists(
    st.fixed_dictionaries(
        {
            "first_name": st.sampled_from(NAMES),
            "last_name": st.sampled_from(NAMES),
            "middle_name": st.sampled_from(NAMES),
            "birth_date": st.sampled_from(
                ["1980-01-31", "1980-01-13", "1980-13-01", "1980", "1981-02-03", None]
            ),
            "phone_number": st.sampled_from(["+12025550123", "+12025550132", "+13105550000", None]),
            "mobile_phone_number": st.sampled_from(["+12025550123", "+12025550177", "202555017x9", None]),
            "email_address": st.sampled_from(
                ["anna.smith1@x.com", "anna.smyth@x.com", "a.smith@y.org", "info@acme.com", None]
            ),
            "business_name": st.sampled_from(["Acme Tools Ltd", "Acme Tool", "AcmeTools", "Northwind", None]),
            "address": st.sampled_from(
                [
                    {"address1": "12 High Street", "city": "Leeds", "postal_code": "LS1 4AB"},
                    {"address1": "21 High St", "city": "Leeds", "postal_code": "LS1 4AC"},
                    {"address1": "High Street", "city": "York", "postal_code": None},
                    {"address1": None, "city": None, "postal_code": "LS1 4AB"},
                ]
            ),
        }
    ),
    min_size=2,
    max_size=12,
)


def sides_of(count):
    left, right = np.triu_indices(count, 1)
    return left.astype(np.uint32), right.astype(np.uint32)


def columns_made(rules, frame, made):
    return columns_of(rules, standardise(frame(made), rules.reference, "US"))


@settings(max_examples=60)
@given(profiles, st.integers(1, 300))
def test_pairs_are_compared_and_their_frequencies_rewritten(rules, frame, made, times):
    if not any(value for row in made for name, value in row.items() if name != "address"):
        return

    def bytes_():
        columns = columns_made(rules, frame, made)
        left, right = (np.tile(side, times) for side in sides_of(len(made)))
        bins = [np.arange(column.wholes, dtype=np.uint8) % 7 for column in columns]
        found = compare(columns, bins, (left, right))
        again = found.copy()
        rebin(columns, [own + np.uint8(3) for own in bins], (left, right), again)
        return found, again

    assert_same(*both(bytes_))


def test_pairs_of_values_that_repeat_are_compared_once(rules, frame, monkeypatch):
    made = [{"first_name": name, "last_name": "smith"} for name in NAMES if name]
    left, right = (np.tile(side, 400) for side in sides_of(len(made)))
    columns = columns_made(rules, frame, made)
    bins = [np.zeros(column.wholes, np.uint8) for column in columns]
    whole = compare(columns, bins, (left, right))
    monkeypatch.setattr(comparison, "_repeat", lambda *_: False)
    assert_same(compare(columns, bins, (left, right)), whole)


def larger(rules, frame, count=400):
    return columns_of(rules, standardise(domain(frame, people(count), 3), rules.reference, "US"))


def test_keys_have_the_same_blocks_and_pairs(rules, frame):
    def found():
        columns = larger(rules, frame)
        keys = keys_of(columns, small=True)
        limits = Limits(8, 2_000.0)
        one = block(keys, limits, 12)
        rows = np.arange(0, len(columns[0].whole), 2)
        own = [replace(key, parts=tuple(part.of(rows) for part in key.parts)) for key in keys]
        singly = [np.sort(pairs_of_keys([key], limits, 12)[0]) for key in own]
        indices = [index_of_key(key, 12) for key in keys]
        figures = [[own[name] for name in own if name != "key"] for own in one.figures]
        return one.words, one.key, figures, list(one.allowed), singly, indices

    assert_same(*both(found))


some_words = st.lists(st.lists(st.sampled_from([0, 0, 1, 2, 3, 2**63]), min_size=6, max_size=6), max_size=40)


@given(some_words, st.sampled_from([(1,), (3,), (1, 1), (1, 2), (1, 1, 1), (2, 1, 3), (1, 1, 1, 1)]),
       st.integers(2, 9), st.sampled_from([0.0, 1.0, 4.0, 30.0, float("inf")]))  # fmt: skip
def test_the_pairs_of_a_key_are_found_in_one_call(made, widths, largest, budget):
    table = np.array(made, np.uint64).reshape(-1, 6)
    edges = np.cumsum([0, *widths])
    parts = [Part(str(k), table[:, edges[k] : edges[k + 1]]) for k in range(len(widths))]
    key = Key(tuple(parts))
    assert_same(*both(lambda: np.sort(pairs_of_keys([key], Limits(largest, budget), 6)[0])))


@pytest.mark.parametrize("different", [1, 3, 40, 5_000])
def test_the_pairs_of_many_profiles_in_large_and_small_blocks(different):
    draw = np.random.default_rng(different)
    one, other = (Part(name, draw.integers(0, different + 1, (20_000, 3), np.uint64)) for name in "ab")
    for key in (Key((one,)), Key((one, other)), Key((Part("c", one.codes[:, :1]),))):
        for limits in (Limits(60, 20_000.0), Limits(7, 1e9), Limits(4, 1_250.0)):
            assert_same(*both(lambda key=key, limits=limits: np.sort(pairs_of_keys([key], limits, 15)[0])))


def test_arrays_lie_where_their_interface_says():
    made = np.arange(12, dtype=np.uint64).reshape(3, 4)
    fixed, dates, none = made.copy(), np.zeros(3, "M8[s]"), np.empty((2, 0), np.uint8)
    fixed.flags.writeable = False
    arrays = [made, fixed, dates, none, made[:, 1:], None]
    where = [0 if one is None else one.__array_interface__["data"][0] for one in arrays]
    assert library.addresses(arrays).tolist() == where
    for given_ in (made, fixed):
        sizes = np.zeros(14, np.int64)
        assert library.call("block_sizes", given_, 12, 2, 12, sizes) == 4
        assert sizes[4] == 3
    with pytest.raises(AssertionError):
        library.call("block_sizes", made[:, 1:], 9, 2, 12, np.zeros(14, np.int64))


def told(seen):
    return seen.values, seen.counts, seen.sizes, seen.everywhere, seen.having


def test_values_are_counted_once_per_entity_and_part(rules, frame):
    def counted():
        columns = larger(rules, frame)
        count = len(columns[0].whole)
        entity = np.random.default_rng(1).integers(0, count // 3, count)
        part = (np.arange(count) % 3).astype(np.uint8)
        strata = Strata.of_parts(part, ("a", "b", "c"), np.ones((3, len(columns)), bool))
        return [
            (
                told(entities_by_part(column, parted(strata, entity))),
                told(
                    entities_by_part(
                        column, parted(Strata.of_parts(part * 0, ("a",), strata.present), entity)
                    )
                ),
                told(entities_by_part(column, parted(strata, None)))[:3],
                column.times,
            )
            for column in columns
        ]

    assert_same(*both(counted))


def test_a_large_entity_counts_each_value_once(rules, frame):
    def counted():
        columns = larger(rules, frame)
        entity = np.zeros(len(columns[0].whole), np.int64)
        part = (np.arange(len(entity)) % 2).astype(np.uint8)
        strata = Strata.of_parts(part, ("a", "b"), np.ones((2, len(columns)), bool))
        return [told(entities_by_part(column, parted(strata, entity))) for column in columns]

    found, expected = both(counted)
    assert_same(found, expected)
    assert max(everywhere.max() for _, _, _, everywhere, _ in found) == 1


def test_weights_are_looked_up_and_summed(rules, frame):
    own = rules.model_copy(update={"blocking": rules.blocking.model_copy(update={"all_pairs_up_to": 50})})
    model = link_profiles(domain(frame, people(150), 2), own, NOBODY, silent).parameters
    bytes_ = np.random.default_rng(2).integers(0, 30, (len(model.columns), 40_000)).astype(np.uint8)
    bytes_[:, :9] = 0
    part = np.asfortranarray(bytes_)

    def weighed():
        told = odds(Tables.of(model), bytes_[:, 5:])
        told = told.evidence, told.explained, told.tied
        return (
            match_weights(model, bytes_),
            match_weights(model, part),
            told,
            lone_similar(model, bytes_),
            (byte_counts(bytes_)),
        )

    assert_same(*both(weighed))


links = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40)


@given(links)
def test_components_are_found(pairs):
    left, right = (np.array(side, np.uint32) for side in zip(*[(0, 0), *pairs], strict=True))
    assert_same(*both(lambda: first_members(31, left, right)))


@given(links, st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 50]))
def test_components_are_cut_at_every_height(pairs, seed, largest):
    pairs = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    if not pairs:
        return
    left, right = (np.array(side, np.uint32) for side in zip(*pairs, strict=True))
    draw = np.random.default_rng(seed)
    similarity = draw.choice(
        [-3.0, -1.0, 0.0, 0.5, 2.0, 2.0, 7.5, clustering.MUST, clustering.NEVER], len(left)
    )
    label = np.unique(first_members(31, left, right), return_inverse=True)[1]
    edges = clustering.Edges(pack(left, right), similarity)
    assert_same(*both(lambda: clustering.cut_components(label, edges, [1.0, -0.5, 3.0], largest)))


def test_one_linkage_is_the_other_for_components_of_many(monkeypatch):
    draw = np.random.default_rng(4)
    count = 23
    left, right = sides_of(count)
    similarity = draw.normal(0.5, 2, len(left))
    edges = clustering.Edges(pack(left, right), similarity)
    label = np.zeros(count, np.int64)
    monkeypatch.setattr(average_linkage, "_BATCH", 1)
    assert_same(*both(lambda: clustering.cut_components(label, edges, [0.2, 1.0], 50)))


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(2, 4), st.integers(0, 2**30))
def test_groups_of_rows(labels, smallest, seed):
    label = np.unique(np.array(labels, np.int64), return_inverse=True)[1]
    left, right = np.random.default_rng(seed).integers(0, max(len(label), 1), (2, len(label)))
    assert_same(
        *both(lambda: (first_rows(label), numbered(first_rows(label)), pairs_within(label, smallest)))
    )
    assert_same(*both(lambda: of_one(label, (left.astype(np.uint32), right.astype(np.uint32)))))


@pytest.mark.parametrize("kind", ["bool", "u1", "i2", "u4", "f4", "i8", "f8"])
def test_columns_are_looked_up(kind):
    table = np.arange(-3, 4).astype(kind)
    for index in (np.array([6, 0, 3, 3], np.uint32), np.array([5, 2]), np.array([], np.uint8)):
        assert_same(*both(lambda index=index: look_up(table, index)))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30), st.integers(0, 2**30))
def test_links_that_nothing_could_replace(pairs, marks):
    pairs = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    left, right = (np.array(side, np.uint32) for side in zip(*pairs, strict=True)) if pairs else 2 * [[]]
    words = pack(np.array(left, np.uint32), np.array(right, np.uint32))
    once = np.array([marks >> k & 1 for k in range(len(words))], bool)
    assert_same(*both(lambda: _bridges(words, once)))


def test_evidence_grows_in_order(rules, frame):
    def grown():
        columns = larger(rules, frame, 40)
        bins = [np.zeros(column.wholes, np.uint8) for column in columns]
        left, right = sides_of(len(columns[0].whole))
        every = pack(left, right)
        first = Evidence(
            every[::3], np.zeros(len(every[::3]), np.uint16), compare(columns, bins, unpack(every[::3]))
        )
        more = np.setdiff1d(every, every[::3])
        found = first.also(more, columns, bins)
        return found.words, found.key, found.bytes_

    assert_same(*both(grown))


def test_content_is_hashed(rules, frame):
    made = standardise(domain(frame, people(80), 3), rules.reference, "US")
    assert_same(*both(lambda: content_hashes(made)))


@pytest.mark.parametrize("kind", ["all pairs", "keys", "learned keys", "sources"])
def test_a_whole_run_gives_the_same_answer(rules, frame, kind):
    changes = {
        "all pairs": {},
        "keys": {"all_pairs_up_to": 50},
        "learned keys": {"all_pairs_up_to": 50, "learn_above": 60, "learn_from": 300},
        "sources": {"all_pairs_up_to": 50},
    }[kind]
    own = rules.model_copy(update={"blocking": rules.blocking.model_copy(update=changes)})
    rows = people(700, 7)
    if kind == "sources":
        own = own.model_copy(update={"estimation": own.estimation.model_copy(update={"smallest_part": 30})})
        rows = two_sources(700, 7)
    random.Random(5).shuffle(rows)
    given_ = domain(frame, rows, 2)
    one, other = both(lambda: link_profiles(given_, own, NOBODY, silent))
    assert one.parameters == other.parameters
    assert one.clusters.equals(other.clusters)
    assert one.pairs.equals(other.pairs)
    assert one.diagnostics == other.diagnostics


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=30), st.floats(-40, 5), st.booleans())
def test_weights_are_softened(rules, made, prior, each):
    weight = np.array([*made, 0.0, -0.0, 1e-9, -1e-9])
    own = np.linspace(prior, prior + 3, len(weight)) if each else prior
    assert_same(*both(lambda: clustering.softened(weight, own, rules.clustering)))


@given(
    st.lists(
        st.tuples(st.text(st.sampled_from("abé字"), max_size=3), st.integers(0, 6)),
        min_size=1,
        unique_by=lambda x: x[0],
    )
)
def test_groups_are_named_by_their_smallest_id(made):
    ids = pl.Series("profile_id", [name + "-" * 12 for name, _ in made])
    order = np.random.default_rng(3).permutation(len(made))
    group = np.array([number % len(made) for _, number in made])
    assert_same(*both(lambda: _smallest_ids([group, np.arange(len(made))], ids, order)))
