"""The library of kernels, if it was built: its callers have a twin in NumPy, which gives the same answer.

Installing builds it where there is a C compiler (see ``build_hook.py``). ``RESOLVER_KERNELS=numpy`` leaves it
unused. A library of other sources than those beside it is not loaded.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

#: Where the sources lie, and where the library is built.
HERE: Final = Path(__file__).parent
NAME: Final = "kernels.so"
#: What a kernel returns where memory is short; less, where it does not know what it was given.
_SHORT: Final = -1
#: An array's own memory as an argument, whatever its length.
_buffer: Final[Callable[[Any], Any]] = (ctypes.c_char * 0).from_buffer


def sources() -> list[Path]:
    """The sources, headers first."""
    return [*sorted(HERE.glob("*.h")), *sorted(HERE.glob("*.c"))]


def fingerprint() -> str:
    """What tells sources apart."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources())).hexdigest()[:16]


def _loaded() -> ctypes.CDLL | None:
    path = HERE / NAME
    if os.environ.get("RESOLVER_KERNELS") == "numpy" or not path.is_file():
        return None
    try:
        library = ctypes.CDLL(str(path))
        built_from = ctypes.c_char_p.in_dll(library, "built_from").value
    except (OSError, ValueError):  # of another machine, or of other sources
        return None
    return library if built_from == fingerprint().encode() else None


LIBRARY: Final[ctypes.CDLL | None] = _loaded()


def there() -> bool:
    """Whether the kernels can be called."""
    return LIBRARY is not None


def call(name: str, *given: NDArray[Any] | float | None) -> int:
    """What the kernel returns. Arrays must be contiguous, and of the types that its source tells.

    Other threads work meanwhile. Raises MemoryError where the kernel is short of
    memory, ValueError where it does not know what it was given.
    """
    kernel = getattr(LIBRARY, name)
    if getattr(kernel, "argtypes", ()) is None:
        kernel.restype, kernel.argtypes = ctypes.c_int64, [_kind(one) for one in given]
    found: int = kernel(*[_passed(one) for one in given])
    if found == _SHORT:
        raise MemoryError(name)
    if found < 0:
        raise ValueError(name)
    return found


def run(array: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    """The array as one run of that type; itself where it is."""
    return np.ascontiguousarray(array, kind)


def _kind(one: NDArray[Any] | float | None) -> Any:
    """What C takes it as; whole numbers, addresses and none are asked for alike in every call."""
    if one is None or isinstance(one, np.ndarray):
        return ctypes.c_void_p
    return ctypes.c_double if isinstance(one, float) else ctypes.c_int64


def _passed(one: NDArray[Any] | float | None) -> Any:
    if isinstance(one, np.ndarray):
        try:
            return _buffer(one)  # holds the array; says where it lies in a fifth of the time of the interface
        except (TypeError, ValueError):  # read-only, or of dates, which have no buffer; or not one run
            assert one.flags.c_contiguous, one.strides  # noqa: S101 - a kernel walks what is passed as one run
            return one.__array_interface__["data"][0]
    return one if one is None or isinstance(one, float) else int(one)


def addresses(arrays: Sequence[NDArray[Any] | None]) -> NDArray[np.uint64]:
    """Where each array lies (0: none), for a kernel that takes many; the caller holds them meanwhile."""
    return np.array([0 if one is None else _address(one) for one in arrays], dtype=np.uint64)


def _address(array: NDArray[Any]) -> int:
    try:
        return ctypes.addressof(_buffer(array))
    except (TypeError, ValueError):  # of those that are passed to ``addresses``, some are not one run
        where: int = array.__array_interface__["data"][0]
        return where
