"""JSON Feed on the wire: what the bytes say to a JSON parser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feeds.config import FeedSettings
from feeds.selection import EVERYTHING, Selection
from tests.hostile import CONTROLS, PICTURE, TEXTS, in_quotes, with_picture
from tests.html_rules import Html
from tests.json_rules import faults, publish_json, read_json
from tests.support import BASE, Collection, article, read_article

GOLDEN = Path(__file__).parent / "golden" / "seeds.json"
AI = Selection(kind="topic", key="ai", slug="ai")
#: Stands for a member that is not there.
GONE = object()


def item_of(collection: Collection, text: str) -> dict[str, Any]:
    """The one item of a valid feed."""
    collection.write("one.md", text)
    assert collection.sync().faults == ()
    (item,) = read_json(publish_json(collection))["items"]
    assert isinstance(item, dict)
    return item


def edit(value: Any, path: str, new: object) -> None:
    """Replace what stands at a path such as `items.0.id`, or take it away."""
    *parents, last = path.split(".")
    for name in parents:
        value = value[int(name) if name.isdigit() else name]
    key: Any = int(last) if last.isdigit() else last
    if new is GONE:
        del value[key]
    else:
        value[key] = new


@pytest.mark.parametrize(
    ("path", "new", "fault"),
    [
        ("version", "https://jsonfeed.org/version/1", "$.version: "),
        ("title", GONE, "$: 'title' is a required property"),
        ("title", "", "$.title: "),
        ("title", " News", "$.title: "),
        ("title", "News\n", "$.title: "),
        ("title", None, "$.title: None is not of type 'string'"),
        ("description", GONE, "$: 'description' is a required"),
        ("home_page_url", GONE, "$: 'home_page_url' is a required"),
        ("home_page_url", "/", "$.home_page_url: '/' does not match"),
        ("home_page_url", "https://news.example/other/", "the feed is not below its page"),
        ("feed_url", GONE, "$: 'feed_url' is a required"),
        ("feed_url", "feed.json", "$.feed_url: "),
        ("feed_url", "https:///feed.json", "$.feed_url: "),
        ("feed_url", "https://news.example/a b", "$.feed_url: "),
        ("feed_url", "https://bücher.example/", "$.feed_url: "),
        ("feed_url", "https://news.example/%zz", "$.feed_url: "),
        ("feed_url", "https://news.example/\n", "$.feed_url: "),
        ("next_url", "https://news.example/feed.json", "the next page is this one"),
        ("next_url", None, "$.next_url: None"),
        ("icon", "icon.svg", "$.icon: "),
        ("language", GONE, "$: 'language' is a required"),
        ("language", "en_NZ", "$.language: "),
        ("authors", [], "$.authors: [] should be non-empty"),
        ("authors", {"name": "x"}, "$.authors: "),
        ("authors.0", {}, "$.authors[0]: 'name' is a required"),
        ("authors.0.mail", "me@x.example", "$.authors[0]: Additional properties"),
        ("author", {"name": "x"}, "$: 'author' does not match any"),
        ("expired", "no", "$.expired: "),
        ("hubs", [{"type": "rssCloud", "url": "https://x.example/"}], "$.hubs[0].type: "),
        ("homepage", "https://x.example/", "$: 'homepage' does not match any"),
        ("_", {}, "$: '_' does not match any"),
        ("_1", {}, "$: '_1' does not match any"),
        ("_a", "text", "$._a: 'text' is not of type 'object'"),
        ("items", GONE, "$: 'items' is a required"),
        ("items", {}, "$.items: "),
        ("items.0.id", 1, "$.items[0].id: 1 is not of type 'string'"),
        ("items.0.id", "a854bdc4-9d9a-582f-9da5-9dc72812f1ed", "$.items[0].id: "),
        ("items.0.url", GONE, "$.items[0]: 'url' is a required"),
        ("items.0.url", "https:rnz", "$.items[0].url: "),
        ("items.0.url", "ftp://rnz.example/", "$.items[0].url: "),
        ("items.0.title", GONE, "$.items[0]: 'title' is a required"),
        ("items.0.title", "a\x00b", "$.items[0].title holds U+0000"),
        ("items.0.title", "a\x85b", "$.items[0].title: "),
        ("items.0.title", "a\ufffdb", "$.items[0].title holds U+FFFD"),
        ("items.0.title", "a\ud800b", "$.items[0].title holds U+D800"),
        ("items.0.content_html", GONE, "$.items[0]: 'content_html' is a required"),
        ("items.0.content_html", " ", "$.items[0].content_html: "),
        ("items.0.content_html", "<p>x</p>", "the image is not the first picture"),
        ("items.0.content_html", "<script></script>", "content with <script>"),
        ("items.0.content_html", "<a href='/x'>x</a>", "content with the address /x"),
        ("items.0.content_html", "a\x0bb", "$.items[0].content_html holds U+000B"),
        ("items.0.content_text", "x", "$.items[0]: 'content_text' does not"),
        ("items.0.summary", GONE, "$.items[0]: 'summary' is a required"),
        ("items.0.image", GONE, "the image is not the first picture"),
        ("items.0.image", "https://x.example/", "the image is not the first picture"),
        ("items.0.image", "/x.png", "$.items[0].image: "),
        ("items.0.date_published", GONE, "$.items[0]: 'date_published' is a required"),
        ("items.0.date_published", "2020-05-18", "$.items[0].date_published: "),
        ("items.0.date_published", "2020-05-18T02:41:00", "$.items[0].date_published: "),
        ("items.0.date_published", "2020-05-18T02:41:00.5Z", "$.items[0].date_published: "),
        ("items.0.date_published", "1970-05-18T02:41:00Z", "the date 1970-05-18 02:41:00+00:00 "),
        ("items.0.date_published", "2021-05-18T02:41:00Z", "modified before it was published"),
        ("items.0.date_modified", "2030-05-18T02:41:00Z", "the date 2030-05-18 02:41:00+00:00 has"),
        ("items.0.authors", GONE, "$.items[0]: 'authors' is a required"),
        ("items.0.author", {"name": "x"}, "$.items[0]: 'author' does not"),
        ("items.0.tags", "AI", "$.items[0].tags: "),
        ("items.0.tags", ["AI", "AI"], "$.items[0].tags: "),
        ("items.0.tags.0", "AI, law", "$.items[0].tags[0]: "),
        ("items.0.tags.0", "", "$.items[0].tags[0]: "),
        ("items.0.quality", 80, "$.items[0] tells quality"),
        ("items.0._feeds", GONE, "$.items[0]: '_feeds' is a required"),
        ("items.0._feeds", [], "$.items[0]._feeds: [] is not of type 'object'"),
        ("items.0._feeds.type", "", "$.items[0]._feeds.type: "),
        ("items.0._feeds.provider", GONE, "$.items[0]._feeds: 'provider' is a required"),
        ("items.0._feeds.amp_url", None, "$.items[0]._feeds.amp_url: "),
        ("items.0._feeds.original_url", "/x", "$.items[0]._feeds.original_url: "),
        ("items.0._feeds.heat", 7, "$.items[0]._feeds tells heat"),
        ("items.0._feeds.other", 7, "$.items[0]._feeds: Additional properties"),
        ("items.0._feeds.related", GONE, "$.items[0]._feeds: 'related' is a required"),
        ("items.0._feeds.related.0", "x", "$.items[0]._feeds.related[0]: "),
        ("items.0._feeds.related.0.quality", 70, "$.items[0]._feeds.related[0] tells quality"),
        ("items.0._feeds.related.0.url", "/x", "$.items[0]._feeds.related[0].url: "),
    ],
)
def test_validator_finds(path: str, new: object, fault: str) -> None:
    feed = json.loads(GOLDEN.read_bytes())
    assert faults(json.dumps(feed).encode()) == []
    edit(feed, path, new)
    assert [found for found in faults(json.dumps(feed).encode()) if found.startswith(fault)]


def test_validator_finds_an_id_twice() -> None:
    feed = json.loads(GOLDEN.read_bytes())
    feed["items"] *= 2
    id = feed["items"][0]["id"]
    assert faults(json.dumps(feed).encode()) == [f"the id {id} stands twice"]


def test_validator_finds_a_member_twice() -> None:
    body = GOLDEN.read_bytes().replace(b'"language":', b'"title":"x","language":')
    assert faults(body) == ["title stands twice"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_validator_finds_that_it_is_not_plain_utf_8(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"decode|BOM"):
        faults(GOLDEN.read_text("utf-8").encode(encoding))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expired", True),
        ("_other", {"anything": [1]}),
        ("next_url", "https://news.example/archive/1.json"),
        ("hubs", [{"type": "WebSub", "url": "https://hub.example/"}]),
    ],
)
def test_validator_allows(name: str, value: object) -> None:
    assert faults(json.dumps(json.loads(GOLDEN.read_bytes()) | {name: value}).encode()) == []


@pytest.mark.parametrize(
    ("selection", "page"),
    [
        (EVERYTHING, "/"),
        (AI, "/topics/ai/"),
        (Selection(kind="topic", key="人工知能", slug="人工知能"), None),
        (Selection(kind="provider", key="bücher.example", slug="bücher.example"), None),
    ],
)
def test_feed_names_its_canonical_address_and_its_page(
    collection: Collection, selection: Selection, page: str | None
) -> None:
    collection.write("one.md", article(topics=("AI", "人工知能"), domain="bücher.example"))
    collection.sync()
    feed = read_json(publish_json(collection, selection))
    link = BASE + (page or selection.path)
    assert (feed["feed_url"], feed["home_page_url"]) == (f"{link}feed.json", link)


def test_feed_has_title_author_and_language(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(
        title="Site", description="All of it.", author="Editors", language="en-NZ"
    )
    collection.sync()
    assert read_json(publish_json(collection)) == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Site",
        "description": "All of it.",
        "home_page_url": f"{BASE}/",
        "feed_url": f"{BASE}/feed.json",
        "icon": f"{BASE}/apple-touch-icon.png",
        "favicon": f"{BASE}/static/icon.svg",
        "authors": [{"name": "Editors", "url": f"{BASE}/"}],
        "language": "en-NZ",
        "items": [],
    }


def test_names_of_the_settings_reach_the_feed(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(
        topics={"ai": FeedSettings(title="Machines", description="On machines.", slug="machines")}
    )
    collection.write("one.md", article())
    collection.sync()
    selection = collection.index.resolve("topic", "ai")
    assert selection
    feed = read_json(publish_json(collection, selection))
    assert (feed["title"], feed["description"]) == ("Machines · News", "On machines.")
    assert feed["feed_url"] == f"{BASE}/topics/machines/feed.json"


def test_item_says_all_of_an_article_and_nothing_else(collection: Collection) -> None:
    more = (
        'originalUrl: "https://first.example/"\nampWebUrl: "https://amp.example/"\n'
        'cdnAmpWebUrl: "https://cdn.example/"\nupdatedDateTime: 2021-01-01T00:00:00Z\n'
        'heat: 7\nsecured: "QUJD;REVG"\ncategory: news\n'
    )
    assert item_of(collection, article(more=more, domain="www.Bücher.example")) == {
        "id": collection.config.entry_id("one").urn,
        "url": "https://example.org/story",
        "title": "A title",
        "content_html": "<p>About A title.</p>",
        "summary": "About A title.",
        "date_published": "2020-05-18T02:41:00Z",
        "date_modified": "2021-01-01T00:00:00Z",
        "authors": [{"name": "Example", "url": "https://xn--bcher-kva.example/"}],
        "tags": ["AI"],
        "_feeds": {
            "type": "article",
            "provider": "bücher.example",
            "original_url": "https://first.example/",
            "amp_url": "https://amp.example/",
            "cdn_amp_url": "https://cdn.example/",
            "related": [],
        },
    }


def test_items_stand_newest_first(collection: Collection) -> None:
    for year in (2019, 2021, 2020):
        collection.write(f"{year}.md", article(f"{year}", time=f"{year}-01-01T00:00:00Z"))
    collection.sync()
    items = read_json(publish_json(collection))["items"]
    assert [item["title"] for item in items] == ["2021", "2020", "2019"]


@pytest.mark.parametrize("body", ["", "*The* body.\n"], ids=["no body", "body"])
@pytest.mark.parametrize("excerpt", ["An excerpt.", "", "<b> </b>", None])
def test_every_member_is_there_whatever_the_article_lacks(
    collection: Collection, excerpt: str | None, body: str
) -> None:
    line = "" if excerpt is None else f'excerpt: "{excerpt}"\n'
    text = article(topics=(), body=body).replace('excerpt: "About A title."\n', line)
    item = item_of(collection, text.replace("topics:\n", ""))
    body_text = "The body." if body else ""
    summary = "An excerpt." if excerpt == "An excerpt." else body_text or "A title"
    assert (item["title"], item["summary"], item["tags"]) == ("A title", summary, [])
    assert Html(item["content_html"]).text == (body_text or summary)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_come_back_as_they_went_in(
    make_collection: Callable[..., Collection], text: str
) -> None:
    collection = make_collection(title=text, description=text, author=text)
    words = in_quotes(text)
    more = f'related:\n  - title: "{words}"\n    webUrl: "https://x.example/"\n    quality: 60\n'
    item = item_of(collection, article(words, topics=(words,), provider=words, more=more))
    assert (item["title"], item["tags"], item["authors"][0]["name"]) == (text, [text], text)
    assert item["_feeds"]["related"][0]["title"] == text
    feed = read_json(publish_json(collection))
    assert (feed["title"], feed["description"], feed["authors"][0]["name"]) == (text,) * 3


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_summary_is_the_excerpt_as_plain_text(collection: Collection, text: str) -> None:
    item = item_of(collection, article(in_quotes(text)))
    expected = read_article(collection.folder / "one.md").summary
    assert expected
    assert item["summary"] == Html(item["content_html"]).text == expected


def test_text_is_written_as_utf_8_and_not_escaped(collection: Collection) -> None:
    collection.write("one.md", article("人工知能 👩‍👧"))
    collection.sync()
    assert '"title":"人工知能 👩‍👧"'.encode() in publish_json(collection)


def test_no_control_character_of_an_article_reaches_the_output(collection: Collection) -> None:
    hostile = f"a{CONTROLS}b"
    more = f'images:\n  - url: "https://i.example/{hostile}"\n    title: "{hostile}"\n'
    body = "a \x00 b \x0b c \x7f d \x85 e \ufffd f &#12; g &#x9f; h <b title='&#0;'>i</b>\n"
    text = article(hostile, topics=(hostile,), provider=hostile, more=more, body=body)
    item = item_of(collection, text)
    assert (item["title"], item["tags"], item["authors"][0]["name"]) == ("a b", ["a b"], "a b")


@pytest.mark.parametrize(
    "text",
    [
        with_picture("width: 720", 'title: "A & B"'),
        article(body=f"![first]({PICTURE}) ![second](https://i.example/2)\n"),
        article(body=f"<img alt='a > b' title='src=\"x\"' src=\"{PICTURE}\">\n"),
    ],
    ids=["field", "body", "html"],
)
def test_image_is_the_first_picture_of_the_content(collection: Collection, text: str) -> None:
    item = item_of(collection, text)
    assert Html(item["content_html"]).values("img", "src")[0] == item["image"]


def test_image_is_the_address_that_the_article_says(collection: Collection) -> None:
    assert item_of(collection, with_picture())["image"] == PICTURE


@pytest.mark.parametrize("size", ["0", "-1", "''", "unknown", "1.5", "null"])
def test_unknown_size_is_left_out(collection: Collection, size: str) -> None:
    item = item_of(collection, with_picture(f"width: {size}", "height: 9"))
    ((_, picture),) = [tag for tag in Html(item["content_html"]).tags if tag[0] == "img"]
    assert picture == {"src": PICTURE, "alt": "", "height": "9"}


@pytest.mark.parametrize("body", ["", "Text.\n", "![](/relative.png)\n"])
def test_article_without_picture_has_no_image(collection: Collection, body: str) -> None:
    assert "image" not in item_of(collection, article(body=body))


def test_original_address_is_left_out_where_it_is_the_link(collection: Collection) -> None:
    item = item_of(collection, article(more='originalUrl: "https://example.org/story"\n'))
    assert item["_feeds"] == {"type": "article", "provider": "example.org", "related": []}


def test_related_articles_show_their_provider_and_no_quality(collection: Collection) -> None:
    more = "".join(
        f'  - title: "{name} & <b>"\n    webUrl: "https://{name}.example/"\n'
        f"    quality: {quality}\n"
        for name, quality in (("one", 60), ("below", 59), ("two", 99))
    )
    item = item_of(collection, article(more=f"related:\n{more}"))
    assert item["_feeds"]["related"] == [
        {"title": "one & <b>", "url": "https://one.example/", "provider": "one.example"},
        {"title": "two & <b>", "url": "https://two.example/", "provider": "two.example"},
    ]


def test_tags_are_labels_in_one_order_without_commas(collection: Collection) -> None:
    topics = ("Law, Order", "人工知能", "AI", "Über C++")
    tags = ["AI", "Law Order", "Über C++", "人工知能"]
    assert item_of(collection, article(topics=topics))["tags"] == tags
    assert item_of(collection, article(topics=topics[::-1]))["tags"] == tags


def test_dates_are_utc_in_whole_seconds(collection: Collection) -> None:
    item = item_of(
        collection,
        article(
            time="2020-05-18T02:41:00.9+13:45",
            more="updatedDateTime: 2021-01-01 00:00:00.5-01:00\n",
        ),
    )
    assert item["date_published"] == "2020-05-17T12:56:00Z"
    assert item["date_modified"] == "2021-01-01T01:00:00Z"
