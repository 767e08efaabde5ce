"""What is found of a selection: its articles, and the archives beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeVar

from sqlalchemy import Row
from sqlalchemy.engine import Connection

from feeds.history import Archive, Month, Neighbours, Place
from feeds.index import statements
from feeds.index.statements import ALL, Shape
from feeds.selection import Selection

#: Documents that are read at once.
_AT_ONCE = 50


class Line(NamedTuple):
    """An article as it is found."""

    id: str
    #: Unix time.
    published: int
    #: What it calls the topic or provider.
    label: str
    document: bytes


#: Rows such as a Line, the archives beside them, and whether they are all that there are.
Part = tuple[Sequence[Any], Neighbours, bool]

T = TypeVar("T")


class Finder:
    """One selection at one Unix time, in one transaction."""

    def __init__(self, connection: Connection, selection: Selection, second: int) -> None:
        self._connection = connection
        self._selection = selection
        self._second = second
        chosen: list[tuple[str, str]] = [(s.kind, s.key) for g in selection.groups for s in g]
        excluded: list[tuple[str, str]] = [(s.kind, s.key) for s in selection.exclude]
        excluded = _filled(excluded, ("", ""))
        names = _filled([*excluded, *chosen], ("", ""))
        rows = connection.execute(statements.named(len(names)), _pairs(names) | {"second": second})
        #: The public ones of all that the selection names, by kind and key.
        self.feeds = {(row.kind, row.key): row for row in rows}
        self.is_public = all(name in self.feeds for name in chosen)
        groups = [self._ids(group) for group in selection.groups]
        if self.is_public and len(groups) > 1:
            # What is rare is gone through, and looked up in what is not.
            groups.sort(key=self._count)
        #: The feeds whose articles are gone through, in their order.
        self._any_of = groups.pop(0)
        out = self._ids(selection.exclude)
        self._shape = Shape(
            groups=tuple(map(len, groups)),
            exclude=len(excluded),
            out=len(out),
            quality=selection.min_quality is not None,
            heat=selection.min_heat is not None,
        )
        #: What the conditions of the shape say.
        self._said = _pairs(excluded) | _numbered("out", out)
        for number, group in enumerate(groups):
            self._said |= _numbered(f"group{number}_", group)
        self._said |= {"quality": selection.min_quality, "heat": selection.min_heat}

    @property
    def latest(self) -> int:
        """When its newest article was published; 0 without any."""
        return max((row.published for row in self._newest(1, documents=False)), default=0)

    @property
    def named(self) -> int:
        """When the newest article that names any of its feeds was published; 0 without any."""
        return max((row.latest or 0 for row in self.feeds.values()), default=0)

    def current(self, limit: int) -> Part:
        """The newest articles; where older ones are, or that there are none.

        What is hot now has no history.
        """
        rows = self._newest(limit + 1)
        lines = self._with_documents(rows[:limit])
        if self._selection.min_heat is not None:
            return lines, Neighbours(), False
        if len(rows) <= limit:
            return lines, Neighbours(), True
        place = _place(rows[limit - 1])
        previous = Archive(month=Month.of(place.moment), before=place)
        return lines, Neighbours(previous=previous), False

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
        beside = Neighbours(previous=previous, following=following)
        return self._with_documents(rows), beside, False

    def months(self) -> list[Month]:
        """The months that have articles, the newest first."""
        found: list[Month] = []
        at = self._edge(-ALL, self._second + 1, earliest=False)
        while at is not None:
            found.append(Month.of(_moment(at)))
            at = self._edge(-ALL, _second(found[-1].start), earliest=False)
        return found

    def qualities(self, most: int) -> Sequence[Any]:
        """Quality and Unix time of the newest articles."""
        return self._newest(most, documents=False)

    def _month(self, archive: Archive, limit: int | None) -> Sequence[Any]:
        month, place = archive.month, archive.before
        above, below = _second(month.start) - 1, _second(month.plus(1).start)
        return self._newest(limit or ALL, above=above, below=below, place=place)

    def _months_beside(self, month: Month) -> tuple[Month | None, Month | None]:
        """The nearest months before and after one that have articles."""
        now = self._second + 1
        start, end = _second(month.start), _second(month.plus(1).start)
        older = self._edge(-ALL, min(start, now), earliest=False)
        newer = self._edge(end - 1, now, earliest=True)
        return _month(older), _month(newer)

    def due(self, archive: Archive | None) -> int | None:
        """The Unix time at which the next article comes."""
        end = _second(archive.month.plus(1).start) if archive else ALL
        return self._edge(self._second, end, earliest=True)

    def _newest(
        self,
        limit: int,
        *,
        above: int = -ALL,
        below: int = ALL,
        place: Place | None = None,
        documents: bool = True,
    ) -> Sequence[Any]:
        """The newest articles that have come, of those between two times and after a place."""
        said: dict[str, object] = {
            "above": above,
            "below": min(below, self._second + 1),
            "limit": limit,
        }
        if place:
            said |= {"at": _second(place.moment), "after": place.id}
        part: Literal["all", "rest"] = "rest" if place else "all"
        feeds, quality = self._any_of, self._selection.min_quality
        few = quality is not None and self._count(feeds, quality) <= statements.FEW
        if len(feeds) == 1:
            # Where it is sorted, most that is found is left out.
            statement = statements.newest(self._shape, part, documents and not few, few)
            said["feed"] = feeds[0]
            return self._connection.execute(statement, self._said | said).all()
        each = statements.newest_of_each(len(feeds), self._shape, part, few)
        rows = self._connection.execute(each, self._said | said | _numbered("feed", feeds)).all()
        unique = {row.id: row for row in rows}.values()
        return sorted(unique, key=lambda row: (-row.published, row.id))[:limit]

    def _count(self, feeds: Sequence[int], quality: int | None = None) -> int:
        """How many articles feeds have, or those of a quality, as far as that matters."""
        said = _numbered("feed", feeds) | {"quality": quality, "most": statements.FEW + 1}
        statement = statements.count(len(feeds), quality is not None)
        count: int = self._connection.execute(statement, said).scalar_one()
        return count

    def _with_documents(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows, with the documents of their articles where they are not there yet."""
        if not rows or hasattr(rows[0], "document"):
            return rows
        # Few sizes, so that few statements are built.
        found: dict[str, bytes] = {}
        for start in range(0, len(rows), _AT_ONCE):
            ids = [row.id for row in rows[start : start + _AT_ONCE]]
            ids += ids[:1] * (_AT_ONCE - len(ids))
            statement = statements.documents(_AT_ONCE)
            read = self._connection.execute(statement, _numbered("id", ids)).all()
            found |= {id: document for id, document in read}
        return [Line(row.id, row.published, row.label, found[row.id]) for row in rows]

    def renamed(self) -> int | None:
        """The Unix time at which an article may come that calls one of its feeds otherwise."""
        rows = _filled([(row.id, row.name) for row in self.feeds.values()], (0, ""))
        said = _numbered("feed", (id for id, _ in rows)) | _numbered("name", (n for _, n in rows))
        statement = statements.renamed(len(rows))
        found = self._connection.execute(statement, said | {"second": self._second}).scalars()
        return min((at for at in found if at is not None), default=None)

    def _edge(self, above: int, below: int, *, earliest: bool) -> int | None:
        statement = statements.edges(len(self._any_of), self._shape, earliest)
        said = {"above": above, "below": below} | _numbered("feed", self._any_of)
        found = self._connection.execute(statement, self._said | said).scalars()
        return (min if earliest else max)(found, default=None)

    def _ids(self, names: Sequence[Selection]) -> list[int]:
        known = [self.feeds.get((s.kind, s.key)) for s in names]
        return _filled([row.id for row in known if row], 0)


def _filled(values: list[T], none: T) -> list[T]:
    """Up to the next power of two, with what names nothing: so few statements are built."""
    size = 1 << (len(values) - 1).bit_length() if values else 0
    return values + [none] * (size - len(values))


def _numbered(name: str, values: Iterable[object]) -> dict[str, object]:
    return {f"{name}{number}": value for number, value in enumerate(values)}


def _pairs(names: Sequence[tuple[str, str]]) -> dict[str, object]:
    return _numbered("kind", [n[0] for n in names]) | _numbered("key", [n[1] for n in names])


def _place(row: Row[Any]) -> Place:
    return Place(moment=_moment(row.published), id=row.id)


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def _month(second: int | None) -> Month | None:
    return None if second is None else Month.of(_moment(second))


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
