"""The database that holds the index: its transactions, and who keeps it up to the files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import exc, make_url, select
from sqlalchemy.engine import URL, Connection

from feeds.index.postgresql import PostgreSQL
from feeds.index.sqlite import SQLite
from feeds.index.tables import state

#: What an index says that is damaged where its database does not notice, or what it says
#: past SQLAlchemy.
_NONSENSE = (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError, exc.NoResultFound)


class IndexUnavailable(ValueError):
    """The index cannot be read or written now; the text says why and what to do."""


class IndexDamaged(IndexUnavailable):
    """The index was no longer what was written; it is set aside, and a sync makes another."""


class Database:
    """The database of an index, which may go and come back at any time."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        kind = PostgreSQL if self.url.get_backend_name() == "postgresql" else SQLite
        self._store: PostgreSQL | SQLite = kind(self.url)
        self._engine = self._store.engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction. Raises IndexUnavailable for all that goes wrong in it."""
        told = self._told("cannot be used", "; run 'feeds index'")
        with told, self._store.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one write transaction, with the tables there; others wait for it."""
        with self._told("cannot be written"), self._store.writing() as connection:
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A short write transaction for what can be left out: it waits for no other.

        Raises IndexUnavailable where another is writing, or nothing can be written.
        """
        with self._told("takes no note"), self._store.noting() as connection:
            yield connection

    def leads(self) -> bool:
        """Whether this process is the one that follows the folder, of all machines.

        The first that asks leads until it resigns, dies or loses its connection, of
        which the next call tells by IndexUnavailable.
        """
        with self._told("cannot be used"):
            return self._store.leads()

    def pushes(self) -> bool:
        """Whether this process is the one that tells the hub, as `leads` says it.

        Of several processes of one machine it is one too.
        """
        with self._told("cannot be used"):
            return self._store.pushes()

    def resign(self) -> None:
        """Let another process follow the folder, and tell the hub."""
        self._store.resign()

    def is_readable(self) -> bool:
        """Whether the index can be read, and is not the empty one before a first sync."""
        try:
            with self.reading() as connection:
                return bool(connection.execute(select(state.c.fingerprint)).scalar())
        except IndexUnavailable:
            return False

    @contextmanager
    def _told(self, what: str, remedy: str = "") -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, *_NONSENSE) as error:
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            # Of the several lines of PostgreSQL, the first says what is wrong.
            problem = str(cause).partition("\n")[0]
            message = f"the index {self.url.render_as_string()} {what}: {problem}"
            if self._store.set_aside(cause):
                raise IndexDamaged(f"{message}; it is set aside and made anew") from error
            raise IndexUnavailable(message + remedy) from error

    def close(self) -> None:
        """Close the idle connections; the next use opens new ones."""
        self._engine.dispose()
