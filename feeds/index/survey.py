"""What there is to choose from: feeds, months and qualities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, select

from feeds.config import Config
from feeds.history import Month
from feeds.index import Index
from feeds.index.finding import Finder
from feeds.index.statements import public
from feeds.index.tables import entries, feeds
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
    #: Its visible articles.
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


def listing(catalogue: Index, now: datetime) -> list[Listed]:
    """Every public feed: the site, then topics, then providers, by name."""
    second, config = int(now.timestamp()), catalogue.config
    visible = (
        select(entries.c.feed, func.count().label("n"), func.max(entries.c.published).label("at"))
        .where(entries.c.published <= second)
        .group_by(entries.c.feed)
        .subquery()
    )
    label = (
        select(entries.c.label)
        .where(entries.c.feed == feeds.c.id, entries.c.published <= second)
        .order_by(entries.c.published.desc(), entries.c.article)
        .limit(1)
        .scalar_subquery()
    )
    statement = select(feeds, visible.c.n, visible.c.at, label.label("label")).outerjoin(
        visible, visible.c.feed == feeds.c.id
    )
    with catalogue.reading() as connection:
        plain = feeds.c.kind != "type"
        rows = connection.execute(statement.where(plain, public(second))).all()
    listed = [_listed(row, config) for row in rows]
    kinds = ("site", "topic", "provider")
    return sorted(
        (item for item in listed if not config.name(item.selection).withdrawn),
        key=lambda i: (kinds.index(i.selection.kind), i.name.casefold(), i.selection.key),
    )


def _listed(row: Row[Any], config: Config) -> Listed:
    selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
    return Listed(
        selection=selection,
        name=config.name(selection).title or row.label or row.name,
        count=row.n or 0,
        newest=datetime.fromtimestamp(row.at, UTC) if row.at is not None else None,
    )


def by_size(listed: Iterable[Listed]) -> list[Listed]:
    """Those with the most articles first."""
    return sorted(listed, key=lambda item: -item.count)


def months(catalogue: Index, selection: Selection, now: datetime) -> list[Month]:
    """The months in which a public selection has articles, the newest first."""
    with catalogue.reading() as connection:
        finder = Finder(connection, selection, int(now.timestamp()))
        return finder.months() if finder.is_public else []


def qualities(catalogue: Index, selection: Selection, now: datetime) -> Qualities:
    """The qualities of what came in the twelve weeks before a selection's newest article.

    Whatever its least quality is. At most SAMPLE articles count, the newest.
    """
    with catalogue.reading() as connection:
        finder = Finder(connection, replace(selection, min_quality=None), int(now.timestamp()))
        rows = finder.qualities(SAMPLE) if finder.is_public else []
    newest = rows[0].published if rows else 0
    lately = [row for row in rows if row.published > newest - _DAYS * _DAY]
    days: float = _DAYS
    if len(lately) == len(rows):
        # Nothing older is known: it is younger than that, or has more than are counted.
        days = max((newest - row.published for row in lately), default=0) / _DAY
    counts = Counter(row.quality for row in lately)
    return Qualities(counts=tuple(sorted(counts.items())), weeks=max(days / 7, 1.0))
