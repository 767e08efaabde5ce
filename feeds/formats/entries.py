"""A cache of written entries, for all the feeds that hold them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from cachetools import LRUCache, cached

from feeds.feed import Entry

#: The cache of each format, in bytes. Most of the time that a feed takes goes into its
#: entries, and an entry is in several feeds.
MAX_CACHED_BYTES = 16 << 20

T = TypeVar("T")


def cache_entries(write: Callable[[Entry], T]) -> Callable[[Entry], T]:
    """Decorate a function so that it writes each entry once, as long as there is room."""
    # The cache holds the entry itself too, which takes about as much as what is written.
    cache: LRUCache[object, T] = LRUCache(
        MAX_CACHED_BYTES,
        getsizeof=lambda written: 2 * len(memoryview(written)),  # type: ignore[arg-type]
    )
    return cached(cache, lock=Lock())(write)
