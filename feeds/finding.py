"""The statements that find a selection's articles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, case, or_, select
from sqlalchemy.engine import Connection

from feeds.history import Archive, Month, Neighbours, Place
from feeds.selection import Selection
from feeds.tables import articles, entries, feeds, missed


def newest(feed: int, second: int, limit: int | None) -> Any:
    """The statement for a feed's newest articles at a Unix time: one range of one index."""
    found = (articles.c.id, articles.c.digest, articles.c.document)
    return (
        select(*found, entries.c.published, entries.c.label)
        .join_from(entries, articles)
        .where(entries.c.feed == feed, entries.c.published <= second)
        .order_by(entries.c.published.desc(), entries.c.article)
        .limit(limit)
    )


def public(second: int) -> Any:
    """Only what has or had a visible article exists in public."""
    mine, visible = entries.c.feed == feeds.c.id, entries.c.published <= second
    return or_(feeds.c.changed.is_not(None), select(entries.c.feed).where(mine, visible).exists())


def _name(second: int) -> Any:
    """What a public feed is called.

    What time alone made public was never named by a change; then its first article
    names it, for others may not be due yet.
    """
    first = (
        select(entries.c.label)
        .where(entries.c.feed == feeds.c.id, entries.c.published <= second)
        .order_by(entries.c.published, entries.c.article.desc())
        .limit(1)
        .scalar_subquery()
    )
    return case((feeds.c.changed.is_(None), first), else_=feeds.c.name).label("name")


#: Rows, the archives beside them, and whether they are all that there are.
Part = tuple[Sequence[Row[Any]], Neighbours, bool]


class Finder:
    """One selection at one Unix time, in one transaction."""

    def __init__(self, connection: Connection, selection: Selection, second: int) -> None:
        self._connection = connection
        self._selection = selection
        self._second = second
        chosen = [s for group in selection.groups for s in group]
        wanted = [_is(feeds, s) for s in (*chosen, *selection.exclude)]
        columns = [feeds.c.id, feeds.c.kind, feeds.c.key, feeds.c.changed, _name(second)]
        rows = connection.execute(select(*columns).where(or_(*wanted), public(second)))
        #: The public ones of all that the selection names, by kind and key.
        self.feeds = {(row.kind, row.key): row for row in rows}
        self.is_public = all((s.kind, s.key) in self.feeds for s in chosen)

    @property
    def latest(self) -> int:
        """When its newest article was published; 0 without any."""
        return max((row.published for row in self._newest(1)), default=0)

    def current(self, limit: int) -> Part:
        """The newest articles; where older ones are, or that there are none.

        What is hot now has no history.
        """
        rows = self._newest(limit + 1)
        if self._selection.min_heat is not None:
            return rows[:limit], Neighbours(), False
        if len(rows) <= limit:
            return rows, Neighbours(), True
        place = _place(rows[limit - 1])
        previous = Archive(month=Month.of(place.moment), before=place)
        return rows[:limit], Neighbours(previous=previous), False

    def archive(self, archive: Archive, most: int | None = None) -> Part:
        """The articles of an archive, newest first, and the archives beside it.

        Those of a month that has articles are named whatever they hold, for its bytes
        change only with its own articles; a month without any names the nearest. So
        does a page of `most` articles, for a person has no use for empty months.
        """
        rows, month = self._month(archive, most and most + 1), archive.month
        older: Month | None = month.plus(-1)
        newer: Month | None = month.plus(1)
        if most or not rows:
            older, newer = self._months_beside(month)
        previous = Archive(month=older) if older else None
        if most and len(rows) > most:
            rows = rows[:most]
            previous = Archive(month=month, before=_place(rows[-1]))
        following = Archive(month=newer) if newer and not archive.before else None
        return rows, Neighbours(previous=previous, following=following), False

    def months(self) -> list[Month]:
        """The months that have articles, the newest first."""
        found: list[Month] = []
        at = self._edge(entries.c.published <= self._second, earliest=False)
        while at is not None:
            found.append(Month.of(_moment(at)))
            at = self._edge(entries.c.published < _second(found[-1].start), earliest=False)
        return found

    def qualities(self, most: int) -> Sequence[Row[Any]]:
        """Quality and Unix time of the newest articles."""
        columns = (entries.c.article.label("id"), entries.c.quality, entries.c.published)
        return self._merged(
            [
                select(*columns)
                .where(entries.c.feed == feed, entries.c.published <= self._second)
                .order_by(entries.c.published.desc(), entries.c.article)
                .limit(most)
                for feed in self._any_of
            ],
            most,
        )

    def _month(self, archive: Archive, limit: int | None) -> Sequence[Row[Any]]:
        month, place = archive.month, archive.before
        within = [entries.c.published >= _second(month.start)]
        within.append(entries.c.published < _second(month.plus(1).start))
        if place:
            at = _second(place.moment)
            within.append(entries.c.published <= at)
            within.append(or_(entries.c.published < at, entries.c.article > place.id))
        return self._newest(limit, *within)

    def _months_beside(self, month: Month) -> tuple[Month | None, Month | None]:
        """The nearest months before and after one that have articles."""
        column = entries.c.published
        visible = column <= self._second
        older = self._edge(visible, column < _second(month.start), earliest=False)
        newer = self._edge(visible, column >= _second(month.plus(1).start), earliest=True)
        return _month(older), _month(newer)

    def due(self, archive: Archive | None) -> int | None:
        """The Unix time at which the next article comes."""
        within = [entries.c.published > self._second]
        if archive:
            within.append(entries.c.published < _second(archive.month.plus(1).start))
        return self._edge(*within, earliest=True)

    def _newest(self, limit: int | None, *within: Any) -> Sequence[Row[Any]]:
        statements = [newest(feed, self._second, limit) for feed in self._any_of]
        return self._merged(statements, limit, *within)

    def _merged(self, statements: list[Any], limit: int | None, *within: Any) -> Sequence[Row[Any]]:
        """The rows of statements, each for the newest articles of a feed."""
        found = [
            self._connection.execute(statement.where(*self._narrowed, *within)).all()
            for statement in statements
        ]
        if len(found) == 1:
            return found[0]
        rows = {row.id: row for rows in found for row in rows}.values()
        return sorted(rows, key=lambda row: (-row.published, row.id))[:limit]

    def _edge(self, *within: Any, earliest: bool) -> int | None:
        column = entries.c.published
        order = column.asc() if earliest else column.desc()
        found: list[int] = []
        for feed in self._any_of:
            mine = (entries.c.feed == feed, *self._narrowed, *within)
            statement = select(column).where(*mine).order_by(order).limit(1)
            found += self._connection.execute(statement).scalars()
        return (min if earliest else max)(found, default=None)

    @property
    def _any_of(self) -> list[int]:
        """The feeds whose articles are gone through, in their order."""
        return self._ids(self._selection.groups[0])

    @property
    def _narrowed(self) -> list[Any]:
        """What an article must be besides."""
        selection, article = self._selection, entries.c.article
        other = entries.alias()
        inside = select(other.c.article).where(other.c.article == article)
        conditions: list[Any] = [
            inside.where(other.c.feed.in_(self._ids(group))).exists()
            for group in selection.groups[1:]
        ]
        if selection.exclude:
            excluded = self._ids(selection.exclude)
            named = or_(*(_is(missed, s) for s in selection.exclude))
            conditions.append(~inside.where(other.c.feed.in_(excluded)).exists())
            conditions.append(
                ~select(missed.c.article).where(missed.c.article == article, named).exists()
            )
        if selection.min_quality is not None:
            conditions.append(entries.c.quality >= selection.min_quality)
        if selection.min_heat is not None:
            conditions.append(entries.c.heat >= selection.min_heat)
        return conditions

    def _ids(self, names: Sequence[Selection]) -> list[int]:
        known = [self.feeds.get((s.kind, s.key)) for s in names]
        return [row.id for row in known if row]


def _is(table: Any, selection: Selection) -> Any:
    return and_(table.c.kind == selection.kind, table.c.key == selection.key)


def _place(row: Row[Any]) -> Place:
    return Place(moment=_moment(row.published), id=row.id)


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def _month(second: int | None) -> Month | None:
    return None if second is None else Month.of(_moment(second))


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
