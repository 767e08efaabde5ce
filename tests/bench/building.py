"""The site as files, against feedgen for each feed, and against writing the same bytes."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import brotli
from feedgen.feed import FeedGenerator

from feeds.config import Config
from feeds.feed import Entry, Feed
from feeds.formats import FORMATS
from feeds.history import Archive
from feeds.index import Index
from feeds.index.survey import months, public_feeds
from feeds.publish import find_feed
from feeds.static_site import build
from tests.bench.bulk import Indexes, make_index
from tests.bench.table import Row, ratio, timed

BASE = "https://news.example"


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a full build, and of one after an article has changed."""
    count, rounds = (50, 1) if quick else (10_000, 5)
    folder = indexes.scratch / "build"
    folder.mkdir()
    index = make_index(folder, count)
    url, config = str(index.url), Config(base_url=BASE)
    every = list(_feeds(Index(url, config)))
    full, least, again, same, peers = [], [], [], [], []
    for number in range(rounds):
        # New folders: ext4 without a journal is slow to make files where many were just removed.
        out, jobs = folder / f"out{number}", os.cpu_count() or 1
        full.append(timed(lambda: build(url, config, out, jobs=jobs)))  # noqa: B023
        files = [path.relative_to(out) for path in out.rglob("*") if _is_document(path)]
        copy, peer = folder / f"copy{number}", folder / f"peer{number}"
        least.append(timed(lambda: _copy(files, out, copy, jobs)))  # noqa: B023
        _change_one(url, number)
        again.append(timed(lambda: build(url, config, out, jobs=jobs)))  # noqa: B023
        same.append(timed(lambda: build(url, config, out, jobs=jobs)))  # noqa: B023
        peers.append(timed(lambda: _write(every, peer)))  # noqa: B023
    names = f"{count} articles, 30 topics, 2,000 providers, medians of {rounds}"
    mine, bare, one, none, other = map(statistics.median, (full, least, again, same, peers))
    goals = ("", "", "") if quick else ("10 or more", "1.5 or less", "0.02 or less")
    yield (
        f"the site as files, {names}",
        [
            Row(
                f"{len(files):,} documents, gzip and brotli",
                f"{mine:.1f} s",
                f"{other:.1f} s feedgen, {len(every) * 3:,} feeds",
                ratio(peers, full),
                goals[0],
            ),
            Row("", f"{mine:.1f} s", f"{bare:.1f} s same bytes", ratio(full, least), goals[1]),
            Row(
                "again, after one article",
                f"{one:.2f} s",
                "a full build",
                ratio(again, full),
                goals[2],
            ),
            Row("again, after nothing", f"{none:.2f} s", "a full build", ratio(same, full)),
        ],
    )


def _feeds(index: Index) -> Iterator[Feed]:
    """Every feed and every month of it, as far as it has a history in documents."""
    for item in public_feeds(index):
        found = find_feed(index, item.selection, BASE)
        assert found
        yield found[0]
        if not found[0].complete:
            for month in months(index, item.selection):
                part = find_feed(index, item.selection, BASE, Archive(month=month))
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


def _is_document(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".gz", ".br") and path.name[0] != "."


def _copy(files: list[Path], source: Path, folder: Path, jobs: int) -> None:
    """The least that a build can do: write files and their codings, in as many processes."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        several = ((files[start::jobs], source, folder) for start in range(jobs))
        list(pool.map(_copy_some, *zip(*several, strict=True)))


def _copy_some(files: list[Path], source: Path, folder: Path) -> None:
    for file in files:
        target, body = folder / file, (source / file).read_bytes()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        Path(f"{target}.gz").write_bytes(gzip.compress(body, 6))
        Path(f"{target}.br").write_bytes(brotli.compress(body, quality=5))


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
            "UPDATE articles SET encoded = CAST(replace(CAST(encoded AS TEXT), ?, ?) AS BLOB),"
            " entry_hash = ? WHERE id = (SELECT min(id) FROM articles)",
            ("What happened", f"What happened, {number}", bytes([number + 1])),
        )
        raw.execute("UPDATE meta SET revision = revision + 1")
