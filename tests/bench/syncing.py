"""A first and a second sync against the C loader alone."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import yaml

from feeds.articles.folder import list_files, read_bytes
from feeds.config import Config
from feeds.index import Index
from feeds.index.sync import sync
from tests.generate import write_articles


def main(quick: bool) -> None:
    """Print one row a comparison, and the ratios with their goals."""
    count, rounds = (200, 1) if quick else (10_000, 5)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        write_articles(folder, count)
        loads, firsts, seconds = [], [], []
        for number in range(rounds):
            catalogue = Index(f"sqlite:///{scratch}/{number}.sqlite3", Config())
            loads.append(_timed(lambda: _load(folder)))
            firsts.append(_timed(lambda c=catalogue: _sync(c, folder)))  # type: ignore[misc]
            seconds.append(_timed(lambda c=catalogue: _sync(c, folder)))  # type: ignore[misc]
    print(f"{count} articles, medians of {rounds} rounds")
    _row("C loader alone", loads, count)
    _row("first sync", firsts, count)
    _row("second sync", seconds, count)
    rate = statistics.median(load / first for load, first in zip(loads, firsts, strict=True))
    again = statistics.median(s / f for s, f in zip(seconds, firsts, strict=True))
    # Few articles cost mostly what any number costs once.
    goals = ("", "") if quick else ("   goal 0.80 or more", "   goal 0.050 or less")
    print(f"first sync, rate to the C loader's    {rate:6.2f}{goals[0]}")
    print(f"second sync, time to the first's      {again:6.3f}{goals[1]}")


def _load(folder: Path) -> None:
    for file in list_files(folder).files:
        text = read_bytes(folder, file).decode()
        yaml.load(text[: text.index("\n---", 4) + 1], Loader=yaml.CSafeLoader)


def _sync(catalogue: Index, folder: Path) -> None:
    sync(catalogue, folder, lambda: datetime.now(UTC))


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _row(name: str, times: list[float], count: int) -> None:
    median = statistics.median(times)
    print(f"{name:36}  {median:8.3f} s  {median / count * 1e6:8.1f} us an article")
