"""Whatever the history of a collection, its feeds are those of its files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.config import Config
from feeds.formats import FORMATS
from feeds.history import Archive, Month
from feeds.index import Index
from feeds.index.survey import public_feeds
from feeds.index.sync import sync
from feeds.publish import Document, publish, publish_list
from feeds.selection import EVERYTHING, Kind, Selection, choose
from tests.support import BASE, NOW, Collection, article

#: Around the time of the test, so that articles come due while it runs.
TIMES = ["2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z"] + [
    (NOW + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ") for second in range(0, 60, 6)
]
BROKEN = "---\ntitle: [\n"
MONTHS = [Month(year=2018, month=12), Month(year=2019, month=1), Month(year=2026, month=1)]
#: A plain selection, and what becomes of it with the topic Law and the type video.
Narrowed = Callable[[Selection, Selection, Selection], Selection]
CHOICES: list[tuple[Kind, str, Narrowed]] = [
    ("site", "", lambda base, law, video: replace(base, min_quality=70)),
    ("site", "", lambda base, law, video: replace(base, min_heat=3, types=(video,))),
    ("topic", "ai", lambda base, law, video: replace(base, exclude=(law,), limit=1)),
    ("topic", "ai", lambda base, law, video: choose(topics=(base, law), types=(video,))),
    ("provider", "a.example", lambda base, law, video: choose((law,), (base,), limit=50)),
]

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
        ["", "heat: 2\n", "heat: 3\n", "removed: true\n"]
        + [f"updatedDateTime: {moment}\n" for moment in TIMES[2::3]]
    ),
)
#: A file and what becomes of it: a text, a fault, or None where it is deleted.
edits = st.lists(
    st.tuples(st.sampled_from("abcde"), st.one_of(texts, texts, st.none(), st.just(BROKEN))),
    max_size=3,
)
steps = st.lists(st.tuples(edits, st.integers(1, 9)), min_size=1, max_size=8)


def published(index: Index) -> dict[str, Document]:
    """Every public feed, the subscription list, and some of what readers choose."""
    feeds = {"/feeds.opml": publish_list(index, FORMATS["atom"], BASE)}
    for item in public_feeds(index):
        feeds[item.selection.path] = publish_feed(index, item.selection)
    for kind, slug, narrowed in CHOICES:
        base = index.resolve(kind, slug) if slug else EVERYTHING
        law = index.resolve("topic", "law")
        video = index.resolve("type", "video")
        if base and law and video:
            selection = narrowed(base, law, video)
            feeds[selection.address()] = publish_feed(index, selection)
    for month in MONTHS:
        feeds[str(month)] = publish_feed(index, EVERYTHING, Archive(month=month))
    return feeds


def publish_feed(index: Index, selection: Selection, archive: Archive | None = None) -> Document:
    """A feed as JSON, which shows the most of it."""
    made = publish(index, selection, FORMATS["json"], BASE, archive)
    assert made
    return made


@given(steps)
@settings(max_examples=12, deadline=None)
def test_dates_move_with_the_bytes_and_only_then(
    history: list[tuple[list[tuple[str, str | None]], int]],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        folder.mkdir()
        config = Config(articles=folder, database=f"sqlite:///{scratch}/x.sqlite3", limit=2)
        collection = Collection(folder, config)
        collection.sync(NOW)
        now, before = NOW, published(collection.index)
        for edits, seconds in history:
            for _ in range(seconds):
                now += timedelta(seconds=1)
                collection.advance(now)
                before = _compare(before, published(collection.index))
            _apply(collection, edits)
            collection.sync(now)
            before = _compare(before, published(collection.index))
        collection.index.close()


def _apply(collection: Collection, edits: list[tuple[str, str | None]]) -> None:
    for name, text in edits:
        if text is None:
            (collection.folder / f"{name}.md").unlink(missing_ok=True)
        else:
            kind = "video" if name in "ab" else "article"
            collection.write(f"{name}.md", text.replace("type: article", f"type: {kind}"))


def _compare(before: dict[str, Document], after: dict[str, Document]) -> dict[str, Document]:
    """Line by line what conditional requests count on."""
    assert before.keys() <= after.keys(), "a public feed went away"
    for path, feed in after.items():
        old = before.get(path)
        if old is None:
            continue
        assert (old.etag == feed.etag) == (old.body == feed.body)
        if not (old.last_modified and feed.last_modified):
            assert "min_" in path
        elif old.body != feed.body:
            assert feed.last_modified >= old.last_modified + timedelta(seconds=1)
        elif path.endswith("/"):  # of the site, a topic or a provider
            assert feed.last_modified == old.last_modified
    return after


@given(steps)
@settings(max_examples=12, deadline=None)
def test_feeds_equal_those_of_a_fresh_index(
    history: list[tuple[list[tuple[str, str | None]], int]],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        folder.mkdir()
        config = Config(articles=folder, database=f"sqlite:///{scratch}/x.sqlite3")
        collection = Collection(folder, config)
        collection.sync(NOW)
        now = NOW
        for edits, seconds in history:
            now += timedelta(seconds=seconds)
            collection.advance(now)
            # A fresh index cannot know the last good version of a broken file.
            _apply(collection, [edit for edit in edits if edit[1] != BROKEN])
            collection.sync(now)
        fresh = Index(f"sqlite:///{scratch}/fresh.sqlite3", config)
        sync(fresh, folder, now)
        old = published(collection.index)
        new = published(fresh)
        # An index made anew knows nothing of feeds that are empty by now.
        del new["/feeds.opml"]
        for path, feed in new.items():
            assert (path, old[path].body) == (path, feed.body)
        collection.index.close()
        fresh.close()
