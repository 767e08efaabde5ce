"""What addresses are counted as."""

from __future__ import annotations

import pytest

from feeds.web.kinds import KINDS, route_of


@pytest.mark.parametrize(
    ("address", "route"),
    [
        ("/feed.atom", "site atom"),
        ("/feed.rss", "site rss"),
        ("/feed.json", "site json"),
        ("/topics/ai/feed.atom", "topic atom"),
        ("/providers/rnz.co.nz/feed.rss", "provider rss"),
        ("/feed.atom?type=video", "choice atom"),
        ("/topics/ai/feed.json?limit=3", "choice json"),
        ("/weekly/feed.atom", "digest atom"),
        ("/topics/ai/daily/feed.rss?limit=3", "digest rss"),
        ("/topics/weekly/feed.atom", "topic atom"),
        ("/archive/2020-05.atom", "archive atom"),
        ("/topics/ai/weekly/archive/2019.json", "archive json"),
        ("/topics/ai/archive/2020-05.rss", "archive rss"),
        ("/topics/ai/archive/2020-05/20200501T000000Z-00.json?type=video", "archive json"),
        ("/topics/archive/feed.atom", "topic atom"),
        ("/", "page html"),
        ("/build/", "page html"),
        ("/topics/embed/", "page html"),
        ("/topics/", "page html"),
        ("/topics/ai/?limit=3", "page html"),
        ("/topics/ai/archive/2020-05/", "page html"),
        ("/weekly/", "page html"),
        ("/topics/ai/weekly/2020-W21/", "page html"),
        ("/embed/", "embed html"),
        ("/topics/ai/embed/?theme=dark", "embed html"),
        ("/topics/ai/embed", "embed html"),
        ("/embed.js", "embed js"),
        ("/oembed?url=x", "oembed json"),
        ("/feeds.opml?format=rss", "opml opml"),
        ("/healthz", "other "),
        ("/metrics", "other "),
        ("/static/style.css", "other "),
        ("/static/x.atom", "other "),
        ("/wp-login.php", "other "),
        ("/topics/ai", "other "),
        ("/topics/ai/feed.secret", "other "),
        ("/feed.atom/", "other "),
        ("", "page html"),
        ("*", "other "),
    ],
)
def test_address_is_of(address: str, route: str) -> None:
    path, _, query = address.partition("?")
    found = route_of({"PATH_INFO": path, "QUERY_STRING": query})
    assert found == tuple(route.split(" "))
    assert found.kind in KINDS


def test_request_without_path_and_query_is_of_the_top() -> None:
    """A server may leave out what is empty (PEP 3333)."""
    assert route_of({}) == ("page", "html")
