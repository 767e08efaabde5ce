"""How long `find` takes, whatever is chosen, and a feed that is made anew."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from feeds.config import Config
from feeds.formats import FORMATS
from feeds.history import Archive, Month
from feeds.index import Index
from feeds.publish import publish
from feeds.selection import EVERYTHING, Selection, choose
from tests.bench import bulk
from tests.bench.bulk import Indexes
from tests.bench.table import Row, timed


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of each selection over a small and a large index."""
    rounds = 3 if quick else 41
    small, large = (Index(url, Config()) for url in indexes.urls)

    def row(name: str, work: Callable[[Index], object], goal: str) -> Row:
        times: list[list[float]] = [[], []]
        for _ in range(rounds):
            for index, found in zip((small, large), times, strict=True):
                found.append(timed(partial(work, index)))
        few, many = (statistics.median(found) * 1e3 for found in times)
        beside = f"{few:.2f} ms among {bulk.SMALL}"
        return Row(name, f"{many:.2f} ms", beside, goal="" if quick else goal)

    def find(selection: Selection, archive: Archive | None) -> Callable[[Index], object]:
        return lambda index: index.find(selection, archive)

    rows = [row(name, find(*chosen), "under 1 ms") for name, chosen in selections().items()]
    # Each at an address of its own, so that none has the entries of the one before.
    bases = (f"https://{number}.example" for number in count())
    digests = EVERYTHING.digests("weekly")
    atom = FORMATS["atom"]
    rows.append(
        row(
            "digest feed of a year of weeks, published",
            lambda index: publish(index, digests, atom, next(bases)),
            "under 50 ms",
        )
    )
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
