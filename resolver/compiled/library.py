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
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Where the sources lie, and where the library is built.
HERE: Final = Path(__file__).parent
NAME: Final = "kernels.so"
#: What a kernel returns where memory is short; less, where it does not know what it was given.
_SHORT: Final = -1
_NOTHING: Final = ctypes.c_byte * 0


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
        flags = one.flags
        assert flags.c_contiguous, one.strides  # noqa: S101 - a kernel walks what is passed as one run
        return _address(one) if flags.writeable else one.__array_interface__["data"][0]
    return one if one is None or isinstance(one, float) else int(one)


def addresses(arrays: Sequence[NDArray[Any] | None]) -> NDArray[np.uint64]:
    """Where each array lies (0: none), for a kernel that takes many; the caller holds them meanwhile."""
    return np.array([0 if one is None else address(one) for one in arrays], dtype=np.uint64)


def address(one: NDArray[Any]) -> int:
    """Where an array lies."""
    found: int = _address(one) if one.flags.carray else one.__array_interface__["data"][0]
    return found


def _address(one: NDArray[Any]) -> int:
    """Where a writable run lies; to have an array described in full takes four times as long."""
    return ctypes.addressof(_NOTHING.from_buffer(one))  # type: ignore[arg-type]
