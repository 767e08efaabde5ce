"""How long searches take among many articles, in SQLite and in PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import statistics
from collections.abc import Iterator

import psycopg

from feeds.config import Config
from feeds.index import Index
from feeds.index.schema import metadata
from feeds.index.sync import sync
from feeds.search import parse_search
from feeds.selection import Selection, choose
from tests.bench import bulk
from tests.bench.bulk import NOW, Indexes
from tests.bench.table import Row, timed
from tests.postgres import serve


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of each search over a large index in both databases."""
    rounds = 3 if quick else 41
    with serve() as server:
        server.execute("ALTER SYSTEM SET shared_buffers = '512MB'")
        server.restart()
        url = server.make()
        _copy(indexes, url)
        ours, other = (Index(url, Config()) for url in (indexes.urls[1], url))
        rows = []
        for name, selection in searches().items():
            times: list[list[float]] = [[], []]
            for _ in range(rounds):
                for index, found in zip((ours, other), times, strict=True):
                    found.append(timed(lambda i=index, s=selection: i.find(s)))  # type: ignore[misc]
            one, two = (statistics.median(found) * 1e3 for found in times)
            rows.append(Row(name, f"{one:.2f} ms", f"{two:.2f} ms PostgreSQL", goal="under 10 ms"))
        other.close()
    yield f"search among {indexes.large} articles, medians of {rounds}", rows
    yield "size of the index", _sizes(indexes)


def searches() -> dict[str, Selection]:
    """What a reader may look for, from the rare to the common."""
    few, many = bulk.topic(bulk.TOPICS - 1), bulk.topic(0)
    made = {
        "a rare word": ("rare", {}),
        "a word in a third of all": ("common", {}),
        "two such words": ("common usual", {}),
        "a phrase": ('"facial recognition"', {}),
        "a word in a rare topic": ("common", {"topics": [few]}),
        "a word in a topic": ("common", {"topics": [many]}),
        "a word without another": ("common -usual", {}),
        "all without a word": ("-common", {}),
        "a word, quality 80 and up": ("common", {"min_quality": 80}),
        "a word, quality 150 and up": ("common", {"min_quality": 150}),
        "a word, heat 99 and up": ("common", {"min_heat": 99}),
        "a word that stands nowhere": ("nowhere", {}),
        "the beginning of a word": ("recogn*", {}),
        "a common beginning": ("com*", {}),
    }
    return {
        name: choose(search=parse_search(written), **more)  # type: ignore[arg-type]  # by name
        for name, (written, more) in made.items()
    }


def _copy(indexes: Indexes, url: str) -> None:
    """Copy the large index into PostgreSQL, and have its planner know the tables."""
    index = Index(url, Config())
    (indexes.scratch / "empty").mkdir(exist_ok=True)
    sync(index, indexes.scratch / "empty", NOW)
    index.close()
    path = indexes.urls[1].removeprefix("sqlite:///")
    with sqlite3.connect(path) as source, psycopg.connect(url.replace("+psycopg", "")) as target:
        target.execute("TRUNCATE feeds, articles, entries, text_index")
        for name in ("feeds", "articles", "entries", "text_index"):
            columns = [c for c in metadata.tables[name].columns if c.computed is None]
            listed = ", ".join(column.name for column in columns)
            into = target.cursor().copy(f"COPY {name} ({listed}) FROM STDIN")
            with into as copy:
                for row in source.execute(f"SELECT {listed} FROM {name}"):
                    copy.write_row(
                        [
                            bool(value) if column.name == "shown" else value
                            for column, value in zip(columns, row, strict=True)
                        ]
                    )
        target.commit()
        target.autocommit = True
        target.execute("VACUUM ANALYZE")


def _sizes(indexes: Indexes) -> list[Row]:
    path = indexes.urls[1].removeprefix("sqlite:///")
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(text,)] = raw.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'text_index%' OR name ="
            " (SELECT name FROM pragma_index_list('articles') WHERE origin = 'u'"
            "  AND (SELECT name FROM pragma_index_info(pragma_index_list.name)) = 'text_rowid')"
        )
    whole = os.path.getsize(path)
    rest = whole - text
    peer = f"{rest / 1e6:.0f} MB the rest"
    return [Row("what is searched", f"{text / 1e6:.0f} MB", peer, text / rest, "0.5 or less")]
