"""Finds the articles of a selection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import TextClause, bindparam, select, text
from sqlalchemy.engine import Connection

from feeds.articles import Article
from feeds.history import Archive, Cursor, Month, Neighbours
from feeds.index.indexed import FeedKey, decode
from feeds.index.schema import articles, entries, feeds
from feeds.selection import Selection

#: Articles that are sorted rather than all others gone through.
FEW = 2_000

#: Only what has or had an article exists in public.
PUBLIC = feeds.c.changed.is_not(None)
_FEED = select(feeds).where(
    feeds.c.kind == bindparam("kind"), feeds.c.key == bindparam("key"), PUBLIC
)
_ARTICLES = select(articles.c.id, articles.c.document, articles.c.next_change).where(
    articles.c.id.in_(bindparam("ids", expanding=True))
)
#: Articles that name a feed of some, up to a further condition and the parenthesis.
_NAMED = "EXISTS (SELECT 1 FROM entries AS o WHERE o.article = e.article AND o.feed IN :{}"
_PARAMETER = re.compile(r":(\w+)")
_ALL = 1 << 60
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
    document: bytes
    next_change: int | None

    @property
    def article(self) -> Article:
        """The article, decoded."""
        return decode(self.document, has_update=not self.next_change)


class Query:
    """One selection in one transaction.

    Its statements are written as text: SQLAlchemy 2.1 takes four times as long to make them
    of expressions as SQLite takes to answer them.
    """

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
        self._conditions: list[str] = []
        self._values: dict[str, Any] = {}
        groups = [self._ids(group) for group in selection.groups]
        if len(groups) > 1:
            # What is rare is gone through, and looked up in what is not.
            groups.sort(key=self._count)
        #: The feeds whose articles are gone through.
        self._walked = groups.pop(0)
        for number, ids in enumerate(groups):
            self._add(f"{_NAMED.format(f'group{number}')} AND o.shown = TRUE)", ids)
        if ids := self._ids(selection.exclude):
            self._add(f"NOT {_NAMED.format('excluded')})", ids)
        if selection.types:
            self._add("e.type IN :types", [s.key for s in selection.types])
        self._few = self._add_ranks()

    def _ids(self, group: Sequence[Selection]) -> list[int]:
        rows = [self.feeds.get((s.kind, s.key)) for s in group]
        return [row.id for row in rows if row]

    def _add(self, condition: str, value: object) -> None:
        """Add a condition of entries, and the value of the one parameter in it."""
        self._conditions.append(condition)
        self._values[_PARAMETER.findall(condition)[0]] = value

    def _add_ranks(self) -> bool:
        """Add what quality and heat must be; whether that leaves few articles.

        What is added to a column keeps a database from using its index.
        """
        s, few = self._selection, False
        for name, least in (("quality", s.min_quality), ("heat", s.min_heat)):
            if least is not None:
                leaves_few = not few and self._count(self._walked, name, least) <= FEW
                self._add(f"e.{name}{'' if leaves_few else ' + 0'} >= :{name}", least)
                few |= leaves_few
        return few

    def _count(self, feeds: Sequence[int], column: str = "", least: int = 0) -> int:
        """How many entries feeds have, or from some quality or heat on, as far as that matters."""
        values: dict[str, object] = {"feeds": feeds}
        condition = "feed IN :feeds AND shown = TRUE"
        if column:
            condition += f" AND {column} >= :least"
            values["least"] = least
        some = f"SELECT 1 FROM entries WHERE {condition} LIMIT {FEW + 1}"
        statement = _text(f"SELECT count(*) FROM ({some}) AS found", values)
        return int(self._connection.execute(statement, values).scalar_one())

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
        column = "e.published + 0" if self._few else "e.published"
        conditions = ["e.feed = :feed", "e.shown = TRUE", *self._conditions]
        values = self._values | {"limit": limit or _ALL}
        if since:
            conditions.append(f"{column} >= :since")
            values["since"] = _second(since)
        if isinstance(before, datetime):
            conditions.append(f"{column} < :before")
            values["before"] = _second(before)
        elif before:
            conditions.append(f"{column} <= :at AND ({column} < :at OR e.article > :after)")
            values |= {"at": _second(before.published), "after": before.id}
        order = f"{column} ASC" if reverse else f"{column} DESC, e.article"
        newest = (
            f"SELECT e.article, {column} AS published, e.quality FROM entries AS e"
            f" WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT :limit"
        )
        statement = _text(
            f"SELECT n.article, n.published, n.quality, a.document, a.next_change"
            f" FROM ({newest}) AS n JOIN articles AS a ON a.id = n.article",
            values,
        )
        found: dict[str, Entry] = {}
        # A database sorts all that several feeds have; this reads the first of each.
        for feed in self._walked:
            rows = self._connection.execute(statement, values | {"feed": feed}).all()
            found |= {row[0]: Entry(*row) for row in rows}
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


@lru_cache(1_000)
def _made(statement: str, lists: tuple[str, ...]) -> TextClause:
    return text(statement).bindparams(*(bindparam(name, expanding=True) for name in lists))


def _text(statement: str, values: Mapping[str, object]) -> TextClause:
    """A statement, some of whose values may be lists."""
    lists = (name for name, value in values.items() if isinstance(value, list))
    return _made(statement, tuple(sorted(lists)))


def _cursor(entry: Entry) -> Cursor:
    return Cursor(published=_moment(entry.published), id=entry.id)


def _month(found: Sequence[Entry]) -> Month | None:
    return Month.of(_moment(found[0].published)) if found else None


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
