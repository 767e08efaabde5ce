"""The rate limit over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.support import Collection, Site, article

FEED = "/topics/ai/feed.atom"


@pytest.fixture
def limited(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> Site:
    """A site that lets each client transfer three documents a minute."""
    collection = make_collection(rate_limit=3)
    collection.write("one.md", article())
    return serve(collection)


def test_client_past_the_limit_is_told_when_to_come_back(limited: Site) -> None:
    # A window may end between two requests: then the limit comes a few later.
    statuses = [limited.get(FEED).status_code for _ in range(7)]
    assert statuses[:3] == [200, 200, 200]
    assert 429 in statuses[3:]
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
    while limited.get(FEED).status_code == 200:
        pass
    assert limited.get(FEED, **headers).status_code == 304
    since = first.headers["Last-Modified"]
    assert limited.get(FEED, if_modified_since=since).status_code == 304


def test_made_up_validators_do_not_lift_the_limit(limited: Site) -> None:
    statuses = [limited.get(FEED, if_none_match='"made-up"').status_code for _ in range(7)]
    assert 429 in statuses


def test_preflight_is_not_counted(limited: Site) -> None:
    for _ in range(10):
        assert limited.request("OPTIONS", FEED).status_code == 204
    assert limited.get(FEED).status_code == 200


def test_errors_count_as_transfers(limited: Site) -> None:
    statuses = [limited.get("/topics/none/").status_code for _ in range(7)]
    assert statuses[:3] == [404, 404, 404]
    assert 429 in statuses[3:]


def test_without_the_setting_nothing_is_limited(site: Site) -> None:
    assert {site.get(FEED).status_code for _ in range(50)} == {200}
