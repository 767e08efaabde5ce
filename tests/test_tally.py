"""What addresses are counted as."""

from __future__ import annotations

import pytest

from feeds.web.tally import KINDS, Labels, Tally, route_of


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
        ("/archive/2020-05.atom", "archive atom"),
        ("/topics/ai/archive/2020-05.rss", "archive rss"),
        ("/topics/ai/archive/2020-05/20200501T000000Z-00.json?type=video", "archive json"),
        ("/topics/archive/feed.atom", "topic atom"),
        ("/", "page html"),
        ("/build", "page html"),
        ("/topics/", "page html"),
        ("/topics/ai/?limit=3", "page html"),
        ("/topics/ai/archive/2020-05/", "page html"),
        ("/embed", "embed html"),
        ("/topics/ai/embed?theme=dark", "embed html"),
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
    assert route_of(path, query) == tuple(route.split(" "))
    assert route_of(path, query).kind in KINDS


def test_like_requests_share_a_count() -> None:
    tally = Tally()
    for topic in ("ai", "law"):
        environ = {"PATH_INFO": f"/topics/{topic}/feed.atom", "QUERY_STRING": ""}
        tally.count(environ, "304 NOT MODIFIED", True)[0] += 1
    assert tally.counts == {(Labels("topic", "atom", "304"), True): [2]}
