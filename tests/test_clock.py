"""A clock that jumps: what was published is never dated back, and nobody waits for it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from feeds.publish import Document
from feeds.selection import EVERYTHING, choose
from tests.support import NOW, Collection, article, publish_feed

YEAR, HOUR, SECOND = timedelta(days=365), timedelta(hours=1), timedelta(seconds=1)
#: Where the clock stands at each of the changes, counted from the first.
JUMPS = {
    "a year too late, then right": (YEAR, timedelta(0), HOUR),
    "back to the year 2000": (HOUR, -26 * YEAR, SECOND),
}


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_no_date_goes_back(collection: Collection, jumps: tuple[timedelta, ...]) -> None:
    collection.write("old.md", article("Old", time="1995-01-01T00:00:00Z"))
    collection.sync(NOW)
    seen = [publish_both(collection)]
    for number, jump in enumerate(jumps):
        now = NOW + jump
        text = article(f"Number {number}", time="1995-01-01T00:00:00Z")
        collection.write("one.md", text)
        begun = time.monotonic()
        collection.sync(now)
        assert time.monotonic() - begun < 5
        seen.append(publish_both(collection))
        # Nothing changed, and the clock goes back once more.
        assert collection.sync(now - HOUR).changed_feeds == 0
        assert publish_both(collection) == seen[-1]
    for of_one in zip(*seen, strict=True):
        moments = [document.last_modified for document in of_one if document.last_modified]
        assert moments == sorted(set(moments)) and len(moments) == len(jumps) + 1
        assert len({document.etag for document in of_one}) == len(of_one)


def publish_both(collection: Collection) -> list[Document]:
    """A document that is dated by its feed, and one that is dated by the site."""
    return [publish_feed(collection, each) for each in (EVERYTHING, choose(limit=7))]
