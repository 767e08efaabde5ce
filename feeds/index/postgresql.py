"""An index in a PostgreSQL database, which several machines share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import URL, create_engine, event, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import Dialect

from feeds.index.schema import fill, is_current, metadata, outlasting

#: Milliseconds that a transaction waits for another to end, and one that does not `wait`.
LOCK_TIMEOUT, _SHORT_LOCK_TIMEOUT = 30_000, 20
#: Seconds that a server may take to accept a connection; libpq allows no less than 2.
CONNECT_TIMEOUT = 3
#: The options of a connection, where its URL does not give them. The last is in
#: milliseconds: a connection is closed whose server acknowledges nothing for so long.
_CONNECTING = {
    "connect_timeout": CONNECT_TIMEOUT,
    "client_encoding": "utf8",
    "tcp_user_timeout": 10_000,
}
#: The server ends the session, and so releases all locks, of a machine that is gone, and of
#: a process that died and whose forked children hold the connection open.
_SESSION = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
    " SET tcp_keepalives_count = 3; SET idle_in_transaction_session_timeout = '10min'"
)
#: Longer than the time between two scans of the folder; PostgreSQL 14 and later.
_ROLE_SESSION = "SET idle_session_timeout = '90s'"
#: Advisory locks, each together with the schema that the tables are in.
_WRITE_LOCK = 1718773092
_ROLE_LOCKS = {"follow": 1718773093, "ping": 1718773094}
_LOCK = text("SELECT pg_advisory_xact_lock(:lock, hashtext(current_schema()))")
_TRY = text("SELECT pg_try_advisory_lock(:lock, hashtext(current_schema()))")
_WAIT = text("SELECT set_config('lock_timeout', :milliseconds, true)")


class PostgreSQL:
    """Transactions of a PostgreSQL database, in which no reader waits for a writer."""

    def __init__(self, url: URL) -> None:
        options = {name: value for name, value in _CONNECTING.items() if name not in url.query}
        # All statements of a reader see the index at one moment.
        self.engine = create_engine(
            url,
            connect_args=options,
            isolation_level="REPEATABLE READ",
            max_overflow=-1,
            pool_pre_ping=True,
        )
        event.listen(self.engine, "do_connect", _Connecting())
        #: The roles of this process, and the connection that holds the lock of each.
        self._held: dict[str, Connection] = {}

    def read_transaction(self) -> AbstractContextManager[Connection]:
        """Open a read transaction."""
        return self.engine.begin()

    @contextmanager
    def write_transaction(self, *, wait: bool) -> Iterator[Connection]:
        """Open the one write transaction."""
        # Statements must see what was committed while this process waited for the lock.
        engine = self.engine.execution_options(isolation_level="READ COMMITTED")
        with engine.begin() as connection:
            timeout = {"milliseconds": str(LOCK_TIMEOUT if wait else _SHORT_LOCK_TIMEOUT)}
            connection.execute(_WAIT, timeout)
            connection.execute(_LOCK, {"lock": _WRITE_LOCK})
            with _current_tables(connection):
                yield connection

    def acquire(self, role: str) -> bool:
        """Return whether this process has a role, or gets it now."""
        try:
            if role in self._held:
                self._held[role].execute(select(1))
                return True
            engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            connection = engine.connect()
            if not connection.execute(_TRY, {"lock": _ROLE_LOCKS[role]}).scalar_one():
                connection.close()
                return False
            # Out of the pool, so that `close` ends the session and so releases the lock.
            connection.detach()
            self._held[role] = connection
            connection.exec_driver_sql(_ROLE_SESSION)
            return True
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Release the locks."""
        while self._held:
            self._held.popitem()[1].close()

    def set_aside(self, cause: BaseException | None) -> bool:
        """Return False: the operator repairs the database, which may hold other tables."""
        return False


class _Connecting:
    """Make connections; while the server is away, only one thread at a time tries to.

    The others get an error at once, instead of waiting for the same error.
    """

    def __init__(self) -> None:
        self._away = False
        self._lock = Lock()

    def __call__(self, dialect: Dialect, _: Any, args: Any, named: dict[str, Any]) -> Any:
        error: type[Exception] = dialect.loaded_dbapi.OperationalError
        probing = self._away
        if probing and not self._lock.acquire(blocking=False):
            raise error("the server is away")
        try:
            connection = dialect.connect(*args, **named)
            self._away = False
        except error:
            self._away = True
            raise
        finally:
            if probing:
                self._lock.release()
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            connection.close()
            raise error(f"its encoding is {encoding}, make a database with ENCODING 'UTF8'")
        connection.execute(_SESSION)
        connection.commit()
        return connection


@contextmanager
def _current_tables(connection: Connection) -> Iterator[None]:
    """Make empty tables where there are none of this version, which they replace at the end.

    Readers would wait for the whole transaction if it dropped the old tables at its beginning.
    """
    if is_current(connection):
        yield
        return
    known = outlasting(connection)
    quote = connection.dialect.identifier_preparer.quote
    name = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    home, aside = quote(name), quote(f"{name}_anew")
    connection.exec_driver_sql(f"CREATE SCHEMA {aside}")
    connection.exec_driver_sql(f"SET LOCAL search_path TO {aside}")
    metadata.create_all(connection, checkfirst=False)
    fill(connection, known)
    yield
    for table in metadata.sorted_tables:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {home}.{table.name} CASCADE")
        connection.exec_driver_sql(f"ALTER TABLE {aside}.{table.name} SET SCHEMA {home}")
    connection.exec_driver_sql(f"DROP SCHEMA {aside}")
