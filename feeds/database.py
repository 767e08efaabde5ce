"""The database that holds the index: its file, its transactions, its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine, event, exc, make_url, select
from sqlalchemy.engine import Connection, Engine

from feeds.tables import VERSION, metadata, state

# Milliseconds that a transaction waits for another to end.
_PATIENCE = 30_000
_HASTE = 20


class IndexUnavailable(ValueError):
    """The index cannot be read or written now; the text says why and what to do."""


class Database:
    """The SQLite file of an index, which may be deleted or replaced at any time."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
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

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A short write transaction for what can be left out: it waits for no other.

        Raises IndexUnavailable where another is writing, or nothing can be written.
        """
        engine = self._engine.execution_options(
            sqlite_begin="BEGIN IMMEDIATE", sqlite_patience=_HASTE
        )
        try:
            with engine.begin() as connection:
                yield connection
        except exc.DBAPIError as error:
            raise IndexUnavailable(f"nothing can be noted: {error.orig}") from error

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


def _create(connection: Connection) -> None:
    """Make the tables; those of another version are dropped first."""
    metadata.create_all(connection, tables=[state])
    version = connection.execute(select(state.c.version)).scalar()
    if version != VERSION:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        counts = dict.fromkeys(("synced", "revision", "ranked", "changed"), 0)
        connection.execute(state.insert(), {"version": VERSION, "fingerprint": "", **counts})


def _engine(url: str) -> Engine:
    def connect_to_file() -> sqlite3.Connection:
        # `rw`: a reader must not make an empty index where one was deleted.
        file = f"file:{quote(str(make_url(url).database))}?mode=rw"
        return sqlite3.connect(file, uri=True, check_same_thread=False)

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
        patience = options.get("sqlite_patience", _PATIENCE)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))

    return engine
