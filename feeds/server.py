"""The production server."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import resource
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketSpec  # type: ignore[attr-defined]  # not in its __all__
from granian.server.mp import MPServer

from feeds.logs import LOGGER
from feeds.processes import end_with_parent
from feeds.web import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Connections that a worker holds; others wait until one of them ends. An idle one takes
#: some 20 KB. With Granian's default of 1,024, so many silent clients would stop a site.
MAX_CONNECTIONS = 8192
#: Files, besides connections, that a process may have open.
_OTHER_FILES = 256
#: Seconds after which a client that reads nothing of its response is disconnected.
WRITE_TIMEOUT = 30
# Granian 2.8 has no such limit. Linux has it as an option of a socket (tcp(7)).
_WRITE_TIMEOUT_OPTIONS = [socket.TCP_USER_TIMEOUT] if sys.platform == "linux" else []
HTTP1 = HTTP1Settings(
    # Milliseconds for the header of a request, and for an idle connection.
    header_read_timeout=10_000,
    # Bytes of a request's header, four times what 50 long names take. A longer one is
    # answered with 431, and slow clients take no more memory than this.
    max_buffer_size=32 << 10,
)


def app() -> WSGIApplication:
    """Return the application of a worker, in which SIGINT is blocked.

    Ctrl-C sends SIGINT to every process of the terminal. A worker of Granian 2.8 that gets
    both SIGINT and its parent's SIGTERM hangs until it is killed.
    """
    end_with_parent()
    made = create_app()
    # All that exists now stays: the garbage collector need not scan it again.
    gc.freeze()
    return made


class _Supervisor(MPServer):
    """Granian with its workers and one more process; each is replaced when it dies.

    The supervisor itself opens no database, so a crash of the database's driver kills a
    child alone.
    """

    #: Follows the folder, in the process that is no worker, until that gets SIGTERM.
    follower: Callable[[], None]
    _shd: Any

    def _init_shared_socket(self) -> None:
        """Listen on one socket, which all workers share.

        With Granian 2.8 on Linux each worker has a socket of its own, and connections that
        wait there are lost when it dies.
        """
        self._ssp = None
        self._shd = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sso = socket.socket(fileno=self._shd.get_fd())
        for option in _WRITE_TIMEOUT_OPTIONS:
            self._sso.setsockopt(socket.IPPROTO_TCP, option, 1000 * WRITE_TIMEOUT)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        """Replace processes that died, until a signal asks to stop.

        Granian 2.8 stops the site if a worker dies twice within 5.5 seconds, and never
        replaces the second of two workers that die at the same moment.
        """
        self._start_follower()
        while not self.interrupt_signal:
            if not self._process.is_alive():
                LOGGER.warning("the process that follows the folder died; it is started again")
                self._start_follower()
            dead = [index for index, worker in enumerate(self.wrks) if not worker.inner.is_alive()]
            self._respawn_workers(dead, spawn_target, target_loader)
            # It is set when a worker dies, and by a signal.
            self.main_loop_interrupt.wait(1)
            self.main_loop_interrupt.clear()
        # Granian would exit with 1 because of workers that died, but all were replaced.
        self.interrupt_children.clear()
        self._process.terminate()

    def _start_follower(self) -> None:
        self._process = multiprocessing.Process(target=self.follower)
        self._process.start()


def run(host: str, port: int, workers: int, follower: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; the workers read their settings from the environment.

    `follower` runs in a process of its own until that process gets SIGTERM.
    """
    # A fork may copy a lock that a thread holds. That worker would hang, and with it each
    # connection that it accepts.
    multiprocessing.set_start_method("spawn", force=True)
    server = _Supervisor(
        "feeds.server:app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        # To detect HTTP/2, Granian 2.8 would wait for a client's first bytes without a limit.
        http=HTTPModes.http1,
        http1_settings=HTTP1,
        backpressure=connections(),
        workers=workers,
        blocking_threads=8,
        log_level=LogLevels.error,
        workers_kill_timeout=5,
    )
    server.follower = follower
    server.serve()


def answers(host: str, port: int) -> bool:
    """Return whether the site is served."""
    try:
        with closing(HTTPConnection(host, port, timeout=5)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False


def connections() -> int:
    """Raise this process's limit of open files, and return the connections that it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(64, min(MAX_CONNECTIONS, soft - _OTHER_FILES))


def check_port(host: str, port: int) -> None:
    """Raise OSError, with the system's reason, if a server cannot listen here."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        # Python adds the address to the system's message, except after a name lookup.
        problem = str(error.strerror).partition(" (while")[0]
        option = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        problem += f"; name another with {option}"
        raise OSError(f"cannot listen on {host}:{port}, {problem}") from error
    except UnicodeError as error:  # from IDNA, for instance for `a..b`
        problem = "it is no name of a host; name another with --host"
        raise OSError(f"cannot listen on {host}:{port}, {problem}") from error
