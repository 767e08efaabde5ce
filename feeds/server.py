"""The production server."""

from __future__ import annotations

import gc
import multiprocessing
import resource
import socket
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from logging import WARNING
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketSpec  # type: ignore[attr-defined]  # not in its __all__
from granian.server.mp import MPServer

from feeds.logs import log
from feeds.processes import end_with_parent
from feeds.web import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Connections that a worker holds; more wait for one of them to end. An idle one costs
#: some 20 KB. Granian's 1,024 are few: that many clients that say nothing stop a site.
CONNECTIONS = 8192
#: Files that a process has open besides.
_FILES = 256
#: Seconds after which a client that takes nothing of its response is let go.
WRITE_TIMEOUT = 30
# Granian 2.8 has no such limit, and Linux alone has it for connections (tcp(7)).
_WRITE_TIMEOUT_OPTIONS = [socket.TCP_USER_TIMEOUT] if sys.platform == "linux" else []
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
    end_with_parent()
    made = create_app()
    # What is there now stays: Python's collector need not go through it ever again.
    gc.freeze()
    return made


class _Supervisor(MPServer):
    """Granian with a process that runs beside its workers; all are replaced when they die.

    This process itself touches no database, so whatever that does kills a child alone.
    """

    #: What that process does, until it gets SIGTERM.
    beside: Callable[[], None]
    write_timeout: int
    _shd: Any

    def _init_shared_socket(self) -> None:
        """Listen on one socket, which all workers share.

        In Granian 2.8 each worker has its own on Linux; what waits there dies with it.
        """
        self._ssp = None
        self._shd = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sso = socket.socket(fileno=self._shd.get_fd())
        for option in _WRITE_TIMEOUT_OPTIONS:
            self._sso.setsockopt(socket.IPPROTO_TCP, option, 1000 * self.write_timeout)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        """Replace what has died, until a signal asks to stop.

        Granian 2.8 stops the site where a worker dies twice within 5.5 seconds, and never
        replaces the second of two workers that die at the same moment.
        """
        self._start_beside()
        while not self.interrupt_signal:
            if not self._process.is_alive():
                log(WARNING, "the process that follows the folder died; it is started again")
                self._start_beside()
            dead = [index for index, worker in enumerate(self.wrks) if not worker.inner.is_alive()]
            self._respawn_workers(dead, spawn_target, target_loader)
            # Set when a worker dies, and by a signal.
            self.main_loop_interrupt.wait(1)
            self.main_loop_interrupt.clear()
        # Otherwise Granian exits with 1; but all that died were replaced.
        self.interrupt_children.clear()
        self._process.terminate()

    def _start_beside(self) -> None:
        self._process = multiprocessing.Process(target=self.beside)
        self._process.start()


def run(
    host: str,
    port: int,
    workers: int,
    beside: Callable[[], None],
    write_timeout: int = WRITE_TIMEOUT,
) -> None:
    """Serve until SIGINT or SIGTERM; the workers read their settings from the environment.

    `beside` runs in a process of its own until that gets SIGTERM.
    """
    # A fork may copy a lock that a thread holds: that worker would hang, and each
    # connection that it is given.
    multiprocessing.set_start_method("spawn", force=True)
    server = _Supervisor(
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
        workers_kill_timeout=5,
    )
    server.beside, server.write_timeout = beside, write_timeout
    server.serve()


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
