"""The site as files, against feedgen, gzip and a plain write for each feed on its own."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import statistics
from collections.abc import Iterator
from pathlib import Path

from feedgen.feed import FeedGenerator

from feeds.config import Config
from feeds.document import Entry, Feed
from feeds.formats import FORMATS
from feeds.history import Archive
from feeds.index import Index
from feeds.index.survey import listing, months
from feeds.publish import find_feed
from feeds.static_site import build
from tests.bench.bulk import NOW, Indexes, make_index
from tests.bench.table import Row, ratio, timed

BASE = "https://news.example"


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a full build, and of one after an article has changed."""
    count, rounds = (50, 1) if quick else (10_000, 5)
    folder = indexes.scratch / "build"
    folder.mkdir()
    catalogue = make_index(folder, count)
    url, config = str(catalogue.url), Config(base_url=BASE)
    every = list(_feeds(Index(url, config)))
    full, again, peers = [], [], []
    for number in range(rounds):
        out, jobs = folder / "out", os.cpu_count() or 1
        shutil.rmtree(out, ignore_errors=True)
        full.append(timed(lambda: build(url, config, NOW, out, jobs=jobs)))  # noqa: B023
        _change_one(url, number)
        again.append(timed(lambda: build(url, config, NOW, out, jobs=jobs)))  # noqa: B023
        shutil.rmtree(folder / "peer", ignore_errors=True)
        peers.append(timed(lambda: _write(every, folder / "peer")))
    files = sum(
        1 for path in out.rglob("*") if path.is_file() and path.suffix not in (".gz", ".br")
    )
    names = f"{count} articles, 30 topics, 2,000 providers, medians of {rounds}"
    mine, one, other = (statistics.median(found) for found in (full, again, peers))
    goals = ("", "") if quick else ("10 or more", "0.02 or less")
    yield (
        f"the site as files, {names}",
        [
            Row(
                f"{files:,} documents, gzip and brotli",
                f"{mine:.1f} s",
                f"{other:.1f} s feedgen, {len(every) * 3:,} feeds",
                ratio(peers, full),
                goals[0],
            ),
            Row(
                "again, after one article",
                f"{one:.2f} s",
                "a full build",
                ratio(again, full),
                goals[1],
            ),
        ],
    )


def _feeds(catalogue: Index) -> Iterator[Feed]:
    """Every feed and every month of it, as far as it has a history in documents."""
    for item in listing(catalogue, NOW):
        found = find_feed(catalogue, item.selection, BASE, NOW)
        assert found
        yield found[0]
        if not found[0].complete:
            for month in months(catalogue, item.selection, NOW):
                part = find_feed(catalogue, item.selection, BASE, NOW, Archive(month=month))
                assert part
                yield part[0]


def _write(feeds: list[Feed], folder: Path) -> None:
    """What a script does: each feed on its own."""
    folder.mkdir()
    for number, feed in enumerate(feeds):
        made = FeedGenerator()
        made.id(feed.id)
        made.title(feed.title)
        made.subtitle(feed.subtitle)
        made.link(href=feed.link)
        for entry in feed.entries:
            item = made.add_entry(order="append")
            item.id(entry.id)
            item.title(entry.title)
            item.link(href=entry.link)
            item.summary(entry.summary)
            item.published(entry.published)
            item.updated(entry.updated)
            item.category([{"term": c.term, "label": c.label} for c in entry.categories])
        document = json.dumps({"title": feed.title, "items": [_item(e) for e in feed.entries]})
        bodies = (made.atom_str(), made.rss_str(), document.encode())
        for suffix, body in zip(FORMATS, bodies, strict=True):
            path = folder / f"{number}.{suffix}"
            path.write_bytes(body)
            Path(f"{path}.gz").write_bytes(gzip.compress(body, 6))


def _item(entry: Entry) -> dict[str, str]:
    return {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "summary": entry.summary,
        "date_published": entry.published.isoformat(),
    }


def _change_one(url: str, number: int) -> None:
    """Change what one article says, as a sync would."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute(
            "UPDATE articles SET document = CAST(replace(CAST(document AS TEXT), ?, ?) AS BLOB)"
            " WHERE stem = '7'",
            ("What happened", f"What happened, {number}"),
        )
        raw.execute("UPDATE state SET revision = revision + 1")
