"""Requests a second of one worker on a core of its own, against its peers."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

from tests.generate import write_articles

FEED = "/feed.atom"
_GRANIAN = ("--interface", "wsgi", "--factory", "--workers", "1", "--blocking-threads", "8")


class Load(NamedTuple):
    """What wrk measured."""

    rate: float
    #: The 99th percentile, in milliseconds.
    slow: float


class Served(NamedTuple):
    """A running server."""

    name: str
    port: int
    tag: str


def main(quick: bool) -> None:
    """Print a row for each server and answer, and the ratios with their goals."""
    if not shutil.which("wrk"):
        print("serving is not measured: apt-get install wrk")
        return
    rounds, seconds = (1, 1) if quick else (5, 3)
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        write_articles(folder / "articles", 400)
        ours = stack.enter_context(_feeds(folder))
        _note_answer(folder, ours)
        peers = ["constant", "flask_feedgen"]
        peers += ["django"] if importlib.util.find_spec("django") else []
        served = [ours, *(stack.enter_context(_peer(folder, peer)) for peer in peers)]
        found: dict[tuple[str, int], list[Load]] = {}
        for _ in range(rounds):
            for server in served:
                for status in (200, 304):
                    if status == 200 or server.tag:
                        load = _load(server, status, seconds)
                        found.setdefault((server.name, status), []).append(load)
    print(f"one worker, gzip, medians of {rounds} rounds of {seconds} s")
    for (name, status), loads in found.items():
        rate = statistics.median(load.rate for load in loads)
        slow = statistics.median(load.slow for load in loads)
        print(f"{name:24} {status}  {rate:9.0f} requests/s   p99 {slow:7.2f} ms")
    for status in (200, 304):
        mine, bare = found["feeds", status], found["constant", status]
        rate = statistics.median(m.rate / b.rate for m, b in zip(mine, bare, strict=True))
        slow = statistics.median(m.slow / b.slow for m, b in zip(mine, bare, strict=True))
        goals = ("", "") if quick else ("   goal 0.95 or more", "   goal 1.50 or less")
        print(f"{status}, rate to a bare constant's       {rate:6.2f}{goals[0]}")
        print(f"{status}, p99 to a bare constant's        {slow:6.2f}{goals[1]}")


@contextlib.contextmanager
def _feeds(folder: Path) -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, "-m", "feeds", "serve", str(folder / "articles")]
    settings = {"FEEDS_DATABASE": f"sqlite:///{folder}/index.sqlite3"}
    with running([*command, "--port", str(port), "--workers", "1"], settings):
        yield Served("feeds", port, _tag(port))


@contextlib.contextmanager
def _peer(folder: Path, name: str) -> Iterator[Served]:
    port = free_port()
    app = f"tests.bench.peers:{name}"
    command = [sys.executable, "-m", "granian", app, *_GRANIAN, "--port", str(port)]
    command += ["--log-level", "error"]
    with running(command, {"FEEDS_BENCH": str(folder / "answer.json")}):
        yield Served(name, port, _tag(port))


@contextlib.contextmanager
def running(command: list[str], settings: dict[str, str]) -> Iterator[None]:
    environment = {**os.environ, **settings}
    process = subprocess.Popen(
        [*_core(0), *command], env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _core(number: int) -> list[str]:
    """What keeps a command on one core, where there are two and a way to."""
    if (os.cpu_count() or 1) < 2 or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(number)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _tag(port: int) -> str:
    """The ETag of the feed, once the server answers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urlopen(_request(port), timeout=5) as response:
                return response.headers["ETag"] or ""
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _request(port: int, **headers: str) -> Request:
    return Request(f"http://127.0.0.1:{port}{FEED}", headers={"Accept-Encoding": "gzip"} | headers)


def _note_answer(folder: Path, ours: Served) -> None:
    """Tell the peers what we answer, and of which entries."""
    with urlopen(_request(ours.port), timeout=5) as response:
        own = ("date", "server", "connection")
        headers = [(n.lower(), v) for n, v in response.headers.items() if n.lower() not in own]
        body = b64encode(response.read()).decode()
    with urlopen(f"http://127.0.0.1:{ours.port}/feed.json", timeout=5) as response:
        entries = json.load(response)["items"]
    told = {"headers": headers, "body": body, "entries": entries}
    (folder / "answer.json").write_text(json.dumps(told))


def _load(server: Served, status: int, seconds: int) -> Load:
    command = [*_core(1), "wrk", "-t1", "-c16", f"-d{seconds}s", "--latency"]
    command += ["-H", "Accept-Encoding: gzip"]
    if status == 304:
        command += ["-H", f"If-None-Match: {server.tag}"]
    command.append(f"http://127.0.0.1:{server.port}{FEED}")
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said or status == 304, said
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert slow and rate, said
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[slow[2]]
    return Load(float(rate[1]), float(slow[1]) * scale)
