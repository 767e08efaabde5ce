"""The feeds that changed since they were last pinged (W3C WebSub)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update

from feeds.index.schema import feeds
from feeds.index.store import Store
from feeds.selection import Selection

_WAITING = (
    feeds.c.changed.is_not(None),
    or_(feeds.c.pinged.is_(None), feeds.c.changed > feeds.c.pinged),
)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A feed that waits for its pings; times are Unix times."""

    selection: Selection
    #: When this feed changed, and when the last of all waiting feeds did.
    changed: int
    latest: int


def first(store: Store) -> Waiting | None:
    """Return the feed that has waited longest."""
    latest = select(func.max(feeds.c.changed)).where(*_WAITING).scalar_subquery()
    statement: Any = select(feeds, latest.label("latest")).where(*_WAITING)
    with store.read_transaction() as connection:
        oldest = statement.order_by(feeds.c.changed, feeds.c.id).limit(1)
        row = connection.execute(oldest).first()
    if row is None:
        return None
    selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
    return Waiting(selection=selection, changed=row.changed, latest=row.latest)


def count(store: Store) -> int:
    """Return how many feeds wait."""
    with store.read_transaction() as connection:
        return connection.execute(select(func.count()).where(*_WAITING)).scalar_one()


def mark(store: Store, waiting: Waiting) -> None:
    """Record that a feed's change was pinged; a later change of it still waits."""
    s = waiting.selection
    mine = feeds.c.kind == s.kind, feeds.c.key == s.key
    with store.write_transaction() as connection:
        connection.execute(update(feeds).where(*mine).values(pinged=waiting.changed))
