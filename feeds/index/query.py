"""Find the articles of a selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, text, true
from sqlalchemy.engine import Connection

from feeds.history import Cursor
from feeds.index.found import FoundArticle
from feeds.index.rows import convert
from feeds.index.schema import entries, feeds, meta
from feeds.index.text_search import Terms, mark_of, rowid_of
from feeds.indexed import SITE
from feeds.search import Phrase
from feeds.selection import Kind, Selection

#: Where a quality or a heat leaves at most so many articles, these are found by it and
#: sorted. Where it leaves more, the newest articles are read until enough of them have it.
MAX_SORTED = 2_000

#: Only feeds that have or had an article are public.
PUBLIC = feeds.c.changed.is_not(None)
_NO_LIMIT = 1 << 60
#: The tables of the three ways to find articles. The first is by the entries of one feed.
_FROM_FEED = "entries AS e"
#: By the index of text. SQLite reads the tables of CROSS JOIN in this order.
_FROM_TEXT_INDEX = "text_index CROSS JOIN articles AS f CROSS JOIN entries AS e"
#: By comparing the texts of the few articles that a quality or a heat leaves.
_FROM_FEW_TEXTS = "entries AS e, articles AS f, text_index"
#: The condition that joins the tables of texts with entries.
_JOIN_TEXTS = "e.article = f.id AND f.text_rowid = text_index.rowid"
NEWEST_FIRST = (entries.c.published.desc(), entries.c.article)
_text = lru_cache(1_000)(text)


class FeedRow(NamedTuple):
    """A public feed, and what `meta` says of the site; times are Unix times."""

    id: int
    kind: Kind
    key: str
    name: str
    changed: int
    site_changed: int
    today: int


_FEED = (
    select(*feeds.c["id", "kind", "key", "name", "changed"], *meta.c["changed", "today"])
    .join(meta, true())
    .where(feeds.c.kind == bindparam("kind"), feeds.c.key == bindparam("key"), PUBLIC)
)


class Query:
    """One selection in one transaction.

    Its statements are text: SQLAlchemy 2.1 takes four times as long to build them from
    expressions as SQLite takes to answer them.
    """

    def __init__(self, connection: Connection, selection: Selection) -> None:
        self._connection = connection
        self.selection = selection
        chosen = {(s.kind, s.key) for group in selection.groups for s in group}
        is_one_feed = len(chosen) == 1 and not selection.exclude and not selection.search
        others = set() if is_one_feed else {(s.kind, s.key) for s in selection.exclude} | {SITE}
        rows = (
            row
            for kind, key in chosen | others
            for row in connection.execute(_FEED, {"kind": kind, "key": key})
        )
        #: All public feeds that the selection names, and perhaps the site.
        self.feeds = {(row.kind, row.key): row for row in convert(rows, FeedRow)}
        self.is_public = chosen <= self.feeds.keys()
        if not self.is_public:
            return
        row = next(iter(self.feeds.values()))
        #: When anything public last changed, and the day before which periods are over.
        self.site_changed, self.today = row.site_changed, row.today
        self._conditions: list[str] = []
        self._values: dict[str, Any] = {}
        self._source = _FROM_FEED
        # Each article has an entry in the site, shown or not. That all values of `shown` are
        # named lets SQLite use its index of feed, shown and published.
        feed, shown = SITE, "IN (TRUE, FALSE)"
        if is_one_feed:
            [feed], shown = chosen, "= TRUE"
        self._add(f"e.feed = :feed AND e.shown {shown}", {"feed": self.feeds[feed].id})
        self._leaves_few = self._add_ranks()
        if not is_one_feed:
            self._add_terms()
        if selection.types:
            types = {f"type{number}": s.key for number, s in enumerate(selection.types)}
            self._add(f"e.type IN ({', '.join(f':{name}' for name in types)})", types)

    def _add_terms(self) -> None:
        """Add the feeds and the words that articles have, and those that they do not have."""
        s = self.selection
        searched = [[phrase] for phrase in s.search if not phrase.is_excluded]
        not_searched = [phrase for phrase in s.search if phrase.is_excluded]
        terms = Terms(
            [self._marks(group, shown=True) for group in s.groups] + searched,
            # A feed may only name an article that it does not show.
            self._marks(s.exclude, shown=True) + self._marks(s.exclude, shown=False) + not_searched,
        )
        self._source = _FROM_FEW_TEXTS if self._leaves_few else _FROM_TEXT_INDEX
        dialect = self._connection.dialect.name
        for condition in (
            terms.like_conditions() if self._leaves_few else terms.index_conditions(dialect)
        ):
            self._add(*condition)
        self._conditions.append(_JOIN_TEXTS)

    def _marks(self, group: Sequence[Selection], shown: bool) -> list[Phrase]:
        rows = [self.feeds.get((s.kind, s.key)) for s in group]
        return [Phrase(words=(mark_of(row.id, shown),)) for row in rows if row]

    def _add(self, condition: str, values: Mapping[str, object]) -> None:
        """Add a condition of entries, and the values of the parameters in it."""
        self._conditions.append(condition)
        self._values |= values

    def _add_ranks(self) -> bool:
        """Add the least quality and heat, and return whether one of them leaves few articles.

        A database does not use its index of a column where the condition is of `column + 0`.
        """
        s, leaves_few = self.selection, False
        for name, least in (("quality", s.min_quality), ("heat", s.min_heat)):
            if least is not None:
                by_rank = not leaves_few and self._is_rare(f"e.{name} >= :least", least)
                self._add(f"e.{name}{'' if by_rank else ' + 0'} >= :{name}", {name: least})
                leaves_few |= by_rank
        return leaves_few

    def _is_rare(self, condition: str, least: int) -> bool:
        """Return whether at most MAX_SORTED entries fulfil a condition."""
        some = f"SELECT 1 FROM {_FROM_FEED} WHERE {self._conditions[0]} AND {condition}"
        statement = f"SELECT count(*) FROM ({some} LIMIT {MAX_SORTED + 1}) AS found"
        values = self._values | {"least": least}
        count: int = self._connection.execute(_text(statement), values).scalar_one()
        return count <= MAX_SORTED

    def newest(
        self,
        limit: int | None,
        *,
        since: datetime | None = None,
        before: datetime | Cursor | None = None,
        reverse: bool = False,
    ) -> list[FoundArticle]:
        """Return the newest entries of a span of time, or with `reverse` the oldest.

        `before` is a time, or the cursor of an entry: those that follow it are returned.
        """
        way = "ASC" if reverse else "DESC"
        order = f"{self._time} {way}" + ("" if reverse else ", e.article")
        if self._source == _FROM_TEXT_INDEX:
            order = f"text_index.rowid {way}"
        found = self._read(limit, since, before, order)
        sign = 1 if reverse else -1
        return sorted(found, key=lambda entry: (sign * entry.published, entry.id))

    def best(
        self, limit: int, *, since: datetime, before: datetime, least: int | None = None
    ) -> list[FoundArticle]:
        """Return the entries of a span of time with the highest quality, of equal ones the newest.

        Those below the quality `least` are left out. A database does not use its index of
        qualities here, because that has the entries of all times.
        """
        order = f"e.quality + 0 DESC, {self._time} DESC, e.article"
        found = self._read(limit, since, before, order, least)
        return sorted(found, key=lambda entry: (-entry.quality, -entry.published, entry.id))

    @property
    def _time(self) -> str:
        """The time of an entry in a statement."""
        is_read_in_order = self._source == _FROM_FEED and not self._leaves_few
        # The rows of `text_index`, and the few that are sorted, are not read in this order.
        return "e.published" if is_read_in_order else "e.published + 0"

    def _read(
        self,
        limit: int | None,
        since: datetime | None,
        before: datetime | Cursor | None,
        order: str,
        least: int | None = None,
    ) -> list[FoundArticle]:
        """Return the first entries of a span of time in an order."""
        conditions, values = self._span(self._time, since, before)
        values |= self._values | {"limit": limit or _NO_LIMIT}
        if least is not None:
            conditions.append("e.quality + 0 >= :least")
            values["least"] = least
        first = (
            f"SELECT e.article, {self._time} AS published, e.quality FROM {self._source}"
            f" WHERE {' AND '.join(self._conditions + conditions)} ORDER BY {order} LIMIT :limit"
        )
        statement = (
            "SELECT n.article, n.published, n.quality, a.encoded, a.next_change"
            f" FROM ({first}) AS n JOIN articles AS a ON a.id = n.article"
        )
        return convert(self._connection.execute(_text(statement), values), FoundArticle)

    def _span(
        self, column: str, since: datetime | None, before: datetime | Cursor | None
    ) -> tuple[list[str], dict[str, Any]]:
        """Return the conditions of a span of time, and their values."""
        conditions: list[str] = []
        values: dict[str, Any] = {}
        if isinstance(before, Cursor):
            conditions.append(f"({column} < :at OR e.article > :after)")
            values |= {"at": _second(before.published), "after": before.id}
            before = before.published + timedelta(seconds=1)
        for name, sign, moment in (("since", ">=", since), ("before", "<", before)):
            if moment:
                conditions.append(f"{column} {sign} :{name}")
                values[name] = _second(moment)
                if self._source == _FROM_TEXT_INDEX:
                    # The row id of an article has its time in it.
                    conditions.append(f"text_index.rowid {sign} :{name}_rowid")
                    values[f"{name}_rowid"] = rowid_of(values[name])
        return conditions, values


def _second(moment: datetime) -> int:
    return int(moment.timestamp())
