"""A feed that is made anew, and what a worker holds in memory."""

from __future__ import annotations

import gzip
import multiprocessing
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from werkzeug.test import EnvironBuilder, run_wsgi_app

from feeds.config import Config
from feeds.formats import FORMATS, atom
from feeds.web import create_app
from tests.bench import bulk
from tests.bench.bulk import Indexes
from tests.bench.peers import write_atom
from tests.bench.table import Row, ratio, timed


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a cold feed, and of memory."""
    rounds = 3 if quick else 31
    title = f"a feed of 50 entries, gzip, among {indexes.large} articles, medians of {rounds}"
    yield title, _cold(indexes, rounds, quick)
    yield "a worker's memory after 100 feeds", _memory(indexes, quick)


def _cold(indexes: Indexes, rounds: int, quick: bool) -> list[Row]:
    ask = _asker(indexes.urls[1])
    ask(bulk.topic(0).path + "feed.atom")
    ours: list[list[float]] = [[], []]
    peers: list[float] = []
    items = msgspec.json.decode(ask(bulk.topic(0).path + "feed.json"))["items"]
    with sqlite3.connect(indexes.urls[1].removeprefix("sqlite:///"), isolation_level=None) as raw:
        for _ in range(rounds):
            for found in ours:
                raw.execute("UPDATE meta SET revision = revision + 1")
                found.append(timed(lambda: ask(bulk.topic(0).path + "feed.atom")))
                atom.write_entry.cache.clear()  # type: ignore[attr-defined]  # of cachetools
            ask(bulk.topic(0).path + "feed.atom?limit=49")
            peers.append(timed(lambda: gzip.compress(write_atom(items), 6)))
    peer = f"{statistics.median(peers) * 1e3:.2f} ms feedgen and gzip -6"
    goal = "" if quick else "ours under 4 ms"
    return [
        Row(what, f"{statistics.median(found) * 1e3:.2f} ms", peer, ratio(found, peers), goal)
        for what, found in zip(("made anew", "made anew, no entry known"), ours, strict=True)
    ]


def _asker(url: str) -> Callable[[str], bytes]:
    app = create_app(Config(database=url, index_polls_per_second=0))

    def ask(path: str) -> bytes:
        environ = EnvironBuilder(path, headers=[("Accept-Encoding", "gzip")]).get_environ()
        body, status, _ = run_wsgi_app(app.wsgi_app, environ)
        assert status == "200 OK", status
        return gzip.decompress(b"".join(body))

    return ask


def _memory(indexes: Indexes, quick: bool) -> list[Row]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=1) as pool:
        small, large = (pool.apply(_held, (url,)) for url in indexes.urls)
    return [
        Row(
            f"among {indexes.large} articles",
            f"{large:.0f} MB",
            f"{small:.0f} MB among {bulk.SMALL}",
            large / small,
            "" if quick else "30 MB more or less",
        )
    ]


def _held(url: str) -> float:
    """The megabytes that a process holds that answers from an index."""
    ask = _asker(url)
    for number in range(bulk.TOPICS):
        for form in FORMATS.values():
            ask(bulk.topic(number).path + form.file)
    for number in range(10):
        ask(bulk.provider(number).path + "feed.atom")
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes.split()[1]) / 1024
