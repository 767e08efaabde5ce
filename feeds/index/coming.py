"""What time alone will change: an article that comes due, an update that was announced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select

from feeds.index import Index
from feeds.index.dating import Dating
from feeds.index.tables import coming, entries, feeds
from feeds.placement import Placement


def rows(placed: Iterable[Placement], now: datetime) -> Iterator[dict[str, Any]]:
    """When time will change what articles show."""
    second = now.timestamp()
    return ({"article": p.id, "at": at} for p in placed for at in p.moments if at > second)


def queue_due(catalogue: Index, now: datetime) -> None:
    """Note for the hub which feeds time has changed, once for each change."""
    due = coming.c.at <= int(now.timestamp())
    soonest = select(func.min(coming.c.at)).where(due)
    with catalogue.reading() as connection:
        if connection.execute(soonest).scalar() is None:
            return
    with catalogue.writing() as connection:
        # None any more where another process came first.
        start = connection.execute(soonest).scalar() or 0
        of = select(entries.c.feed).where(
            entries.c.article.in_(select(coming.c.article).where(due))
        )
        kept = select(feeds).where(feeds.c.id.in_(of))
        old = Dating(connection, catalogue.config, lambda: _before(start), False)
        new = Dating(connection, catalogue.config, lambda: now, False)
        looks = {row: (old.look(row.id), new.look(row.id)) for row in connection.execute(kept)}
        changed = [row for row, (before, after) in looks.items() if before.shows != after.shows]
        new.queue(changed)
        connection.execute(delete(coming).where(due))


def _before(second: int) -> datetime:
    return datetime.fromtimestamp(second - 1, UTC)
