"""What nearly every operation begins with: the domain, the profile, or a 404 that names what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.local.refusal import NotFound
from resolver.local.tables.domains import Domain, find_domain
from resolver.local.tables.profiles import Profile, find_profile

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session


def the_domain(store: Session, request: Request) -> Domain:
    """The domain that the request names."""
    domain = find_domain(store, request["DomainName"])
    if domain is None:
        raise NotFound(f"Domain {request['DomainName']} not found")
    return domain


def the_profile(store: Session, domain: Domain, profile_id: str) -> Profile:
    """A profile of the domain."""
    profile = find_profile(store, domain.seq, profile_id)
    if profile is None:
        raise NotFound(f"Profile {profile_id} not found in domain {domain.name}")
    return profile
