"""Entries as they are written, kept for all the feeds that hold them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from cachetools import LRUCache, cached

from feeds.feed import Entry

#: Bytes of written entries that each format keeps: feedgen takes most of the time of a
#: feed, and an entry is in several.
KEPT = 16 << 20

T = TypeVar("T")


def kept(write: Callable[[Entry], T]) -> Callable[[Entry], T]:
    """Have a function write each entry once, as long as there is room."""
    # Beside what is written, the entry itself is kept.
    cache: LRUCache[object, T] = LRUCache(KEPT, getsizeof=lambda made: 2 * len(memoryview(made)))  # type: ignore[arg-type]
    return cached(cache, lock=Lock())(write)
