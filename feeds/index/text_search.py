"""The text by which articles are found, in SQLite's FTS5 or PostgreSQL's `tsvector`.

Each public article has a row, whose number sorts it as feeds do. Its text is the terms of
the article (`feeds.search`), and a term for each feed that it is in. So the database finds
the newest articles that have a word, or that are in two feeds, without reading any others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import DDL, BigInteger, Column, Computed, Index, Table, event, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.engine import Connection

from feeds.index.rows import insert, select_in
from feeds.index.schema import Text, articles, metadata
from feeds.search import Phrase, Search

# Of private use, and so in no term: the marks of feeds that show an article, and of feeds
# that it only names.
_SHOWN, _NAMED = "\ue001", "\ue002"

#: The earliest publication (`feeds.articles.fields.EARLIEST`), as a Unix time.
_EPOCH = 631_152_000
_ID_BITS = 31

#: PostgreSQL's table; `SQLITE_TABLE` makes that of SQLite.
text_index = Table(
    "text_index",
    metadata,
    # FTS5 has no other name for it.
    Column("rowid", BigInteger, primary_key=True, autoincrement=False),
    # Terms with a space before and after each.
    Column("terms", Text, nullable=False),
    Column(
        "vector",
        TSVECTOR,
        Computed("array_to_tsvector(string_to_array(btrim(terms), ' '))", persisted=True),
    ),
)
Index("text_index_vector", text_index.c.vector, postgresql_using="gin")
# PostgreSQL keeps how often the most common terms occur, 1,000 of them by default. It takes a
# term that is not among them for one of a thousandth of all articles, and so reads the newest
# ones in turn to find a rare word.
_STATISTICS = "ALTER TABLE text_index ALTER vector SET STATISTICS 1000"
_set_statistics: Any = DDL(_STATISTICS)  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy 2
event.listen(text_index, "after_create", _set_statistics.execute_if("postgresql"))

#: `ascii` alone takes every letter that is not ASCII for a part of a term.
SQLITE_TABLE = (
    "CREATE VIRTUAL TABLE text_index USING fts5(terms, tokenize = 'ascii', columnsize = 0)"
)
#: From so many rows on, FTS5 takes half the time if it gets more memory and merges them at
#: the end, which else a later change would have to do.
MANY = 10_000
_MEMORY = "INSERT INTO text_index (text_index, rank) VALUES ('hashsize', {})"
_MUCH_MEMORY, _USUAL_MEMORY = 32 << 20, 1 << 20
_MERGE = "INSERT INTO text_index (text_index) VALUES ('optimize')"

_DELETE = "DELETE FROM text_index WHERE rowid = (SELECT place FROM articles WHERE id = :id)"

#: A condition, and the values of the parameters in it.
Condition = tuple[str, dict[str, str]]


def place_of(published: int, id: str = "") -> int:
    """Return the number that sorts an article: later ones, and of one second lower ids, last.

    Without an id it is less than any number of that second, so it is a bound.
    """
    within = (1 << _ID_BITS) - 1 - (int(id[:8], 16) >> 1) if id else 0
    return (published - _EPOCH << _ID_BITS) + within


def assign_places(connection: Connection, published: Mapping[str, int]) -> dict[str, int]:
    """Return a free place for each public article, given as its id and its time."""
    places = {id: place_of(second, id) for id, second in published.items()}
    column = articles.c.place
    used = {row.place for row in select_in(connection, select(column), column, places.values())}
    for id, place in places.items():
        # Among ten thousand articles of one second, one pair in fifty collections collides.
        while place in used:
            place -= 1
            used.update(connection.execute(select(column).where(column == place)).scalars())
        used.add(place)
        places[id] = place
    return places


def insert_texts(connection: Connection, texts: Mapping[int, tuple[str, list[str]]]) -> None:
    """Insert the rows of articles: by place, their terms and the marks of their feeds."""
    rows = (
        {"rowid": place, "terms": f" {' '.join([*marks, terms])} "}
        # FTS5 writes what it has in memory when a lower row follows.
        for place, (terms, marks) in sorted(texts.items())
    )
    if connection.dialect.name == "sqlite" and len(texts) > MANY:
        connection.exec_driver_sql(_MEMORY.format(_MUCH_MEMORY))
        insert(connection, text_index, rows)
        connection.exec_driver_sql(_MEMORY.format(_USUAL_MEMORY))
        connection.exec_driver_sql(_MERGE)
    else:
        insert(connection, text_index, rows)


def delete_texts(connection: Connection, ids: Sequence[str]) -> None:
    """Delete the rows of articles by their ids, before the articles are deleted."""
    if ids:
        connection.execute(text(_DELETE), [{"id": id} for id in ids])


def mark_of(feed: int, shown: bool) -> str:
    """Return the term of an article that a feed shows, or that only names the feed."""
    return f"{_SHOWN if shown else _NAMED}{feed}"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms that an article has, and those that it does not have."""

    #: The ids of feeds. An article is shown in one of each group, and not named in `excluded`.
    groups: list[list[int]]
    excluded: list[int]
    search: Search

    def found(self, dialect: str) -> Iterator[Condition]:
        """Yield the conditions by which the index of text finds articles."""
        if dialect == "sqlite":
            yield "text_index MATCH :search", {"search": self._fts5()}
            return
        yield "text_index.vector @@ CAST(:search AS tsquery)", {"search": self._tsquery()}
        # Its vector has no positions, because PostgreSQL keeps only 256 of a lexeme.
        longer = tuple(phrase for phrase in self.search if len(phrase.terms) > 1)
        yield from Terms(groups=[], excluded=[], search=longer).compared()

    def compared(self) -> Iterator[Condition]:
        """Yield conditions that compare the texts of articles one by one."""
        # No term has a character that LIKE knows.
        for number, group in enumerate(self.groups):
            marks = enumerate(mark_of(feed, shown=True) for feed in group)
            values = {f"group{number}_{at}": f"% {mark} %" for at, mark in marks}
            yield f"({' OR '.join(f'terms LIKE :{name}' for name in values)})", values
        for number, mark in enumerate(mark for feed in self.excluded for mark in _marks(feed)):
            yield f"terms NOT LIKE :excluded{number}", {f"excluded{number}": f"% {mark} %"}
        for number, phrase in enumerate(self.search):
            end = "%" if phrase.ends_open else " %"
            values = {f"phrase{number}": f"% {' '.join(phrase.terms)}{end}"}
            yield f"terms {'NOT ' * phrase.is_excluded}LIKE :phrase{number}", values

    def _fts5(self) -> str:
        """Return a query of FTS5 (SQLite's documentation, "Full-text Query Syntax")."""

        def quoted(phrase: Phrase) -> str:
            return f'"{" ".join(phrase.terms)}"{" *" * phrase.ends_open}'

        must = [" OR ".join(f'"{_SHOWN}{feed}"' for feed in group) for group in self.groups]
        must += [quoted(phrase) for phrase in self.search if not phrase.is_excluded]
        must_not = [f'"{mark}"' for feed in self.excluded for mark in _marks(feed)]
        must_not += [quoted(phrase) for phrase in self.search if phrase.is_excluded]
        query = " AND ".join(f"({part})" for part in must)
        return f"({query}) NOT ({' OR '.join(must_not)})" if must_not else query

    def _tsquery(self) -> str:
        """Return a query of PostgreSQL (its documentation, 8.11.2), in which no order counts."""

        def quoted(phrase: Phrase) -> str:
            lexemes = " & ".join(f"'{term}'" for term in phrase.terms)
            return f"{lexemes}{':*' * phrase.ends_open}"

        must = [" | ".join(f"'{_SHOWN}{feed}'" for feed in group) for group in self.groups]
        must += [quoted(phrase) for phrase in self.search if not phrase.is_excluded]
        must_not = [f"'{mark}'" for feed in self.excluded for mark in _marks(feed)]
        # `compared` excludes longer phrases.
        alone = (phrase for phrase in self.search if len(phrase.terms) == 1)
        must_not += [quoted(phrase) for phrase in alone if phrase.is_excluded]
        query = " & ".join(f"({part})" for part in must)
        return f"{query} & !({' | '.join(must_not)})" if must_not else query


def _marks(feed: int) -> tuple[str, str]:
    return mark_of(feed, shown=True), mark_of(feed, shown=False)
