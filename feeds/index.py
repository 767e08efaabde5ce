"""The index of visible articles: derived from the files, and never the truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import (
    Row,
    create_engine,
    event,
    exc,
    func,
    make_url,
    or_,
    select,
)
from sqlalchemy.engine import Connection, Engine

from feeds.article import Article
from feeds.config import Config
from feeds.selection import Kind, Selection, slugify
from feeds.tables import VERSION, articles, entries, feeds, files, metadata, state

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Article).decode


class IndexUnavailable(ValueError):
    """The index cannot be read or written now; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The newest articles of a selection, and when that answer changes."""

    articles: tuple[Article, ...]
    #: What the newest visible article calls the topic or provider.
    name: str
    #: When a change of files last changed the feed.
    changed: datetime
    #: When time alone changes it next: a due article or an announced update.
    due: datetime | None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A public feed in a list."""

    selection: Selection
    name: str
    #: Its visible articles.
    count: int
    #: When the newest of them was published; None without any.
    newest: datetime | None


@dataclass(frozen=True, kw_only=True)
class Health:
    """The state of the index; counts are of article files and visible articles."""

    articles: int
    visible: int
    faults: int
    synced: datetime


class Index:
    """A SQL database with the articles that feeds are made of."""

    def __init__(self, url: str, config: Config) -> None:
        self.url = make_url(url)
        self.config = config
        self._engine = _engine(url)
        self._path = Path(str(self.url.database))
        self._inode: int | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction. Raises IndexUnavailable for all that goes wrong in it."""
        self._reopen_if_replaced()
        try:
            with self._engine.begin() as connection:
                yield connection
        except exc.DBAPIError as error:
            message = f"the index {self.url.render_as_string()} cannot be used: {error.orig}"
            raise IndexUnavailable(f"{message}; run 'feeds index'") from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one write transaction, with the tables there; others wait for it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            # What a deleted index left behind belongs to no other.
            for suffix in ("-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._path.touch()
        self._reopen_if_replaced()
        engine = self._engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        try:
            with engine.begin() as connection:
                _create(connection)
                yield connection
        except exc.DBAPIError as error:
            message = f"the index {self.url.render_as_string()} cannot be written: {error.orig}"
            raise IndexUnavailable(message) from error

    def _reopen_if_replaced(self) -> None:
        """Let go of a file that was deleted: its connections would read it for ever."""
        try:
            inode = self._path.stat().st_ino
        except OSError:
            inode = None
        if inode != self._inode:
            self.close()
            self._inode = inode

    def close(self) -> None:
        """Close the idle connections; the next use opens new ones."""
        self._engine.dispose()

    def revision(self) -> int:
        """A number that grows with every change of what the public sees."""
        with self.reading() as connection:
            revision: int = connection.execute(select(state.c.revision)).scalar_one()
            return revision

    def find(self, selection: Selection, now: datetime) -> Found | None:
        """The newest visible articles of a selection, ties by id; None if not public."""
        second = int(now.timestamp())
        with self.reading() as connection:
            feed = connection.execute(
                select(feeds).where(feeds.c.kind == selection.kind, feeds.c.key == selection.key)
            ).first()
            if feed is None:
                return None
            rows = connection.execute(newest(feed.id, second, self.config.limit)).all()
            if feed.changed is None and not rows:
                return None
            due = connection.execute(
                select(func.min(entries.c.published)).where(
                    entries.c.feed == feed.id, entries.c.published > second
                )
            ).scalar()
        found = tuple(decode(row.document) for row in rows)
        coming = [a.updated for a in found if a.updated and a.updated > now]
        if due is not None:
            coming.append(_moment(due))
        return Found(
            articles=found,
            name=rows[0].label if rows else feed.name,
            changed=_moment(feed.changed or 0),
            due=min(coming, default=None),
        )

    def resolve(self, kind: Kind, slug: str, now: datetime) -> Selection | None:
        """The public selection that a slug means, or meant in earlier days."""
        with self.reading() as connection:
            for candidate in self._candidates(kind, slug):
                row = connection.execute(
                    select(feeds).where(feeds.c.kind == kind, candidate, _public(now))
                ).first()
                if row:
                    return Selection(kind=kind, key=row.key, slug=row.slug)
        return None

    def _candidates(self, kind: Kind, slug: str) -> Iterator[Any]:
        yield feeds.c.slug == slug
        names = self.config.topics if kind == "topic" else self.config.providers
        natural = slugify(kind, slug)
        yield feeds.c.slug == natural
        for key, name in names.items():
            if natural in (slugify(kind, old) for old in (key, *name.former)):
                yield feeds.c.key == key

    def listing(self, now: datetime) -> list[Listed]:
        """Every public feed: the site, then topics, then providers, by name."""
        second = int(now.timestamp())
        visible = (
            select(
                entries.c.feed, func.count().label("n"), func.max(entries.c.published).label("at")
            )
            .where(entries.c.published <= second)
            .group_by(entries.c.feed)
            .subquery()
        )
        label = (
            select(entries.c.label)
            .where(entries.c.feed == feeds.c.id, entries.c.published <= second)
            .order_by(entries.c.published.desc(), entries.c.article)
            .limit(1)
            .scalar_subquery()
        )
        statement = select(feeds, visible.c.n, visible.c.at, label.label("label")).outerjoin(
            visible, visible.c.feed == feeds.c.id
        )
        with self.reading() as connection:
            rows = connection.execute(statement.where(_public(now))).all()
        listed = [self._listed(row) for row in rows]
        kinds = ("site", "topic", "provider")
        return sorted(
            (item for item in listed if not self.config.name(item.selection).withdrawn),
            key=lambda i: (kinds.index(i.selection.kind), i.name.casefold(), i.selection.key),
        )

    def due(self, now: datetime) -> datetime | None:
        """When the next article of any feed comes due."""
        soonest = select(func.min(entries.c.published))
        with self.reading() as connection:
            second = connection.execute(
                soonest.where(entries.c.published > int(now.timestamp()))
            ).scalar()
        return None if second is None else _moment(second)

    def _listed(self, row: Row[Any]) -> Listed:
        selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
        return Listed(
            selection=selection,
            name=self.config.name(selection).title or row.label or row.name,
            count=row.n or 0,
            newest=_moment(row.at) if row.at is not None else None,
        )

    def health(self, now: datetime) -> Health:
        """Counts, and when files were last compared. Raises IndexUnavailable."""
        with self.reading() as connection:
            synced = connection.execute(select(state.c.synced)).scalar_one()
            visible = select(func.count(func.distinct(entries.c.article)))
            return Health(
                articles=connection.execute(select(func.count()).select_from(files)).scalar_one(),
                visible=connection.execute(
                    visible.where(entries.c.published <= int(now.timestamp()))
                ).scalar_one(),
                faults=connection.execute(select(func.count(files.c.fault))).scalar_one(),
                synced=_moment(synced),
            )


def newest(feed: int, second: int, limit: int) -> Any:
    """The statement for a feed's newest articles at a Unix time: one range of one index."""
    return (
        select(articles.c.id, articles.c.digest, articles.c.document, entries.c.label)
        .join_from(entries, articles)
        .where(entries.c.feed == feed, entries.c.published <= second)
        .order_by(entries.c.published.desc(), entries.c.article)
        .limit(limit)
    )


def _public(now: datetime) -> Any:
    """Only what has or had a visible article exists in public."""
    seen = select(entries.c.feed).where(
        entries.c.feed == feeds.c.id, entries.c.published <= int(now.timestamp())
    )
    return or_(feeds.c.changed.is_not(None), seen.exists())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _create(connection: Connection) -> None:
    """Make the tables; those of another version are dropped first."""
    metadata.create_all(connection, tables=[state])
    version = connection.execute(select(state.c.version)).scalar()
    if version != VERSION:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        row = {"version": VERSION, "fingerprint": "", "synced": 0, "revision": 0}
        connection.execute(state.insert(), row)


def _engine(url: str) -> Engine:
    def connect_to_file() -> sqlite3.Connection:
        # `rw`: a reader must not make an empty index where one was deleted.
        file = f"file:{quote(str(make_url(url).database))}?mode=rw"
        return sqlite3.connect(file, uri=True, timeout=30, check_same_thread=False)

    engine = create_engine(url, creator=connect_to_file, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        # Python's sqlite3 begins transactions late by itself; SQLAlchemy's docs,
        # "SQLite: Serializable isolation", turn that off and begin here.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))

    return engine
