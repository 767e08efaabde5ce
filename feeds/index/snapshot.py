"""The index at one moment, for a process that reads all of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import select
from sqlalchemy.engine import URL, Connection

from feeds.config import Config
from feeds.history import Month
from feeds.index import Index, Status
from feeds.index.query import NEWEST_FIRST
from feeds.index.schema import articles, entries, feeds
from feeds.indexed import FeedKey

_DAY = 86_400


class Snapshot(Index):
    """The index at the moment at which it was opened.

    Close it soon: SQLite's log grows while a snapshot is open.
    """

    def __init__(self, url: str | URL, config: Config) -> None:
        super().__init__(url, config)
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(super().read_transaction())
        self._status = super().status()

    @contextmanager
    def read_transaction(self) -> Iterator[Connection]:
        """Return the one read transaction."""
        with self._translate_errors("cannot be used"):
            yield self._connection

    def status(self) -> Status:
        """Return the status, without a statement for each of the many pages that need it."""
        return self._status

    def months(self) -> dict[FeedKey, dict[Month, bytes]]:
        """Return a digest of the entries of each month of each feed, the newest month first."""
        rows = (
            select(entries.c.feed, entries.c.published, articles.c.digest)
            .join(articles)
            .where(entries.c.shown)
            .order_by(entries.c.feed, *NEWEST_FIRST)
        )
        found: dict[int, dict[Month, hashlib.blake2b]] = defaultdict(
            lambda: defaultdict(lambda: hashlib.blake2b(digest_size=16))
        )
        with self.read_transaction() as connection:
            for feed, published, digest in connection.execute(rows):
                found[feed][_month(published // _DAY)].update(digest)
            keys = connection.execute(select(feeds.c.id, feeds.c.kind, feeds.c.key)).all()
        return {
            (kind, key): {month: made.digest() for month, made in found[id].items()}
            for id, kind, key in keys
            if id in found
        }

    def close(self) -> None:
        """End the transaction."""
        self._stack.close()
        super().close()


@cache
def _month(day: int) -> Month:
    return Month.of(datetime.fromtimestamp(day * _DAY, UTC))
