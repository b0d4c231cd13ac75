"""How texts sound: what survives most misspellings."""

from __future__ import annotations

from typing import Final

import polars as pl

from resolver.compiled import texts as compiled

#: Letters written for a sound, and the letter that stands for it.
_HEARD: Final = {"ph": "f", "ck": "k", "c": "k", "q": "k", "z": "s", "v": "w", "d": "t"}
_MUTE: Final = dict.fromkeys("aeiouyhw ", "")
_DOUBLED: Final = {letter * 2: letter for letter in "bfgjklmnprstx"}


def sounds(texts: pl.Series) -> pl.Series:
    """The first letter of each text and the consonants behind it; empty where none are."""
    if compiled.taken(texts):
        return compiled.sounds(texts)
    spoken = texts.str.replace_many(_HEARD, leftmost=True)
    first, rest = spoken.str.slice(0, 1), spoken.str.slice(1).str.replace_many(_MUTE)
    skeleton = pl.select(pl.concat_str(first, rest)).to_series()
    while (twice := skeleton.str.contains_any(list(_DOUBLED))).any():
        rows = twice.arg_true()
        skeleton = skeleton.scatter(rows, skeleton.gather(rows).str.replace_many(_DOUBLED))
    return pl.select(pl.when(skeleton.str.len_chars() > 1).then(skeleton).otherwise(pl.lit(""))).to_series()
