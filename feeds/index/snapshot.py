"""The index at one moment, for a process that reads all of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import URL, Connection

from feeds.config import Config
from feeds.history import Month
from feeds.index import Index, Status
from feeds.index.digests import digest_ends
from feeds.index.query import NEWEST_FIRST
from feeds.index.schema import articles, entries, feeds
from feeds.indexed import FeedKey
from feeds.periods import SECONDS_PER_DAY, Frequency


class FeedHashes(NamedTuple):
    """Hashes of what subscribers see of the entries of a feed."""

    #: Of those of each month, the newest month first.
    months: dict[Month, bytes]
    #: Of those in periods that are over, with their qualities, for each kind of digests that
    #: a static site has.
    finished: dict[Frequency, bytes]


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

    def feed_hashes(self) -> dict[FeedKey, FeedHashes]:
        """Return the history of each feed that has entries."""
        rows = (
            select(entries.c.feed, entries.c.published, articles.c.entry_hash, entries.c.quality)
            .join(articles)
            .where(entries.c.shown)
            .order_by(entries.c.feed, *NEWEST_FIRST)
        )
        months: dict[int, dict[Month, hashlib.blake2b]] = defaultdict(_hashes)
        finished: dict[int, dict[Frequency, hashlib.blake2b]] = defaultdict(_hashes)
        with self.read_transaction() as connection:
            ends = digest_ends(connection, self.config)
            for feed, published, entry_hash, quality in connection.execute(rows):
                months[feed][_month(published // SECONDS_PER_DAY)].update(entry_hash)
                for frequency, end in ends.items():
                    if published < end:
                        finished[feed][frequency].update(b"%b%d " % (entry_hash, quality))
            keys = connection.execute(select(feeds.c.id, feeds.c.kind, feeds.c.key)).all()
        return {
            (kind, key): FeedHashes(
                months={month: made.digest() for month, made in months[id].items()},
                finished={name: made.digest() for name, made in finished[id].items()},
            )
            for id, kind, key in keys
            if id in months
        }

    def close(self) -> None:
        """End the transaction."""
        self._stack.close()
        super().close()


def _hashes() -> defaultdict[Any, hashlib.blake2b]:
    return defaultdict(lambda: hashlib.blake2b(digest_size=16))


@cache
def _month(day: int) -> Month:
    return Month.of(datetime.fromtimestamp(day * SECONDS_PER_DAY, UTC))
