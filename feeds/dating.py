"""When each feed last looked different to its subscribers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, update
from sqlalchemy.engine import Connection

from feeds import document, index, tables
from feeds.config import Config
from feeds.selection import Kind

#: A feed's kind and key.
Key = tuple[Kind, str]


@dataclass(frozen=True, kw_only=True)
class Head:
    """What subscribers of a feed see of it at one moment."""

    entries: list[tuple[str, bytes, datetime]]
    #: Unix time of the newest thing that time alone has brought.
    latest: int
    name: str


#: A feed that was not there.
NOTHING = Head(entries=[], latest=0, name="")


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
        second = int(self.now.timestamp())
        rows = self.connection.execute(index.newest(feed, second, self.config.limit)).all()
        times = [document.updated(index.decode(row.document), self.now) for row in rows]
        latest = max(times, default=document.NEVER)
        return Head(
            entries=[(row.id, row.digest, at) for row, at in zip(rows, times, strict=True)],
            latest=int(latest.timestamp()),
            name=rows[0].label if rows else "",
        )

    def date(self, feeds: Mapping[Key, Row[Any]], before: Mapping[int, Head]) -> int:
        """Date each feed that looks different from before; how many they are."""
        second = int(self.now.timestamp())
        changes = []
        for key, feed in feeds.items():
            if feed.id not in before:
                continue
            old, head = before[feed.id], self.look(feed.id)
            was_public = feed.changed is not None or bool(old.entries)
            forced = self.settings_changed and (was_public or key == ("site", ""))
            if head.entries == old.entries and not forced:
                continue
            # At least a second later each time: some clients compare nothing else.
            changed = max(second, max(feed.changed or 0, old.latest) + 1)
            name = head.name or old.name or feed.name
            changes.append({"old": feed.id, "changed": changed, "name": name})
        if changes:
            finished = int(self.clock().timestamp())
            if finished > second:
                # Meanwhile an article may have come due, and dated what we replace.
                for change in changes:
                    change["changed"] = max(change["changed"], finished + 1)
            statement = update(tables.feeds).where(tables.feeds.c.id == bindparam("old"))
            values: dict[str, Any] = {"changed": bindparam("changed"), "name": bindparam("name")}
            self.connection.execute(statement.values(values), changes)
            self._wait_for(max(change["changed"] for change in changes))
        return len(changes)

    def _wait_for(self, changed: int) -> None:
        """Never publish from the future: let the second come that was recorded.

        After a clock that jumped back the wait would be long; then the order of
        changes counts for more than their date.
        """
        time.sleep(min(max(changed - self.clock().timestamp(), 0), 1))
