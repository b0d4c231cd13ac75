"""Texts by kernels: what standardising does to each text of a column by itself.

A column goes in as it lies, by the Arrow C stream interface, and what is made of it comes back by the Arrow C
data interface. Columns must hold no nulls, unless a function says that they may.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from resolver.compiled.library import call, run, there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Array: TypeAlias = NDArray[Any]

#: What one text says: see ``Spelling`` in kernels.h.
SPELLING: Final = np.dtype([("letters", "u8"), ("word", "u8"), ("length", "i4"), ("ascii", "i4")])
#: Bytes of a schema and of an array: see texts.h.
_SCHEMA: Final = 9 * 8
_ARRAY: Final = 10 * 8
_STREAM: Final = b"arrow_array_stream"
#: Values of objects that there is room for at a time.
_VALUES: Final = 524_288
_THREADS: Final = 2
#: Characters beyond ASCII that most columns have no more of.
_LETTERS: Final = 4_096
#: Numbers that texts may dial abroad begin with: up to three digits.
DIALLED: Final = 1_000
#: Words and phrases that there is room for: see listed.h.
MOST_LISTED: Final = 2_048


def taken(texts: pl.Series, *, nulls: bool = False) -> bool:
    """Whether kernels take a column: there are some that know its layout, it holds texts, and no nulls.

    ``nulls`` may be there for those that say so.
    """
    return there() and texts.dtype == pl.String and (nulls or not texts.null_count()) and _known()


@cache
def _known() -> bool:
    """Whether this Polars lays texts out as the kernels know them."""
    try:
        called("digits_of", pl.Series([""]), np.empty(1, np.uint64), np.empty(1, np.int32))
    except ValueError:
        return False
    return True


def called(name: str, texts: pl.Series, *more: Array | int | None) -> int:
    """What a kernel returns for the stream of a column and its length."""
    capsule = texts.__arrow_c_stream__(None)
    pointer = _pointer(capsule, _STREAM)
    return call(name, pointer, len(texts), *more)


def _pointer(capsule: object, name: bytes) -> int:
    return int(_POINTER(capsule, name))


_POINTER: Final[Callable[[object, bytes], int]] = ctypes.pythonapi.PyCapsule_GetPointer
_POINTER.restype, _POINTER.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)  # type: ignore[attr-defined]
_CAPSULE: Final[Callable[[int, bytes, None], object]] = ctypes.pythonapi.PyCapsule_New
_CAPSULE.restype, _CAPSULE.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)  # type: ignore[attr-defined]


class Made:
    """Room for texts that a kernel hands over, which a column then takes from it."""

    def __init__(self) -> None:
        self.schema, self.array = np.zeros(_SCHEMA, np.uint8), np.zeros(_ARRAY, np.uint8)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        del requested_schema
        return tuple(  # type: ignore[return-value]
            _CAPSULE(room.__array_interface__["data"][0], name, None)
            for room, name in ((self.schema, b"arrow_schema"), (self.array, b"arrow_array"))
        )

    def column(self) -> pl.Series:
        """The texts."""
        return pl.Series("text", self)


def picked(texts: pl.Series, rows: Array) -> pl.Series:
    """An empty text, and those of rows that differ, in no more memory than they take; nulls are empty."""
    made = Made()
    called("picked", texts, run(rows, np.int64), len(rows), made.schema, made.array)
    return made.column()


def spelled(texts: pl.Series) -> Array:
    """A SPELLING per text."""
    out = np.empty(len(texts), SPELLING)
    called("spelled", texts, out)
    return out


def digits_of(texts: pl.Series) -> tuple[Array, Array]:
    """The last fifteen digits of texts, four bits each, and how many there are."""
    digits, many = np.empty(len(texts), np.uint64), np.empty(len(texts), np.int32)
    called("digits_of", texts, digits, many)
    return digits, many


def anagrams(texts: pl.Series, of_byte: Array) -> Array:
    """The sum of what there is for each byte of a text."""
    out = np.empty(len(texts), np.uint64)
    called("anagrams", texts, run(of_byte, np.uint64), out)
    return out


def letters_of(texts: pl.Series) -> str:
    """The characters beyond ASCII that texts hold, each once, rising; nulls hold none."""
    room = _LETTERS
    while True:
        letters = np.empty(room, np.uint32)
        found = called("letters_of", texts, letters, room)
        if found <= room:
            return "".join(map(chr, letters[:found].tolist()))
        room = found


def folded(texts: pl.Series, letters: str, written: Sequence[str]) -> pl.Series:
    """Texts with ASCII in lower case and each of ``letters_of`` them as it is written; nulls are empty."""
    made, known = Made(), np.array([ord(letter) for letter in letters], np.uint32)
    called("folded", texts, known, len(known), *joined(written), made.schema, made.array)
    return made.column()


def phrased(texts: pl.Series, parting: str) -> pl.Series:
    """Words of letters and digits with single spaces; what is in ``parting`` (ASCII) parts words, too."""
    made, marks = Made(), np.frombuffer(parting.encode("ascii"), np.uint8)
    called("phrased", texts, marks, len(marks), made.schema, made.array)
    return made.column()


def among(texts: pl.Series, listed: Iterable[str]) -> Array:
    """Whether each text is one of the phrases, MOST_LISTED at most: 0, 1, or 2 where that is not known.

    ASCII is known, unless it is long; nulls are empty.
    """
    out, phrases = np.empty(len(texts), np.uint8), [*listed]
    told = [phrase for phrase in phrases if phrase]
    called("among", texts, *joined(told), len(told), "" in phrases, out)
    return out


def dialled(texts: pl.Series) -> Array:
    """How many texts dial each number below DIALLED behind + or 00; nulls dial none."""
    times = np.zeros(DIALLED, np.int64)
    called("dialled", texts, times)
    return times


def plain_emails(texts: pl.Series) -> tuple[pl.Series, Array]:
    """Plain addresses in lower case without their +tag, others as they are; and which are plain."""
    made, accepted = Made(), np.empty(len(texts), bool)
    called("plain_emails", texts, accepted, made.schema, made.array)
    return made.column(), accepted


def parted(texts: pl.Series, mark: str) -> tuple[pl.Series, pl.Series]:
    """What stands before the first mark (ASCII), and what behind it."""
    before, behind = Made(), Made()
    called("parted", texts, ord(mark), before.schema, before.array, behind.schema, behind.array)
    return before.column(), behind.column()


def usual_lines(
    lines: pl.Series, listed: Mapping[str, int], endings: Sequence[str]
) -> tuple[Array, tuple[pl.Series, pl.Series, pl.Series]]:
    """Which address lines are usual or blank; house numbers, streets' own names and units, else empty.

    ``listed`` says by bits what words of letters and digits are: the type of a street 1, one that may stand
    first 2, a direction 4, the word for a unit 8. ``endings`` are glued to streets' names. Nulls are blank.
    """
    made, usual = (Made(), Made(), Made()), np.empty(len(lines), bool)
    kinds = np.array([*listed.values(), 0], np.uint8)
    told = *joined(listed), kinds, len(listed), *joined(endings), len(endings), usual
    called("usual_lines", lines, *told, *(room for one in made for room in (one.schema, one.array)))
    number, street, unit = (one.column() for one in made)
    return usual, (number, street, unit)


def full_names(
    texts: pl.Series, special: Iterable[str], dignities: Iterable[str]
) -> tuple[Array, tuple[pl.Series, pl.Series, pl.Series]]:
    """Which folded texts are plain names of two words or more, or "Last, First"; their first, middle, last.

    A name with a ``special`` word is not plain, nor one that a dignity begins behind a comma: it is empty.
    """
    kinds = dict.fromkeys(dignities, 2)
    for word in special:
        kinds[word] = 3
    made, read = (Made(), Made(), Made()), np.empty(len(texts), bool)
    told = *joined(kinds), np.array([*kinds.values(), 0], np.uint8), len(kinds), read
    called("full_names", texts, *told, *(room for one in made for room in (one.schema, one.array)))
    first, middle, last = (one.column() for one in made)
    return read, (first, middle, last)


def joined(words: Iterable[str]) -> tuple[Array, Array]:
    """The bytes of words one after the other, and where each begins and the last ends."""
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded) or b"\0", np.uint8), ends


def words_of(texts: pl.Series) -> tuple[Array, pl.Series]:
    """The words of texts, which spaces part: each one's text, and the word."""
    values, made = np.empty(called("words_of", texts, None, None, None), np.uint32), Made()
    called("words_of", texts, values, made.schema, made.array)
    return values, made.column()


def made_of_names(columns: Sequence[tuple[pl.Series, Array]], rows: Array) -> tuple[Array, list[Array]]:
    """Whether all mailboxes of rows are made of their names; per slot a number for their digits, or 0.

    ``columns`` are the texts and codes of first names, last names and mailboxes' local parts.
    """
    capsules = [texts.__arrow_c_stream__(None) for texts, _ in columns]
    opened = [
        part
        for capsule, (texts, _) in zip(capsules, columns, strict=True)
        for part in (_pointer(capsule, _STREAM), len(texts))
    ]
    codes = [part for _, own in columns for part in (run(own, np.uint32), own.shape[1])]
    slots = columns[-1][1].shape[1]
    made, digits = np.empty(len(rows), bool), np.empty((slots, len(rows)), np.uint64)
    call("made_of_names", *opened, *codes, run(rows, np.uint32), len(rows), made, digits)
    return made, list(digits)


def sounds(texts: pl.Series) -> pl.Series:
    """The first letter of texts and the consonants behind it: see ``sounds.py``."""
    made = Made()
    called("sounds", texts, made.schema, made.array)
    return made.column()


def dates_of(texts: pl.Series, day_first: Sequence[bool]) -> tuple[pl.Series, Array, Array]:
    """Eight digits for dates in a usual notation, else empty; whose day and month are open; which are read.

    ``day_first`` is for the separators -, /, . and space.
    """
    made, ambiguous, read = Made(), np.empty(len(texts), bool), np.empty(len(texts), bool)
    called("dates_of", texts, np.array(day_first, bool), ambiguous, read, made.schema, made.array)
    return made.column(), ambiguous, read


def days_first(texts: pl.Series) -> Array:
    """How many more texts begin with the day than with the month, for the separators -, /, . and space."""
    votes = np.zeros(4, np.int64)
    called("days_first", texts, votes)
    return votes


def smallest_of_groups(texts: pl.Series, order: Array, group: Array, out: tuple[Array, Array]) -> None:
    """Where the smallest text of each row's group stands, for the rows that are marked, in place.

    ``order`` says which text each row has, ``group`` its group's number below their count; ``out`` are the
    places and the marks.
    """
    places, several = out
    whole = texts.rechunk()  # texts anywhere are looked at
    called("smallest_of_groups", whole, order, np.ascontiguousarray(group, np.int64), several, places)


def object_values(texts: pl.Series, keys: Sequence[str]) -> pl.DataFrame | None:
    """The values of plain JSON objects: ``row``, ``key``, ``value``, by row and key; nulls are empty objects.

    Null and blank values are left out; a row without any is there once, with a null key. ``keys`` rise. None
    where a text is no object of strings without escapes and nulls, or holds another key, or one twice.
    """
    known = *joined(keys), len(keys)
    named = pl.Series("key", [*keys, None], pl.String)
    step = max(1, _VALUES // max(len(keys), 1))

    def read(begin: int) -> pl.DataFrame:
        part = texts.slice(begin, step)
        room = len(part) * max(len(keys), 1)
        rows, numbers, made = np.empty(room, np.uint32), np.empty(room, np.int32), Made()
        found = called("object_values", part, *known, rows, numbers, made.schema, made.array)
        key = named.gather(np.where(numbers[:found] < 0, len(keys), numbers[:found]))
        return pl.DataFrame({"row": rows[:found] + np.uint32(begin), "key": key, "value": made.column()})

    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            return pl.concat(list(pool.map(read, range(0, max(len(texts), 1), step))))
        except ValueError:
            return None
