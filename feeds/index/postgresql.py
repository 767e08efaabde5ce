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

# Milliseconds that a transaction waits for another to end.
_PATIENCE = 30_000
_HASTE = 20
#: Seconds that a server may take to answer a connection; libpq takes no less than 2.
CONNECT = 3
#: How a connection is made where its URL does not say otherwise; the last is in
#: milliseconds, after which a server that takes nothing in is given up.
_CONNECTING = {"connect_timeout": CONNECT, "client_encoding": "utf8", "tcp_user_timeout": 10_000}
#: The server lets go, with all locks, of a machine that is gone, and of a process that
#: died and whose forked children hold the connection open.
_SESSION = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
    " SET tcp_keepalives_count = 3; SET idle_in_transaction_session_timeout = '10min'"
)
#: Longer than a watch is without a look at the folder; PostgreSQL 14 and later.
_LEAD_SESSION = "SET idle_session_timeout = '90s'"
#: Advisory locks of the schema that the tables are in: to write, to follow, to push.
_WRITE, _LEAD, _PING = 1718773092, 1718773093, 1718773094
_LOCK = text("SELECT pg_advisory_xact_lock(:lock, hashtext(current_schema()))")
_TRY = text("SELECT pg_try_advisory_lock(:lock, hashtext(current_schema()))")
_WAIT = text("SELECT set_config('lock_timeout', :milliseconds, true)")


class PostgreSQL:
    """Transactions of a PostgreSQL database, in which no reader waits for a writer."""

    def __init__(self, url: URL) -> None:
        options = {name: value for name, value in _CONNECTING.items() if name not in url.query}
        # A reader's statements see one moment.
        self.engine = create_engine(
            url,
            connect_args=options,
            isolation_level="REPEATABLE READ",
            max_overflow=-1,
            pool_pre_ping=True,
        )
        event.listen(self.engine, "do_connect", _Connecting())
        #: Each lock that is held, by a connection of its own.
        self._held: dict[int, Connection] = {}

    def read_transaction(self) -> AbstractContextManager[Connection]:
        """A read transaction."""
        return self.engine.begin()

    @contextmanager
    def write_transaction(self, *, wait: bool) -> Iterator[Connection]:
        """The one write transaction, with the tables there."""
        # What is read after the lock was had must be newer than the lock.
        engine = self.engine.execution_options(isolation_level="READ COMMITTED")
        with engine.begin() as connection:
            patience = {"milliseconds": str(_PATIENCE if wait else _HASTE)}
            connection.execute(_WAIT, patience)
            connection.execute(_LOCK, {"lock": _WRITE})
            if is_current(connection):
                yield connection
            else:
                with _create(connection):
                    yield connection

    def leads(self) -> bool:
        """Whether this process has, or now gets, the lock of the one that follows."""
        return self._holds(_LEAD)

    def pings(self) -> bool:
        """Whether this process has, or now gets, the lock of the one that tells the hub."""
        return self._holds(_PING)

    def _holds(self, lock: int) -> bool:
        try:
            if lock in self._held:
                self._held[lock].execute(select(1))
                return True
            engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            connection = engine.connect()
            if not connection.execute(_TRY, {"lock": lock}).scalar_one():
                connection.close()
                return False
            # Out of the pool: closed, it takes the lock with it.
            connection.detach()
            self._held[lock] = connection
            connection.exec_driver_sql(_LEAD_SESSION)
            return True
        except BaseException:
            self.resign()
            raise

    def set_aside(self, cause: BaseException | None) -> bool:
        """Never: the database is not ours alone, and its keeper mends it."""
        return False

    def resign(self) -> None:
        """Let go of the locks."""
        while self._held:
            self._held.popitem()[1].close()


class _Connecting:
    """Makes connections; while the server is away, by one thread at a time.

    Others would only wait as long for the same answer, and are refused at once.
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
def _create(connection: Connection) -> Iterator[None]:
    """Empty tables, which take the place of those of another version at the end.

    To drop these at the beginning would have their readers wait all the while.
    """
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
