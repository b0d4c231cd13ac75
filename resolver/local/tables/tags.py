"""Tags by resource: the part of an ARN after the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resolver.local.store import Session


def tags_of(store: Session, resource: str) -> dict[str, str]:
    """A resource's tags."""
    return dict(store.all("SELECT name, value FROM tag WHERE resource = ? ORDER BY name", resource))


def put_tags(store: Session, resource: str, tags: Mapping[str, str]) -> None:
    """Add tags or overwrite their values."""
    store.many(
        "INSERT OR REPLACE INTO tag (resource, name, value) VALUES (?, ?, ?)",
        [(resource, name, value) for name, value in tags.items()],
    )


def remove_tags(store: Session, resource: str, names: Iterable[str]) -> None:
    """Remove tags; an absent one is no matter."""
    store.many("DELETE FROM tag WHERE resource = ? AND name = ?", [(resource, name) for name in names])


def remove_all_tags(store: Session, resource: str) -> None:
    """Remove every tag of a resource."""
    store.run("DELETE FROM tag WHERE resource = ?", resource)
