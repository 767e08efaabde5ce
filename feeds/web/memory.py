"""Finished documents, kept while the index has not changed."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from threading import Lock

import brotli
from cachetools import LRUCache

from feeds.database import IndexUnavailable
from feeds.index import Revision
from feeds.publish import Published

#: Bytes that a process spends on documents, before their compressed forms.
MEMORY = 64 << 20
#: Bytes that the smallest document costs.
OVERHEAD = 2 << 10


class Kept:
    """A document and its content codings, each made once."""

    def __init__(self, published: Published, revision: Revision) -> None:
        self.published = published
        self.revision = revision

    def is_current(self, revision: Revision, now: datetime) -> bool:
        """Whether neither the index nor the time asks for another."""
        published, mine = self.published, self.revision
        if mine.visible != revision.visible or (published.ranked and mine != revision):
            return False
        return published.due is None or published.due > now

    @cached_property
    def _gzip(self) -> bytes:
        # Without a time of its own: the same bytes everywhere.
        return gzip.compress(self.published.body, 6, mtime=0)

    @cached_property
    def _br(self) -> bytes:
        coded: bytes = brotli.compress(self.published.body, quality=5)
        return coded

    def coded(self, coding: str) -> bytes:
        """The body in a content coding: `gzip`, `br` or `identity`."""
        if coding == "gzip":
            return self._gzip
        return self._br if coding == "br" else self.published.body


class Memory:
    """What was answered lately, by address."""

    def __init__(self, revision: Callable[[], Revision]) -> None:
        self._revision = revision
        self._lock = Lock()
        self._kept: LRUCache[str, Kept] = LRUCache(
            MEMORY, getsizeof=lambda kept: len(kept.published.body) + OVERHEAD
        )

    def answer(self, address: str, now: datetime, make: Callable[[], Published]) -> Kept:
        """The document at an address, made anew only if the index or the time asks for it.

        While the index cannot be read, the last good version stays up.
        """
        with self._lock:
            kept = self._kept.get(address)
        try:
            revision = self._revision()
            if kept and kept.is_current(revision, now):
                return kept
            # Read before the document is made: a change meanwhile makes it again.
            made = Kept(make(), revision)
        except IndexUnavailable:
            if kept:
                return kept
            raise
        with self._lock:
            if len(made.published.body) + OVERHEAD <= MEMORY:
                self._kept[address] = made
        return made
