"""The index at one moment, for a process that reads it at length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from feeds.config import Config
from feeds.history import Archive
from feeds.index import Found, Index
from feeds.index.tables import documents
from feeds.selection import Selection

#: Answers of the index that are kept: the formats of a document ask for the same.
_ANSWERS = 64


class Snapshot(Index):
    """The index as it is at one moment, to one process, however long that reads it."""

    def __init__(self, url: str, config: Config) -> None:
        super().__init__(url, config)
        self._stack = ExitStack()
        self._held = self._stack.enter_context(super().reading())
        self._answers: dict[Any, Found | None] = {}
        # Every page asks for these.
        self._changed: dict[datetime, datetime] = {}
        self._due: dict[datetime, datetime | None] = {}
        # When documents came to look as they do, by address.
        self._known: dict[str, tuple[bytes, int]] | None = None
        #: What was found last: the documents beside it are those that its page leads to.
        self.last: Found | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The one read transaction."""
        yield self._held

    def since(self, address: str, digest: bytes, candidate: datetime) -> datetime:
        """As that of the index, but nothing is noted: the times of the files tell it."""
        if self._known is None:
            with self.reading() as connection:
                rows = connection.execute(select(documents))
                self._known = {row.address: (row.digest, row.changed) for row in rows}
        seen, changed = self._known.get(address, (b"", 0))
        return datetime.fromtimestamp(changed, UTC) if seen == digest else candidate

    def find(
        self,
        selection: Selection,
        now: datetime,
        archive: Archive | None = None,
        most: int | None = None,
    ) -> Found | None:
        """As that of the index."""
        asked = (selection, now, archive, most)
        if asked not in self._answers:
            if len(self._answers) >= _ANSWERS:
                self._answers.clear()
            self._answers[asked] = super().find(*asked)
        self.last = self._answers[asked]
        return self.last

    def changed(self, now: datetime) -> datetime:
        """As that of the index."""
        if now not in self._changed:
            self._changed = {now: super().changed(now)}
        return self._changed[now]

    def due(self, now: datetime) -> datetime | None:
        """As that of the index."""
        if now not in self._due:
            self._due = {now: super().due(now)}
        return self._due[now]

    def close(self) -> None:
        """Let go of the moment."""
        self._stack.close()
        super().close()
