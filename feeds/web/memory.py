"""Finished documents, kept while the index has not changed."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from threading import Lock

import brotli
from cachetools import LRUCache
from werkzeug.http import http_date

from feeds.index import Revision
from feeds.index.database import IndexUnavailable
from feeds.publish import Published

#: Bytes that a process spends on documents and their coded forms.
MEMORY = 64 << 20
#: Bytes that the smallest document costs.
OVERHEAD = 2 << 10
#: Seconds for which a request waits for a new version before it gets the last one: many
#: times what a feed takes, while the lists of a huge site take a second, and must not
#: hold up all threads for that.
PATIENCE = 0.25
#: So many that a slow document seldom holds up another.
_LOCKS = 4096


class Kept:
    """A document and its content codings, each made once."""

    def __init__(self, published: Published, revision: Revision, address: str = "") -> None:
        self.published = published
        self._address = address
        self.revision = revision
        #: The ETag and Last-Modified fields (RFC 9110 sections 8.8.3 and 8.8.2).
        self.tag = f'W/"{published.etag}"'
        self.date = http_date(published.modified) if published.modified else None

    def is_current(self, revision: Revision, now: datetime) -> bool:
        """Whether neither the index nor the time asks for another."""
        return self.is_of(revision) and (self.published.due is None or self.published.due > now)

    def is_of(self, revision: Revision) -> bool:
        """Whether the index has not changed in what the document shows."""
        mine = self.revision
        if self.published.ranked:
            return mine == revision
        return mine.visible == revision.visible

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

    @property
    def size(self) -> int:
        """Bytes at the most: text that is compressed takes less than half of what it was."""
        # Clients make up long addresses, of parameters that a document does without.
        return 2 * len(self.published.body) + len(self._address) + OVERHEAD


class Memory:
    """What was answered lately, by address.

    The index is looked at `checks` times a second at the most, at every request for 0;
    and besides wherever a client may know more.
    """

    def __init__(self, revision: Callable[[], Revision], checks: int = 0) -> None:
        self._read = revision
        self._pause = 1 / checks if checks else 0.0
        #: When the index is looked at again, on the monotonic clock.
        self.next_look = 0.0
        #: What it said last, the same object until it says something else.
        self.last: Revision | None = None
        self._asked = 0.0
        #: Told how many seconds each document took.
        self.timed: Callable[[float], None] = lambda seconds: None
        self._lock = Lock()
        self._making = [Lock() for _ in range(_LOCKS)]
        self._kept: LRUCache[str, Kept] = LRUCache(MEMORY, getsizeof=lambda kept: kept.size)

    def answer(self, address: str, now: datetime, make: Callable[[], Published]) -> Kept:
        """The document at an address, made anew only if the index or the time asks for it.

        However many ask for a document, it is made once, and they wait for it: a hub
        that was told of a change, and whoever has the new version of another process,
        must not get the last one. That stands in where the new one takes too long, and
        while the index cannot be read.
        """
        with self._lock:
            kept = self._kept.get(address)
        making = self._making[hash(address) % _LOCKS]
        try:
            if kept and kept.is_current(self._current(), now):
                return kept
            if not making.acquire(timeout=PATIENCE if kept else -1) and kept:
                return kept
            try:
                return self._made(address, now, make)
            finally:
                making.release()
        except IndexUnavailable:
            if kept:
                return kept
            raise

    def _made(self, address: str, now: datetime, make: Callable[[], Published]) -> Kept:
        with self._lock:
            kept = self._kept.get(address)
        # Read before the document is made: a change meanwhile makes it again.
        revision = self._current()
        if kept and kept.is_current(revision, now):
            return kept
        began = time.monotonic()
        made = Kept(make(), revision, address)
        self.timed(time.monotonic() - began)
        with self._lock:
            if made.size <= MEMORY:
                self._kept[address] = made
        return made

    def look(self, anew: bool = False) -> Revision | None:
        """What the index says, or said last where it cannot be read.

        With `anew`, it is asked at once, whoever asks it beside.
        """
        try:
            return self._ask() if anew else self._current()
        except IndexUnavailable:
            return self.last

    def _current(self) -> Revision:
        if self.last is None or time.monotonic() >= self.next_look:
            return self._ask()
        return self.last

    def _ask(self) -> Revision:
        at = time.monotonic()
        # Before it is asked: others go on with what it said last.
        self.next_look = at + self._pause
        said = self._read()
        with self._lock:
            # Who asked earlier may be answered later.
            if self.last is None or at >= self._asked:
                self.last, self._asked = self.last if said == self.last else said, at
            return self.last
