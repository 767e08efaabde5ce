"""Collections of any size, as indexes without files."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from feeds.articles import Article, Provider
from feeds.config import Config
from feeds.index import Index
from feeds.index.sync import sync
from feeds.index.text_search import mark_of, rowid_of
from feeds.indexed import article_terms, encode
from feeds.selection import EVERYTHING, Selection

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS, PROVIDERS = 30, 2_000
#: Topics that few articles are on.
RARE = 3
SMALL = 5
#: Words of the language, of which the common ones make most of a text.
VOCABULARY = [
    "".join(itertools.chain(*parts))
    for parts in itertools.product(itertools.product("bdfgklmnprst", "aeiou"), repeat=3)
][:50_000]
_WEIGHTS = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(VOCABULARY))))


@dataclass(frozen=True)
class Indexes:
    """A small and a large index, made when they are first asked for."""

    scratch: Path
    large: int

    @cached_property
    def urls(self) -> tuple[str, str]:
        """Where they are: the small one, and the large one."""
        made = [make_index(self.scratch, count) for count in (SMALL, self.large)]
        one, other = (str(index.url) for index in made)
        return one, other


def make_index(scratch: Path, count: int) -> Index:
    """An index of so many visible articles over ten years, without their files."""
    index = Index(f"sqlite:///{scratch}/{count}.sqlite3", Config())
    (scratch / "none").mkdir(exist_ok=True)
    sync(index, scratch / "none", NOW)
    index.close()
    with sqlite3.connect(f"{scratch}/{count}.sqlite3") as raw:
        raw.execute("PRAGMA synchronous = OFF")
        # All of it in memory: ids are random, and so is where each row goes.
        raw.execute("PRAGMA cache_size = -8000000")
        raw.execute("DELETE FROM feeds")
        known = [EVERYTHING]
        known += [topic(number) for number in range(TOPICS)]
        known += [provider(number) for number in range(PROVIDERS)]
        ids = {selection: number for number, selection in enumerate(known, 1)}
        raw.executemany(
            "INSERT INTO feeds (id, kind, key, slug, name, head, changed)"
            " VALUES (?, ?, ?, ?, ?, x'00', 1)",
            [(number, s.kind, s.key, s.slug, s.key) for s, number in ids.items()],
        )
        chance = random.Random(1)
        # The oldest come first, because FTS5 takes long for rows in another order.
        for end in range(count, 0, -50_000):
            numbers = range(end - 1, max(end - 50_000, 0) - 1, -1)
            rows = list(_rows(chance, numbers, count, ids))
            raw.executemany(
                "INSERT INTO articles (id, stem, entry_hash, encoded, text_rowid)"
                " VALUES (?, ?, x'00', ?, ?)",
                [(row[0], row[0], row[1], rowid_of(row[3], row[0])) for row in rows],
            )
            raw.executemany(
                "INSERT INTO entries (article, feed, shown, published, quality, heat, type)"
                " VALUES (?, ?, 1, ?, ?, ?, ?)",
                [(row[0], feed, *row[3:7]) for row in rows for feed in row[2]],
            )
            raw.executemany(
                "INSERT INTO text_index (rowid, terms) VALUES (?, ?)",
                [(rowid_of(row[3], row[0]), row[7]) for row in rows],
            )
    return index


Row = tuple[str, bytes, list[int], int, int, int, str, str]


def _rows(
    chance: random.Random, numbers: range, count: int, ids: dict[Selection, int]
) -> Iterator[Row]:
    for number in numbers:
        published = NOW - timedelta(seconds=number * 315_000_000 // count)
        about = chance.sample(range(TOPICS - RARE), 2)
        if chance.random() < 50 / count:
            about[0] = TOPICS - 1 - chance.randrange(RARE)
        author = provider(int(PROVIDERS * chance.random() ** 3))
        text = _text(chance, count)
        quality = min(154, int(60 + chance.expovariate(1 / 12)))
        article = Article(
            stem=str(number),
            title=f"Story {number}: {' '.join(text[:6])}",
            link=f"https://{author.key}/{number}",
            published=published,
            provider=Provider(name=author.key, domain=author.key),
            quality=quality,
            summary=" ".join(text[6:]),
            topics=tuple(topic(t).key for t in about),
        )
        kind = "video" if chance.random() < 0.05 else "article"
        feeds = [ids[EVERYTHING], ids[author], *(ids[topic(t)] for t in about)]
        second = int(published.timestamp())
        heat = int(chance.expovariate(1 / 12))
        marks = " ".join(mark_of(feed, shown=True) for feed in feeds)
        terms = f" {marks} {article_terms(article, [])} "
        id = f"{chance.getrandbits(128):032x}"
        yield id, encode(article), feeds, second, quality, heat, kind, terms


def _text(chance: random.Random, count: int) -> list[str]:
    """Return the words of an article, among them those that the benchmark looks for."""
    text = chance.choices(VOCABULARY, cum_weights=_WEIGHTS, k=40)
    text += [word for word in ("usual", "common") if chance.random() < 1 / 3]
    text += ["rare"] * (chance.random() < SMALL / count)
    chance.shuffle(text)
    text += ["facial", "recognition"] * (chance.random() < 0.01)
    return text


def topic(number: int) -> Selection:
    """A topic by its number."""
    return Selection(kind="topic", key=f"topic {number}", slug=f"topic-{number}")


def provider(number: int) -> Selection:
    """A provider by its number."""
    return Selection(kind="provider", key=f"p{number}.example", slug=f"p{number}.example")


def type_(name: str) -> Selection:
    """A type of articles."""
    return Selection(kind="type", key=name, slug=name)
