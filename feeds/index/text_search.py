"""The text by which articles are found, in SQLite's FTS5 or PostgreSQL's `tsvector`.

Each public article has a row, whose number sorts it as feeds do. Its text is the terms of
the article (`feeds.search`), and a term for each feed that it is in. So the database finds
the newest articles that have a word, or that are in two feeds, without reading any others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import DDL, BigInteger, Column, Computed, Index, Table, event, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.engine import Connection

from feeds.articles.fields import EARLIEST
from feeds.index.rows import insert, select_in
from feeds.index.schema import Text, articles, metadata
from feeds.search import Phrase

# Of private use, and so in no term: the marks of feeds that show an article, and of feeds
# that it only names.
_SHOWN, _NAMED = "\ue001", "\ue002"

_EPOCH = int(EARLIEST.timestamp())
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
#: From so many new rows on, FTS5 merges them at once, so that searches take half the time and
#: no later change has to do it.
MIN_BULK_ROWS = 10_000
_MERGE = "INSERT INTO text_index (text_index) VALUES ('optimize')"

_DELETE = "DELETE FROM text_index WHERE rowid = (SELECT text_rowid FROM articles WHERE id = :id)"

#: A condition, and the values of the parameters in it.
Condition = tuple[str, dict[str, str]]


def rowid_of(published: int, id: str = "") -> int:
    """Return the number that sorts an article: later ones, and of one second lower ids, last.

    Without an id it is less than any number of that second, so it is a bound.
    """
    within = (1 << _ID_BITS) - 1 - (int(id[:8], 16) >> 1) if id else 0
    return (published - _EPOCH << _ID_BITS) + within


def assign_rowids(connection: Connection, published: Mapping[str, int]) -> dict[str, int]:
    """Return a free row id for each public article, given as its id and its time."""
    rowids = {id: rowid_of(second, id) for id, second in published.items()}
    column = articles.c.text_rowid
    used = {
        row.text_rowid for row in select_in(connection, select(column), column, rowids.values())
    }
    for id, rowid in rowids.items():
        # Among ten thousand articles of one second, one pair in fifty collections collides.
        while rowid in used:
            rowid -= 1
            used.update(connection.execute(select(column).where(column == rowid)).scalars())
        used.add(rowid)
        rowids[id] = rowid
    return rowids


def insert_texts(connection: Connection, texts: Mapping[int, tuple[str, list[str]]]) -> None:
    """Insert the rows of articles: by row id, their terms and the marks of their feeds."""
    rows = (
        {"rowid": rowid, "terms": f" {' '.join([*marks, terms])} "}
        # FTS5 writes what it has in memory when a lower row follows.
        for rowid, (terms, marks) in sorted(texts.items())
    )
    insert(connection, text_index, rows)
    if connection.dialect.name == "sqlite" and len(texts) > MIN_BULK_ROWS:
        connection.exec_driver_sql(_MERGE)


def delete_texts(connection: Connection, ids: Sequence[str]) -> None:
    """Delete the rows of articles by their ids, before the articles are deleted."""
    if ids:
        connection.execute(text(_DELETE), [{"id": id} for id in ids])


def mark_of(feed: int, shown: bool) -> str:
    """Return the term of an article that a feed shows, or that only names the feed."""
    return f"{_SHOWN if shown else _NAMED}{feed}"


class Terms(NamedTuple):
    """The terms that an article has, and those that it does not have; marks are terms too."""

    #: It has one phrase of each of these groups.
    required: list[list[Phrase]]
    excluded: list[Phrase]

    def index_conditions(self, dialect: str) -> Iterator[Condition]:
        """Yield the conditions by which the index of text finds articles."""
        if dialect == "sqlite":
            yield "text_index MATCH :search", {"search": self._query(_fts5, "OR", "AND", "NOT")}
            return
        alone = self._replace(excluded=[p for p in self.excluded if len(p.terms) == 1])
        query = alone._query(_tsquery, "|", "&", "& !")
        yield "text_index.vector @@ CAST(:search AS tsquery)", {"search": query}
        # Its vector has no positions, because PostgreSQL keeps only 256 of a lexeme.
        longer = Terms(
            [group for group in self.required if len(group[0].terms) > 1],
            [phrase for phrase in self.excluded if len(phrase.terms) > 1],
        )
        yield from longer.like_conditions()

    def like_conditions(self) -> Iterator[Condition]:
        """Yield conditions that compare the texts of articles one by one."""
        for number, group in enumerate(self.required):
            values = {f"required{number}_{at}": _like(phrase) for at, phrase in enumerate(group)}
            yield f"({' OR '.join(f'terms LIKE :{name}' for name in values)})", values
        for number, phrase in enumerate(self.excluded):
            yield f"terms NOT LIKE :excluded{number}", {f"excluded{number}": _like(phrase)}

    def _query(self, written: Callable[[Phrase], str], either: str, both: str, but: str) -> str:
        """Return the query of a database that has these operators."""
        groups = (f" {either} ".join(map(written, group)) for group in self.required)
        query = f" {both} ".join(f"({group})" for group in groups)
        excluded = f" {either} ".join(map(written, self.excluded))
        return f"({query}) {but} ({excluded})" if excluded else query


def _fts5(phrase: Phrase) -> str:
    """Return a phrase in a query of FTS5 (SQLite's documentation, "Full-text Query Syntax")."""
    return f'"{" ".join(phrase.terms)}"{" *" * phrase.ends_open}'


def _tsquery(phrase: Phrase) -> str:
    """Return a phrase in a query of PostgreSQL (its documentation, 8.11.2), without an order."""
    lexemes = " & ".join(f"'{term}'" for term in phrase.terms)
    return f"{lexemes}{':*' * phrase.ends_open}"


def _like(phrase: Phrase) -> str:
    # No term has a character that LIKE knows.
    return f"% {' '.join(phrase.terms)}{'' if phrase.ends_open else ' '}%"
