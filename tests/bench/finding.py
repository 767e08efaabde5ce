"""How long `find` takes, whatever is chosen and however many articles there are."""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds.articles import Article, Provider
from feeds.config import Config
from feeds.history import Archive, Month
from feeds.index import Index
from feeds.index.sync import sync
from feeds.placement import encode
from feeds.selection import EVERYTHING, Selection, choose

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS, PROVIDERS = 30, 2_000
#: Topics that few articles are on.
RARE = 3


def main(quick: bool) -> None:
    """Print the median time of each selection over a small and a large index."""
    counts, rounds = ((5, 2_000), 3) if quick else ((5, 1_000_000), 41)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in counts:
            catalogue = make_index(Path(scratch), count)
            for name, (selection, archive) in selections().items():
                times = []
                for _ in range(rounds):
                    start = time.perf_counter()
                    catalogue.find(selection, NOW, archive)
                    times.append(time.perf_counter() - start)
                found.setdefault(name, []).append(statistics.median(times) * 1e3)
    print(f"find, medians of {rounds}, over {counts[0]} and {counts[1]} articles")
    for name, (small, large) in found.items():
        goal = "" if quick else "   goal 1.00 or less"
        print(f"{name:36}  {small:7.2f} ms {large:9.2f} ms{goal}")


def selections() -> dict[str, tuple[Selection, Archive | None]]:
    """What a reader may choose, from the plain to the rare."""
    topic = [_topic(number) for number in range(TOPICS)]
    provider = [_provider(number) for number in range(4)]
    month = Archive(month=Month(year=2020, month=5))
    return {
        "everything": (EVERYTHING, None),
        "a topic": (topic[0], None),
        "a rare topic": (topic[-1], None),
        "a provider": (provider[0], None),
        "quality 150 and up": (choose(min_quality=150), None),
        "a topic, quality 150 and up": (choose([topic[0]], min_quality=150), None),
        "four topics, two left out": (choose(topic[:4], exclude=topic[4:6]), None),
        "a topic from a provider": (choose([topic[0]], [provider[0]]), None),
        "a rare topic from a provider": (choose([topic[-1]], [provider[0]]), None),
        "a topic, only videos": (choose([topic[0]], types=[_type("video")]), None),
        "heat 99 and up": (choose(min_heat=99), None),
        "five years back, a provider": (provider[0], month),
        "five years back, a rare topic": (topic[-1], month),
    }


def make_index(scratch: Path, count: int) -> Index:
    """An index of so many visible articles over ten years, without their files."""
    catalogue = Index(f"sqlite:///{scratch}/{count}.sqlite3", Config())
    (scratch / "none").mkdir(exist_ok=True)
    sync(catalogue, scratch / "none", lambda: NOW)
    catalogue.close()
    with sqlite3.connect(f"{scratch}/{count}.sqlite3") as raw:
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("DELETE FROM feeds")
        known = [EVERYTHING, _type("article"), _type("video")]
        known += [_topic(number) for number in range(TOPICS)]
        known += [_provider(number) for number in range(PROVIDERS)]
        ids = {selection: number for number, selection in enumerate(known, 1)}
        raw.executemany(
            "INSERT INTO feeds (id, kind, key, slug, name, changed) VALUES (?, ?, ?, ?, ?, 1)",
            [(number, s.kind, s.key, s.slug, s.key) for s, number in ids.items()],
        )
        chance = random.Random(1)
        for start in range(0, count, 50_000):
            rows = list(_rows(chance, range(start, min(count, start + 50_000)), count, ids))
            raw.executemany(
                "INSERT INTO articles (id, stem, digest, document) VALUES (?, ?, x'00', ?)",
                [(row[0], row[0], row[1]) for row in rows],
            )
            raw.executemany(
                "INSERT INTO entries (article, feed, published, label, quality, heat)"
                " VALUES (?, ?, ?, 'A', ?, ?)",
                [(row[0], feed, *row[3:]) for row in rows for feed in row[2]],
            )
    return catalogue


Row = tuple[str, bytes, list[int], int, int, int]


def _rows(
    chance: random.Random, numbers: range, count: int, ids: dict[Selection, int]
) -> Iterator[Row]:
    for number in numbers:
        published = NOW - timedelta(seconds=number * 315_000_000 // count)
        topics = chance.sample(range(TOPICS - RARE), 2)
        if chance.random() < 50 / count:
            topics[0] = TOPICS - 1 - chance.randrange(RARE)
        provider = _provider(int(PROVIDERS * chance.random() ** 3))
        quality = min(154, int(60 + chance.expovariate(1 / 12)))
        article = Article(
            stem=str(number),
            title=f"Story {number}",
            link=f"https://{provider.key}/{number}",
            published=published,
            provider=Provider(name=provider.key, domain=provider.key),
            quality=quality,
            summary="What happened, who says so, and what may come of it. " * 4,
            topics=tuple(_topic(t).key for t in topics),
        )
        kind = _type("video" if chance.random() < 0.05 else "article")
        feeds = [ids[EVERYTHING], ids[kind], ids[provider], *(ids[_topic(t)] for t in topics)]
        second = int(published.timestamp())
        heat = int(chance.expovariate(1 / 12))
        yield f"{chance.getrandbits(128):032x}", encode(article), feeds, second, quality, heat


def _topic(number: int) -> Selection:
    return Selection(kind="topic", key=f"topic {number}", slug=f"topic-{number}")


def _provider(number: int) -> Selection:
    return Selection(kind="provider", key=f"p{number}.example", slug=f"p{number}.example")


def _type(name: str) -> Selection:
    return Selection(kind="type", key=name, slug=name)
