"""The subscription list: what it says, and what readers that import it find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import listparser
import pytest
from click.testing import CliRunner
from lxml import etree

from feeds.cli import main
from feeds.config import FeedSettings
from feeds.formats import FORMATS
from feeds.publish import publish_list
from tests.hostile import TEXTS, in_quotes
from tests.support import BASE, NOW, Collection, Site, article

ATTRIBUTES = ["text", "title", "type", "xmlUrl", "htmlUrl"]


def outlines(body: bytes) -> dict[str, list[dict[str, str]]]:
    """The attributes of each group's subscriptions, of those outside any first.

    Fails on all that OPML 2.0 or the W3C validator takes for a fault.
    """
    root = etree.fromstring(body)
    assert (root.tag, [*root.attrib], root.get("version")) == ("opml", ["version"], "2.0")
    head, content = root
    assert [child.tag for child in (head, content)] == ["head", "body"]
    assert [child.tag for child in head] == ["title"]
    groups: dict[str, list[dict[str, str]]] = {}
    for child in content:
        is_group = "xmlUrl" not in child.attrib
        # The validator asks a type of whatever has a title.
        assert not is_group or [*child.attrib] == ["text"]
        name, members = (child.get("text", ""), [*child]) if is_group else ("", [child])
        for outline in members:
            assert (outline.tag, len(outline)) == ("outline", 0)
            assert [*outline.attrib] == ATTRIBUTES
            assert outline.get("type") == "rss" and outline.get("text") == outline.get("title")
        found = [{name: outline.get(name, "") for name in ATTRIBUTES} for outline in members]
        groups.setdefault(name, []).extend(found)
    return groups


@pytest.mark.parametrize(
    ("address", "suffix"),
    [
        ("/feeds.opml", "atom"),
        ("/feeds.opml?format=rss", "rss"),
        ("/feeds.opml?format=json", "json"),
    ],
)
def test_list_has_the_site_first_and_every_topic_and_provider_by_group(
    collection: Collection, serve: Callable[[Collection], Site], address: str, suffix: str
) -> None:
    collection.write("one.md", article(topics=("AI", "C++", "人工知能")))
    site = serve(collection)
    response = site.get(address)
    assert response.headers["Content-Type"] == "text/x-opml; charset=utf-8"
    found = outlines(response.content)
    names = {group: [item["text"] for item in items] for group, items in found.items()}
    expected = {"": ["News"], "Topics": ["AI", "C++", "人工知能"], "Providers": ["Example"]}
    assert [*names.items()] == [*expected.items()]
    for item in (item for items in found.values() for item in items):
        assert item["xmlUrl"] == f"{item['htmlUrl']}feed.{suffix}"
        assert item["htmlUrl"].isascii()
        assert {site.get(item[name]).status_code for name in ("xmlUrl", "htmlUrl")} == {200}


def test_reader_that_imports_the_list_finds_every_feed(standing: Site) -> None:
    parsed = listparser.parse(standing.get("/feeds.opml").content)
    assert (parsed.bozo, parsed.version, parsed.meta.title) == (False, "opml2", "News")
    assert [(feed.url, feed.title, feed.categories) for feed in parsed.feeds] == [
        (f"{standing.base}/feed.atom", "News", []),
        (f"{standing.base}/topics/ai/feed.atom", "AI", [["Topics"]]),
        (f"{standing.base}/providers/example.org/feed.atom", "Example", [["Providers"]]),
    ]


def test_list_of_a_site_without_articles_is_the_site_alone(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    body = serve(make_collection(title="Our news")).get("/feeds.opml").content
    assert [item["text"] for items in outlines(body).values() for item in items] == ["Our news"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names_come_back_as_they_went_in(
    collection: Collection, serve: Callable[[Collection], Site], text: str
) -> None:
    collection.write("one.md", article(provider=in_quotes(text), topics=("AI",)))
    body = serve(collection).get("/feeds.opml").content
    assert [item["title"] for item in outlines(body)["Providers"]] == [text]
    assert listparser.parse(body).feeds[-1].title == text


def test_list_leaves_out_what_is_not_public_and_calls_the_rest_as_the_settings_do(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    names = {"ai": FeedSettings(title="Machines"), "law": FeedSettings(withdrawn=True)}
    collection = make_collection(topics=names)
    collection.write("one.md", article(topics=("AI", "Law")))
    collection.write("two.md", article(topics=("Hidden",), domain="h.example", quality=1))
    found = outlines(serve(collection).get("/feeds.opml").content)
    assert [item["text"] for items in found.values() for item in items] == [
        *("News", "Machines", "Example")
    ]


@pytest.mark.parametrize(
    ("query", "status"), [("format=atom", 301), ("format=", 301), ("utm_source=x&format=rss", 301)]
)
def test_list_has_one_address(standing: Site, query: str, status: int) -> None:
    response = standing.get(f"/feeds.opml?{query}")
    assert response.status_code == status
    assert standing.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("format=pdf", "400 Bad Request: unknown format, known are: atom, rss, json\n"),
        ("topic=ai", "400 Bad Request: unknown parameter topic, known here: format\n"),
    ],
)
def test_unknown_parameter_of_the_list_is_refused(standing: Site, query: str, text: str) -> None:
    response = standing.get(f"/feeds.opml?{query}")
    assert (response.status_code, response.text) == (400, text)


def test_list_changes_its_tag_with_its_bytes_and_only_then(site: Site) -> None:
    first = site.get("/feeds.opml")
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    site.collection.write("two.md", article("Two"))
    site.sync()
    same = site.get("/feeds.opml", if_none_match=first.headers["ETag"])
    assert (same.status_code, same.content) == (304, b"")
    site.collection.write("three.md", article("Three", topics=("Law",)))
    site.sync()
    other = site.get("/feeds.opml", if_none_match=first.headers["ETag"])
    assert other.status_code == 200
    date = first.headers["Last-Modified"]
    assert site.get("/feeds.opml", if_modified_since=date).status_code == 200


def test_list_changes_when_an_article_makes_a_topic_public(collection: Collection) -> None:
    due = NOW + timedelta(days=1)
    collection.write("one.md", article())
    collection.write("due.md", article("Due", time=due.isoformat(), topics=("Soon",)))
    collection.sync()
    before = publish_list(collection.index, FORMATS["atom"], BASE)
    collection.advance(due)
    after = publish_list(collection.index, FORMATS["atom"], BASE)
    assert (b"Soon" in before.body, b"Soon" in after.body) == (False, True)
    assert (before.last_modified, after.last_modified) == (NOW, due)


def test_command_prints_what_is_served(
    make_collection: Callable[..., Collection],
    serve: Callable[[Collection], Site],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collection = make_collection(base_url="https://news.example")
    collection.write("one.md", article())
    served = serve(collection).get("/feeds.opml").content
    monkeypatch.setenv("FEEDS_DATABASE", collection.config.database)
    command = ["list", str(collection.folder), "--opml"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert "a subscription list needs whole addresses, set 'base_url'" in refused.output
    monkeypatch.setenv("FEEDS_BASE_URL", "https://news.example")
    assert CliRunner().invoke(main, command).stdout_bytes == served
