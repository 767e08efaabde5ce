"""How long `find` takes, whatever is chosen, and a feed that is made anew."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from feeds.config import Config
from feeds.history import Archive, Month
from feeds.index import Index
from feeds.selection import EVERYTHING, Selection, choose
from tests.bench import bulk
from tests.bench.bulk import Indexes
from tests.bench.table import Row, timed


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of each selection over a small and a large index."""
    rounds, goal = (3, "") if quick else (41, "under 1 ms")
    small, large = (Index(url, Config()) for url in indexes.urls)
    rows = []
    for name, (selection, archive) in selections().items():
        times: list[list[float]] = [[], []]
        for _ in range(rounds):
            for index, found in zip((small, large), times, strict=True):
                found.append(timed(lambda i=index, s=selection, a=archive: i.find(s, a)))  # type: ignore[misc]
        few, many = (statistics.median(found) * 1e3 for found in times)
        rows.append(Row(name, f"{many:.2f} ms", f"{few:.2f} ms among {bulk.SMALL}", goal=goal))
    yield f"find among {indexes.large} articles, medians of {rounds}", rows


def selections() -> dict[str, tuple[Selection, Archive | None]]:
    """What a reader may choose, from the plain to the rare."""
    topic = [bulk.topic(number) for number in range(bulk.TOPICS)]
    provider = [bulk.provider(number) for number in range(4)]
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
        "a topic from a small provider": (
            choose([topic[0]], [bulk.provider(bulk.PROVIDERS - 1)]),
            None,
        ),
        "a rare topic from a provider": (choose([topic[-1]], [provider[0]]), None),
        "a topic, only videos": (choose([topic[0]], types=[bulk.type_("video")]), None),
        "heat 99 and up": (choose(min_heat=99), None),
        "five years back, a provider": (provider[0], month),
        "five years back, a rare topic": (topic[-1], month),
    }
