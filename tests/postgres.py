"""A real PostgreSQL server: Debian's package, in a folder of its own, gone after the tests."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

#: The server refuses to run as root.
_USER = "postgres"
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_connections": "200",
    # No test waits for a deadlock that should not be.
    "deadlock_timeout": "200ms",
}


def missing(what: str) -> NoReturn:
    """Skip a test whose server is missing; in the gate, fail it."""
    refuse = pytest.fail if os.environ.get("CI") else pytest.skip
    refuse(f"no PostgreSQL to test with, {what}")


class Server:
    """A cluster on a port of this machine."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._names = count()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._run("initdb", "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        settings = {
            **_SETTINGS,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        with (self._data / "postgresql.conf").open("a") as opened:
            opened.writelines(lines)
        self.start()
        # Words are ordered by the rules of a language, as on most machines.
        self.execute(
            "CREATE DATABASE pattern TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'"
        )

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{name}"

    def make(self) -> str:
        """The URL of a new, empty database."""
        name = f"feeds{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE pattern STRATEGY file_copy")
        return self.url(name)

    def execute(self, statement: str) -> None:
        """Run a statement of the server's owner."""
        import psycopg

        server = f"host=127.0.0.1 port={self.port} user={_USER} dbname=postgres"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start, and wait until connections are taken."""
        self._run("pg_ctl", "-w", "-s", "-l", str(self._data / "log"), "start")

    def stop(self) -> None:
        """Stop at once, whoever is connected."""
        self._run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")

    def restart(self) -> None:
        """Run again, whether it runs or not."""
        self._run("pg_ctl", "-w", "-s", "-l", str(self._data / "log"), "-m", "immediate", "restart")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        user = _USER if os.geteuid() == 0 else None
        subprocess.run(
            command,
            check=True,
            cwd="/",
            user=user,
            group=user,
            extra_groups=[] if user else None,
            stdout=subprocess.DEVNULL,
        )


def _programs() -> Path | None:
    """The programs of the newest PostgreSQL that is installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0),
    )
    return found[-1] if found else None


@contextmanager
def serve() -> Iterator[Server]:
    """A server of its own."""
    programs = _programs()
    assert programs
    # Not below pytest's folders, which another user cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="feeds-postgresql-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_USER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        server = Server(programs, folder)
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The server of all tests; those that stop it start it again."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        missing("run pip install -e '.[test]'")
    if not _programs():
        missing("run apt-get install postgresql")
    with serve() as server:
        yield server
