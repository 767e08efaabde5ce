"""The feeds that a hub is still to be told of, noted together with what changed them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.engine import Connection

from feeds.index.database import Database
from feeds.index.tables import feeds, outbox
from feeds.selection import Selection


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The feed that has waited longest."""

    #: Grows with each change.
    id: int
    selection: Selection
    #: The highest number of any feed that waits.
    last: int


def queue(connection: Connection, hub: str, changed: Iterable[int]) -> None:
    """Note which feeds changed, and forget what another hub was to be told.

    A feed that waits already waits once, for its last change.
    """
    connection.execute(delete(outbox).where(outbox.c.hub != hub))
    rows = [{"feed": feed, "hub": hub} for feed in sorted(changed)]
    if hub and rows:
        again = delete(outbox).where(outbox.c.feed == bindparam("old"))
        connection.execute(again, [{"old": row["feed"]} for row in rows])
        connection.execute(outbox.insert(), rows)


def first(database: Database, hub: str) -> Waiting | None:
    """What a hub is to be told next."""
    last = select(func.max(outbox.c.id)).scalar_subquery().label("last")
    waiting = select(outbox.c.id, feeds.c.kind, feeds.c.key, feeds.c.slug, last).join(feeds)
    mine = waiting.where(outbox.c.hub == hub).order_by(outbox.c.id).limit(1)
    with database.reading() as connection:
        row = connection.execute(mine).first()
    if row is None:
        return None
    selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
    return Waiting(id=row.id, selection=selection, last=row.last)


def count(database: Database, hub: str) -> int:
    """How many feeds wait for a hub."""
    waiting = select(func.count()).select_from(outbox).where(outbox.c.hub == hub)
    with database.reading() as connection:
        found: int = connection.execute(waiting).scalar_one()
    return found


def remove(database: Database, waiting: Waiting) -> None:
    """Forget a feed that the hub was told of, unless it has changed again."""
    with database.writing() as connection:
        connection.execute(delete(outbox).where(outbox.c.id == waiting.id))
