"""An index in a SQLite file, which may be deleted or replaced at any time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from sqlalchemy import URL, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

from feeds.index.schema import fill, is_current, metadata, outlasting
from feeds.index.text_search import SQLITE_TABLE, text_index

#: Milliseconds that a transaction waits for another to end.
LOCK_TIMEOUT = 30_000
# A disk that fails or is full gives other codes.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ}
_DISK_ERRORS = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}


class SQLite:
    """Transactions of a SQLite file, in which readers and the one writer never wait."""

    def __init__(self, url: URL) -> None:
        self.engine = _engine(str(url.database))
        self._path = Path(str(url.database))
        self._inode: int | None = None
        #: The size of each file that is open, by its suffix and its inode.
        self._sizes: dict[tuple[str, int], int] = {}
        self._ping_lock: TextIO | None = None

    def read_transaction(self) -> AbstractContextManager[Connection]:
        """Open a read transaction."""
        self._check_files()
        return self.engine.begin()

    @contextmanager
    def write_transaction(self, *, wait: bool) -> Iterator[Connection]:
        """Open the one write transaction; without `wait` the file must exist."""
        if wait:
            self._make_file()
        self._check_files()
        timeout = LOCK_TIMEOUT if wait else 0
        options = {"sqlite_begin": "BEGIN IMMEDIATE", "sqlite_timeout": timeout}
        with self.engine.execution_options(**options).begin() as connection:
            _create(connection)
            yield connection

    def _make_file(self) -> None:
        with _os_errors_as_sqlite():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.exists():
                # A deleted index may have left these files, which do not belong to a new one.
                for suffix in ("-wal", "-shm"):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)
                self._path.touch()

    def acquire(self, role: str) -> bool:
        """Return whether this process has a role, or gets it now.

        Every process may follow: a file belongs to one machine, whose processes all read the
        same folder.
        """
        if role == "ping" and self._ping_lock is None:
            with _os_errors_as_sqlite():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                opened = Path(f"{self._path}-ping").open("a")  # noqa: SIM115  # until `release`
            try:
                # Not `flock`, which forked children would hold after this process dies.
                fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                opened.close()
                return False
            self._ping_lock = opened
        return True

    def release(self) -> None:
        """Release the lock."""
        if self._ping_lock:
            self._ping_lock.close()
            self._ping_lock = None

    def set_aside(self, cause: BaseException | None) -> bool:
        """Return whether the index is damaged; rename the file if it is still the damaged one.

        A file that is locked or cannot be read is not damaged, and a full disk is no damage.
        A file is damaged if SQLite does not understand it, or if it holds other values than
        were written: text that is not UTF-8, or documents that are not articles.
        """
        code = getattr(cause, "sqlite_errorcode", 0)
        # The low byte of an extended code is the primary code.
        codes = {code, code & 0xFF}
        if codes & _DISK_ERRORS:
            # A connection that was opened on a read-only disk stays read-only for ever.
            self.engine.dispose()
        is_damaged = not isinstance(cause, sqlite3.Error) or bool(codes & _DAMAGED)
        if not is_damaged and "Could not decode to UTF-8" not in str(cause):
            return False
        try:
            # Another process may have made a new file meanwhile.
            if self._path.stat().st_ino == self._inode:
                self._path.replace(f"{self._path}.damaged")
        except OSError:
            return False
        return True

    def _check_files(self) -> None:
        """Close the connections to a file that was deleted, which they would read for ever.

        Raise DatabaseError if an open file became shorter. SQLite does not shorten it here, so
        a part is lost. SQLite would find that out only where it reads this part, and it may
        write behind the gap.
        """
        before, sizes = self._sizes, dict[tuple[str, int], int]()
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                status = os.stat(f"{self._path}{suffix}")
                sizes[suffix, status.st_ino] = status.st_size
        inode = next((inode for suffix, inode in sizes if not suffix), None)
        if inode != self._inode:
            self.engine.dispose()
            self._inode = inode
        assert isinstance(self.engine.pool, QueuePool)
        if not self.engine.pool.checkedin():
            # A file that is not open may be deleted, and its inode used for another one.
            self._sizes = {}
            return
        self._sizes = sizes
        if any(sizes.get(file, size) < size for file, size in before.items()):
            error = sqlite3.DatabaseError("a part of it was cut off")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error


@contextmanager
def _os_errors_as_sqlite() -> Iterator[None]:
    """Raise errors of the operating system as errors of SQLite."""
    try:
        yield
    except OSError as error:
        raise sqlite3.OperationalError(error.strerror) from error


def _create(connection: Connection) -> None:
    """Replace the tables if they are of another version."""
    if is_current(connection):
        return
    known = outlasting(connection)
    # With it go its own tables, which must not be dropped one by one.
    connection.exec_driver_sql("DROP TABLE IF EXISTS text_index")
    older = MetaData()
    older.reflect(connection)
    older.drop_all(connection)
    metadata.create_all(connection, [t for t in metadata.sorted_tables if t is not text_index])
    connection.exec_driver_sql(SQLITE_TABLE)
    fill(connection, known)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Turn on SQLite's write-ahead log, with which readers and the writer never wait."""
    deadline = time.monotonic() + LOCK_TIMEOUT / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite's busy_timeout does not cover this statement.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _engine(path: str) -> Engine:
    def connect() -> sqlite3.Connection:
        # `rw` and not `rwc`: a reader must not create an empty index in place of a deleted one.
        file = f"file:{quote(path)}?mode=rw"
        # Python's sqlite3 begins transactions late by itself; SQLAlchemy's docs,
        # "SQLite: Serializable isolation", turn that off and begin here.
        connection = sqlite3.connect(
            file, LOCK_TIMEOUT / 1000, isolation_level=None, check_same_thread=False, uri=True
        )
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    url = URL.create("sqlite", database=path)
    engine = create_engine(url, creator=connect, max_overflow=-1)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        timeout = options.get("sqlite_timeout", LOCK_TIMEOUT)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {timeout}")
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))

    return engine
