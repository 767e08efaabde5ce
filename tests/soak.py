"""Subscribers of every kind poll a site that is edited all the while.

python -m tests.soak --minutes 30 --polls 100000
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import feedparser
import httpx
import reader

from tests.process import Process
from tests.support import article

#: Fewer than a feed holds, so that every subscriber can see all of them.
FILES = 40
FEED = "/topics/ai/feed"
#: Bytes by which the server may grow once its memory is full of what is asked for.
GROWTH = 48 << 20


class Subscriber(Protocol):
    """A client with its own idea of when a feed has changed."""

    #: An entry came twice, or a response was none.
    wrong: list[str]

    def poll(self) -> None:
        """Ask once."""

    def titles(self) -> list[str]:
        """What it shows, sorted."""


class Plain:
    """An HTTP client that sends some of the validators, or none."""

    def __init__(self, client: httpx.Client, base: str, *validators: str) -> None:
        self.wrong: list[str] = []
        self._url, self._validators = f"{base}{FEED}.json", validators
        self._client, self._known = client, dict[str, str]()
        self._titles: list[str] = []

    def poll(self) -> None:
        response = self._client.get(self._url, headers=self._known)
        if response.status_code == 200:
            items = response.json()["items"]
            self.wrong += _twice(item["id"] for item in items)
            self._titles = sorted(item["title"] for item in items)
            request_fields = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
            # For a moment after a change, a response has no date.
            sent = (name for name in self._validators if name in response.headers)
            self._known = {request_fields[name]: response.headers[name] for name in sent}
        elif response.status_code != 304:
            self.wrong.append(f"{response.status_code} {response.text}")

    def titles(self) -> list[str]:
        return self._titles


class Feedparser:
    """feedparser's parser, and what it asks programs to send."""

    def __init__(self, client: httpx.Client, base: str) -> None:
        self.wrong: list[str] = []
        self._url, self._client = f"{base}{FEED}.rss", client
        self._headers: dict[str, str] = {}
        self._titles: list[str] = []

    def poll(self) -> None:
        response = self._client.get(self._url, headers=self._headers)
        if response.status_code == 304:
            return
        parsed = feedparser.parse(response.content)
        self.wrong += _twice(entry.id for entry in parsed.entries)
        self.wrong += [str(parsed.bozo_exception)] if parsed.bozo else []
        self._titles = sorted(entry.title for entry in parsed.entries)
        self._headers = {"A-IM": "feed", "If-None-Match": response.headers["ETag"]}
        if "Last-Modified" in response.headers:
            self._headers["If-Modified-Since"] = response.headers["Last-Modified"]

    def titles(self) -> list[str]:
        return self._titles


class Reader:
    """lemon24/reader, which keeps every entry that it ever saw."""

    def __init__(self, base: str) -> None:
        self.wrong: list[str] = []
        self._url = f"{base}{FEED}.atom"
        self._reader = reader.make_reader(":memory:", feed_root=None)
        self._reader.add_feed(self._url)

    def poll(self) -> None:
        try:
            self._reader.update_feed(self._url)
        except reader.ParseError as error:
            self.wrong.append(str(error))

    def close(self) -> None:
        self._reader.close()

    def titles(self) -> list[str]:
        entries = list(self._reader.get_entries())
        self.wrong += _twice(entry.id for entry in entries)
        return sorted(entry.title or "" for entry in entries)


class Newsboat:
    """The real newsboat, run once for each poll, which compares dates through curl."""

    def __init__(self, base: str, folder: Path) -> None:
        self.wrong: list[str] = []
        self._cache = folder / "cache.db"
        (folder / "urls").write_text(f"{base}{FEED}.atom\n")
        (folder / "config").write_text("")
        names = {"-u": "urls", "-c": "cache.db", "-C": "config"}
        paths = [str(part) for name, file in names.items() for part in (name, folder / file)]
        self._command = ["newsboat", *paths, "-x"]

    def poll(self) -> None:
        subprocess.run([*self._command, "reload"], capture_output=True, check=True, timeout=60)

    def titles(self) -> list[str]:
        with sqlite3.connect(self._cache) as connection:
            rows = connection.execute("SELECT guid, title FROM rss_item WHERE deleted = 0")
            found = rows.fetchall()
        connection.close()
        self.wrong += _twice(guid for guid, _ in found)
        return sorted(title for _, title in found)


def _twice(ids: Iterable[str]) -> list[str]:
    return [f"{id} came {count} times" for id, count in Counter(ids).items() if count > 1]


class Editor:
    """Saves changes that every subscriber must come to see; nothing is ever taken away."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.edits = 0
        self._folder, self._chance = folder, chance
        self._titles: dict[int, str] = {}
        for number in range(FILES):
            self._save(number)

    def edit(self) -> None:
        """Save one file, or several in one breath."""
        for _ in range(self._chance.choice((1, 1, 3))):
            self._save(self._chance.randrange(FILES))

    def _save(self, number: int) -> None:
        self.edits += 1
        self._titles[number] = f"{number} in edit {self.edits}"
        # As many editors save: another file takes the name.
        path = self._folder / f".{number}.new"
        # Without it, reader takes no more than 24 changes of an entry.
        updated = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(seconds=self.edits)
        text = article(self._titles[number], more=f"updatedDateTime: {updated.isoformat()}\n")
        path.write_text(text, encoding="utf-8")
        path.replace(self._folder / f"{number}.md")

    def titles(self) -> list[str]:
        return sorted(self._titles.values())


class Soak:
    """A site, its editor and its subscribers, one of which polls at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.polls: Counter[str] = Counter()
        self.lost: list[str] = []
        self._chance = random.Random(seed)
        (folder / "articles").mkdir()
        self.editor = Editor(folder / "articles", self._chance)
        self.server = Process(folder / "articles", "--workers", "2")
        base = self.server.base
        self._client = client = httpx.Client(timeout=30)
        self._reader = Reader(base)
        self._subscribers: dict[str, tuple[Subscriber, float]] = {
            "tag and date": (Plain(client, base, "ETag", "Last-Modified"), 10),
            "tag alone": (Plain(client, base, "ETag"), 10),
            "date alone": (Plain(client, base, "Last-Modified"), 10),
            "no validator": (Plain(client, base), 10),
            "feedparser": (Feedparser(client, base), 3),
            "reader": (self._reader, 1),
        }
        if shutil.which("newsboat"):
            self._subscribers["newsboat"] = (Newsboat(base, folder), 0.3)

    def run(self, seconds: float, polls: int) -> None:
        """Edit and poll for so long, and so often, at an even pace."""
        begun = time.monotonic()
        self._sizes = [self.server.memory()]
        names = list(self._subscribers)
        weights = [weight for _, weight in self._subscribers.values()]
        checked = begun
        for number in range(polls):
            if self._chance.random() < min(0.1, seconds / polls):
                self.editor.edit()
            self._poll(self._chance.choices(names, weights)[0])
            now = time.monotonic()
            if now - checked > max(seconds / 30, 3):
                self.check()
                checked = time.monotonic()
            time.sleep(max(0, begun + seconds * number / polls - now))
        self.check()

    def close(self) -> None:
        """Stop the server and its clients."""
        self._client.close()
        self._reader.close()
        self.server.stop()

    def _poll(self, name: str) -> None:
        self._subscribers[name][0].poll()
        self.polls[name] += 1

    def check(self) -> None:
        """Once the last edit is served, one more poll must show everybody all there is."""
        wanted = self.editor.titles()
        self.server.wait_until(lambda: self._served() == wanted)
        time.sleep(0.5)  # the other worker looks ten times a second
        for name, (subscriber, _) in self._subscribers.items():
            self._poll(name)
            missed = Counter(wanted) - Counter(subscriber.titles())
            self.lost += [f"{name} never saw {title}" for title in missed]
        self._sizes.append(self.server.memory())

    def _served(self) -> list[str]:
        items = self.server.get(f"{FEED}.json").json()["items"]
        return sorted(item["title"] for item in items)

    @property
    def growth(self) -> int:
        """Bytes that the server grew by after its first fifth."""
        return self._sizes[-1] - self._sizes[len(self._sizes) // 5]

    def wrong(self) -> list[str]:
        """What no subscriber should ever see."""
        found = [
            f"{name}: {wrong}"
            for name, (subscriber, _) in self._subscribers.items()
            for wrong in subscriber.wrong
        ]
        grown = [f"the server grew by {self.growth} bytes"] if self.growth > GROWTH else []
        return found + self.lost + grown


def run(seconds: float, polls: int, seed: int) -> list[str]:
    """What went wrong in so many seconds and polls."""
    with tempfile.TemporaryDirectory() as scratch:
        soak = Soak(Path(scratch), seed)
        try:
            soak.run(seconds, polls)
        finally:
            soak.close()
    counts = ", ".join(f"{count} {name}" for name, count in soak.polls.items())
    print(f"{soak.editor.edits} edits, {soak.polls.total()} polls ({counts})")
    print(f"{len(soak.lost)} lost, server grew by {soak.growth >> 10} KB")
    return soak.wrong()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--polls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.exit("\n".join(run(60 * options.minutes, options.polls, options.seed)) or None)
