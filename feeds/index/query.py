"""Finds the articles of a selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from feeds.articles import Article
from feeds.history import Archive, Cursor, Month, Neighbours
from feeds.index.indexed import FeedKey, decode
from feeds.index.rows import select_in
from feeds.index.schema import articles, entries, feeds
from feeds.selection import Selection

#: Articles that are sorted rather than all others gone through.
FEW = 2_000

#: Only what has or had an article exists in public.
PUBLIC = feeds.c.changed.is_not(None)
# Made once: SQLAlchemy 2.0 takes longer to make a statement than SQLite to answer this one.
_FEED = select(feeds).where(
    feeds.c.kind == bindparam("kind"), feeds.c.key == bindparam("key"), PUBLIC
)
NEWEST_FIRST = (entries.c.published.desc(), entries.c.article)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Articles of a selection, newest first and ties by id."""

    articles: tuple[Article, ...]
    #: What the topics and providers of the selection are called.
    names: dict[FeedKey, str]
    #: When this last changed, or at the latest did.
    changed: datetime
    beside: Neighbours
    #: Whether these are all the articles of the selection.
    complete: bool


class Entry(NamedTuple):
    """An article of a selection; the time is a Unix time."""

    id: str
    published: int
    quality: int


class Query:
    """One selection in one transaction."""

    def __init__(self, connection: Connection, selection: Selection) -> None:
        self._connection = connection
        self._selection = selection
        chosen = [(s.kind, s.key) for group in selection.groups for s in group]
        excluded = [(s.kind, s.key) for s in selection.exclude]
        rows = [
            connection.execute(_FEED, {"kind": kind, "key": key}).first()
            for kind, key in {*chosen, *excluded}
        ]
        #: The public ones of all feeds that the selection names.
        self.feeds = {(row.kind, row.key): row for row in rows if row}
        self.is_public = all(name in self.feeds for name in chosen)
        groups = [self._ids(group) for group in selection.groups]
        if len(groups) > 1:
            # What is rare is gone through, and looked up in what is not.
            groups.sort(key=lambda ids: self._count(entries.c.feed.in_(ids)))
        #: The feeds whose articles are gone through.
        self._walked = groups[0]
        self._conditions = [_is_in(ids) for ids in groups[1:]]
        if selection.exclude:
            self._conditions.append(~_is_in(self._ids(selection.exclude), hidden=True))
        if selection.types:
            self._conditions.append(entries.c.type.in_([s.key for s in selection.types]))
        self._few = self._add_ranks()

    def _ids(self, group: Sequence[Selection]) -> list[int]:
        rows = [self.feeds.get((s.kind, s.key)) for s in group]
        return [row.id for row in rows if row]

    def _add_ranks(self) -> bool:
        """Add what quality and heat must be; whether that leaves few articles.

        What is added to a column keeps a database from using its index.
        """
        s, few = self._selection, False
        for column, least in ((entries.c.quality, s.min_quality), (entries.c.heat, s.min_heat)):
            if least is not None:
                walked = entries.c.feed.in_(self._walked), entries.c.shown
                leaves_few = not few and self._count(*walked, column >= least) <= FEW
                self._conditions.append((column if leaves_few else column + 0) >= least)
                few |= leaves_few
        return few

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        """How many entries there are, as far as that matters."""
        some = select(entries.c.article).where(*conditions).limit(FEW + 1).subquery()
        return self._connection.execute(select(func.count()).select_from(some)).scalar_one()

    def newest(
        self,
        limit: int | None,
        *,
        since: datetime | None = None,
        before: datetime | Cursor | None = None,
        reverse: bool = False,
    ) -> list[Entry]:
        """The newest entries, or in `reverse` the oldest, of a span of time.

        `before` is a time, or the place of an entry after which they come.
        """
        published = entries.c.published + 0 if self._few else entries.c.published
        columns = (entries.c.article.label("id"), published.label("published"), entries.c.quality)
        conditions = [entries.c.shown, *self._conditions]
        if since:
            conditions.append(published >= _second(since))
        if isinstance(before, datetime):
            conditions.append(published < _second(before))
        elif before:
            at, is_after = _second(before.published), entries.c.article > before.id
            conditions += [published <= at, or_(published < at, is_after)]
        order = (published.asc(),) if reverse else (published.desc(), entries.c.article)
        statement = select(*columns).where(*conditions).order_by(*order).limit(limit)
        found: dict[str, Entry] = {}
        # A database sorts all that several feeds have; this reads the first of each.
        for feed in self._walked:
            rows = self._connection.execute(statement.where(entries.c.feed == feed))
            found |= {row.id: Entry(*row) for row in rows}
        if len(self._walked) == 1:
            return [*found.values()]
        sign = 1 if reverse else -1
        merged = sorted(found.values(), key=lambda entry: (sign * entry.published, entry.id))
        return merged[:limit]

    def current(self, limit: int) -> tuple[list[Entry], Neighbours, bool]:
        """The newest entries, where older ones are, and whether there are none.

        What is hot now has no history.
        """
        found = self.newest(limit + 1)
        if self._selection.min_heat is not None or len(found) <= limit:
            return found[:limit], Neighbours(), self._selection.min_heat is None
        cursor = _cursor(found[limit - 1])
        previous = Archive(month=Month.of(cursor.published), before=cursor)
        return found[:limit], Neighbours(previous=previous), False

    def archive(self, archive: Archive, most: int | None) -> tuple[list[Entry], Neighbours]:
        """The entries of an archive, newest first, and the archives beside it.

        Those of a month that has entries are named whatever they hold, for its bytes
        change only with its own entries; a month without any names the nearest. So
        does a page of `most` entries, for a person has no use for empty months.
        """
        month = archive.month
        end = archive.before or month.plus(1).start
        found = self.newest(most and most + 1, since=month.start, before=end)
        older: Month | None = month.plus(-1)
        newer: Month | None = month.plus(1)
        if most or not found:
            older = _month(self.newest(1, before=month.start))
            newer = _month(self.newest(1, since=month.plus(1).start, reverse=True))
        previous = Archive(month=older) if older else None
        if most and len(found) > most:
            found = found[:most]
            previous = Archive(month=month, before=_cursor(found[-1]))
        following = Archive(month=newer) if newer and not archive.before else None
        return found, Neighbours(previous=previous, following=following)

    def months(self) -> list[Month]:
        """The months that have entries, the newest first."""
        found: list[Month] = []
        month = _month(self.newest(1))
        while month:
            found.append(month)
            month = _month(self.newest(1, before=month.start))
        return found

    def read(self, found: Sequence[Entry]) -> tuple[Article, ...]:
        """The articles of entries, in their order."""
        columns = articles.c.id, articles.c.document, articles.c.next_change
        rows = select_in(
            self._connection, select(*columns), articles.c.id, (entry.id for entry in found)
        )
        read = {row.id: decode(row.document, has_update=not row.next_change) for row in rows}
        return tuple(read[entry.id] for entry in found)


def _is_in(ids: Sequence[int], *, hidden: bool = False) -> ColumnElement[bool]:
    """Whether an article is in one of some feeds, or with `hidden` names one."""
    other = entries.alias()
    same = select(other.c.article).where(other.c.article == entries.c.article)
    inside = same.where(other.c.feed.in_(ids))
    return (inside if hidden else inside.where(other.c.shown)).exists()


def _cursor(entry: Entry) -> Cursor:
    return Cursor(published=_moment(entry.published), id=entry.id)


def _month(found: Sequence[Entry]) -> Month | None:
    return Month.of(_moment(found[0].published)) if found else None


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
