"""The tables of the index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    column,
    inspect,
    table,
)
from sqlalchemy import Text as _Text
from sqlalchemy.engine import Connection

from feeds.periods import FREQUENCIES

#: Raise it when the tables change, or what is read from a file, or what is shown of an
#: article. An index of another version is made anew.
VERSION = 15

metadata = MetaData()


def _bytewise(kind: String) -> String:
    """Return a type of text that is compared by its bytes, whatever the database's collation."""
    return kind.with_variant(type(kind)(kind.length, collation="C"), "postgresql")


Text = _bytewise(_Text())
_ID = _bytewise(String(32))
_KIND = _bytewise(String(8))

#: One row about the whole index. Times are Unix times in seconds.
meta = Table(
    "meta",
    metadata,
    Column("version", Integer, nullable=False),
    # The settings that the entries were made with; empty before the first sync.
    Column("fingerprint", Text, nullable=False),
    # Grows with every change that any document may show, from the microsecond at which
    # the index was made, so that no two indexes share one.
    Column("revision", BigInteger, nullable=False),
    # The last of these changes. It always grows, and may lie some seconds in the future.
    Column("changed", BigInteger, nullable=False),
    # When time alone changes something next; null before the first sync.
    Column("next_change", BigInteger),
    # The first second of the day in the site's time zone before which periods are over, so
    # that nothing which reads digests needs a clock.
    Column("today", BigInteger, nullable=False),
    # When the files were last compared.
    Column("synced", BigInteger, nullable=False),
    # Every type that a public article has or had, as a JSON array.
    Column("types", Text, nullable=False),
)

#: Every article file, so that unchanged ones are not read again.
files = Table(
    "files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("stem", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime", BigInteger, nullable=False),
    # A hash of the bytes of the file.
    Column("content_hash", LargeBinary, nullable=False),
    Column("line", Integer),
    Column("fault", Text),
)
Index("files_stem", files.c.stem)
_faulty = files.c.fault.is_not(None)
Index("files_faulty", files.c.path, sqlite_where=_faulty, postgresql_where=_faulty)

#: The last good version of each article that is published, due or not.
articles = Table(
    "articles",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("stem", Text, nullable=False, unique=True),
    # A hash of all that a subscriber can see of the entry.
    Column("entry_hash", LargeBinary, nullable=False),
    Column("encoded", LargeBinary, nullable=False),
    # When its time comes, or that of an announced update; null if neither is to come.
    Column("next_change", BigInteger),
    # The number of its row in `text_index`; null if it is not public.
    Column("text_rowid", BigInteger, unique=True),
)
_scheduled = articles.c.next_change.is_not(None)
Index(
    "articles_scheduled",
    articles.c.next_change,
    sqlite_where=_scheduled,
    postgresql_where=_scheduled,
)

#: The site, and each topic and provider that a public article ever named.
feeds = Table(
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", _KIND, nullable=False),
    Column("key", Text, nullable=False),
    # Empty, like the name, until the feed is public.
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    # A hash of what the current document shows.
    Column("head", LargeBinary, nullable=False),
    # When that last changed; null if the feed never had an entry, and so is not public.
    Column("changed", BigInteger),
    # When digests of each frequency last appeared or may have changed, as `changed`.
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in FREQUENCIES),
    # The last of these changes that hubs were pinged for.
    Column("pinged", BigInteger),
    Index("feeds_key", "kind", "key", unique=True),
    Index("feeds_slug", "kind", "slug"),
)

#: One row for each feed that a public article names. `shown` is false where the article
#: misses that feed's own threshold: it is not in the feed, but excluding the feed
#: excludes the article elsewhere too.
entries = Table(
    "entries",
    metadata,
    Column("article", ForeignKey("articles.id"), primary_key=True),
    Column("feed", ForeignKey("feeds.id"), primary_key=True),
    Column("shown", Boolean, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("quality", Integer, nullable=False),
    Column("heat", Integer),
    Column("type", Text, nullable=False),
)
#: With the last columns, entries that are not chosen are skipped without reading their rows.
_newest = (entries.c.published.desc(), entries.c.article)
Index(
    "entries_newest",
    *(entries.c.feed, entries.c.shown, *_newest),
    *(entries.c.quality, entries.c.heat, entries.c.type),
)
#: These find the articles where a chosen quality or heat leaves few.
Index("entries_best", entries.c.feed, entries.c.shown, entries.c.quality, *_newest)
Index("entries_hottest", entries.c.feed, entries.c.shown, entries.c.heat, *_newest)


#: The values of `meta` and the rows of `feeds` that outlast the tables of another version.
Outlasting = tuple[dict[str, Any], list[dict[str, Any]]]

_EMPTY = {"fingerprint": "", "revision": 0, "changed": 0, "today": 0, "synced": 0, "types": "[]"}


def is_current(connection: Connection) -> bool:
    """Return whether the tables exist and are of this version."""
    rows = _read(connection, meta.name, ["version"])
    return bool(rows) and rows[0]["version"] == VERSION


def outlasting(connection: Connection) -> Outlasting:
    """Return the revision, and the addresses and dates of feeds, which subscribers know.

    They are lost where the older tables had other columns.
    """
    states = _read(connection, meta.name, ["revision", "changed"])
    if not states:
        return {}, []
    return states[0], _read(connection, feeds.name, ["kind", "key", "slug", "name", "changed"])


def _read(connection: Connection, name: str, columns: list[str]) -> list[dict[str, Any]]:
    """Return the rows of a table with these columns; none if it lacks one of them."""
    inspector = inspect(connection)
    there = inspector.get_columns(name) if inspector.has_table(name) else []
    if not {column["name"] for column in there}.issuperset(columns):
        return []
    rows = connection.execute(table(name, *map(column, columns)).select())
    return [row._asdict() for row in rows]


def fill(connection: Connection, known: Outlasting) -> None:
    """Write what outlasts older tables into new, empty ones."""
    state, rows = known
    connection.execute(meta.insert(), {**_EMPTY, **state, "version": VERSION})
    if rows:
        connection.execute(feeds.insert(), [{**row, "head": b""} for row in rows])
