"""What a profile's content hashes to, so that a change between planning and merging is seen."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from resolver.model.profile import without_blanks

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def fingerprint_profile(profile: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the profile's canonical JSON without ``FoundByItems`` and blanks.

    A member that plans do not know (EngagementPreferences) counts too: a profile that has one never equals
    what was planned on, so its merge is refused rather than done blindly.
    """
    return fingerprint_clean(without_blanks(profile))


def fingerprint_clean(profile: Mapping[str, Any]) -> str:
    """The same for a profile that is known to hold no blanks."""
    return hashlib.sha256(canonical_json(profile).encode()).hexdigest()


def canonical_json(content: Any) -> str:
    """The one spelling of that content: keys sorted, no spaces, ASCII."""
    return _ENCODER.encode(content)
