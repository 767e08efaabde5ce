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

from feeds.database import IndexUnavailable
from feeds.index import Revision
from feeds.publish import Published

#: Bytes that a process spends on documents and their coded forms.
MEMORY = 64 << 20
#: Bytes that the smallest document costs.
OVERHEAD = 4 << 10
_LOCKS = 64
_OF_BODIES = frozenset(("Content-Type", "Content-Length", "Content-Encoding"))

Headers = list[tuple[str, str]]


class Kept:
    """A document, its content codings, each made once, and the headers it was sent with."""

    def __init__(self, published: Published, revision: Revision) -> None:
        self.published = published
        self.revision = revision
        #: Of a 200, by content coding.
        self.headers: dict[str, Headers] = {}
        #: The ETag and Last-Modified fields (RFC 9110 sections 8.8.3 and 8.8.2).
        self.tag = f'W/"{published.etag}"'
        self.date = http_date(published.modified) if published.modified else None
        #: When time alone changes the document, in Unix time.
        self.due = published.due.timestamp() if published.due else None

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
    def not_modified(self) -> Headers:
        """Of a 304: those of a 200, but for what describes a body."""
        headers = next(iter(self.headers.values()))
        return [(name, value) for name, value in headers if name not in _OF_BODIES]

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
        """Bytes, with those of the coded forms that were asked for."""
        coded = sum(len(self.coded(coding)) for coding in self.headers.keys() | {"identity"})
        return coded + OVERHEAD


class Memory:
    """What was answered lately, by address.

    The index is looked at `checks` times a second at the most; at every request for 0.
    """

    def __init__(self, revision: Callable[[], Revision], checks: int = 0) -> None:
        self._read = revision
        self._pause = 1 / checks if checks else 0.0
        self._next = 0.0
        self._revision: Revision | None = None
        self._lock = Lock()
        self._making = [Lock() for _ in range(_LOCKS)]
        self._kept: LRUCache[str, Kept] = LRUCache(MEMORY, getsizeof=lambda kept: kept.size)

    def find(self, address: str) -> Kept | None:
        """The document at an address, if the index has not changed since it was made."""
        with self._lock:
            kept = self._kept.get(address)
        if kept is None:
            return None
        try:
            return kept if kept.is_of(self._current()) else None
        except IndexUnavailable:
            return kept

    def answer(self, address: str, now: datetime, make: Callable[[], Published]) -> Kept:
        """The document at an address, made anew only if the index or the time asks for it.

        However many ask for a document, it is made once, and they get the last version
        while the new one is made. That stays up while the index cannot be read.
        """
        with self._lock:
            kept = self._kept.get(address)
        making = self._making[hash(address) % _LOCKS]
        try:
            if kept and kept.is_current(self._current(), now):
                return kept
            if not making.acquire(blocking=kept is None) and kept:
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
        made = Kept(make(), revision)
        self.keep(address, made)
        return made

    def keep(self, address: str, kept: Kept) -> None:
        """Remember a document, with as many forms as it has by now."""
        with self._lock:
            if kept.size <= MEMORY:
                self._kept[address] = kept

    def _current(self) -> Revision:
        """What the index said when it was last looked at."""
        at = time.monotonic()
        if self._revision is None or at >= self._next:
            self._revision = self._read()
            self._next = at + self._pause
        return self._revision
