"""`feeds serve` in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

#: States of a socket, as /proc/net/tcp writes them.
ESTABLISHED, LISTEN = "01", "0A"


class Process:
    """`feeds serve FOLDER` on a free port."""

    def __init__(
        self, folder: Path, *options: str, host: str = "localhost", port: str = "", **settings: str
    ) -> None:
        self.port = int(port or free_port())
        self.base = f"http://{host}:{self.port}"
        database = f"sqlite:///{folder.parent}/{folder.name}-{self.port}.sqlite3"
        environment = {"FEEDS_DATABASE": database, **os.environ}
        environment |= {name: value.format(base=self.base) for name, value in settings.items()}
        command = [sys.executable, "-m", "feeds", "serve", str(folder), "--port", str(self.port)]
        self.popen = subprocess.Popen(
            [*command, *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._printed: list[str] = []
        # Nothing waits for a pipe that is full.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        # A busy machine takes long to start so many processes.
        self.wait_until(lambda: self.get("/healthz").status_code == 200, seconds=60)

    def _read(self) -> None:
        assert self.popen.stdout
        with self.popen.stdout as lines:
            for line in lines:
                self._printed.append(line)

    def get(self, path: str) -> httpx.Response:
        # Each client would load the certificates of the machine, which takes 40 ms.
        return httpx.get(self.base + path, timeout=10, verify=False)

    def wait_until(self, come: Callable[[], bool], seconds: float = 20) -> float:
        """Seconds until something comes."""
        start = time.monotonic()
        while True:
            try:
                if come():
                    return time.monotonic() - start
            except httpx.TransportError:
                assert self.popen.poll() is None, self.printed
            assert time.monotonic() - start < seconds
            time.sleep(0.02)

    def children(self) -> list[int]:
        """The processes that it started and that serve, by Linux's /proc."""
        children: list[int] = []
        for path in Path(f"/proc/{self.popen.pid}/task").glob("*/children"):
            with contextlib.suppress(FileNotFoundError):  # a thread that has ended since
                children += map(int, path.read_text().split())
        return [pid for pid in children if "spawn_main" in _command(pid)]

    def workers(self) -> list[int]:
        """Those that answer: they hold the socket that is listened on."""
        sockets = {f"socket:[{inode}]" for inode in sockets_of(self.port, LISTEN)}
        return [pid for pid in self.children() if sockets & opened(pid)]

    def follower(self) -> int:
        """The one that follows the folder."""
        [follower] = set(self.children()) - set(self.workers())
        return follower

    def memory(self) -> int:
        """Bytes that all its processes hold."""
        statuses = (Path(f"/proc/{pid}/status") for pid in (self.popen.pid, *self.children()))
        lines = (line for path in statuses for line in path.read_text().splitlines())
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    @property
    def printed(self) -> str:
        """What it printed until now."""
        return "".join(self._printed)

    def stop(self, number: int = signal.SIGTERM) -> str:
        """What it printed until it stopped."""
        self.popen.send_signal(number)
        return self.wait()

    def wait(self, seconds: float = 20) -> str:
        """What it printed until it and its children ended."""
        self._reader.join(seconds)
        self.popen.wait(seconds)
        assert not self._reader.is_alive()
        return self.printed


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def sockets_of(port: int, state: str) -> list[str]:
    """The inodes of the sockets of a port that are in a state, by Linux's /proc/net/tcp."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return [row[9] for row in rows if (row[1][8:], row[3]) == (f":{port:04X}", state)]


def _command(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def opened(pid: int) -> set[str]:
    """What a process has open, by Linux's /proc; nothing if it has ended."""
    found = set()
    with contextlib.suppress(FileNotFoundError):
        for path in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since
                found.add(str(path.readlink()))
    return found
