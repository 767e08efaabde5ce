"""What comes over the network and is no proper request, against the real server."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from feeds import server
from tests.process import ESTABLISHED, Process, free_port, sockets_of
from tests.support import SEEDS

HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
#: Bytes by which the server may grow under everything that stands below.
GROWTH = 64 << 20

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server of one worker, which answers afterwards as it did before."""
    folder = tmp_path_factory.mktemp("served") / "seeds"
    shutil.copytree(SEEDS, folder)
    process = Process(folder)
    before, workers, size = answer(process), process.workers(), process.memory()
    yield process
    assert answer(process) == before
    assert process.workers() == workers
    assert process.memory() - size < GROWTH
    assert "Traceback" not in process.stop()


def answer(process: Process) -> tuple[bytes, str, str]:
    """A feed and its validators."""
    response = process.get("/feed.atom")
    return response.content, response.headers["ETag"], response.headers["Last-Modified"]


def connect(process: Process) -> socket.socket:
    return socket.create_connection(("127.0.0.1", process.port), timeout=20)


def talk(process: Process, sent: bytes) -> bytes:
    """What the server answers until it closes the connection."""
    with connect(process) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return b""


def status(received: bytes) -> int:
    """The status of the first answer, and there must be one alone."""
    assert received.count(b"HTTP/1.1 ") + received.count(b"HTTP/1.0 ") == 1
    return int(received.split(b" ", 2)[1])


BROKEN = {
    "HTTP/0.9": b"GET /\r\n",
    "no words": b"\x00\xff\xfe\r\n\r\n",
    "a method of no letters": b"G@T / HTTP/1.1\r\n" + HOST + CLOSE,
    "a space in the address": b"GET / / HTTP/1.1\r\n" + HOST + CLOSE,
    "another HTTP": b"GET / HTTP/9.9\r\n" + HOST + CLOSE,
    "TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(154),
    "no host": b"GET /feed.atom HTTP/1.1\r\n" + CLOSE,
    "two hosts": b"GET /feed.atom HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n" + CLOSE,
    "a host of bytes": b"GET /feed.atom HTTP/1.1\r\nHost: \xff\r\n" + CLOSE,
    "a folded header": GET + b" folded: x\r\n" + CLOSE,
    "a file": b"GET file:///etc/passwd HTTP/1.1\r\n" + HOST + CLOSE,
    "two lengths": GET + b"Content-Length: 4\r\nContent-Length: 5\r\n" + CLOSE + b"12345",
    "no known coding": GET + b"Transfer-Encoding: xchunked\r\n" + CLOSE + b"0\r\n\r\n",
    "a coding and a space": GET + b"Transfer-Encoding : chunked\r\n" + CLOSE + b"0\r\n\r\n",
}
LARGE = {
    414: b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + CLOSE,
    431: GET + b"Cookie: " + b"a" * 50_000 + b"\r\n" + CLOSE,
    404: b"GET /topics/" + b"%e4%ba%ba" * 3_000 + b"/ HTTP/1.1\r\n" + HOST + CLOSE,
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_request_is_refused(served: Process, name: str) -> None:
    assert status(talk(served, BROKEN[name])) == 400


def test_http_2_is_not_spoken(served: Process) -> None:
    begun = time.monotonic()
    assert talk(served, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)) == b""
    assert time.monotonic() - begun < 5


def test_what_is_too_large_is_refused(served: Process) -> None:
    found = {expected: status(talk(served, sent)) for expected, sent in LARGE.items()}
    flood = b"".join(b"X-%d: y\r\n" % number for number in range(3_000))
    assert status(talk(served, GET + flood + CLOSE)) == 431
    # Which of the two a long address gets depends on how it is cut on its way.
    assert found in ({404: 404, 414: 414, 431: 431}, {404: 404, 414: 431, 431: 431})


def test_odd_bytes_in_headers_do_no_harm(served: Process) -> None:
    odd = b'If-None-Match: "\xe9", W/"\xff\r\nAccept-Encoding: \xff;q=\xfe\r\nCookie: \xff\r\n'
    request = b"GET /feed.atom HTTP/1.1\r\n" + HOST + odd + CLOSE
    assert status(talk(served, request)) == 200


def test_body_of_a_request_is_never_another_request(served: Process) -> None:
    inner = b"GET /feed.json HTTP/1.1\r\n" + HOST + CLOSE
    length = b"Content-Length: %d\r\n" % (len(inner) + 5)
    chunked = b"Transfer-Encoding: chunked\r\n"
    for method, expected in ((b"GET", 200), (b"POST", 405)):
        line = method + b" /healthz HTTP/1.1\r\n" + HOST
        for head in (length + chunked, chunked + length):
            received = talk(served, line + head + b"\r\n0\r\n\r\n" + inner)
            # A server that reads on may take it for a request of its own, never for both.
            assert received.count(b"HTTP/1.1 ") == 1 and status(received) == expected
        whole = b"Content-Length: %d\r\n\r\n" % len(inner) + inner
        received = talk(served, line + whole + GET + CLOSE)
        assert b"feed+json" not in received
        assert received.startswith(b"HTTP/1.1 %d " % expected)
    assert status(talk(served, GET + chunked + CLOSE + b"5\r\nhello\r\n0\r\n\r\n")) == 200
    assert status(talk(served, GET + chunked + CLOSE + b"ZZ\r\nhello\r\n0\r\n\r\n")) == 200


def test_body_of_a_gigabyte_is_not_read(served: Process) -> None:
    before, block = served.memory(), bytes(1 << 20)
    for head in (
        b"Content-Length: 1073741824\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nffff\r\n",
    ):
        with connect(served) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(b"POST /healthz HTTP/1.1\r\n" + HOST + head)
            for _ in range(1 << 10):
                connection.sendall(block)
            pytest.fail("the server took all of it")
    assert served.memory() - before < 16 << 20


def test_pipelined_requests_are_answered_in_turn(served: Process) -> None:
    feeds = [f"/feed.{suffix}".encode() for suffix in ("atom", "rss", "json")]
    request = b"".join(b"GET " + feed + b" HTTP/1.1\r\n" + HOST + b"\r\n" for feed in feeds)
    received = talk(served, 10 * request + GET + CLOSE)
    assert received.count(b"HTTP/1.1 200 ") == 31
    places = [received.index(b"application/" + kind) for kind in (b"atom", b"rss", b"feed")]
    assert places == sorted(places)


def test_clients_that_leave_early_or_never_read_block_no_others(served: Process) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(connect(served))
            connection.settimeout(0.1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(50):
                    connection.sendall(40 * (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"))
        for _ in range(500):
            with connect(served) as gone:
                gone.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        begun = time.monotonic()
        assert served.get("/healthz").status_code == 200
        assert time.monotonic() - begun < 9


def test_clients_that_never_read_are_disconnected(tmp_path: Path) -> None:
    port = free_port()
    script = (
        "import time; from functools import partial; from feeds import server\n"
        "if __name__ == '__main__':\n"
        "    server.WRITE_TIMEOUT = 2\n"
        f"    server.run('127.0.0.1', {port}, 1, partial(time.sleep, 60))\n"
    )
    path = tmp_path / "serve.py"
    path.write_text(script)
    settings = {
        "FEEDS_ARTICLES": str(SEEDS),
        "FEEDS_DATABASE": f"sqlite:///{tmp_path}/index.sqlite3",
    }
    popen = subprocess.Popen([sys.executable, str(path)], env={**os.environ, **settings})
    try:
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(_connect_soon(port))
                connection.settimeout(0.1)
                with contextlib.suppress(TimeoutError, ConnectionError):
                    for _ in range(50):
                        connection.sendall(40 * (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"))
            deadline = time.monotonic() + 25
            while sockets_of(port, ESTABLISHED):
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        popen.terminate()
        popen.wait(20)


def _connect_soon(port: int) -> socket.socket:
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_slow_clients_block_no_others_and_are_disconnected(served: Process) -> None:
    """More of them than Granian holds by itself: silent, at half a header, and dripping."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(4096, before[0]), before[1]))
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(served)) for _ in range(1_500)]
        begun = time.monotonic()
        for connection in slow[::2]:
            connection.sendall(GET[:-4])
        for _ in range(5):
            begun = time.monotonic()
            assert served.get("/feed.atom").status_code == 200
            assert time.monotonic() - begun < 5
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - begun < 20:
                slow[0].sendall(b"y")
                time.sleep(0.2)
        assert slow[1].recv(1) == b""
        assert 8 < time.monotonic() - begun < 15


def test_process_asks_for_as_many_files_as_it_may_need() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
        assert server.connections() == server.MAX_CONNECTIONS
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > server.MAX_CONNECTIONS
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("files", "most"), [(300, 64), (1_000, 1_000 - 256)])
def test_connections_leave_files_for_the_rest_where_the_system_gives_few(
    files: int, most: int
) -> None:
    script = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))\n"
        "from feeds.server import connections; print(connections())"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == (f"{most}\n", "")
