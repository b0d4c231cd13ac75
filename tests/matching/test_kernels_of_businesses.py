# ruff: noqa: RUF001 - names in other scripts are the cases
"""What the kernel makes of company names is what the expressions make of them, and each name by itself."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_kernels import assert_same, both

from resolver.compiled import library
from resolver.compiled.businesses import companies
from resolver.matching.standardising import businesses
from resolver.matching.standardising.businesses import (
    _forms_seen,
    _known,
    clean_business,
    cleaned_businesses,
    standardise_businesses,
)
from resolver.matching.standardising.coding import encode
from resolver.matching.standardising.folding import among, folded, phrases
from resolver.rule_file import load_rules

pytestmark = pytest.mark.skipif(not library.there(), reason="the kernels were not built: no C compiler")

REFERENCE = load_rules().reference
LISTED = sorted(
    {*REFERENCE.legal_forms, *REFERENCE.business_noise, *REFERENCE.business_words, *businesses._AND}
)
#: Singulars and what is like a plural, lone letters, marks, and what folding makes of other scripts.
ODD = [
    *("Acme", "cars", "parties", "ties", "3mies", "glass", "oasis", "bus", "ies", "abcs1", "s", "A", "7"),
    *("J.", "b", "S.A.", "s.p.a.", "s. de r.l. de c.v.", "J.O'Neill", "a.b'c", "o'b.c", "x._.y", "_", "3.m"),
    *("company limited", "limited company", "joint stock company limited", "private ltd sti", "co ltd sti"),
    *("\t", "\n", "\x1c", "\x7f", "\0", "(", "-", "&", "'", "`", "''", "!"),
]
OTHER = [
    *("Café", "Škoda", "株式会社", "(株)", "㈱", "ООО", "АО", "ﬁn", "２", "O’Neil", "´", "\u3000", "İ", "ſ"),
    "Å\u0301s",
]


def column(made):
    return pl.Series("text", made, dtype=pl.String)


def names_of(words):
    cased = st.sampled_from(words) | st.sampled_from(LISTED)
    cased |= cased.map(str.upper) | cased.map(str.title)
    between = st.sampled_from([*"       -/&+.,'`", ", ", ". ", "", "  ", " & "])
    return st.lists(st.tuples(cased, between).map("".join), max_size=9).map("".join)


def columns_of(words):
    return st.lists(names_of(words), max_size=12, unique=True).map(column)


@given(columns_of(ODD))
@example(
    column(["", " ", ".", "the", "Inc", "and Inc", "the group", "J.P. Morgan & Co", "A/S", "ООО Acme Inc"])
)
@example(column(["private limited company limited", "Acme co co co", "Cong Ty TNHH Acme", "PT AB Acme Tbk"]))
def test_company_names(made):
    one, other = both(lambda: cleaned_businesses(made, REFERENCE).rows())
    assert one == other == [tuple(clean_business(name, REFERENCE)) for name in made]
    if all(name.isascii() for name in made):
        assert companies(made, _known(REFERENCE))[0].all()


@given(columns_of([*ODD, *OTHER, *OTHER]), st.sampled_from([0, 512]))
def test_company_names_in_other_scripts(made, few):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(businesses, "_FEW", few)
        one, other = both(lambda: cleaned_businesses(made, REFERENCE).rows())
    assert one == other == [tuple(clean_business(name, REFERENCE)) for name in made]


def test_long_names_are_left_to_others():
    plain = ["Acme " * 48, "x" * 384, "a " * 192]
    long = ["Acme " * 49, "x" * 385, "Acme" + " " * 381, "Ltd " * 60, "Bräu"]
    made = column([*plain, *long])
    assert companies(made, _known(REFERENCE))[0].tolist() == [True] * len(plain) + [False] * len(long)
    rows = cleaned_businesses(made, REFERENCE).rows()
    assert rows == [tuple(clean_business(name, REFERENCE)) for name in made]


def test_names_may_become_longer():
    made = column(["ins mtg unltd rt bt bldrs"] * 5_000 + ["x ins mtg unltd rt bt"] * 5_000)
    rows = cleaned_businesses(made, REFERENCE).unique(maintain_order=True).rows()
    assert rows == [tuple(clean_business(made[k], REFERENCE)) for k in (0, 9_999)]


def test_columns_in_several_pieces():
    made = pl.concat([column(["Acme Inc", "Cars"]), column(["The Industries of Nowhere Holding Ltd."])])
    for given_ in (made, made.slice(1), made.head(0)):
        rows = cleaned_businesses(given_, REFERENCE).rows()
        assert rows == [tuple(clean_business(name, REFERENCE)) for name in given_]


def test_tables_may_be_empty_or_large(monkeypatch):
    nothing = dataclasses.replace(
        REFERENCE,
        legal_forms={},
        leading_legal_forms=frozenset(),
        legal_affixes={},
        business_noise=frozenset(),
        business_words={},
    )
    large = dataclasses.replace(REFERENCE, business_words={f"w{k}": f"word{k}" for k in range(3_000)})
    made = column(["the Acme Cars Inc", "w7 Ltd", "A B", "Café and", ""])
    for reference, few in ((nothing, 512), (nothing, 0), (large, 512)):
        monkeypatch.setattr(businesses, "_FEW", few)
        rows = cleaned_businesses(made, reference).rows()
        assert rows == [tuple(clean_business(name, reference)) for name in made]
    assert _known(large) is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "ag", "gmbh", "co kg", "é"]))))
def test_the_forms_seen_with_each_core(pairs):
    [cores], texts = encode([column([core for core, _ in pairs])])
    seen = defaultdict(set)
    for core, form in pairs:
        seen[core] |= {form} - {""}
    said = _forms_seen(cores, column([form for _, form in pairs]), len(texts))
    assert said.to_list() == ["|".join(sorted(seen[core])) for core in texts]


@given(columns_of([*ODD, "n/a", "N.A.", "-", "unknown", "Test", "Café"]))
def test_companies_as_a_field(made):
    one, other = both(lambda: standardise_businesses(made, REFERENCE))
    assert_same(one.codes, other.codes)
    assert one.vocabulary.equals(other.vocabulary)


@given(
    st.lists(st.text(st.sampled_from("ab AB.-'`_é’\0"), max_size=7), max_size=9),
    st.lists(st.sampled_from(["", "a", "ab", "a b", "b a", "e", "a" * 300]), max_size=4),
)
@example(["a-b", "A'b", "a.b", " a  b ", "", "--", "a" * 300, "a" * 301, "ab" * 200], ["ab", "a" * 300, ""])
def test_texts_among_phrases(made, listed):
    texts = column([*made, None])
    one, other = both(lambda: among(texts, listed).to_list())
    assert one == other == phrases(folded(texts)).is_in(listed).to_list()


def test_more_phrases_than_there_is_room_for():
    assert among(column(["A-7", "b"]), [f"a{k}" for k in range(3_000)]).to_list() == [True, False]
