"""The production server."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import signal
import socket
from http.client import HTTPConnection, HTTPException
from threading import Thread
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from feeds.web import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Connections that a worker holds; more wait for one of them to end. An idle one costs
#: some 20 KB. Granian's 1,024 are few: that many clients that say nothing stop a site.
CONNECTIONS = 8192
#: Files that a process has open besides.
_FILES = 256
HTTP1 = HTTP1Settings(
    # Milliseconds for a request's header, and for which a connection may say nothing.
    header_read_timeout=10_000,
    # Bytes of a request's header, four times what 50 long names take: whoever sends
    # more gets 431, and whoever sends it slowly holds no more.
    max_buffer_size=32 << 10,
)


def app() -> WSGIApplication:
    """The application of a worker, to which the terminal's SIGINT does not come.

    Ctrl-C reaches every process of the terminal; a worker of Granian 2.8 that gets
    both that and its parent's SIGTERM hangs until it is killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    Thread(target=_end_with_parent, daemon=True).start()
    made = create_app()
    # What is there now stays: Python's collector need not go through it ever again.
    gc.freeze()
    return made


def _end_with_parent() -> None:
    """End where the parent was killed: nobody follows the folder, and the port is wanted."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def run(host: str, port: int, workers: int) -> None:
    """Serve until SIGINT or SIGTERM; the workers read their settings from the environment."""
    # A fork beside the thread that follows the folder may copy a lock that it holds,
    # SQLite's for one: that worker would hang, and each connection that it is given.
    multiprocessing.set_start_method("spawn", force=True)
    Granian(
        "feeds.server:app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        # Of what might be HTTP/2, Granian 2.8 waits for the first bytes without end.
        http=HTTPModes.http1,
        http1_settings=HTTP1,
        backpressure=connections(),
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


def connections() -> int:
    """How many connections each worker may hold, once the system was asked for as many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(64, min(CONNECTIONS, soft - _FILES))


def check_port(host: str, port: int) -> None:
    """Raise OSError, with the system's own words, where nothing can listen."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        # Python adds the address to what the system says, but for a name's lookup.
        problem = str(error.strerror).partition(" (while")[0]
        raise OSError(f"cannot listen on {host}:{port}, {problem}") from error
    except UnicodeError as error:  # IDNA's, of `a..b` for one
        raise OSError(f"cannot listen on {host}:{port}, it is no name of a host") from error
