"""The feeds that changed since they were last pinged (W3C WebSub)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update

from feeds.index.schema import feeds, meta
from feeds.index.store import Store
from feeds.periods import FREQUENCIES
from feeds.selection import Selection

#: Whether the feed of stories waits.
_STORIES = or_(feeds.c.pinged.is_(None), feeds.c.changed > feeds.c.pinged)
_WAITING = (
    feeds.c.changed.is_not(None),
    or_(_STORIES, *(feeds.c[name] > feeds.c.pinged for name in FREQUENCIES)),
)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A feed that waits for its pings; times are Unix times."""

    selection: Selection
    #: The feed of stories and the digest feeds that changed since the last ping.
    selections: tuple[Selection, ...]
    #: When the last of these changed, and when anything public last changed.
    changed: int
    latest: int


def longest_waiting(store: Store) -> Waiting | None:
    """Return the feed that has waited longest; those whose stories changed come first."""
    latest = select(meta.c.changed).scalar_subquery()
    statement: Any = select(feeds, latest.label("latest")).where(*_WAITING)
    order = _STORIES.desc(), feeds.c.changed, feeds.c.id
    with store.read_transaction() as connection:
        row = connection.execute(statement.order_by(*order).limit(1)).first()
    if row is None:
        return None
    selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
    pinged = row.pinged or 0
    changes = {selection: row.changed}
    changes |= {selection.digests(name): row._mapping[name] for name in FREQUENCIES}
    return Waiting(
        selection=selection,
        selections=tuple(s for s, changed in changes.items() if changed > pinged),
        changed=max(changes.values()),
        latest=row.latest,
    )


def count(store: Store) -> int:
    """Return how many feeds wait."""
    with store.read_transaction() as connection:
        return connection.execute(select(func.count()).where(*_WAITING)).scalar_one()


def mark(store: Store, waiting: Waiting) -> None:
    """Record that a feed's changes were pinged; a later change of it still waits."""
    s = waiting.selection
    mine = feeds.c.kind == s.kind, feeds.c.key == s.key
    with store.write_transaction() as connection:
        connection.execute(update(feeds).where(*mine).values(pinged=waiting.changed))
