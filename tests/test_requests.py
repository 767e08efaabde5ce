"""Requests that nobody sensible sends: none of them may break anything or lead elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from feeds import create_app
from feeds.config import Config, Name
from feeds.formats import FORMATS
from feeds.web.parameters import PARAMETERS, TRACKING
from tests.support import Collection, article

OURS = "http://localhost"
EVIL = "evil.example"
#: The parameters of addresses that are no feeds.
OTHERS = ("find", "format", "theme", "images", "url", "maxwidth", "maxheight")
#: Bytes of the longest error; a selection of 50 names is named in a redirect alone.
SHORT = 2_000


class Sent(NamedTuple):
    """A request as it comes from the network."""

    method: str
    #: Percent-encoded, as is the query.
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The application over a few articles."""
    folder = tmp_path_factory.mktemp("asked")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    topics = {"ai": Name(former=("machine-learning",)), "law": Name(withdrawn=True)}
    config = Config(articles=folder, database=database, topics=topics)
    collection = Collection(folder, config)
    for number in range(3):
        collection.write(f"{number}.md", article(topics=("AI", "Law", f"Topic {number}")))
    app = create_app(config)

    def send(sent: Sent) -> Answered:
        environ = EnvironBuilder(method=sent.method, base_url=OURS).get_environ()
        path = unquote_to_bytes(sent.path).decode("latin-1")
        environ |= {"PATH_INFO": path, "QUERY_STRING": sent.query, "RAW_URI": sent.path}
        environ |= {f"HTTP_{n.upper().replace('-', '_')}": value for n, value in sent.headers}
        body, status, headers = run_wsgi_app(app, environ, buffered=True)
        return Answered(int(status.split()[0]), dict(headers), b"".join(body))

    yield send
    collection.index.close()


RULES = sorted({rule.rule for rule in create_app(Config()).url_map.iter_rules()})
