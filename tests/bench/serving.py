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

from feeds.config import Config
from feeds.index import Index
from feeds.static_site import build
from feeds.static_site.nginx import configuration
from tests.bench.bulk import SMALL, Indexes
from tests.bench.table import Row, ratio
from tests.generate import write_articles
from tests.nginx import find_nginx, serving

FEED = "/feed.atom"
_GRANIAN = ("--interface", "wsgi", "--factory", "--workers", "1", "--blocking-threads", "8")


#: What the rows call them.
PEERS = {
    "constant": "bare WSGI constant",
    "flask_feedgen": "Flask and feedgen",
    "django": "Django syndication",
    "nginx": "nginx, the built site",
    "few": f"among {SMALL}",
}


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


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of each answer against each peer, and of a small index against a large one."""
    if not shutil.which("wrk"):
        yield "serving is not measured: apt-get install wrk", []
        return
    rounds, seconds = (1, 1) if quick else (5, 2)
    title = f"one worker on one core, gzip, 16 connections, medians of {rounds} x {seconds} s"
    yield title, _against_peers(rounds, seconds, quick)
    title = f"among {indexes.large} articles, against {SMALL}, and 5 entries in each feed"
    yield title, _against_few(indexes, rounds, seconds, quick)


def _against_peers(rounds: int, seconds: int, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        write_articles(folder / "articles", 400)
        ours = stack.enter_context(_feeds(folder))
        _note_answer(folder, ours)
        peers = ["constant", "flask_feedgen"]
        peers += ["django"] if importlib.util.find_spec("django") else []
        served = [ours, *(stack.enter_context(_peer(folder, peer)) for peer in peers)]
        served += [stack.enter_context(_nginx(folder))] if find_nginx() else []
        loads = _loads(served, rounds, seconds)
    rows = []
    for server in served[1:]:
        for status in (200, 304):
            if (server.name, status) in loads:
                goal = "0.95 or more" if server.name == "constant" and not quick else ""
                rows.append(_row(f"cached {status}", loads, server.name, status, goal))
    for status in (200, 304):
        mine, bare = loads["feeds", status], loads["constant", status]
        slow = ratio([load.slow for load in mine], [load.slow for load in bare])
        shown = [statistics.median(load.slow for load in each) for each in (mine, bare)]
        rows.append(
            Row(
                f"cached {status}, 99th percentile",
                f"{shown[0]:.2f} ms",
                f"{shown[1]:.2f} ms {PEERS['constant']}",
                slow,
                "" if quick else "1.5 or less",
            )
        )
    return rows


def _against_few(indexes: Indexes, rounds: int, seconds: int, quick: bool) -> list[Row]:
    with contextlib.ExitStack() as stack:
        served = [
            stack.enter_context(_filled(name, url))
            for name, url in zip(("few", "feeds"), indexes.urls, strict=True)
        ]
        loads = _loads(served, rounds, seconds)
    goal = "" if quick else "0.90 or more"
    return [_row(f"cached {status}", loads, "few", status, goal) for status in (200, 304)]


Loads = dict[tuple[str, int], list[Load]]


def _loads(served: list[Served], rounds: int, seconds: int) -> Loads:
    found: Loads = {}
    for _ in range(rounds):
        for server in served:
            for status in (200, 304):
                if status == 200 or server.tag:
                    load = _load(server, status, seconds)
                    found.setdefault((server.name, status), []).append(load)
    return found


def _row(what: str, loads: Loads, peer: str, status: int, goal: str) -> Row:
    rates = [[load.rate for load in loads[name, status]] for name in ("feeds", peer)]
    mine, other = (statistics.median(each) for each in rates)
    shown = f"{other:,.0f}/s {PEERS[peer]}"
    return Row(what, f"{mine:,.0f}/s", shown, ratio(*rates), goal)


@contextlib.contextmanager
def _feeds(folder: Path) -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, "-m", "feeds", "serve", str(folder / "articles")]
    settings = {"FEEDS_DATABASE": f"sqlite:///{folder}/index.sqlite3"}
    with running([*command, "--port", str(port), "--workers", "1"], settings):
        yield Served("feeds", port, _tag(port))


@contextlib.contextmanager
def _filled(name: str, url: str) -> Iterator[Served]:
    """Our server over an index that is there."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "feeds.server:app", *_GRANIAN]
    command += ["--port", str(port), "--log-level", "error"]
    with running(command, {"FEEDS_DATABASE": url, "FEEDS_LIMIT": str(SMALL)}):
        yield Served(name, port, _tag(port))


@contextlib.contextmanager
def _nginx(folder: Path) -> Iterator[Served]:
    config = Config(
        articles=folder / "articles",
        database=f"sqlite:///{folder}/index.sqlite3",
        base_url="http://127.0.0.1",
    )
    index = Index(config.database, config)
    build(config.database, config, folder / "out")

    def configure(listen: str) -> str:
        return configuration(index, folder / "out", listen)

    with serving(folder, configure, tuple(_core(0))) as port:
        yield Served("nginx", port, _tag(port))


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
    answer = {"headers": headers, "body": body, "entries": entries}
    (folder / "answer.json").write_text(json.dumps(answer))


def _load(server: Served, status: int, seconds: int) -> Load:
    command = [*_core(1), "wrk", "-t1", "-c16", f"-d{seconds}s", "--latency"]
    command += ["-H", "Accept-Encoding: gzip"]
    if status == 304:
        command += ["-H", f"If-None-Match: {server.tag}"]
    command.append(f"http://127.0.0.1:{server.port}{FEED}")
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output or status == 304, output
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert slow and rate, output
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[slow[2]]
    return Load(float(rate[1]), float(slow[1]) * scale)
