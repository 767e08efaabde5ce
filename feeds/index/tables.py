"""The tables of the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    select,
)
from sqlalchemy import Text as _Text
from sqlalchemy.engine import Connection

metadata = MetaData()


def _bytewise(kind: String) -> String:
    """Text that is ordered and compared by its bytes, whatever the database's collation."""
    return kind.with_variant(type(kind)(kind.length, collation="C"), "postgresql")


Text = _bytewise(_Text())
_ID = _bytewise(String(32))
_KIND = _bytewise(String(8))

#: One row; `revision` counts the changes of what the public sees, from the microsecond
#: at which the index was made, and `ranked` those of quality and heat; `changed` is the
#: Unix time of the last of either.
state = Table(
    "state",
    metadata,
    Column("version", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("synced", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("ranked", Integer, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

#: Every article file, so that unchanged ones are not read again.
files = Table(
    "files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("stem", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("line", Integer),
    Column("fault", Text),
)
Index("files_stem", files.c.stem)
_faulty = files.c.fault.is_not(None)
Index("files_faulty", files.c.path, sqlite_where=_faulty, postgresql_where=_faulty)

#: The last good version of each article that its curator lets out.
articles = Table(
    "articles",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("stem", Text, nullable=False, unique=True),
    # Changes with what subscribers can see, but for the time of an update.
    Column("digest", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

#: The site, and each topic, provider and type that an article ever named.
feeds = Table(
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", _KIND, nullable=False),
    Column("key", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    # Unix time of the last change that a subscriber could see; null before the first.
    Column("changed", BigInteger),
    Index("feeds_key", "kind", "key", unique=True),
    Index("feeds_slug", "kind", "slug"),
)

#: One row for each feed that an article is in, at or above that feed's threshold.
entries = Table(
    "entries",
    metadata,
    Column("article", ForeignKey("articles.id"), primary_key=True),
    Column("feed", ForeignKey("feeds.id"), primary_key=True),
    Column("published", BigInteger, nullable=False),
    # What the article calls the topic or provider.
    Column("label", Text, nullable=False),
    Column("quality", Integer, nullable=False),
    Column("heat", Integer),
)
#: The last two spare a look at the row of an article that they leave out.
Index(
    "entries_newest",
    *(entries.c.feed, entries.c.published.desc(), entries.c.article),
    *(entries.c.quality, entries.c.heat),
)
#: Where a chosen quality leaves few, these are found without going through all others.
Index(
    "entries_best",
    *(entries.c.feed, entries.c.quality, entries.c.published.desc(), entries.c.article),
)

#: The topics and providers that an article names and whose threshold it misses: it is
#: in other feeds, but in none that excludes these.
missed = Table(
    "missed",
    metadata,
    Column("article", ForeignKey("articles.id"), primary_key=True),
    Column("kind", _KIND, primary_key=True),
    Column("key", Text, primary_key=True),
)

#: When time alone will change what an article shows: it comes due, or its update does.
coming = Table(
    "coming",
    metadata,
    Column("article", ForeignKey("articles.id"), primary_key=True),
    Column("at", BigInteger, primary_key=True),
)

#: The feeds that a hub is still to be told of. One that changes again meanwhile gets a
#: new number, so that what was sent of it before does not take it out.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed", ForeignKey("feeds.id"), nullable=False, unique=True),
    Column("hub", Text, nullable=False),
    # No number is given twice.
    sqlite_autoincrement=True,
)

#: Every document asked for that is not the current one of a plain feed: what it looked
#: like when it was last made, and since when, in Unix time.
documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

#: Raised with the tables, and with what is read of a file or shown of an article:
#: an index of another version is made anew.
VERSION = 10


class Given(NamedTuple):
    """What an index was the first to say, and no file does."""

    #: Counts of changes, and the time of the last.
    state: Mapping[str, int]
    #: Feeds, with the address and the date that subscribers know.
    feeds: Sequence[Mapping[str, Any]]


_ADDRESSES = ("kind", "key", "slug", "name", "changed")
_COUNTS = ("synced", "revision", "ranked", "changed")
NOTHING_GIVEN = Given(dict.fromkeys(_COUNTS, 0), ())


def given(connection: Connection) -> Given:
    """What is to outlast an index of another version; nothing where it had other columns."""
    if not (_has(connection, state, _COUNTS) and _has(connection, feeds, _ADDRESSES)):
        return NOTHING_GIVEN
    counts = connection.execute(select(*(state.c[name] for name in _COUNTS))).first()
    if counts is None:
        return NOTHING_GIVEN
    rows = connection.execute(select(*(feeds.c[name] for name in _ADDRESSES)))
    return Given(counts._asdict(), [row._asdict() for row in rows])


def _has(connection: Connection, table: Table, names: Sequence[str]) -> bool:
    found = inspect(connection)
    return found.has_table(table.name) and {
        column["name"] for column in found.get_columns(table.name)
    }.issuperset(names)


def fill(connection: Connection, known: Given = NOTHING_GIVEN) -> None:
    """Write the state of an index that was never synced into empty tables."""
    connection.execute(state.insert(), {"version": VERSION, "fingerprint": "", **known.state})
    if known.feeds:
        connection.execute(feeds.insert(), known.feeds)
