"""When Identity Resolution last looked for matches in a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from resolver.profiles.domain import Domain


def matched_at(domain: Domain) -> datetime | None:
    """The moment of the run that GetMatches shows; null where there was none.

    Raises:
        ServiceFailed, Unreachable: it cannot be read.
    """
    generated: datetime | None = domain.require("get_matches", MaxResults=1).get("MatchGenerationDate")
    return generated
