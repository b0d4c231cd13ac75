"""Many profiles at once: rows in order of seq, index rows sorted once at the end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resolver.local.tables.profiles import forget_former, next_profile_seq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.local.store import Session
    from resolver.local.tables.keys import Key


@dataclass(slots=True)
class Staging:
    """One bulk load into a domain, inside one write transaction."""

    session: Session
    domain: int
    at: float
    next_seq: int = field(init=False)

    def __post_init__(self) -> None:
        self.next_seq = next_profile_seq(self.session)
        self.session.run(
            "CREATE TEMP TABLE IF NOT EXISTS staged_key (name TEXT, value TEXT, profile INTEGER)"
        )
        self.session.run("DELETE FROM staged_key")

    def add(self, batch: Sequence[tuple[str, str, set[Key]]]) -> None:
        """Add (profile id, fields as JSON, derived keys) of new profiles."""
        first, domain, at = self.next_seq, self.domain, self.at
        forget_former(self.session, domain, [profile_id for profile_id, _, _ in batch])
        self.session.many(
            "INSERT INTO profile (seq, domain, profile_id, fields, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (seq, domain, profile_id, fields, at, at)
                for seq, (profile_id, fields, _) in enumerate(batch, first)
            ],
        )
        self.session.many(
            "INSERT INTO history (domain, profile, record_id, action, object_type, at)"
            " VALUES (?, ?, ?, 'CREATED', '_profile', ?)",
            [(domain, seq, secrets.token_hex(16), at) for seq in range(first, first + len(batch))],
        )
        self.session.many(
            "INSERT INTO staged_key VALUES (?, ?, ?)",
            [(name, value, seq) for seq, (_, _, keys) in enumerate(batch, first) for name, value in keys],
        )
        self.session.count(domain, (len(batch), 0, sum(len(fields) for _, fields, _ in batch)))
        self.next_seq += len(batch)

    def finish(self) -> None:
        """Put the staged index rows in their place, in the order of the index."""
        self.session.run(
            "INSERT INTO profile_key (domain, name, value, profile, origin)"
            " SELECT ?, name, value, profile, 0 FROM staged_key ORDER BY name, value, profile",
            self.domain,
        )
        self.session.run("DELETE FROM staged_key")
