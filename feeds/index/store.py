"""The database that holds the index: its transactions and its locks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import exc, make_url, select
from sqlalchemy.engine import URL, Connection

from feeds.index.postgresql import PostgreSQL
from feeds.index.schema import meta
from feeds.index.sqlite import SQLite

#: What an index says that is damaged where its database does not notice, or what it says
#: past SQLAlchemy.
_NONSENSE = (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError, exc.NoResultFound)


class IndexUnavailable(ValueError):
    """The index cannot be read or written now; the text says why and what to do."""


class IndexDamaged(IndexUnavailable):
    """The index was no longer what was written; it is set aside, and a sync makes another."""


class Store:
    """The database of an index, which may go and come back at any time."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        kind = PostgreSQL if self.url.get_backend_name() == "postgresql" else SQLite
        self._database: PostgreSQL | SQLite = kind(self.url)
        self._engine = self._database.engine

    @contextmanager
    def read_transaction(self) -> Iterator[Connection]:
        """A read transaction. Raises IndexUnavailable for all that goes wrong in it."""
        errors = self._translate_errors("cannot be used", "; run 'feeds index'")
        with errors, self._database.read_transaction() as connection:
            yield connection

    @contextmanager
    def write_transaction(self, *, wait: bool = True) -> Iterator[Connection]:
        """The one write transaction, with the tables there.

        Another writer is waited for, or without `wait` is a reason for IndexUnavailable.
        """
        errors = self._translate_errors("cannot be written")
        with errors, self._database.write_transaction(wait=wait) as connection:
            yield connection

    def leads(self) -> bool:
        """Whether this process is the one that follows the folder, of all machines.

        The first that asks leads until it resigns, dies or loses its connection, of
        which the next call tells by IndexUnavailable.
        """
        with self._translate_errors("cannot be used"):
            return self._database.leads()

    def pings(self) -> bool:
        """Whether this process is the one that tells the hub, as `leads` says it.

        Of several processes of one machine it is one too.
        """
        with self._translate_errors("cannot be used"):
            return self._database.pings()

    def resign(self) -> None:
        """Let another process follow the folder, and tell the hub."""
        self._database.resign()

    def is_readable(self) -> bool:
        """Whether the index can be read, and is not the empty one before a first sync."""
        try:
            with self.read_transaction() as connection:
                return bool(connection.execute(select(meta.c.fingerprint)).scalar())
        except IndexUnavailable:
            return False

    @contextmanager
    def _translate_errors(self, what: str, remedy: str = "") -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, *_NONSENSE) as error:
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            # Of the several lines of PostgreSQL, the first says what is wrong.
            problem = str(cause).partition("\n")[0]
            message = f"the index {self.url.render_as_string()} {what}: {problem}"
            if self._database.set_aside(cause):
                raise IndexDamaged(f"{message}; it is set aside and made anew") from error
            raise IndexUnavailable(message + remedy) from error

    def close(self) -> None:
        """Close the idle connections; the next use opens new ones."""
        self._engine.dispose()
