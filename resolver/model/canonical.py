"""The one spelling of JSON content: for hashes, and for members that a frame holds as text."""

from __future__ import annotations

import json
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(content: Any) -> str:
    """The one spelling of that content: keys sorted, no spaces."""
    return _ENCODER.encode(content)
