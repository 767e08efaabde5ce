"""Real parts for the tests: folders of files, SQLite indexes, servers over HTTP."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from werkzeug.serving import make_server

from feeds import create_app
from feeds.articles import Article, parse_article
from feeds.config import Config
from feeds.formats import FORMATS
from feeds.history import AnyArchive
from feeds.index import Index
from feeds.index.sync import Report, advance, sync
from feeds.publish import Document, publish
from feeds.selection import EVERYTHING, Selection

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
BASE = "https://news.example"
#: The time of most tests: after every seed, before every article of the future.
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def article(
    title: str = "A title",
    *,
    published: object = "true",
    quality: object = 80,
    time: str = "2020-05-18T02:41:00Z",
    url: str = "https://example.org/story",
    topics: tuple[str, ...] = ("AI",),
    provider: str = "Example",
    domain: str = "example.org",
    more: str = "",
    body: str = "",
) -> str:
    """The text of an article file; `more` is added to its front matter as it stands."""
    named = "".join(f'  - "{topic}"\n' for topic in topics)
    return (
        f'---\ntitle: "{title}"\nexcerpt: "About {title}."\npublishedDateTime: {time}\n'
        f'webUrl: "{url}"\ntype: article\nquality: {quality}\npublished: {published}\n'
        f'provider:\n  name: "{provider}"\n  domain: {domain}\ntopics:\n{named}{more}---\n{body}'
    )


def read_article(path: Path) -> Article:
    """The article of a file without faults."""
    found = parse_article(path.read_bytes(), str(path))
    assert found.article, found.faults
    return found.article


class Collection:
    """A folder of article files and its index."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder = folder
        self.config = config
        self.index = Index(config.database, config)

    def write(self, name: str, text: str) -> Path:
        """Save a file with a time of change long past, so that only its bytes tell."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self._edits = getattr(self, "_edits", 0) + 1
        os.utime(path, (1_600_000_000 + self._edits,) * 2)
        return path

    def sync(self, now: datetime = NOW) -> Report:
        """Bring the index up to the files."""
        return sync(self.index, self.folder, now)

    def advance(self, now: datetime) -> int:
        """Let the index change with the time."""
        return advance(self.index, now)


def before_open(patch: pytest.MonkeyPatch, name: str, happen: Callable[[], object]) -> None:
    """Have something happen each time that a file or folder of a name is about to be opened."""
    opened = os.open

    def wrapped(
        path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        if os.path.basename(path) == name:
            happen()
        return opened(path, flags, mode, dir_fd=dir_fd)

    patch.setattr(os, "open", wrapped)


def refuse() -> None:
    """Refuse as the system does; it refuses nothing to root."""
    raise PermissionError(errno.EACCES, "Permission denied")


def publish_feed(
    collection: Collection,
    selection: Selection = EVERYTHING,
    suffix: str = "atom",
    *,
    base: str = BASE,
    archive: AnyArchive | None = None,
) -> Document:
    """A feed that is there, or an archive of it, in a format."""
    published = publish(collection.index, selection, FORMATS[suffix], base, archive)
    assert published
    return published


class Raw(NamedTuple):
    """A response as it came over the wire, no content coding undone."""

    status: int
    headers: HTTPMessage
    body: bytes


class Site:
    """A collection served over real HTTP on a port of this machine."""

    def __init__(self, collection: Collection, now: datetime | None = None) -> None:
        self.collection = collection
        collection.sync(now or datetime.now(UTC))
        app = create_app(collection.config)
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        # Looks often whether it should stop: half a second by default.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.port}"
        # It sends no header that a test does not name, and follows no redirect. To load the
        # certificates of the machine would take 40 ms.
        self.client = httpx.Client(
            base_url=self.base, headers={"Accept-Encoding": ""}, verify=False
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET with headers named with underscores: `if_none_match="..."`."""
        return self.request("GET", path, **headers)

    def request(self, method: str, path: str, **headers: str) -> httpx.Response:
        """A request with headers named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, path, headers=named)

    def raw(self, target: str, host: str = "localhost", **headers: str) -> Raw:
        """GET a target as it stands, with nothing normalised, from any host."""
        connection = HTTPConnection("127.0.0.1", self._server.port, timeout=10)
        try:
            connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": host, **headers}.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            response = connection.getresponse()
            return Raw(response.status, response.headers, response.read())
        finally:
            connection.close()

    def sync(self) -> Report:
        """Bring the index up to the files, now."""
        return self.collection.sync(datetime.now(UTC))

    def close(self) -> None:
        """Stop serving."""
        self.client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
