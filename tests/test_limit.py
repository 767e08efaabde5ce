"""The rate limit over real HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import Engine, event
from werkzeug.test import Client

from feeds.config import Config
from feeds.selection import Selection
from feeds.web import create_app
from feeds.web.limit import DEFAULT_LIMIT, Limit
from tests.support import BASE, Collection, Site, article, publish_feed

FEED = "/topics/ai/feed.atom"


@pytest.fixture
def limited(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> Site:
    """A site that lets each client transfer three documents a minute."""
    collection = make_collection(rate_limit=3)
    collection.write("one.md", article())
    return serve(collection)


def test_client_past_the_limit_gets_retry_after(limited: Site) -> None:
    statuses = [limited.get(FEED).status_code for _ in range(7)]
    assert statuses == [200] * 3 + [429] * 4
    refused = limited.get(FEED)
    assert re.fullmatch(r"[1-9]|[1-5]\d|60", refused.headers["Retry-After"])
    assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert refused.text == "429 Too Many Requests: at most 3 a minute, wait\n"
    assert "ETag" not in refused.headers


def test_client_that_asks_with_validators_is_never_refused(limited: Site) -> None:
    first = limited.get(FEED)
    headers = {"if_none_match": first.headers["ETag"]}
    for _ in range(10):
        assert limited.get(FEED, **headers).status_code == 304
    # As a client sends it that has several versions, which the application reads.
    several = {"if_none_match": f'"older", {first.headers["ETag"]}'}
    for _ in range(10):
        assert limited.get(FEED, **several).status_code == 304
    assert limited.get(FEED).status_code == 200
    while limited.get(FEED).status_code == 200:
        pass
    assert limited.get(FEED, **headers).status_code == 304
    assert limited.get(FEED, **several).status_code == 304
    since = first.headers["Last-Modified"]
    assert limited.get(FEED, if_modified_since=since).status_code == 304
    limited.collection.write("one.md", article("Edited"))
    limited.sync()
    assert limited.get(FEED).status_code == 429
    assert limited.get(FEED, **headers).status_code == 200
    assert limited.get(FEED, if_modified_since=since).status_code == 200


def test_not_modified_is_not_counted_though_its_document_is_made(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    """The feeds of a reader are often not in memory, for the site changed elsewhere."""
    collection = make_collection(rate_limit=2, base_url=BASE)
    names = [f"topic-{number}" for number in range(5)]
    collection.write("one.md", article(topics=tuple(names)))
    site = serve(collection)
    topics = [Selection(kind="topic", key=name, slug=name) for name in names]
    for _ in range(2):
        for topic in topics:
            tag = f'W/"{publish_feed(collection, topic).etag}"'
            address = f"/topics/{topic.slug}/feed.atom"
            assert site.get(address, if_none_match=tag).status_code == 304
        collection.write("two.md", article(topics=("Elsewhere",)))
        site.sync()
    others = [site.get(f"/topics/{name}/feed.atom", if_none_match='"x"') for name in names]
    assert [response.status_code for response in others] == [200, 200, 429, 429, 429]


def test_made_up_validators_do_not_lift_the_limit(limited: Site) -> None:
    statuses = [limited.get(FEED, if_none_match='"made-up"').status_code for _ in range(7)]
    assert statuses == [200] * 3 + [429] * 4
    # What stands ready costs nothing, and tells the true ones.
    tag = limited.get(FEED).headers["ETag"]
    assert limited.get(FEED, if_none_match=tag).status_code == 304


def test_preflight_is_not_counted(limited: Site) -> None:
    for _ in range(10):
        assert limited.request("OPTIONS", FEED).status_code == 204
    assert limited.get(FEED).status_code == 200


def test_errors_count_as_transfers(limited: Site) -> None:
    statuses = [limited.get("/topics/none/").status_code for _ in range(7)]
    assert statuses == [404] * 3 + [429] * 4


@pytest.mark.parametrize("validator", [{}, {"If-None-Match": '"made-up"'}], ids=["none", "made up"])
def test_client_past_the_limit_is_refused_before_anything_is_made(
    make_collection: Callable[..., Collection], validator: dict[str, str]
) -> None:
    collection = make_collection(rate_limit=3, base_url=BASE)
    collection.write("one.md", article())
    collection.sync(datetime.now(UTC))
    client = Client(create_app(collection.config))
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        # Whether the index has changed is asked at all times.
        if not arguments[2].startswith(("BEGIN", "PRAGMA")) and "FROM meta" not in arguments[2]:
            statements.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for path in ("/", "/topics/ai/", *4 * ("/?find=a",), "/topics/ai/feed.atom"):
            client.get(path, headers=validator)
        for path in ("/?find=b", "/build/?topic=ai", "/topics/none/", "/feed.rss?limit=7", "/x"):
            statements.clear()
            assert client.get(path, headers=validator).status_code == 429
            assert statements == []
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_reader_with_validators_is_not_held_up_by_a_greedy_neighbour(limited: Site) -> None:
    tag = limited.get(FEED).headers["ETag"]
    assert [limited.get(f"/?find={n}").status_code for n in range(4)] == [200, 200, 429, 429]
    assert limited.get("/feed.rss", if_none_match='"old"').status_code == 200
    for number in range(9):
        # None of these is an answer that stands ready.
        assert limited.get(FEED, if_none_match=f'"{number}", {tag}').status_code == 304


@pytest.fixture
def ask(make_collection: Callable[..., Collection]) -> Callable[..., list[int]]:
    """Asks often from an address, of a site with the settings given at first."""
    clients: list[Client] = []

    def statuses(count: int, address: str, forwarded: str = "", **settings: Any) -> list[int]:
        if not clients:
            collection = make_collection(**settings)
            collection.write("one.md", article())
            clients.append(Client(create_app(collection.config)))
        environ = {"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": forwarded}
        return [clients[0].get(FEED, environ_overrides=environ).status_code for _ in range(count)]

    return statuses


def test_without_the_setting_other_machines_have_the_usual_limit(
    ask: Callable[..., list[int]],
) -> None:
    assert (
        ask(DEFAULT_LIMIT + 2, "203.0.113.5", forwarded="127.0.0.1")
        == [200] * DEFAULT_LIMIT + [429] * 2
    )
    assert ask(1, "203.0.113.6") == [200]
    for local in ("127.0.0.1", "::1", ""):
        assert set(ask(DEFAULT_LIMIT + 2, local)) == {200}


def test_without_the_setting_nothing_is_limited_behind_proxies(
    ask: Callable[..., list[int]],
) -> None:
    proxies = (ip_network("10.0.0.0/8"),)
    assert set(ask(DEFAULT_LIMIT + 2, "10.1.1.1", forwarded="203.0.113.5", proxies=proxies)) == {
        200
    }


def test_limit_is_on_the_client_behind_the_proxy(ask: Callable[..., list[int]]) -> None:
    settings = {"proxies": (ip_network("10.0.0.0/8"),), "rate_limit": 2}
    assert ask(3, "10.1.1.1", forwarded="6.6.6.6, 203.0.113.5", **settings) == [200, 200, 429]
    assert ask(1, "10.2.2.2", forwarded="7.7.7.7, 203.0.113.5") == [429]
    assert ask(1, "10.1.1.1", forwarded="203.0.113.6") == [200]


def test_header_of_a_stranger_lifts_no_limit(ask: Callable[..., list[int]]) -> None:
    assert ask(2, "203.0.113.5", forwarded="1.1.1.1", rate_limit=2) == [200, 200]
    assert ask(1, "203.0.113.5", forwarded="2.2.2.2") == [429]


def test_neighbours_of_ipv6_share_a_limit(ask: Callable[..., list[int]]) -> None:
    assert ask(2, "2001:db8::1", rate_limit=2) == [200, 200]
    assert ask(1, "2001:db8::ffff") == [429]
    assert ask(1, "2001:db8:0:1::1") == [200]


def test_counts_begin_anew_each_minute(
    ask: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(3, "203.0.113.5", rate_limit=2) == [200, 200, 429]
    later = time.monotonic() + 61
    monkeypatch.setattr("feeds.web.limit.time.monotonic", lambda: later)
    assert ask(3, "203.0.113.5") == [200, 200, 429]


@pytest.mark.parametrize(("passed", "wait"), [(0.0, 60), (30.2, 30), (59.9, 1), (60.0, 1)])
def test_client_that_waits_for_retry_after_is_answered(
    monkeypatch: pytest.MonkeyPatch, passed: float, wait: int
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("feeds.web.limit.time.monotonic", lambda: clock[0])
    limit, environ = Limit(Config(rate_limit=1)), {"REMOTE_ADDR": "203.0.113.5"}
    assert limit.allows(environ)
    clock[0] += passed
    assert limit.refusal().headers["Retry-After"] == str(wait)
    clock[0] += wait
    assert limit.allows(environ)


def test_counts_begin_anew_where_clients_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the memory that they take is bounded."""
    monkeypatch.setattr("feeds.web.limit.MAX_CLIENTS", 100)
    limit = Limit(Config(rate_limit=1))
    first = {"REMOTE_ADDR": "10.1.0.0"}
    assert [limit.allows(first) for _ in range(2)] == [True, False]
    for number in range(101):
        assert limit.allows({"REMOTE_ADDR": f"10.0.0.{number}"})
    assert limit.allows(first)
