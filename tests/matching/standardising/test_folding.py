from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.standardising.folding import by_hand, fold, folded, phrase, phrases, whole_words, words

TEXTS = st.lists(st.one_of(st.text(), st.text(alphabet="aÉéñß ø'-’ŁǅΩж中\u034f\u0301.,")), min_size=1)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Müller", "muller"),
        ("Straße", "strasse"),
        ("ÅSE ØSTBY", "ase ostby"),
        ("Łukasz", "lukasz"),
        ("Иванов", "ivanov"),
        ("Παπαδόπουλος", "papadopoylos"),
        ("O’Neill", "o'neill"),
        ("e\u0301", "e"),
    ],
)
def test_accents_and_scripts_become_plain_letters(text, plain):
    assert fold(text) == plain


def test_hyphens_and_apostrophes_join_words():
    assert words("Anne-Marie O'Neill, Jr.") == ["annemarie", "oneill", "jr"]


@given(TEXTS)
def test_a_column_folds_as_its_texts_do(texts):
    series = pl.Series(texts, dtype=pl.String)
    assert folded(series).to_list() == [fold(text) for text in texts]
    assert phrases(folded(series)).to_list() == [phrase(text) for text in texts]


def test_null_folds_to_nothing():
    assert folded(pl.Series([None, "É"])).to_list() == ["", "e"]


def test_the_careful_function_sees_each_text_once():
    seen = []

    def careful(text):
        seen.append(text)
        return text.upper()

    texts = pl.Series(["a", "b", "a", "c"])
    assert by_hand(texts, texts, texts == "c", careful).to_list() == ["A", "B", "A", "c"]
    assert sorted(seen) == ["a", "b"]


def test_only_whole_words_are_found():
    assert whole_words(pl.Series(["van dam", "vandam", "a van"]), ["van"]).to_list() == [True, False, True]
    assert whole_words(pl.Series(["van"]), []).to_list() == [False]
