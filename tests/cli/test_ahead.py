"""Work that begins before its result is asked for."""

import gc
import threading
import weakref

import pytest

from resolver.cli.ahead import Ahead
from resolver.errors import BadInput


class Large:
    """Something that is better not held."""


def test_the_call_is_made_before_its_result_is_asked_for() -> None:
    begun = threading.Event()

    def call() -> int:
        begun.set()
        return 3

    ahead = Ahead(call)
    assert begun.wait(10)
    assert ahead.take() == 3


def test_what_was_taken_is_held_no_longer() -> None:
    ahead = Ahead(Large)
    seen = weakref.ref(ahead.take())
    gc.collect()
    assert seen() is None


def test_an_error_comes_where_the_result_is_taken() -> None:
    def call() -> int:
        raise BadInput("no such file")

    ahead = Ahead(call)
    with pytest.raises(BadInput, match="no such file"):
        ahead.take()
