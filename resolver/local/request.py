"""What a handler receives: the checked parameters and everything else it may depend on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from resolver.local.refusal import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.local.faults import Faults

DEFAULT_PAGE: Final = 20  # documented for SearchProfiles, assumed for the other lists
_PAGING = frozenset({"MaxResults", "NextToken"})
_DIGEST_BYTES: Final = 16
_POSITION_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """How one service behaves where AWS leaves a choice, and what it must not read from its surroundings.

    `merge_winner` decides a field that the main profile lacks and merged profiles disagree on: the first of
    ProfileIdsToBeMerged ("normal") or the last ("hostile"). With `victim_alias` a search for a merged-away
    `_profileId` finds the survivor. `strict_values` refuses more than one value per search key.
    """

    region: str = "us-east-1"
    account_id: str = "000000000000"
    merge_winner: Literal["normal", "hostile"] = "normal"
    victim_alias: bool = False
    strict_values: bool = False
    consistency_delay_seconds: float = 0.0
    faults: Faults | None = None
    clock: Callable[[], float] = field(default=time.time)  # epoch seconds


@dataclass(frozen=True, slots=True)
class Request:
    """One call: parameters by the API's member names, the moment of serving, the service's settings."""

    operation: str
    parameters: dict[str, Any]
    at: float
    settings: Settings
    region: str
    token_secret: bytes
    token_context: str = ""

    def __getitem__(self, member: str) -> Any:
        return self.parameters[member]

    def get(self, member: str, default: Any = None) -> Any:
        """A parameter, or the default when the request lacks it."""
        return self.parameters.get(member, default)

    @property
    def page_size(self) -> int:
        """MaxResults, or the default."""
        size: int = self.parameters.get("MaxResults", DEFAULT_PAGE)
        return size

    def after(self) -> int:
        """The position that the request's NextToken continues after; 0 without one.

        A token belongs to one operation with one set of parameters (the page size may change) and, where
        `paging_in` says so, to one state of the domain; anything else is a bad request (assumed: the lifetime
        and binding of real tokens are not documented).
        """
        token = self.parameters.get("NextToken")
        if token is None:
            return 0
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
            position = int.from_bytes(raw[_DIGEST_BYTES:][:_POSITION_BYTES], "big")
        except ValueError:
            raise BadRequest("NextToken is not valid") from None
        if not hmac.compare_digest(token.encode(), self.next_token(position).encode()):
            raise BadRequest("NextToken is not valid for this request")
        return position

    def paging_in(self, context: str) -> Request:
        """The same request, whose tokens are good in this context only."""
        return replace(self, token_context=context)

    def next_token(self, position: int) -> str:
        """The token of the page after `position`."""
        return base64.b64encode(self._token(position), altchars=b"-_").decode()

    def _token(self, position: int) -> bytes:
        bound = {name: value for name, value in self.parameters.items() if name not in _PAGING}
        text = json.dumps([self.operation, bound, position, self.token_context], sort_keys=True).encode()
        digest = hmac.new(self.token_secret, text, hashlib.sha256).digest()[:_DIGEST_BYTES]
        return digest + position.to_bytes(_POSITION_BYTES, "big")

    def page(self, items: list[Any], positions: list[int]) -> tuple[list[Any], dict[str, str]]:
        """At most one page of items (given one more than fits) and the NextToken member, if there is more."""
        if len(items) <= self.page_size:
            return items, {}
        kept = items[: self.page_size]
        return kept, {"NextToken": self.next_token(positions[len(kept) - 1])}
