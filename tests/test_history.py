"""Whatever the history of a collection, its feeds are those of its files."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.config import Config
from feeds.formats import FORMATS
from feeds.index import Index
from feeds.publish import Published, publish
from feeds.sync import sync
from tests.support import NOW, Collection, article

#: Around the time of the test, so that articles come due while it runs.
TIMES = ["2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z"] + [
    (NOW + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ") for second in range(0, 60, 6)
]
BROKEN = "---\ntitle: [\n"

texts = st.builds(
    article,
    title=st.sampled_from(["One", "Two"]),
    published=st.sampled_from(["true", "true", "true", "false"]),
    quality=st.sampled_from([59, 60, 80]),
    time=st.sampled_from(TIMES),
    topics=st.sampled_from([("AI",), ("ai", "Law"), ("Law",), ()]).map(
        lambda topics: topics or ("C++",)
    ),
    domain=st.sampled_from(["a.example", "www.A.example", "b.example"]),
    more=st.sampled_from(
        ["", "heat: 3\n", "removed: true\n"]
        + [f"updatedDateTime: {moment}\n" for moment in TIMES[2::3]]
    ),
)
#: A file and what becomes of it: a text, a fault, or None where it is deleted.
edits = st.lists(
    st.tuples(st.sampled_from("abcde"), st.one_of(texts, texts, st.none(), st.just(BROKEN))),
    max_size=3,
)
steps = st.lists(st.tuples(edits, st.integers(1, 9)), min_size=1, max_size=8)


def published(index: Index, now: datetime) -> dict[str, Published]:
    """Every public feed."""
    feeds = {}
    for item in index.listing(now):
        made = publish(index, item.selection, FORMATS["atom"], "https://n.example", now)
        assert made
        feeds[item.selection.path] = made
    return feeds


@given(steps)
@settings(max_examples=30, deadline=None)
def test_dates_move_with_the_bytes_and_only_then(
    history: list[tuple[list[tuple[str, str | None]], int]],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        folder.mkdir()
        config = Config(articles=folder, database=f"sqlite:///{scratch}/x.sqlite3", limit=2)
        collection = Collection(folder, config)
        collection.sync(NOW)
        now, before = NOW, published(collection.index, NOW)
        for edits, seconds in history:
            # Time alone, as caches and readers see it. Articles come due every sixth
            # second, never in the one after a sync.
            seconds += ((now - NOW).seconds + seconds) % 6 == 5
            for _ in range(seconds):
                now += timedelta(seconds=1)
                before = _compare(before, published(collection.index, now), now)
            _apply(collection, edits)
            collection.sync(now)
            # A change in the second of another is dated, and waits, a second later.
            now += timedelta(seconds=1)
            before = _compare(before, published(collection.index, now), now)
        collection.index.close()


def _apply(collection: Collection, edits: list[tuple[str, str | None]]) -> None:
    for name, text in edits:
        if text is None:
            (collection.folder / f"{name}.md").unlink(missing_ok=True)
        else:
            collection.write(f"{name}.md", text)


def _compare(
    before: dict[str, Published], after: dict[str, Published], now: datetime
) -> dict[str, Published]:
    """Line by line what conditional requests count on."""
    assert before.keys() <= after.keys(), "a public feed went away"
    for path, feed in after.items():
        assert feed.modified and feed.modified <= now
        old = before.get(path)
        if old is None or not old.modified:
            continue
        if old.body == feed.body:
            assert (old.etag, old.modified) == (feed.etag, feed.modified)
        else:
            assert old.etag != feed.etag
            assert feed.modified >= old.modified + timedelta(seconds=1)
    return after


@given(steps)
@settings(max_examples=30, deadline=None)
def test_feeds_equal_those_of_a_fresh_index(
    history: list[tuple[list[tuple[str, str | None]], int]],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        folder.mkdir()
        config = Config(articles=folder, database=f"sqlite:///{scratch}/x.sqlite3")
        collection = Collection(folder, config)
        now = NOW
        for edits, seconds in history:
            now += timedelta(seconds=seconds)
            # A fresh index cannot know the last good version of a broken file.
            _apply(collection, [edit for edit in edits if edit[1] != BROKEN])
            collection.sync(now)
        fresh = Index(f"sqlite:///{scratch}/fresh.sqlite3", config)
        sync(fresh, folder, lambda: now)
        old = published(collection.index, now)
        for path, feed in published(fresh, now).items():
            assert (path, old[path].body) == (path, feed.body)
        collection.index.close()
        fresh.close()
