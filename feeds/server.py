"""The production server."""

from __future__ import annotations

import multiprocessing
import signal
import socket
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from feeds.web import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def app() -> WSGIApplication:
    """The application of a worker, to which the terminal's SIGINT does not come.

    Ctrl-C reaches every process of the terminal; a worker of Granian 2.8 that gets
    both that and its parent's SIGTERM hangs until it is killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return create_app()


def run(host: str, port: int, workers: int) -> None:
    """Serve until SIGINT or SIGTERM; the workers read their settings from the environment."""
    # A worker that is forked while a thread is inside SQLite waits for its locks for ever.
    multiprocessing.set_start_method("spawn", force=True)
    Granian(
        "feeds.server:app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=8,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve()


def answers(host: str, port: int) -> bool:
    """Whether the site is served."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def check_port(host: str, port: int) -> None:
    """Raise OSError, with the system's own words, where nothing can listen."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        # Python adds the address to what the system says, but for a name's lookup.
        problem = str(error.strerror).partition(" (while")[0]
        raise OSError(f"cannot listen on {host}:{port}, {problem}") from error
