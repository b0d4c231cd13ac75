"""What falls due with time, worked off before the next request is served.

Documented: data expires after ExpirationDays. Assumed: an object keeps the term of its ingestion; fields that
it filled stay; a profile goes when its last object expires and it holds nothing of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from resolver.local.operations.profiles import drop_profile
from resolver.local.tables import history, keys, objects, profiles
from resolver.local.tables.domains import get_domain
from resolver.local.tables.history import Event

if TYPE_CHECKING:
    from resolver.local.store import Session


def expire(store: Session, at: float) -> None:
    """Remove every object whose time is up, and profiles that nothing is left of.

    Where anything was due, the watch stays as it is: this transaction may yet fail. The next request finds
    nothing due any more and sets it then.
    """
    for domain_seq, stored in objects.expired_objects(store, at):
        keys.remove_keys_of_object(store, stored.profile, stored.seq)
        objects.remove_object(store, domain_seq, stored)
        event = Event("EXPIRED", at, stored.body, stored.object_type, stored.unique_key)
        history.record(store, domain_seq, stored.profile, event)
        (profile,) = profiles.get_profiles(store, [stored.profile])
        if profile.object_count == 0 and not profile.fields:
            history.record(store, domain_seq, profile.seq, Event("EXPIRED", at))
            keys.remove_all_given(store, profile.seq)
            drop_profile(store, get_domain(store, domain_seq), profile, None)
    if store.stats:  # some domain changes with this transaction
        return
    coming = (objects.earliest_expiry(store), objects.earliest_due(store))
    store.watch.earliest = min((moment for moment in coming if moment is not None), default=math.inf)
