"""RSS on the wire: what the bytes say, and what a subscriber's parser reads in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from feeds.config import FeedSettings
from feeds.selection import EVERYTHING, Selection
from tests.hostile import CONTROLS, PICTURE, TEXTS, in_quotes, with_picture
from tests.html_rules import Html
from tests.rss_rules import faults, names, publish_rss, read_rss, reread
from tests.support import BASE, Collection, article, read_article
from tests.xml_rules import texts

GOLDEN = Path(__file__).parent / "golden" / "seeds.rss"
AI = Selection(kind="topic", key="ai", slug="ai")


def feed_of(collection: Collection, text: str) -> bytes:
    collection.write("one.md", text)
    assert collection.sync().faults == ()
    return publish_rss(collection)


def link_to(rel: str, type: str = "application/rss+xml") -> str:
    return f"<atom:link rel='{rel}' href='{BASE}/feed.rss' type='{type}'/>"


# Rules that need no RSS of their own are tested in test_atom.py.
@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r"<\?xml[^>]*>\n", "", "not plain UTF-8 XML"),
        ("\n<rss", "\n<!DOCTYPE rss>\n<rss", "not plain UTF-8 XML"),
        ("mrss/", "mrss", "wrong namespaces"),
        (' xmlns:fh="[^"]*"', "", "wrong namespaces"),
        ('version="2.0"', 'version="2.1"', "schema"),
        (' version="2.0"', "", "schema"),
        ("<channel>", "<channel version='1'>", "schema"),
        ("</channel>", "</channel><channel/>", "schema"),
        ("<language>en</language>", "", "schema"),
        ("<language>en<", "<language>en_NZ<", "no language (BCP 47)"),
        ("<docs>.*?</docs>", "<docs>https://x.example/</docs>", "schema"),
        ("<generator>", "<webMaster>me</webMaster><generator>", "schema"),
        ("(<docs>.*?</docs>)(.*)</channel>", r"\2\1</channel>", "schema"),
        (
            "(<lastBuildDate>.*?</lastBuildDate>)(.*)</channel>",
            r"\2\1</channel>",
            "schema",
        ),
        ("<atom:link [^>]*>", "", "not one self link"),
        ("(<atom:link [^>]*>)", r"\1\1", "not one self link"),
        ('rel="self"', 'rel="next"', "not one self link"),
        ('rel="self"', "", "schema"),
        ("application/rss.xml", "text/xml", "a link that is no feed"),
        ("/feed.rss", "/feed.rss?", "self is not the canonical address"),
        ("https://news.example/feed", "/feed", "/feed.rss is no web address"),
        ("<link>https://news.example/</link>", "<link>/</link>", "/ is no web address"),
        (r"<link>https://www\.rnz[^<]*", "<link>https:rnz", "https:rnz is no web address"),
        ("<item>", f"{link_to('current')}<item><a/>", "schema"),
        ("<guid isPermaLink=.false.", "<guid", "schema"),
        ("isPermaLink=.false.", 'isPermaLink="true"', "schema"),
        ("urn:uuid:a", "urn:uuid:x", "the id urn:uuid:x854bdc4"),
        ("(<item>.*</item>)", r"\1\1", "the id urn:uuid:a854bdc4"),
        ("<pubDate>Mon, 18 May 2020", "<pubDate>Tue, 18 May 2020", "the date Tue, 18 May 2020"),
        ("<pubDate>Mon, 18 May 2020", "<pubDate>Mon, 18 May 20", "the date Mon, 18 May 20 "),
        ("<pubDate>Mon, 18 May 2020", "<pubDate>Lun, 18 mai 2020", "the date Lun, 18 mai 2020"),
        ("<pubDate>Mon, 18 May 2020", "<pubDate>18 May 2020", "the date 18 May 2020"),
        ("<pubDate>Mon, 18 May 2020", "<pubDate>Thu, 31 Feb 2020", "the date Thu, 31 Feb 2020"),
        ("00 GMT</pubDate>", "00 +0000</pubDate>", "the date Mon, 18 May 2020 02:41:00 +0000"),
        ("<pubDate>[^<]*", "<pubDate>2020-05-18T02:41:00Z", "the date 2020-05-18T02:41:00Z"),
        ("Mon, 18 May 2020", "Mon, 18 May 1970", "the date 1970-05-18 02:41:00+00:00 is implau"),
        ("Mon, 18 May 2020", "Sat, 18 May 2030", "the date 2030-05-18 02:41:00+00:00 has not"),
        ("<lastBuildDate>Mon, 18", "<lastBuildDate>Sun, 17", "an entry later than the feed"),
        (
            "</item>",
            "<atom:updated>2020-05-18T02:40:00+00:00</atom:updated></item>",
            "updated before it was published",
        ),
        (
            "</item>",
            "<atom:updated>2020-05-19T02:41:00Z</atom:updated></item>",
            "an entry later than the feed",
        ),
        ("</item>", "<atom:updated>2020-05-19</atom:updated></item>", "the date 2020-05-19"),
        ("<pubDate>.*</pubDate>", "", "schema"),
        ("<item><title>.*?</title>", "<item>", "schema"),
        ("<title>Police", "<title> Police", "white space around title"),
        ("<title>News", "<title><b/>News", "schema"),
        ("<item>(.*?)<description>[^<]*", r"<item>\1<description>", "an empty element"),
        ("<description>Every", "<description>&lt;b&gt;", "a description that is not plain"),
        ("<description>The", "<description>The &lt;b&gt;", "a description that is not plain"),
        ("<description>The", "<description>The &amp;eacute;", "a description that is not plain"),
        ("<description>The", "<description>The &amp; ", "a description that is not plain"),
        (
            "<description>(?=The)(.*?)</description>(.*</content:encoded>)",
            r"\2<description>\1</description>",
            "schema",
        ),
        ("<content:encoded>.*</content:encoded>", "", "schema"),
        ("<dc:creator>rnz</dc:creator>", "", "schema"),
        ("<dc:creator>rnz", "<dc:creator> ", "an empty element"),
        ("<dc:creator>", "<author>me</author><dc:creator>", "schema"),
        ("<item>", "<item>text", "schema"),
        ("</docs>", "</docs>text", "schema"),
        (">AI<", ">AI, law<", "a comma in a category"),
        (">AI<", ">Computer Vision<", "a category twice"),
        ("<image><url>[^<]*", "<image><url>icon.png", "icon.png is no web address"),
        ("(<image>.*?<title>)News", r"\1Site", "an image of another channel"),
        (">AI<", "><", "an empty element"),
        (" domain=.https://news.example/topics/.", "", "schema"),
        ("https://news.example/topics/", "topics/", "topics/ is no web address"),
        (r"<media:.*(?=</item>)", "", "the pictures differ"),
        ("<item>", "<fh:complete/><fh:complete/><item>", "a history twice"),
        ("<item>", "<fh:complete/><fh:archive/><item>", "a complete feed with a history"),
        ("<item>", "<fh:archive/><item>", "an archive without its current feed"),
        ("<item>", f"<fh:complete/>{link_to('prev-archive')}<item>", "a complete feed with"),
        ("<item>", f"{link_to('current') * 2}<item>", "a link twice"),
        ("<item>", f"{link_to('alternate')}<item>", "an unknown link of a feed"),
        ("<item>", f"{link_to('current', 'text/xml')}<item>", "a link that is no feed"),
        ("<item>", f"<item>{link_to('via')}", "schema"),
    ],
)
def test_broken_document_is_found(old: str, new: str, fault: str) -> None:
    # Without it, a history may be added.
    whole = GOLDEN.read_text(encoding="utf-8").replace("<fh:complete/>", "")
    broken = re.sub(old, new.replace("'x'", '"x"'), whole, count=1, flags=re.DOTALL)
    assert broken != whole
    assert [found for found in faults(broken.encode()) if found.startswith(fault)]


@pytest.mark.parametrize(
    ("selection", "page"),
    [
        (EVERYTHING, "/"),
        (AI, "/topics/ai/"),
        (Selection(kind="topic", key="人工知能", slug="人工知能"), None),
        (Selection(kind="provider", key="bücher.example", slug="bücher.example"), None),
    ],
)
def test_self_is_the_canonical_address_and_link_its_page(
    collection: Collection, selection: Selection, page: str | None
) -> None:
    collection.write("one.md", article(topics=("AI", "人工知能"), domain="bücher.example"))
    collection.sync()
    channel = read_rss(publish_rss(collection, selection))
    link = BASE + (page or selection.path)
    assert texts(channel, "a:link[@rel='self']/@href") == [f"{link}feed.rss"]
    assert texts(channel, "link") == [link]
    assert link.isascii()


def test_items_stand_newest_first_after_all_metadata(collection: Collection) -> None:
    for year in (2019, 2021, 2020):
        collection.write(f"{year}.md", article(f"{year}", time=f"{year}-01-01T00:00:00Z"))
    collection.sync()
    channel = read_rss(publish_rss(collection))
    assert texts(channel, "item/title") == ["2021", "2020", "2019"]
    order = names(channel)
    assert order.index("lastBuildDate") < order.index("item") == len(order) - 3


@pytest.mark.parametrize("body", ["", "*The* body.\n"], ids=["no body", "body"])
@pytest.mark.parametrize("excerpt", ["An excerpt.", "", "<b> </b>", None])
def test_every_element_is_there_whatever_the_article_lacks(
    collection: Collection, excerpt: str | None, body: str
) -> None:
    line = "" if excerpt is None else f'excerpt: "{excerpt}"\n'
    text = article(topics=(), body=body).replace('excerpt: "About A title."\n', line)
    body_text = "The body." if body else ""
    summary = "An excerpt." if excerpt == "An excerpt." else body_text or "A title"
    (item,) = read_rss(feed_of(collection, text.replace("topics:\n", ""))).findall("item")
    assert texts(item, "title | description") == ["A title", summary]
    assert Html(texts(item, "c:encoded")[0]).text == (body_text or summary)
    assert texts(item, "pubDate | a:updated") == ["Mon, 18 May 2020 02:41:00 GMT"]
    assert texts(item, "d:creator | category") == ["Example"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_title_comes_back_as_it_went_in(collection: Collection, text: str) -> None:
    picture = f'images:\n  - url: "https://i.example/"\n    title: "{in_quotes(text)}"\n'
    body = feed_of(collection, article(in_quotes(text), more=picture))
    channel = read_rss(body)
    assert texts(channel, "item/title | item/m:content/m:title") == [text, text]
    assert Html(texts(channel, "item/c:encoded")[0]).values("img", "alt") == [text]
    assert reread(body).entries[0].title == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_description_shows_the_excerpt_as_html(collection: Collection, text: str) -> None:
    body = feed_of(collection, article(in_quotes(text)))
    expected = read_article(collection.folder / "one.md").summary
    (html,) = texts(read_rss(body), "item/description")
    assert expected
    assert (Html(html).text, Html(html).tags) == (expected, [])
    assert reread(body).entries[0].summary == html


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names_come_back_as_they_went_in(
    make_collection: Callable[..., Collection], text: str
) -> None:
    collection = make_collection(title=text, description=text)
    words = in_quotes(text)
    channel = read_rss(feed_of(collection, article(topics=(words,), provider=words)))
    assert texts(channel, "title | item/d:creator | item/category") == [text, text, text]
    # HTML to every reader, as an item's.
    assert texts(channel, "description") == [escape(text, quote=False)]


def test_description_stands_before_the_content(collection: Collection) -> None:
    (item,) = read_rss(feed_of(collection, article(body="Body.\n"))).findall("item")
    order = names(item)
    assert order.index("description") < order.index("content:encoded")


@pytest.mark.parametrize("name", ["Example", "me@example.org", "me@example.org (Me)", "A & B"])
def test_provider_is_the_creator_with_or_without_a_mail_address(
    collection: Collection, name: str
) -> None:
    (item,) = read_rss(feed_of(collection, article(provider=name))).findall("item")
    assert texts(item, "d:creator") == [name]
    assert item.find("author") is None


def test_guid_is_the_entry_id_and_no_address(collection: Collection) -> None:
    (item,) = read_rss(feed_of(collection, article())).findall("item")
    assert texts(item, "guid") == [collection.config.entry_id("one").urn]
    assert texts(item, "guid/@isPermaLink") == ["false"]
    assert texts(item, "link") == ["https://example.org/story"]


def test_no_control_character_of_an_article_reaches_the_output(collection: Collection) -> None:
    hostile = f"a{CONTROLS}b"
    more = f'images:\n  - url: "https://i.example/{hostile}"\n    title: "{hostile}"\n'
    body = "a \x00 b \x0b c \x7f d \x85 e \ufffd f &#12; g &#x9f; h <b title='&#0;'>i</b>\n"
    text = article(hostile, topics=(hostile,), provider=hostile, more=more, body=body)
    channel = read_rss(feed_of(collection, text))
    assert texts(channel, "item/title | item/category | item/d:creator") == ["a b"] * 3


def test_picture_is_the_same_url_in_content_thumbnail_and_media(collection: Collection) -> None:
    body = feed_of(collection, with_picture("width: 720", "height: 450", 'title: "A & B"'))
    (item,) = read_rss(body).findall("item")
    (content,) = item.findall("{*}content")
    (thumbnail,) = item.findall("{*}thumbnail")
    sizes = {"width": "720", "height": "450"}
    assert dict(content.items()) == {"url": PICTURE, "medium": "image", **sizes}
    assert dict(thumbnail.items()) == {"url": PICTURE, **sizes}
    assert texts(content, "m:title | m:title/@type") == ["A & B", "plain"]
    html = Html(texts(item, "c:encoded")[0])
    assert ("img", {"src": PICTURE, "alt": "A & B", **sizes}) in html.tags
    entry = reread(body).entries[0]
    assert entry.media_thumbnail[0]["url"] == entry.media_content[0]["url"] == PICTURE


def test_picture_of_a_body_is_the_picture_of_the_item(collection: Collection) -> None:
    body = feed_of(
        collection, article(body="![](https://i.example/?a=1&b=2) ![](https://i.example/3)\n")
    )
    urls = texts(read_rss(body), "item/m:content/@url | item/m:thumbnail/@url")
    assert urls == ["https://i.example/?a=1&b=2"] * 2


def test_media_namespace_ends_in_a_slash(collection: Collection) -> None:
    assert b' xmlns:media="http://search.yahoo.com/mrss/"' in feed_of(collection, with_picture())


@pytest.mark.parametrize("size", ["0", "-1", "''", "unknown", "1.5", "null"])
def test_unknown_size_is_left_out(collection: Collection, size: str) -> None:
    channel = read_rss(feed_of(collection, with_picture(f"width: {size}", "height: 9")))
    assert texts(channel, "//m:*/@height") == ["9", "9"]
    assert texts(channel, "//m:*/@width") == []


def test_picture_without_title_has_no_media_title_and_no_group(collection: Collection) -> None:
    body = feed_of(collection, with_picture())
    assert b"media:title" not in body
    assert b"media:group" not in body


def test_article_without_picture_has_no_media(collection: Collection) -> None:
    assert b"<media:" not in feed_of(collection, article())


def test_related_articles_are_links_in_the_content(collection: Collection) -> None:
    more = 'related:\n  - title: "One & <b>"\n    webUrl: "https://one.example/"\n    quality: 60\n'
    html = Html(texts(read_rss(feed_of(collection, article(more=more))), "item/c:encoded")[0])
    assert html.values("a", "href") == ["https://one.example/"]
    assert html.text.endswith("One & <b> (one.example)")


def test_categories_are_labels_in_one_order_without_commas(collection: Collection) -> None:
    topics = ("Law, Order", "人工知能", "AI", "Über C++")
    channel = read_rss(feed_of(collection, article(topics=topics)))
    labels = ["AI", "Law Order", "Über C++", "人工知能"]
    assert texts(channel, "item/category") == labels
    assert texts(channel, "item/category/@domain") == [f"{BASE}/topics/"] * 4
    again = feed_of(collection, article(topics=topics[::-1]))
    assert texts(read_rss(again), "item/category") == labels


def test_channel_says_what_and_in_which_language(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(title="Site", description="All of it.", language="en-NZ")
    parsed = reread(feed_of(collection, article())).feed
    assert (parsed.title, parsed.subtitle, parsed.language) == ("Site", "All of it.", "en-NZ")
    assert (parsed.link, parsed.generator) == (f"{BASE}/", "feeds")
    icon = {"href": f"{BASE}/apple-touch-icon.png", "title": "Site", "link": f"{BASE}/"}
    assert parsed.image.items() >= icon.items()


def test_names_of_the_settings_reach_the_channel(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(topics={"ai": FeedSettings(title="Machines", slug="machines")})
    collection.write("one.md", article())
    collection.sync()
    selection = collection.index.resolve("topic", "ai")
    assert selection
    channel = read_rss(publish_rss(collection, selection))
    assert texts(channel, "title") == ["Machines · News"]
    assert texts(channel, "link") == [f"{BASE}/topics/machines/"]


def test_dates_are_rfc_822_in_utc_with_four_digits_of_the_year(collection: Collection) -> None:
    text = article(
        time="2020-05-18T02:41:00.9+13:45", more="updatedDateTime: 2021-01-01 00:00:00.5-01:00\n"
    )
    body = feed_of(collection, text)
    channel = read_rss(body)
    assert texts(channel, "item/pubDate") == ["Sun, 17 May 2020 12:56:00 GMT"]
    assert texts(channel, "item/a:updated") == ["2021-01-01T01:00:00+00:00"]
    assert texts(channel, "lastBuildDate") == ["Fri, 01 Jan 2021 01:00:00 GMT"]
    assert reread(body).entries[0].updated == "2021-01-01T01:00:00+00:00"


def test_channel_without_items_is_valid_and_dated_alike_for_ever(collection: Collection) -> None:
    collection.sync()
    channel = read_rss(publish_rss(collection))
    assert texts(channel, "lastBuildDate | item") == ["Sat, 01 Jan 2000 00:00:00 GMT"]
