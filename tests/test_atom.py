"""Atom on the wire: what the bytes say, and what a subscriber's parser reads in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from feeds.config import FeedSettings
from feeds.selection import EVERYTHING, Selection
from tests.atom_rules import (
    NAMES,
    faults,
    names,
    publish_atom,
    read_atom,
    reread,
    texts,
)
from tests.hostile import CONTROLS, PICTURE, TEXTS, in_quotes, with_picture
from tests.html_rules import Html
from tests.support import BASE, Collection, article, read_article

GOLDEN = Path(__file__).parent / "golden" / "seeds.atom"
AI = Selection(kind="topic", key="ai", slug="ai")


def feed_of(collection: Collection, text: str) -> bytes:
    collection.write("one.md", text)
    assert collection.sync().faults == ()
    return publish_atom(collection)


def link_to(rel: str, type: str = "application/atom+xml") -> str:
    return f"<link rel='{rel}' href='{BASE}/1.atom' type='{type}'/>"


@pytest.mark.parametrize(
    "written",
    [
        "<fh:complete/>",
        link_to("prev-archive"),
        link_to("current") + link_to("prev-archive"),
        link_to("current") + link_to("prev-archive") + link_to("next-archive") + "<fh:archive/>",
    ],
)
def test_rules_allow_a_history(written: str) -> None:
    whole = GOLDEN.read_text(encoding="utf-8").replace("<fh:complete/>", "")
    assert faults(whole.replace("<entry>", written + "<entry>", 1).encode()) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r"<\?xml[^>]*>\n", "", "not plain UTF-8 XML"),
        ("\n<feed", "\n<!DOCTYPE feed>\n<feed", "not plain UTF-8 XML"),
        ("mrss/", "mrss", "wrong namespaces"),
        ("xml:lang=", "lang=", "no language (BCP 47)"),
        ("<feed ", "<feed version='1.0' ", "schema"),
        ("<icon>.*?</icon>", "", "a feed lacks an element"),
        ("<logo>https:", "<logo>", "//news.example/apple-touch-icon.png is no web address"),
        ("<updated>[^<]*</updated><author>", "<author>", "schema"),
        (r"(<subtitle>.*?</subtitle>)(.*)</feed>", r"\2\1</feed>", "schema"),
        ("(<link [^>]*rel=.alternate.[^>]*>)", r"\1\1", "a link twice"),
        ("rel=.self.", 'rel="next"', "not one self link"),
        (" href=.https://news.example/feed.atom.", "", "schema"),
        ("type=.application/atom.xml.", 'type="text/xml"', "a link that is no feed"),
        ("https://news.example/feed", "/feed", "/feed.atom is no web address"),
        ("<id>urn:uuid:", "<id>", "the id 121f1e6f-10a0-575b-9443-bf9b917821e7 is no UUID"),
        (
            "<id>urn:uuid:a854[^<]*",
            "<id>urn:uuid:121f1e6f-10a0-575b-9443-bf9b917821e7",
            "the id urn:uuid:121f1e6f-10a0-575b-9443-bf9b917821e7 stands twice",
        ),
        ("02:41:00.00:00", "02:41:00", "the date 2020-05-18T02:41:00"),
        ("02:41:00.00:00", "02:41:00z", "the date 2020-05-18T02:41:00z"),
        ("2020-05-18", "2020-02-30", "the date 2020-02-30T02:41:00+00:00"),
        ("2020-05", "1970-05", "the date 1970-05-18 02:41:00+00:00 is implausible"),
        ("2020-05", "2030-05", "the date 2030-05-18 02:41:00+00:00 has not come"),
        ("(.*)<published>2020", r"\1<published>2021", "updated before it was published"),
        ("<summary>.*</summary>", "", "an entry lacks an element"),
        ("<summary>.*</summary>", "<summary> </summary>", "an empty element"),
        ("<title>Police", "<title> Police", "white space around title"),
        ("<title>News", "<title><b/>News", "schema"),
        ("<name>rnz</name>", "", "schema"),
        ("<entry>", "<entry>text", "schema"),
        ("</icon>", "</icon>text", "schema"),
        ("<entry>", "<entry><!-- x -->", "a comment or an instruction"),
        ("Police 'stock", "\x7fPolice 'stock", "title holds U+007F"),
        ("Police 'stock", "\x85Police 'stock", "title holds U+0085"),
        ("Police 'stock", "\ufffdPolice 'stock", "title holds U+FFFD"),
        ("term=.ai.", 'term="ai,ml"', "a comma in a category"),
        ('label="AI"', "", "a category lacks an attribute"),
        ('label="AI"', 'label=""', "an empty attribute"),
        ("https://news.example/topics/", "topics/", "topics/ is no web address"),
        ("https://rnz.co.nz/", "https://rnz.co.nz/a b", "https://rnz.co.nz/a b is no web address"),
        ("https://rnz.co.nz/", "https:///", "https:/// is no web address"),
        ("https://rnz.co.nz/", "https://bücher/", "https://bücher/ is no web address"),
        ("image. width=.720", 'image" width="0', "a size that is no positive integer"),
        ("thumbnail url=.https:", 'thumbnail url="http:', "the pictures differ"),
        ("medium=.image.", 'medium="picture"', "an unknown kind of medium or title"),
        (
            "(<media:content.*)</entry>",
            r"<media:group>\1</media:group></entry>",
            "an unknown element of Media RSS",
        ),
        ("<media:title", "<media:title lang='en'", "an unknown attribute of Media RSS"),
        ("<media:title", "text<media:title", "text in an element of Media RSS"),
        ("(<media:title.*</media:title>)", r"\1\1", "an unknown element of Media RSS"),
        ("type=.html.", 'type="xhtml"', "content that is not HTML"),
        ("&lt;p&gt;The", "&lt;p onclick='x'&gt;The", "content with onclick"),
        ("&lt;p&gt;The", "&lt;p&gt;&lt;iframe&gt;&lt;/iframe&gt;The", "content with <iframe>"),
        ("&lt;p&gt;The", "&lt;p&gt;&lt;b&gt;The", "</p> ends nothing"),
        ("&lt;/ul&gt;", "", "<ul> does not end"),
        ("&lt;p&gt;The", "&lt;!-- x --&gt;&lt;p&gt;The", "a comment"),
        ("a href=.https://www.tvnz", 'a href="https:tvnz', "content with the address https:tvnz"),
        ("a href=.https://www.tvnz", 'a href="tvnz', "content with the address tvnz"),
        ("rel=.related.", 'rel="alternate"', "not one alternate link of an entry"),
        ('label="AI"', 'label="A, I"', "a comma in a category"),
        (r"(<media:[^>]*/>|<media:content.*</media:content>)+", "", "the pictures differ"),
        ("<entry>", "<fh:complete/><fh:complete/><entry>", "a history twice"),
        ("<entry>", "<fh:archive>1</fh:archive><entry>", "content in an element that must"),
        ("<fh:|<entry>", "<fh:next/><entry>", "an unknown element of a history"),
        ("<feed .*</feed>", "<entry xmlns='http://www.w3.org/2005/Atom'/>", "no feed document"),
        ("<author>.*?</author>", "", "not one author with an address"),
        ("(<author>.*?</author>)", r"\1\1", "not one author with an address"),
        ("<uri>.*?</uri>", "", "not one author with an address"),
        ("<title>", "<title type='html'>", "a text that is not plain"),
        ("<entry>", "<entry xml:base='https://x.example/'>", "an attribute of another namespace"),
        ("<icon>", "<x xmlns='https://x.example/'>x</x><icon>", "wrong namespaces"),
        (
            "rel=.related.",
            'rel="via" href="https://x.example/" type="text/html"/><link rel="via"',
            "two via links",
        ),
        ("type=.text/html.", 'type="text/plain"', "the alternate is no page"),
        (
            "2020-05-18T02:41:00.00:00</updated><author>",
            "2020-05-17T00:00:00Z</updated><author>",
            "an entry later than the feed",
        ),
        ("<entry>", "<fh:complete/><fh:archive/><entry>", "a complete feed with a history"),
        ("<entry>", "<fh:archive/><entry>", "an archive without its current feed"),
        ("<entry>", f"<fh:complete/>{link_to('prev-archive')}<entry>", "a complete feed with"),
        ("<entry>", f"{link_to('current') * 2}<entry>", "a link twice"),
        ("<entry>", f"{link_to('next')}<entry>", "an unknown link of a feed"),
        ("<entry>", f"{link_to('current', 'text/html')}<entry>", "a link that is no feed"),
        ("<entry>", f"<entry>{link_to('current')}", "an unknown link of an entry"),
        ("<entry>", "<entry><fh:complete/>", "an unknown element of a history"),
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
def test_self_is_the_canonical_address_and_alternate_its_page(
    collection: Collection, selection: Selection, page: str | None
) -> None:
    collection.write("one.md", article(topics=("AI", "人工知能"), domain="bücher.example"))
    collection.sync()
    root = read_atom(publish_atom(collection, selection))
    link = BASE + (page or selection.path)
    assert texts(root, "a:link[@rel='self']/@href") == [f"{link}feed.atom"]
    assert texts(root, "a:link[@rel='alternate']/@href") == [link]
    assert texts(root, "a:link[@rel='alternate']/@type") == ["text/html"]
    assert texts(root, "a:author/a:uri") == [f"{BASE}/"]
    assert link.isascii()


def test_entry_has_one_alternate_page_with_rel_and_type(collection: Collection) -> None:
    root = read_atom(feed_of(collection, article(url="https://example.org/?a=1&b='2'")))
    (link,) = root.findall("a:entry/a:link", NAMES)
    assert dict(link.items()) == {
        "rel": "alternate",
        "href": "https://example.org/?a=1&b='2'",
        "type": "text/html",
    }


def test_entries_stand_newest_first_after_all_metadata(collection: Collection) -> None:
    for year in (2019, 2021, 2020):
        collection.write(f"{year}.md", article(f"{year}", time=f"{year}-01-01T00:00:00Z"))
    collection.sync()
    root = read_atom(publish_atom(collection))
    assert texts(root, "a:entry/a:title") == ["2021", "2020", "2019"]
    order = names(root)
    assert order.index("subtitle") < order.index("entry") == len(order) - 3


@pytest.mark.parametrize("body", ["", "*The* body.\n"], ids=["no body", "body"])
@pytest.mark.parametrize("excerpt", ["An excerpt.", "", "<b> </b>", None])
def test_every_element_is_there_whatever_the_article_lacks(
    collection: Collection, excerpt: str | None, body: str
) -> None:
    line = "" if excerpt is None else f'excerpt: "{excerpt}"\n'
    text = article(topics=(), body=body).replace('excerpt: "About A title."\n', line)
    body_text = "The body." if body else ""
    summary = "An excerpt." if excerpt == "An excerpt." else body_text or "A title"
    published = feed_of(collection, text.replace("topics:\n", ""))
    entry = reread(published).entries[0]
    assert (entry.title, entry.summary) == ("A title", summary)
    assert Html(entry.content[0].value).text == (body_text or summary)
    assert (entry.published, entry.updated) == ("2020-05-18T02:41:00+00:00",) * 2
    assert (entry.author, entry.id[:9]) == ("Example", "urn:uuid:")
    read_atom(published)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_title_comes_back_as_it_went_in(collection: Collection, text: str) -> None:
    picture = f'images:\n  - url: "https://i.example/"\n    title: "{in_quotes(text)}"\n'
    body = feed_of(collection, article(in_quotes(text), more=picture))
    root = read_atom(body)
    assert texts(root, "a:entry/a:title | a:entry/m:content/m:title") == [text, text]
    assert Html(texts(root, "a:entry/a:content")[0]).values("img", "alt") == [text]
    entry = reread(body).entries[0]
    assert (entry.title, entry.title_detail.type) == (text, "text/plain")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_excerpt_comes_back_as_the_article_says(collection: Collection, text: str) -> None:
    body = feed_of(collection, article(in_quotes(text)))
    expected = read_article(collection.folder / "one.md").summary
    assert expected
    root = read_atom(body)
    assert texts(root, "a:entry/a:summary") == [expected]
    assert Html(texts(root, "a:entry/a:content")[0]).text == expected
    assert reread(body).entries[0].summary == expected


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names_come_back_as_they_went_in(
    make_collection: Callable[..., Collection], text: str
) -> None:
    collection = make_collection(title=text, description=text, author=text)
    parsed = reread(
        feed_of(collection, article(topics=(in_quotes(text),), provider=in_quotes(text)))
    )
    assert (parsed.feed.title, parsed.feed.subtitle, parsed.feed.author) == (text,) * 3
    assert (parsed.entries[0].author, parsed.entries[0].tags[0].label) == (text, text)


@pytest.mark.parametrize(
    "body",
    [
        "a \x0b b \x0c c \x1c d \x1f e\n",
        "a \x00 b \x07 c \x7f d \x85 e \x9f f \ufffd g \ufffe\n",
        "a &#0; b &#12; c &#x7f; d &#x9f; e &#xfffd; f &#xfffe; g\n",
        "<b>a &#0; b &#12; c &#x7f; d &#x81; e &#xfffd; f &#xfffe; g</b>\n",
        "<b title='&#0; &#12; &#x81; &#xfffe;'>b</b>\n",
    ],
    ids=["white space", "characters", "entities", "entities in html", "attributes"],
)
def test_no_control_character_of_a_body_reaches_the_output(
    collection: Collection, body: str
) -> None:
    read_atom(feed_of(collection, article(body=body)))


def test_no_control_character_of_a_field_reaches_the_output(collection: Collection) -> None:
    hostile = f"a{CONTROLS}b"
    more = f'images:\n  - url: "https://i.example/{hostile}"\n    title: "{hostile}"\n'
    text = article(hostile, topics=(hostile,), provider=hostile, more=more)
    root = read_atom(feed_of(collection, text))
    assert texts(root, "a:entry/a:title") == ["a b"]


def test_picture_is_the_same_url_in_content_thumbnail_and_media(collection: Collection) -> None:
    body = feed_of(collection, with_picture("width: 720", "height: 450", 'title: "A & B"'))
    root = read_atom(body)
    (content,) = root.findall("a:entry/m:content", NAMES)
    (thumbnail,) = root.findall("a:entry/m:thumbnail", NAMES)
    sizes = {"width": "720", "height": "450"}
    assert dict(content.items()) == {"url": PICTURE, "medium": "image", **sizes}
    assert dict(thumbnail.items()) == {"url": PICTURE, **sizes}
    assert texts(content, "m:title | m:title/@type") == ["A & B", "plain"]
    html = Html(texts(root, "a:entry/a:content")[0])
    assert ("img", {"src": PICTURE, "alt": "A & B", **sizes}) in html.tags
    entry = reread(body).entries[0]
    assert entry.media_thumbnail[0]["url"] == entry.media_content[0]["url"] == PICTURE


def test_media_namespace_ends_in_a_slash(collection: Collection) -> None:
    assert b' xmlns:media="http://search.yahoo.com/mrss/"' in feed_of(collection, with_picture())


@pytest.mark.parametrize("size", ["0", "-1", "''", "unknown", "1.5", "null"])
def test_unknown_size_is_left_out(collection: Collection, size: str) -> None:
    body = feed_of(collection, with_picture(f"width: {size}", "height: 9"))
    root = read_atom(body)
    assert texts(root, "//m:*/@height") == ["9", "9"]
    assert texts(root, "//m:*/@width") == []
    ((_, picture),) = [t for t in Html(texts(root, "//a:content")[0]).tags if t[0] == "img"]
    assert picture == {"src": PICTURE, "alt": "", "height": "9"}


def test_picture_without_title_has_no_media_title(collection: Collection) -> None:
    body = feed_of(collection, with_picture())
    assert b"media:title" not in body
    assert b"media:group" not in body


def test_article_without_picture_has_no_media(collection: Collection) -> None:
    assert b"<media:" not in feed_of(collection, article())


def test_via_is_where_the_story_was_first_seen(collection: Collection) -> None:
    body = feed_of(collection, article(more='originalUrl: "https://first.example/"\n'))
    assert texts(read_atom(body), "//a:link[@rel='via']/@href") == ["https://first.example/"]


def test_via_is_left_out_where_it_is_the_link(collection: Collection) -> None:
    body = feed_of(collection, article(more='originalUrl: "https://example.org/story"\n'))
    assert texts(read_atom(body), "a:entry/a:link/@rel") == ["alternate"]


def test_related_articles_are_links_with_titles(collection: Collection) -> None:
    related = "".join(
        f'  - title: "{name} & <b>"\n    webUrl: "https://{name}.example/"\n    quality: 60\n'
        for name in ("one", "two")
    )
    body = feed_of(collection, article(more=f"related:\n{related}"))
    links = reread(body).entries[0].links
    assert [(link.rel, link.href, link.get("title")) for link in links] == [
        ("alternate", "https://example.org/story", None),
        ("related", "https://one.example/", "one & <b>"),
        ("related", "https://two.example/", "two & <b>"),
    ]
    read_atom(body)


def test_categories_are_in_one_order_with_scheme_and_label(collection: Collection) -> None:
    topics = ("Law, Order", "人工知能", "AI", "Über C++")
    tags = reread(feed_of(collection, article(topics=topics))).entries[0].tags
    scheme = f"{BASE}/topics/"
    assert [(tag.term, tag.scheme, tag.label) for tag in tags] == [
        ("ai", scheme, "AI"),
        ("law-order", scheme, "Law Order"),
        ("über-cplusplus", scheme, "Über C++"),
        ("人工知能", scheme, "人工知能"),
    ]
    body = feed_of(collection, article(topics=topics[::-1]))
    assert reread(body).entries[0].tags == tags
    read_atom(body)


def test_feed_has_title_author_and_language(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(
        title="Site", description="All of it.", author="Editors", language="en-NZ"
    )
    parsed = reread(feed_of(collection, article())).feed
    assert (parsed.title, parsed.subtitle, parsed.language) == ("Site", "All of it.", "en-NZ")
    assert parsed.author_detail == {"name": "Editors", "href": f"{BASE}/"}
    assert (parsed.icon, parsed.generator) == (f"{BASE}/static/icon.svg", "feeds")
    assert parsed.logo == f"{BASE}/apple-touch-icon.png"


def test_author_is_the_provider_at_its_domain(collection: Collection) -> None:
    entry = reread(feed_of(collection, article(domain="www.Bücher.example"))).entries[0]
    assert entry.author_detail == {"name": "Example", "href": "https://xn--bcher-kva.example/"}


def test_dates_are_utc_in_whole_seconds(collection: Collection) -> None:
    text = article(
        time="2020-05-18T02:41:00.9+13:45", more="updatedDateTime: 2021-01-01 00:00:00.5-01:00\n"
    )
    root = read_atom(feed_of(collection, text))
    assert texts(root, "a:entry/a:published") == ["2020-05-17T12:56:00+00:00"]
    assert texts(root, "//a:updated") == ["2021-01-01T01:00:00+00:00"] * 2


def test_same_feed_is_the_same_bytes(collection: Collection) -> None:
    body = feed_of(collection, with_picture("width: 7"))
    assert publish_atom(collection) == body


def test_names_of_the_settings_reach_the_feed(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(
        topics={"ai": FeedSettings(title="Machines", description="On machines.", slug="machines")}
    )
    collection.write("one.md", article())
    collection.sync()
    selection = collection.index.resolve("topic", "ai")
    assert selection
    root = read_atom(publish_atom(collection, selection))
    assert texts(root, "a:title | a:subtitle") == ["Machines · News", "On machines."]
    assert texts(root, "a:link/@href") == [
        f"{BASE}/topics/machines/",
        f"{BASE}/topics/machines/feed.atom",
    ]
    assert texts(root, "//a:category/@term") == ["machines"]
