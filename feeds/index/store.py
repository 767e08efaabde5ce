"""The database that holds the index: its transactions and its locks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec
from sqlalchemy import exc, make_url, select
from sqlalchemy.engine import URL, Connection

from feeds.index.postgresql import PostgreSQL
from feeds.index.schema import meta
from feeds.index.sqlite import SQLite

#: Errors that SQLAlchemy does not wrap. All but the first come from damage that the database
#: does not notice.
_OTHER_ERRORS = (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError, exc.NoResultFound)

#: What one process does for all that share an index.
Role = Literal["follow", "ping"]


class IndexUnavailable(ValueError):
    """The index cannot be read or written now. The text says why and what to do."""


class IndexDamaged(IndexUnavailable):
    """The index was damaged. It is set aside, and the next sync makes a new one."""


class Store:
    """The database of an index, which may be unavailable or deleted at any time."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        kind = PostgreSQL if self.url.get_backend_name() == "postgresql" else SQLite
        self._database: PostgreSQL | SQLite = kind(self.url)

    @contextmanager
    def read_transaction(self) -> Iterator[Connection]:
        """Open a read transaction. Raise IndexUnavailable for every error in it."""
        errors = self._translate_errors("cannot be used", "; run 'feeds index'")
        with errors, self._database.read_transaction() as connection:
            yield connection

    @contextmanager
    def write_transaction(self, *, wait: bool = True) -> Iterator[Connection]:
        """Open the one write transaction; the tables exist in it.

        It waits for another writer, or raises IndexUnavailable if `wait` is false.
        """
        errors = self._translate_errors("cannot be written")
        with errors, self._database.write_transaction(wait=wait) as connection:
            yield connection

    def acquire(self, role: Role) -> bool:
        """Return whether this process has a role, or gets it now because no other has it.

        One process of all machines follows the folder, and one pings the hub. It keeps the
        role until it releases it, dies, or loses its connection. The next call after a lost
        connection raises IndexUnavailable.
        """
        with self._translate_errors("cannot be used"):
            return self._database.acquire(role)

    def release(self) -> None:
        """Leave the roles of this process to others."""
        self._database.release()

    def is_readable(self) -> bool:
        """Return whether the index can be read and was synced before."""
        try:
            with self.read_transaction() as connection:
                return bool(connection.execute(select(meta.c.fingerprint)).scalar())
        except IndexUnavailable:
            return False

    @contextmanager
    def _translate_errors(self, what: str, remedy: str = "") -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, *_OTHER_ERRORS) as error:
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            # PostgreSQL writes several lines. The first one says what is wrong.
            problem = str(cause).partition("\n")[0]
            message = f"the index {self.url.render_as_string()} {what}: {problem}"
            if self._database.set_aside(cause):
                raise IndexDamaged(f"{message}; it is set aside and made anew") from error
            raise IndexUnavailable(message + remedy) from error

    def close(self) -> None:
        """Close the idle connections; the next use opens new ones."""
        self._database.engine.dispose()
