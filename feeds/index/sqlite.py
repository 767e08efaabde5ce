"""An index in a SQLite file, which may be deleted or replaced at any time."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from sqlalchemy import URL, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Engine

from feeds.index.schema import fill, is_current, metadata, outlasting

# Milliseconds that a transaction waits for another to end.
_PATIENCE = 30_000
# A disk that fails or is full gives other codes than a file that ends too early.
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ)
_OF_THE_DISK = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)


class SQLite:
    """Transactions of a SQLite file, in which readers and the one writer never wait."""

    def __init__(self, url: URL) -> None:
        self.engine = _engine(str(url.database))
        self._path = Path(str(url.database))
        self._inode: int | None = None
        self._push: TextIO | None = None

    def read_transaction(self) -> AbstractContextManager[Connection]:
        """A read transaction."""
        self._reopen_if_replaced()
        return self.engine.begin()

    @contextmanager
    def write_transaction(self, *, wait: bool) -> Iterator[Connection]:
        """The one write transaction, with the tables there.

        Without `wait`, only a file that exists is written.
        """
        if wait:
            self._make_file()
        self._reopen_if_replaced()
        options = {"sqlite_begin": "BEGIN IMMEDIATE", "sqlite_patience": _PATIENCE if wait else 0}
        with self.engine.execution_options(**options).begin() as connection:
            _create(connection)
            yield connection

    def _make_file(self) -> None:
        with _refusals():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.exists():
                # What a deleted index left behind belongs to no other.
                for suffix in ("-wal", "-shm"):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)
                self._path.touch()

    def leads(self) -> bool:
        """Always: a file is one machine's, and its processes compare one folder."""
        return True

    def pings(self) -> bool:
        """Whether this process has, or now gets, the lock of the one that tells the hub."""
        if self._push is None:
            with _refusals():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                opened = Path(f"{self._path}-push").open("a")  # noqa: SIM115  # held until `resign`
            try:
                # Not `flock`: what a process forked would hold that after its death.
                fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                opened.close()
                return False
            self._push = opened
        return True

    def resign(self) -> None:
        """Let go of the lock."""
        if self._push:
            self._push.close()
            self._push = None

    def set_aside(self, cause: BaseException | None) -> bool:
        """Whether an error is the file's own; then it is out of the way, and not deleted.

        What is locked, full or unreadable is not damaged: only what SQLite does not
        understand is, and what is no text or no article where one was written.
        """
        code = getattr(cause, "sqlite_errorcode", 0)
        # Of an extended code, the low byte is the primary one.
        if code & 0xFF in _OF_THE_DISK:
            # A connection that was made meanwhile stays as it is when the disk is well again.
            self.engine.dispose()
        is_said = isinstance(cause, sqlite3.Error) and not {code, code & 0xFF} & {*_DAMAGED}
        if is_said and "Could not decode to UTF-8" not in str(cause):
            return False
        try:
            # Another process may have made a new one meanwhile.
            if self._path.stat().st_ino == self._inode:
                self._path.replace(f"{self._path}.damaged")
        except OSError:
            return False
        return True

    def _reopen_if_replaced(self) -> None:
        """Let go of a file that was deleted: its connections would read it for ever."""
        try:
            inode = self._path.stat().st_ino
        except OSError:
            inode = None
        if inode != self._inode:
            self.engine.dispose()
            self._inode = inode


@contextmanager
def _refusals() -> Iterator[None]:
    """What the system refuses, as SQLite's own refusal."""
    try:
        yield
    except OSError as error:
        raise sqlite3.OperationalError(error.strerror) from error


def _create(connection: Connection) -> None:
    """Make the tables anew if they are of another version."""
    if is_current(connection):
        return
    known = outlasting(connection)
    older = MetaData()
    older.reflect(connection)
    older.drop_all(connection)
    metadata.create_all(connection)
    fill(connection, known)


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Have a file's readers and its writer not wait for each other, from its first use on."""
    deadline = time.monotonic() + _PATIENCE / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # While another process does the same, SQLite does not wait by itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _engine(path: str) -> Engine:
    def connect_to_file() -> sqlite3.Connection:
        # `rw`: a reader must not make an empty index where one was deleted.
        file = f"file:{quote(path)}?mode=rw"
        return sqlite3.connect(file, uri=True, check_same_thread=False)

    engine = create_engine(
        URL.create("sqlite", database=path),
        creator=connect_to_file,
        max_overflow=-1,
    )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        # Python's sqlite3 begins transactions late by itself; SQLAlchemy's docs,
        # "SQLite: Serializable isolation", turn that off and begin here.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        _log_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        patience = options.get("sqlite_patience", _PATIENCE)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))

    return engine
