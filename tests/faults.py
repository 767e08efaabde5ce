"""Kills processes of a site and harms its index at random moments, and looks what is left of it.

python -m tests.faults --kills 200
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from feeds.config import Config
from feeds.formats import FORMATS
from feeds.index import Index
from feeds.index.sync import sync
from feeds.publish import publish
from feeds.selection import EVERYTHING, Selection
from tests.process import Process, free_port
from tests.support import BASE, article

TOPIC = Selection(kind="topic", key="ai", slug="ai")
FEEDS = {"/feed.atom": EVERYTHING, "/topics/ai/feed.atom": TOPIC}
#: Polled as well: dated by what is noted of them.
CHOSEN = ("/feed.json?limit=7", "/topics/ai/", "/feeds.opml")


#: What is killed, and which files of the index are cut short, by what follows its name.
COMMANDS = ("index", "build")
PROCESSES = ("worker", "worker", "server", "follower")
FILES = ("", "-wal", "-shm")


class Poller:
    """Asks for documents all the time; what it learns of each must never go back."""

    def __init__(self, port: int) -> None:
        self.polls = self.refused = 0
        self.wrong: list[str] = []
        #: When the log was last cut short: what it held is lost until the files are compared.
        self.lost = float("-inf")
        self._base = f"http://127.0.0.1:{port}"
        self._seen: dict[str, dict[str, str]] = {}
        self._last: dict[str, datetime] = {}
        self._sent: dict[str, dict[str, str]] = {}
        self._client = httpx.Client(headers={"Connection": "close"}, timeout=10, verify=False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            for path in (*FEEDS, *CHOSEN):
                try:
                    response = self._client.get(self._base + path, headers=self._sent.get(path))
                except httpx.TransportError:
                    self.refused += 1
                    time.sleep(0.05)
                else:
                    self.polls += 1
                    self._compare(path, response)

    def _compare(self, path: str, response: httpx.Response) -> None:
        if response.status_code == 503 and "Retry-After" in response.headers:
            self.refused += 1
            return
        if response.status_code == 304:
            return
        if response.status_code != 200:
            self.wrong.append(f"{path}: {response.status_code}")
            return
        tag = response.headers["ETag"]
        if self._seen.setdefault(path, {}).setdefault(response.text, tag) != tag:
            self.wrong.append(f"{path}: the same bytes have two tags")
        self._sent[path] = {"If-None-Match": tag}
        if "Last-Modified" in response.headers:
            self._compare_dates(path, parsedate_to_datetime(response.headers["Last-Modified"]))

    def _compare_dates(self, path: str, date: datetime) -> None:
        last = self._last.get(path, date)
        if date < last and time.monotonic() > self.lost + 10:
            self.wrong.append(f"{path}: Last-Modified went from {last} to {date}")
        self._last[path] = max(date, last)


class ServedFolder:
    """A served folder that is edited, and processes to kill."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder / "articles"
        self.folder.mkdir()
        self.chance = chance
        self._port = str(free_port())
        self._file = folder / "index.sqlite3"
        self.settings = {"FEEDS_DATABASE": f"sqlite:///{self._file}", "FEEDS_BASE_URL": BASE}
        for _ in range(60):
            self.edit()
        self._site = folder / "site"
        self.server = self._serve()
        self.poller = Poller(int(self._port))
        #: What the servers printed that were killed.
        self.printed: list[str] = []

    def _serve(self) -> Process:
        return Process(self.folder, "--workers", "2", port=self._port, **self.settings)

    def edit(self) -> None:
        """Save or delete a file as a curator's editor does: at once, or in two writes."""
        path = self.folder / f"{self.chance.randrange(80)}.md"
        if self.chance.random() < 0.2:
            path.unlink(missing_ok=True)
            return
        text = article(
            f"Edit {self.chance.getrandbits(30)}",
            quality=self.chance.randint(50, 90),
            topics=self.chance.choice((("AI",), ("AI", "Law"), ("Law",))),
        )
        with path.open("w", encoding="utf-8") as file:
            file.write(text[:100])
            file.flush()
            file.write(text[100:])

    def kill(self) -> str:
        """Kill or truncate something at a random moment; what it was."""
        for _ in range(self.chance.randrange(4)):
            self.edit()
        what = self.chance.choice((*COMMANDS, *PROCESSES, *FILES))
        if what in COMMANDS:
            self._kill_command(what)
            return what
        time.sleep(self.chance.random() * 0.5)
        if what == "server":
            self.printed.append(self.server.stop(signal.SIGKILL))
            self.server = self._serve()
            return what
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
            if what in FILES:
                path = Path(f"{self._file}{what}")
                self.poller.lost = time.monotonic()
                os.truncate(path, self.chance.randrange(path.stat().st_size + 1))
            else:
                workers = self.server.workers()
                others = list(set(self.server.children()) - set(workers))
                killed = self.chance.choice(workers if what == "worker" else others)
                os.kill(killed, signal.SIGKILL)
        time.sleep(self.chance.random())
        return what

    def _kill_command(self, what: str) -> None:
        folders = [str(self._site), str(self.folder)] if what == "build" else [str(self.folder)]
        command = [sys.executable, "-m", "feeds", what, *folders]
        popen = subprocess.Popen(
            command,
            env={**os.environ, **self.settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.4 + self.chance.random())
        popen.kill()
        popen.wait()

    def check(self) -> list[str]:
        """What is wrong once all has come to rest."""
        wanted, served = self._fresh(), dict[str, str]()
        deadline = time.monotonic() + 30
        while served != wanted and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                served = self._served()
            time.sleep(0.1)
        wrong = [path for path, text in wanted.items() if text != served.get(path)]
        self.poller.close()
        self.server.stop()
        with contextlib.closing(sqlite3.connect(self._file)) as connection:
            [(result,)] = connection.execute("PRAGMA integrity_check").fetchall()
        wrong = [f"{path} is not as its files are" for path in wrong]
        return self.poller.wrong + wrong + ([] if result == "ok" else [result])

    def _served(self) -> dict[str, str]:
        return {path: self.server.get(path).text for path in FEEDS}

    def _fresh(self) -> dict[str, str]:
        """The feeds of a new index over the same files."""
        config = Config(base_url=BASE, articles=self.folder)
        with tempfile.TemporaryDirectory() as scratch:
            index = Index(f"sqlite:///{scratch}/index.sqlite3", config)
            sync(index, self.folder, datetime.now(UTC))
            atom = FORMATS["atom"]
            made = {path: publish(index, each, atom, BASE) for path, each in FEEDS.items()}
            index.close()
        return {path: published.body.decode() for path, published in made.items() if published}


def run(kills: int, seed: int) -> list[str]:
    """What was wrong after so many kills."""
    with tempfile.TemporaryDirectory() as scratch:
        place = ServedFolder(Path(scratch), random.Random(seed))
        try:
            killed = [place.kill() for _ in range(kills)]
            wrong = place.check()
        finally:
            place.poller.close()
            if place.server.popen.poll() is None:
                place.server.stop(signal.SIGKILL)
    counts = ", ".join(f"{killed.count(what)} {what or 'database'}" for what in sorted(set(killed)))
    if wrong:
        print(*place.printed, place.server.printed, sep="\n")
    polls, refused = place.poller.polls, place.poller.refused
    print(f"{kills} kills ({counts}), {polls} polls, {refused} refused, {len(wrong)} wrong")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    result = parser.parse_args()
    found = run(result.kills, result.seed)
    sys.exit("\n".join(found) or None)
