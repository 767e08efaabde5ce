"""Overviews of the index: its feeds, months and qualities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import NamedTuple

from sqlalchemy import case, func, literal, select, union_all

from feeds.history import Month
from feeds.index import Index
from feeds.index.query import PUBLIC, Query
from feeds.index.rows import convert
from feeds.index.schema import articles, entries, feeds, files
from feeds.indexed import State
from feeds.periods import SECONDS_PER_DAY
from feeds.selection import MAX_SLUG_LENGTH, Kind, Selection, fold, slugify

#: Articles and days from which a rate is computed.
MAX_SAMPLE = 1_000
_MAX_DAYS = 84


@dataclass(frozen=True, kw_only=True)
class ListedFeed:
    """A public feed in a list."""

    selection: Selection
    name: str
    #: Its articles.
    count: int
    #: When the newest of them was published; None without any.
    newest: datetime | None


class _ListedRow(NamedTuple):
    """A public feed, how many entries it has, and the Unix time of the newest one."""

    kind: Kind
    key: str
    slug: str
    name: str
    number: int | None
    latest: int | None


@dataclass(frozen=True, kw_only=True)
class Qualities:
    """How many of the newest articles have which quality."""

    #: Each quality and how many articles have it, the lowest quality first.
    counts: tuple[tuple[int, int], ...]
    #: The time in which they were published: a week at least, or a day where many are counted.
    weeks: float
    #: When the newest of them was published; None without any.
    newest: datetime | None = None

    @property
    def oldest(self) -> datetime | None:
        """Return when that time begins."""
        return self.newest and self.newest - timedelta(weeks=self.weeks)

    def rate(self, least: int) -> float:
        """Return how many articles a week have this quality or a higher one."""
        return sum(count for quality, count in self.counts if quality >= least) / self.weeks


def public_feeds(index: Index) -> list[ListedFeed]:
    """Return every public feed: the site, then topics, then providers, by name."""
    counted = (
        select(entries.c.feed, func.count().label("n"), func.max(entries.c.published).label("at"))
        .where(entries.c.shown)
        .group_by(entries.c.feed)
        .subquery()
    )
    columns = feeds.c.kind, feeds.c.key, feeds.c.slug, feeds.c.name, counted.c.n, counted.c.at
    statement = select(*columns).outerjoin(counted, counted.c.feed == feeds.c.id).where(PUBLIC)
    listed = []
    with index.read_transaction() as connection:
        for row in convert(connection.execute(statement), _ListedRow):
            selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
            settings = index.config.settings_of(selection)
            newest = None if row.latest is None else datetime.fromtimestamp(row.latest, UTC)
            if not settings.withdrawn:
                name, count = settings.title or row.name, row.number or 0
                listed.append(
                    ListedFeed(selection=selection, name=name, count=count, newest=newest)
                )
    kinds = ("site", "topic", "provider")
    return sorted(
        listed,
        key=lambda i: (kinds.index(i.selection.kind), i.name.casefold(), i.selection.key),
    )


def counts(index: Index) -> dict[State, int]:
    """Count articles by state, without AT_FAULT. States without articles are left out.

    The last good version of a file at fault counts too.
    """
    is_public = articles.c.text_rowid.is_not(None)
    is_scheduled = articles.c.next_change.is_not(None)
    state = case(
        (is_public, State.PUBLIC.value),
        (is_scheduled, State.SCHEDULED.value),
        else_=State.BELOW_THRESHOLD.value,
    )
    withheld = files.c.fault.is_(None) & files.c.stem.not_in(select(articles.c.stem))
    states = union_all(
        select(state.label("state")),
        select(literal(State.NOT_PUBLISHED.value)).where(withheld),
    ).subquery()
    counted = select(states.c.state, func.count()).group_by(states.c.state)
    with index.read_transaction() as connection:
        return {State(state): count for state, count in connection.execute(counted)}


def find_names(listed: Iterable[ListedFeed], kind: Kind, find: str) -> list[ListedFeed]:
    """Return the feeds of a kind whose names or slugs contain the typed text, by name."""
    wanted = fold(find)
    return [
        item
        for item in listed
        if item.selection.kind == kind
        and (wanted in fold(item.name) or wanted in item.selection.slug)
    ]


def nearest(index: Index, kind: Kind, name: str) -> list[Selection]:
    """Return the public selections whose slugs are most like a name, the nearest first.

    Those that the settings withdraw are left out.
    """
    if len(name) > MAX_SLUG_LENGTH:
        return []
    natural = slugify(kind, name)
    near = get_close_matches(natural, index.slugs(kind, natural), cutoff=0.5)
    found = (index.resolve(kind, slug) for slug in near)
    return [s for s in found if s and not index.config.settings_of(s).withdrawn]


def by_size(listed: Iterable[ListedFeed]) -> list[ListedFeed]:
    """Sort feeds by the number of their articles, the largest first."""
    return sorted(listed, key=lambda item: -item.count)


def months(index: Index, selection: Selection) -> dict[Month, datetime]:
    """Return when the newest article of each month was published, the newest month first."""
    found: dict[Month, datetime] = {}
    with index.read_transaction() as connection:
        query = Query(connection, selection)
        newest = query.newest(1) if query.is_public else []
        while newest:
            month = Month.of(newest[0].moment)
            found[month] = newest[0].moment
            newest = query.newest(1, before=month.start)
    return found


def qualities(index: Index, selection: Selection) -> Qualities:
    """Return the qualities in the twelve weeks before the newest article of a selection.

    Its least quality is ignored. At most MAX_SAMPLE articles count, the newest ones.
    """
    with index.read_transaction() as connection:
        query = Query(connection, replace(selection, min_quality=None))
        rows = query.newest(MAX_SAMPLE) if query.is_public else []
    if not rows:
        return Qualities(counts=(), weeks=1)
    newest, oldest = rows[0].published, rows[-1].published
    recent = [row for row in rows if row.published > newest - _MAX_DAYS * SECONDS_PER_DAY]
    # Less where it is younger than twelve weeks, or has more articles than are counted.
    days = min((newest - oldest) / SECONDS_PER_DAY, _MAX_DAYS)
    # A week at least, so that a young site does not seem to bring more than it does. But a
    # site that brings as many as are counted within days does bring so many.
    least_days = 1 if len(rows) == MAX_SAMPLE else 7
    counts = Counter(row.quality for row in recent)
    weeks = max(days, least_days) / 7
    return Qualities(counts=tuple(sorted(counts.items())), weeks=weeks, newest=rows[0].moment)
