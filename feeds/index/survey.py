"""What there is to choose from: feeds, months and qualities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import func, select

from feeds.history import Month
from feeds.index import Index
from feeds.index.query import PUBLIC, Query
from feeds.index.schema import entries, feeds
from feeds.selection import Selection

#: Articles of which a rate is told, and the days that they may be apart.
SAMPLE = 1_000
_DAYS = 84
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A public feed in a list."""

    selection: Selection
    name: str
    #: Its articles.
    count: int
    #: When the newest of them was published; None without any.
    newest: datetime | None


@dataclass(frozen=True, kw_only=True)
class Qualities:
    """How many articles of which quality came lately."""

    #: Quality and how many articles have it, the least first.
    counts: tuple[tuple[int, int], ...]
    #: The time in which they came, at least one week.
    weeks: float

    def rate(self, least: int) -> float:
        """Articles a week of a quality and up."""
        return sum(count for quality, count in self.counts if quality >= least) / self.weeks


def listing(index: Index) -> list[Listed]:
    """Every public feed: the site, then topics, then providers, by name."""
    counted = (
        select(entries.c.feed, func.count().label("n"), func.max(entries.c.published).label("at"))
        .where(entries.c.shown)
        .group_by(entries.c.feed)
        .subquery()
    )
    statement = select(feeds, counted.c.n, counted.c.at).outerjoin(
        counted, counted.c.feed == feeds.c.id
    )
    listed = []
    with index.read_transaction() as connection:
        for row in connection.execute(statement.where(PUBLIC)):
            selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
            name = index.config.name(selection)
            newest = datetime.fromtimestamp(row.at, UTC) if row.at is not None else None
            title = name.title or row.name
            if not name.withdrawn:
                listed.append(
                    Listed(selection=selection, name=title, count=row.n or 0, newest=newest)
                )
    kinds = ("site", "topic", "provider")
    return sorted(
        listed,
        key=lambda i: (kinds.index(i.selection.kind), i.name.casefold(), i.selection.key),
    )


def by_size(listed: Iterable[Listed]) -> list[Listed]:
    """Those with the most articles first."""
    return sorted(listed, key=lambda item: -item.count)


def months(index: Index, selection: Selection) -> list[Month]:
    """The months in which a public selection has articles, the newest first."""
    with index.read_transaction() as connection:
        query = Query(connection, selection)
        return query.months() if query.is_public else []


def qualities(index: Index, selection: Selection) -> Qualities:
    """The qualities of what came in the twelve weeks before a selection's newest article.

    Whatever its least quality is. At most SAMPLE articles count, the newest.
    """
    with index.read_transaction() as connection:
        query = Query(connection, replace(selection, min_quality=None))
        rows = query.newest(SAMPLE) if query.is_public else []
    newest = rows[0].published if rows else 0
    lately = [row for row in rows if row.published > newest - _DAYS * _DAY]
    days: float = _DAYS
    if len(lately) == len(rows):
        # Nothing older is known: it is younger than that, or has more than are counted.
        days = max((newest - row.published for row in lately), default=0) / _DAY
    counts = Counter(row.quality for row in lately)
    return Qualities(counts=tuple(sorted(counts.items())), weeks=max(days / 7, 1.0))
