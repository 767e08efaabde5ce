"""Syncs against the C loader and a bare look at the files, and how long a save takes to a feed."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import yaml

from feeds.articles.folder import list_files, read_bytes
from feeds.config import Config
from feeds.index import Index
from feeds.index.sync import sync
from tests.bench.bulk import Indexes
from tests.bench.serving import free_port, running
from tests.bench.table import Row, ratio, timed
from tests.generate import write_articles

#: Articles that the C loader reads: each costs the same.
_LOADED = 5_000


def measure(indexes: Indexes, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    """Rows of a first sync, of one after a change, and of a save until it is served."""
    count, rounds, saves = (2_000, 1, 2) if quick else (100_000, 5, 30)
    folder = indexes.scratch / "articles"
    write_articles(folder, count)
    title = f"{count} articles, 1 in 5 published, into the index, medians of {rounds}"
    yield title, _compare_syncs(indexes.scratch, folder, count, rounds, quick)
    slow = [1000 * seconds for seconds in _saves(indexes.scratch, folder, saves)]
    goal = "" if quick else "50 ms or less"
    yield (
        f"from a save to the feed, {saves} saves",
        [
            Row("median", f"{statistics.median(slow):.1f} ms", goal=goal),
            Row("slowest", f"{max(slow):.1f} ms"),
        ],
    )


def _compare_syncs(scratch: Path, folder: Path, count: int, rounds: int, quick: bool) -> list[Row]:
    loads, firsts, looks, seconds, peaks = [], [], [], [], []
    for turn in range(rounds):
        url = f"sqlite:///{scratch}/synced.sqlite3"
        for path in scratch.glob("synced.sqlite3*"):
            path.unlink()
        loads.append(timed(lambda: _load(folder)) / min(count, _LOADED))
        command = [sys.executable, "-m", "feeds", "index", str(folder)]
        start = time.perf_counter()
        peaks.append(_peak(command, {"FEEDS_DATABASE": url}))
        firsts.append((time.perf_counter() - start) / count)
        catalogue = Index(url, Config())
        # So that no file counts as just written.
        sync(catalogue, folder, datetime.now(UTC))
        for file in range(3):
            path = folder / sorted(os.listdir(folder))[5 * file]
            path.write_text(path.read_text().replace('title: "', f'title: "{turn} '))
            looks.append(timed(lambda: _look(folder)) / count)
            again = timed(lambda c=catalogue: sync(c, folder, datetime.now(UTC)))  # type: ignore[misc]
            seconds.append(again / count)
        catalogue.close()
    goals = ("", "", "") if quick else ("8 or more", "1.5 or less", "ours under 300 MB")
    shown = [f"{statistics.median(t) * 1e6:.1f} us" for t in (loads, firsts, looks, seconds)]
    return [
        Row(
            "first sync, each article",
            shown[1],
            f"{shown[0]} C loader",
            ratio(loads, firsts),
            goals[0],
        ),
        Row("memory of its processes", f"{max(peaks):.0f} MB", goal=goals[2]),
        Row(
            "one changed file, each",
            shown[3],
            f"{shown[2]} scandir, stat",
            ratio(seconds, looks),
            goals[1],
        ),
    ]


def _load(folder: Path) -> None:
    for path in sorted(list_files(folder).paths)[:_LOADED]:
        text = read_bytes(folder, path).decode()
        yaml.load(text[: text.index("\n---", 4) + 1], Loader=yaml.CSafeLoader)


def _look(folder: Path) -> None:
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as found:
            for item in found:
                if item.is_dir():
                    folders.append(item.path)
                else:
                    item.stat()


def _peak(command: list[str], settings: dict[str, str]) -> float:
    """Run a command; the megabytes that it and its processes took at the most, each for itself."""
    peaks: dict[str, int] = {}
    environment = {**os.environ, **settings}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            for path in Path("/proc").glob("[0-9]*/status"):
                try:
                    status = dict(line.split(":", 1) for line in path.read_text().splitlines())
                except (FileNotFoundError, ProcessLookupError):
                    continue
                mine = (status["Pid"].strip(), status["PPid"].strip())
                if str(process.pid) in mine and "VmHWM" in status:
                    peaks[path.parent.name] = int(status["VmHWM"].split()[0])
            time.sleep(0.1)
    assert process.returncode == 0
    return sum(peaks.values()) / 1024


def _saves(scratch: Path, folder: Path, count: int) -> list[float]:
    """Seconds from each of some saves until a server answers with what was saved."""
    port, times = free_port(), []
    path = folder / "newest.md"
    command = [sys.executable, "-m", "feeds", "serve", str(folder), "--port", str(port)]
    with running(command, {"FEEDS_DATABASE": f"sqlite:///{scratch}/synced.sqlite3"}):
        _wait(port, "", 120)
        time.sleep(3)  # past the first look
        for number in range(count):
            text = (
                f"---\ntitle: Saved {number}.\npublishedDateTime: 2025-01-01T00:00:00Z\n"
                "quality: 150\npublished: true\nwebUrl: https://example.org/\n---\n"
            )
            start = time.perf_counter()
            path.write_text(text)
            _wait(port, f"Saved {number}.", 30)
            times.append(time.perf_counter() - start)
            # No two changes have one date: a change within a second of another waits.
            time.sleep(1.1 + number % 7 / 50)
    return times


def _wait(port: int, text: str, most: float) -> None:
    deadline = time.monotonic() + most
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/feed.json?limit=1", timeout=5) as response:
                if text.encode() in response.read():
                    return
        except OSError:
            time.sleep(0.1)
        time.sleep(0.001)
    raise TimeoutError(f"{text!r} is not in the feed")
