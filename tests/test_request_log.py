"""What the log says of requests, and the ids of errors."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from feedgen.feed import FeedGenerator
from werkzeug.test import Client, EnvironBuilder

from feeds.web import create_app
from feeds.web.request_log import RequestLog
from tests.support import Collection, Site, article

FEED = "/topics/ai/feed.atom"
PROXY = {"REMOTE_ADDR": "10.1.1.1"}
NEW = r"[0-9a-f]{32}"


@pytest.fixture
def make_client(
    make_collection: Callable[..., Collection],
) -> Callable[..., tuple[Client, Collection]]:
    """Makes a client of a site with one article and the given settings."""

    def make(**settings: Any) -> tuple[Client, Collection]:
        collection = make_collection(proxies=(ip_network("10.0.0.0/8"),), **settings)
        collection.write("one.md", article())
        collection.sync(datetime.now(UTC))
        return Client(create_app(collection.config)), collection

    return make


def test_errors_have_an_id_and_answers_that_are_shared_have_none(site: Site) -> None:
    found = [
        site.get(path).headers["X-Request-Id"] for path in ("/nowhere", "/?limit=x", "/nowhere")
    ]
    assert len(set(found)) == 3
    assert all(re.fullmatch(NEW, name) for name in found)
    assert "X-Request-Id" in site.request("POST", FEED).headers
    for path in (FEED, FEED, "/", "/topics/AI/feed.atom", "/healthz"):
        assert "X-Request-Id" not in site.get(path).headers


@pytest.mark.parametrize(
    ("given", "peer", "kept"),
    [
        ("Root=1-67891233.abc_def", "10.1.1.1", False),
        ("1-67891233.abc_def", "10.1.1.1", True),
        ("1-67891233.abc_def", "203.0.113.5", False),
        ("x" * 64, "10.1.1.1", True),
        ("x" * 65, "10.1.1.1", False),
        ("", "10.1.1.1", False),
        ("a b", "10.1.1.1", False),
        ("a\tb", "10.1.1.1", False),
    ],
)
def test_id_of_a_proxy_is_kept_if_it_is_sane(
    make_client: Callable[..., tuple[Client, Collection]], given: str, peer: str, kept: bool
) -> None:
    client, _ = make_client()
    environ = {"REMOTE_ADDR": peer}
    response = client.get("/x", headers={"X-Request-Id": given}, environ_overrides=environ)
    name = response.headers["X-Request-Id"]
    assert name == given if kept else re.fullmatch(NEW, name)


def test_failure_is_logged_with_the_id_that_the_client_gets(
    make_client: Callable[..., tuple[Client, Collection]],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, _ = make_client()
    # Of what may go wrong nothing is known that does: a library is made to fail.
    monkeypatch.setattr(FeedGenerator, "atom_str", lambda _: 1 / 0)
    headers = {"X-Request-Id": "abc-1"}
    response = client.get(FEED + "?limit=3", headers=headers, environ_overrides=PROXY)
    assert response.status_code == 500
    assert response.headers["X-Request-Id"] == "abc-1"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.text == ("500 Internal Server Error: the fault is not yours, request abc-1\n")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"failed at GET {FEED}, request abc-1"
    assert record.exc_text and record.exc_text.startswith("Traceback")
    assert record.__dict__["fields"] == {"request": "abc-1", "method": "GET", "path": FEED}


def test_path_breaks_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    environ = EnvironBuilder("/topics/%0Aü%1b/feed.atom", query_string="secret=1").get_environ()
    try:
        raise KeyError("x")
    except KeyError:
        RequestLog(()).fail(environ, sys.exc_info())
    (record,) = caplog.records
    expected = r"failed at GET /topics/%0A%C3%BC%1B/feed.atom, request [0-9a-f]{32}"
    assert re.fullmatch(expected, record.getMessage())


def test_requests_are_logged_where_the_settings_say_so(
    make_client: Callable[..., tuple[Client, Collection]], caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = make_client(access_log=True)
    caplog.set_level(logging.INFO, "feeds")
    first = client.get(FEED, headers={"X-Request-Id": "abc"}, environ_overrides=PROXY)
    client.get(FEED)
    client.get(FEED, headers={"If-None-Match": first.headers["ETag"]})
    client.head(FEED)
    missed = client.get("/nowhere?secret=1")
    logged = [record.__dict__["fields"] for record in caplog.records]
    size = len(first.data)
    assert [(s["method"], s["status"], s["bytes"]) for s in logged] == [
        ("GET", 200, size),
        ("GET", 200, size),
        ("GET", 304, 0),
        ("HEAD", 200, 0),
        ("GET", 404, len(missed.data)),
    ]
    assert [s["kind"] for s in logged] == ["topic"] * 4 + ["other"]
    assert logged[0]["request"] == "abc"
    assert logged[4]["request"] == missed.headers["X-Request-Id"]
    assert all(0 <= s["ms"] < 10_000 for s in logged)
    line = caplog.records[0].getMessage()
    assert line.startswith(f"method=GET kind=topic format=atom status=200 bytes={size} ms=")
    assert "secret" not in caplog.text


def test_requests_are_not_logged_by_default(
    make_client: Callable[..., tuple[Client, Collection]], caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = make_client()
    caplog.set_level(logging.INFO, "feeds")
    client.get(FEED), client.get("/nowhere")
    assert caplog.records == []
