"""A first and a second sync against the C loader alone."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import yaml

from feeds.articles.folder import list_files, read_bytes
from feeds.config import Config
from feeds.index import Index
from feeds.index.sync import sync
from tests.bench.bulk import Indexes
from tests.bench.table import Row, ratio, timed
from tests.generate import write_articles


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a first and a second sync."""
    count, rounds = (200, 1) if quick else (10_000, 5)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        write_articles(folder, count)
        loads, firsts, seconds = [], [], []
        for number in range(rounds):
            catalogue = Index(f"sqlite:///{scratch}/{number}.sqlite3", Config())
            loads.append(timed(lambda: _load(folder)))
            firsts.append(timed(lambda c=catalogue: _sync(c, folder)))  # type: ignore[misc]
            seconds.append(timed(lambda c=catalogue: _sync(c, folder)))  # type: ignore[misc]
    goals = ("", "") if quick else ("0.80 or more", "0.050 or less")
    load, first, second = (statistics.median(times) for times in (loads, firsts, seconds))
    yield (
        f"{count} articles into the index, medians of {rounds}",
        [
            Row(
                "first sync",
                f"{first:.2f} s",
                f"{load:.2f} s C loader",
                ratio(loads, firsts),
                goals[0],
            ),
            Row("second sync", f"{second:.2f} s", "first sync", ratio(seconds, firsts), goals[1]),
        ],
    )


def _load(folder: Path) -> None:
    for file in list_files(folder).files:
        text = read_bytes(folder, file).decode()
        yaml.load(text[: text.index("\n---", 4) + 1], Loader=yaml.CSafeLoader)


def _sync(catalogue: Index, folder: Path) -> None:
    sync(catalogue, folder, lambda: datetime.now(UTC))
