"""When each feed last looked different to its subscribers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.engine import Connection

from feeds import document
from feeds.config import Config
from feeds.index import outbox, statements, tables
from feeds.placement import Key, decode
from feeds.selection import Selection


@dataclass(frozen=True, kw_only=True)
class Head:
    """What subscribers of a feed see of it at one moment."""

    entries: list[tuple[str, bytes, datetime]]
    #: Whether there are older ones, to which the feed then links.
    more: bool
    #: Unix time of the newest thing that time alone has brought.
    latest: int
    name: str

    @property
    def shows(self) -> object:
        """What changes with the feed's bytes."""
        return self.entries, self.more


#: A feed that was not there.
NOTHING = Head(entries=[], more=False, latest=0, name="")


@dataclass
class Dating:
    """Compares feeds before and after one change of the index."""

    connection: Connection
    config: Config
    clock: Callable[[], datetime]
    #: Settings that bytes depend on changed: every public feed is dated.
    settings_changed: bool
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.clock()

    def look(self, feed: int) -> Head:
        """A feed as its subscribers see it when the change begins."""
        second, limit = int(self.now.timestamp()), self.config.limit
        said = {"feed": feed, "above": -statements.ALL, "below": second + 1, "limit": limit + 1}
        rows = self.connection.execute(statements.newest(), said).all()
        rows, more = rows[:limit], len(rows) > limit
        times = [document.updated(decode(row.document), self.now) for row in rows]
        latest = max(times, default=document.NEVER)
        return Head(
            entries=[(row.id, row.digest, at) for row, at in zip(rows, times, strict=True)],
            more=more,
            latest=int(latest.timestamp()),
            name=rows[0].label if rows else "",
        )

    def date(self, feeds: Mapping[Key, Row[Any]], before: Mapping[int, Head], *, seen: bool) -> int:
        """Date the change, and each feed that looks different from before; how many.

        A change is `seen` if any document could show it: what is of the future alone
        dates nothing.
        """
        looks = {feed.id: self.look(feed.id) for feed in feeds.values() if feed.id in before}
        changed = [
            (feed, before[feed.id], looks[feed.id])
            for key, feed in feeds.items()
            if feed.id in before and self._is_changed(key, feed, before[feed.id], looks[feed.id])
        ]
        at = self._stamp(before.values())
        rows = [
            {"old": feed.id, "changed": at, "name": new.name or old.name or feed.name}
            for feed, old, new in changed
        ]
        if rows:
            statement = update(tables.feeds).where(tables.feeds.c.id == bindparam("old"))
            values: dict[str, Any] = {"changed": bindparam("changed"), "name": bindparam("name")}
            self.connection.execute(statement.values(values), rows)
        self.queue(feed for feed, _, _ in changed)
        if rows or seen:
            self.connection.execute(update(tables.state).values(changed=at))
            self._wait_for(at)
        # A type has no feed of its own.
        return sum(feed.kind != "type" for feed, _, _ in changed)

    def queue(self, changed: Iterable[Row[Any]]) -> None:
        """Note for the hub which feeds look different; types and withdrawn ones are no feeds."""
        name = self.config.name
        told = [
            feed.id
            for feed in changed
            if feed.kind != "type" and not name(Selection(kind=feed.kind, key=feed.key)).withdrawn
        ]
        outbox.queue(self.connection, self.config.hub, told)

    def _is_changed(self, key: Key, feed: Row[Any], old: Head, new: Head) -> bool:
        was_public = feed.changed is not None or bool(old.entries)
        forced = self.settings_changed and (was_public or key == ("site", ""))
        return forced or new.shows != old.shows

    def _stamp(self, before: Iterable[Head]) -> int:
        """The Unix time of this change: at least a second after all that came before it.

        Some clients compare nothing else.
        """
        last = self.connection.execute(select(tables.state.c.changed)).scalar_one()
        second = int(self.now.timestamp())
        at: int = max(second, max([last, *(old.latest for old in before)]) + 1)
        finished = int(self.clock().timestamp())
        # Meanwhile an article may have come due, and dated what we replace.
        at = max(at, finished + 1) if finished > second else at
        # So may one in the second that is waited for, before this is committed.
        coming = select(tables.coming).where(tables.coming.c.at == at)
        return at + 1 if at > second and self.connection.execute(coming).first() else at

    def _wait_for(self, changed: int) -> None:
        """Never publish from the future: let the second come that was recorded.

        After a clock that jumped back the wait would be long; then the order of
        changes counts for more than their date.
        """
        time.sleep(min(max(changed - self.clock().timestamp(), 0), 2))
