"""Pages for people over real HTTP."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import httpx
import pytest
from lxml import html

from feeds.config import FeedSettings, read_config
from feeds.formats import FORMATS
from feeds.history import Archive, Month
from feeds.pages import MAX_FOUND, MAX_LARGEST, MAX_NAMES, MAX_NEWEST, MAX_STORIES, Pages
from feeds.selection import EVERYTHING
from tests.support import BASE, NOW, Collection, Site, article

#: Pages of every sort over `library`.
PAGES = (
    *("/", "/topics/", "/providers/", "/build/", "/?find=ai", "/topics/?find=a", "/archive/"),
    *("/topics/ai/", "/providers/a.example/", "/topics/ai/archive/", "/archive/2020-05/"),
    *("/?topic=ai&topic=law", "/topics/ai/?min_quality=85", "/build/?min_quality=85&topic=ai"),
    *("/providers/a.example/archive/2020-05/?type=video", "/topics/ai/archive/2020-04/"),
)
#: The fields of the builder that take names.
FIELDS = ("topic", "provider", "exclude")
FRAMES = ("/embed/", "/topics/ai/embed/", "/providers/a.example/embed/?images=0&limit=2&theme=dark")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Thirty articles in two months, three topics and two providers; only to be read."""
    from feeds.config import Config

    folder = tmp_path_factory.mktemp("library")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    collection = Collection(folder, Config(articles=folder, database=database))
    for number in range(30):
        text = article(
            f"Story {number}",
            quality=70 + number,
            time=f"2020-{4 + number // 15:02}-{1 + number % 15:02}T06:00:00Z",
            url=f"https://a.example/{number}",
            topics=("AI", "Law") if number % 2 else ("AI",),
            provider="Paper A",
            domain="a.example",
            more=PICTURE.format(number=number) if number % 3 else "",
        )
        kind = "video" if number % 5 == 0 else "article"
        collection.write(f"{number}.md", text.replace("type: article", f"type: {kind}"))
    collection.write("c.md", article("C", topics=("C++",), time="2020-05-20T06:00:00Z"))
    hidden = article("Hushed", published="false", topics=("Hushed",), quality=150)
    collection.write("hidden.md", hidden)
    collection.write("low.md", article("Hushed", topics=("Hushed",), quality=59))
    site = Site(collection)
    yield site
    site.close()


PICTURE = """images:
  - url: "https://images.example/{number}.jpg?a=1&b=2"
    width: 720
    height: 450
related:
  - title: Also {number}
    webUrl: "https://r.example/{number}"
    quality: 60
    provider:
      name: Paper R
"""


def parsed(response: httpx.Response, status: int = 200) -> html.HtmlElement:
    """A page that is there."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return html.fromstring(response.text)


def text(element: html.HtmlElement) -> str:
    """All that an element says, in one line."""
    return " ".join(element.text_content().split())


def links(page: html.HtmlElement, at: str) -> set[str]:
    """Where a page's anchors lead."""
    return {urljoin(at, link.get("href") or "") for link in page.iter("a")}


def stories(page: html.HtmlElement) -> list[html.HtmlElement]:
    """The stories of a page, as assistive technology finds them."""
    found: list[html.HtmlElement] = page.xpath("//*[@role='article']")
    return found


def titles(page: html.HtmlElement) -> list[str]:
    """What the stories of a page are called."""
    return [text(story.find(".//*[@dir='auto']")) for story in stories(page)]


@pytest.mark.parametrize("path", (*PAGES, *FRAMES))
def test_no_reader_takes_a_page_for_a_feed(library: Site, path: str) -> None:
    page = parsed(library.get(path))
    # Liferea's rule (src/parsers/html5_feed.c): three of these make a feed.
    assert not page.xpath("/html/body//article[.//h1 | .//h2 | .//h3 | .//h4 | .//h5]")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_leads_readers_to_its_feeds_atom_first(library: Site, path: str) -> None:
    page = parsed(library.get(path))
    found = [link for link in page.iter("link") if link.get("rel") == "alternate"]
    assert [link.get("type") for link in found] == [
        *("application/atom+xml", "application/rss+xml", "application/feed+json"),
        "application/json+oembed",
    ]
    for link in found[:3]:
        response = library.get(link.get("href") or "")
        assert response.headers["Content-Type"] == f"{link.get('type')}; charset=utf-8"
        assert (link.get("title") or "").endswith(("(Atom)", "(RSS)", "(JSON Feed)"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_names_its_own_address(library: Site, path: str) -> None:
    page = parsed(library.get(path))
    (canonical,) = (
        link.get("href") for link in page.iter("link") if link.get("rel") == "canonical"
    )
    assert canonical == library.base + path.partition("?find")[0]


@pytest.mark.parametrize("path", [*PAGES, *FRAMES])
def test_every_link_of_a_page_leads_somewhere(library: Site, path: str) -> None:
    page = parsed(library.get(path))
    found = links(page, library.base + path)
    found |= {urljoin(library.base + path, frame.get("src") or "") for frame in page.iter("iframe")}
    ours = {link for link in found if link.startswith(library.base)}
    assert ours
    assert {link: library.get(link).status_code for link in ours} == dict.fromkeys(ours, 200)
    schemes = {urlsplit(link).scheme for link in found}
    assert schemes <= {"http", "https", "feed"}


@pytest.mark.parametrize("path", PAGES)
def test_style_and_scripts_change_their_address_with_their_bytes(library: Site, path: str) -> None:
    page = parsed(library.get(path))
    found = [
        link.get("href") or "" for link in page.iter("link") if link.get("rel") == "stylesheet"
    ]
    found += [script.get("src") or "" for script in page.xpath("//script[@src]")]
    assert len(found) == 2
    for address in found:
        assert "?v=" in address
        assert library.get(urljoin(library.base + path, address)).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, *FRAMES])
def test_pages_carry_no_inline_script_or_style(library: Site, path: str) -> None:
    page = parsed(library.get(path))
    assert not list(page.iter("style"))
    # Data are no script (WHATWG HTML section 4.12.1).
    scripts = page.xpath("//script[not(@type='application/ld+json')]")
    assert all(script.get("src") and not script.text for script in scripts)
    for element in page.iter():
        names = [str(name) for name in element.attrib]
        assert not [name for name in names if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", [*PAGES, *FRAMES])
def test_nothing_hidden_shows_on_a_page(library: Site, path: str) -> None:
    assert "hushed" not in library.get(path).text.lower()


@pytest.mark.parametrize("path", [*PAGES, *FRAMES, "/embed.js"])
def test_pages_are_cached_and_compressed_as_feeds_are(library: Site, path: str) -> None:
    plain = library.get(path)
    assert plain.headers["Cache-Control"] == "public, max-age=1800"
    assert plain.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"].startswith('W/"')
    fresh = library.get(path, if_none_match=plain.headers["ETag"])
    assert (fresh.status_code, fresh.content) == (304, b"")
    squeezed = library.get(path, accept_encoding="gzip")
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert squeezed.content == plain.content
    head = library.request("HEAD", path)
    assert head.headers["Content-Length"] == plain.headers["Content-Length"]


def test_page_was_last_modified_when_the_site_was(library: Site) -> None:
    site = library.get("/feed.atom").headers["Last-Modified"]
    for path in ("/", "/topics/ai/", "/providers/a.example/"):
        assert library.get(path).headers["Last-Modified"] == site
        assert library.get(path, if_modified_since=site).status_code == 304


def test_invisible_change_keeps_the_page(site: Site) -> None:
    before = site.get("/topics/ai/")
    site.collection.write("one.md", article(more='secured: "abc"\n'))
    site.collection.write("two.md", article("Hushed", published="false"))
    assert site.sync().added == 1
    after = site.get("/topics/ai/")
    for name in ("ETag", "Last-Modified"):
        assert after.headers[name] == before.headers[name]
    # A choice by heat shows it.
    site.collection.write("one.md", article(more="heat: 7\n"))
    assert site.sync().changed == 1
    assert site.get("/topics/ai/").headers["ETag"] == before.headers["ETag"]


def test_page_shows_nothing_of_undue_articles_until_they_come(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    collection.write("now.md", article(provider="Old"))
    text = article("Soon", topics=("Law",), provider="Fresh", time=due.isoformat())
    collection.write("soon.md", text)
    site = serve(collection)
    provider = "/providers/example.org/"
    paths = ("/", "/topics/", "/build/", provider, f"/oembed?url={site.base}{provider}")
    before = [site.get(path) for path in paths]
    assert datetime.now(UTC) < due, "too slow to tell"
    for response in before:
        assert "Law" not in response.text and "Fresh" not in response.text
        assert response.headers["Cache-Control"] == "public, max-age=1800"
    time.sleep((due - datetime.now(UTC)).total_seconds() + 0.02)
    for path, old in zip(paths, before, strict=True):
        new = site.get(path, if_none_match=old.headers["ETag"])
        assert (new.status_code, "Law" in new.text or "Fresh" in new.text) == (200, True)


def test_index_prints_counts_and_the_date_of_the_newest_story(library: Site) -> None:
    page = parsed(library.get("/"))
    (topics,) = page.xpath("//section[@id='topics']")
    assert text(topics) == "Topics AI 30 · 15 May 2020 Law 15 · 15 May 2020 C++ 1 · 20 May 2020"
    (providers,) = page.xpath("//section[@id='providers']")
    assert text(providers) == "Providers Paper A 30 · 15 May 2020 Example 1 · 20 May 2020"
    assert titles(page) == ["C", *(f"Story {number}" for number in range(29, 30 - MAX_NEWEST, -1))]
    assert f"{library.base}/feeds.opml" in links(page, library.base + "/")


def test_stories_of_the_index_stand_before_its_topics(library: Site) -> None:
    parts = parsed(library.get("/")).xpath("//*[@role='article'] | //section[@id='topics']")
    assert [part.get("id") for part in parts] == [*[None] * MAX_NEWEST, "topics"]


@pytest.mark.parametrize(
    ("base_url", "app"),
    [
        ("https://news.example", "feed:https://news.example/topics/ai/feed.atom"),
        ("http://news.example", "feed://news.example/topics/ai/feed.atom"),
    ],
)
def test_page_offers_the_addresses_of_its_feed_to_every_reader(
    make_collection: Callable[..., Collection],
    serve: Callable[[Collection], Site],
    base_url: str,
    app: str,
) -> None:
    readers = ("https://www.reader.example/?add=", "https://other.example/feed%2F")
    collection = make_collection(base_url=base_url, web_readers=readers)
    collection.write("one.md", article())
    (panel,) = parsed(serve(collection).get("/topics/ai/")).find_class("subscribe")
    feed = f"{base_url}/topics/ai/feed."
    assert [text(code) for code in panel.iter("code")] == [feed + f for f in FORMATS]
    encoded = quote(feed + "atom", safe="")
    assert [(text(link), link.get("href")) for link in panel.iter("a")] == [
        ("reader.example", readers[0] + encoded),
        ("other.example", readers[1] + encoded),
        ("In an app on this device", app),
        ("All feeds of this site (OPML)", "../../feeds.opml"),
    ]


def test_page_without_web_readers_has_no_empty_list(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    site = serve(make_collection(web_readers=()))
    (panel,) = parsed(site.get("/")).find_class("subscribe")
    assert not list(panel.iter("ul"))


@pytest.mark.parametrize(
    ("path", "kind", "beginning"),
    [
        ("/favicon.ico", "image/x-icon", b"\0\0\1\0"),
        ("/apple-touch-icon.png", "image/png", b"\x89PNG"),
        ("/static/icon.svg", "image/svg+xml; charset=utf-8", b"<svg"),
    ],
)
def test_icons_are_where_browsers_look_for_them(
    library: Site, path: str, kind: str, beginning: bytes
) -> None:
    answer = library.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.content.startswith(beginning)
    assert len(answer.content) < 5_000


def test_icon_and_colour_of_the_settings_are_those_of_the_pages(
    make_collection: Callable[..., Collection],
    serve: Callable[[Collection], Site],
    tmp_path: Path,
) -> None:
    picture, drawing = tmp_path / "own.PNG", tmp_path / "own.svg"
    picture.write_bytes(b"\x89PNG\r\n picture")
    drawing.write_bytes(b"<svg/>")
    usual = serve(make_collection("usual"))
    png = serve(make_collection("png", icon=picture, accent="#07a"))
    svg = serve(make_collection("svg", icon=drawing))
    for path in ("/favicon.ico", "/apple-touch-icon.png"):
        assert png.get(path).content == picture.read_bytes()
        assert svg.get(path).content == usual.get(path).content
    assert b64encode(picture.read_bytes()) in png.get("/static/icon.svg").content
    assert svg.get("/static/icon.svg").content == b"<svg/>"
    style, own = (site.get("/static/style.css").text for site in (usual, png))
    assert own.startswith(style) and own.count("#07a") == 2
    pages = [parsed(site.get("/")) for site in (usual, png, svg)]
    for rel, different in (("icon", 3), ("stylesheet", 2)):
        assert len({page.xpath(f"//link[@rel='{rel}']/@href")[0] for page in pages}) == different


def test_index_without_articles_says_so(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    site = serve(collection)
    index = text(parsed(site.get("/")))
    assert "Topics None yet. Providers None yet." in index
    assert "No articles at the moment." in index
    assert "0.0 stories a week" in index
    for path in ("/topics/", "/providers/", "/build/", "/archive/", "/embed/"):
        assert site.get(path).status_code == 200


def test_page_whose_feed_is_not_public_any_more_is_not_found(site: Site) -> None:
    with site.collection.index.write_transaction() as connection:
        for table in ("entries", "articles", "files", "feeds"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    for path in ("/", "/topics/", "/archive/", "/build/", "/embed/"):
        assert site.get(path).text == "404 Not Found: no such page\n"
    assert site.get("/feed.atom").text == "404 Not Found: no such feed\n"
    address = f"{site.base}/feed.atom"
    assert site.get("/oembed?url=" + address).status_code == 404


@pytest.mark.parametrize(
    ("find", "topics", "providers"),
    [
        ("a", ["AI", "Law"], ["Paper A", "Example"]),
        ("LAW", ["Law"], []),
        ("  paper   a ", [], ["Paper A"]),
        ("cplusplus", ["C++"], []),
        ("c%2B%2B", ["C++"], []),
        ("a.example", [], ["Paper A"]),
        ("hushed", [], []),
        ("%3Cscript%3E", [], []),
    ],
)
def test_find_shows_the_topics_and_providers_called_so(
    library: Site, find: str, topics: list[str], providers: list[str]
) -> None:
    page = parsed(library.client.get(f"/?find={find}", follow_redirects=True))
    shown = {
        kind: [text(name) for name in page.xpath(f"//section[@id='{kind}']//li/a")]
        for kind in ("topics", "providers")
    }
    assert shown == {"topics": topics, "providers": providers}
    assert not stories(page)
    assert ("None of that name." in text(page)) == (not topics or not providers)
    for kind in ("topics", "providers"):
        response = library.client.get(f"/{kind}/?find={find}", follow_redirects=True)
        page = parsed(response)
        names = [text(name) for name in page.xpath("//div[@id='names']//li/a")]
        assert names == sorted(shown[kind], key=str.casefold)


@pytest.mark.parametrize(
    ("address", "status", "location"),
    [
        ("/?find=", 301, "/"),
        ("/?find=a&topic=ai", 301, "/?find=a"),
        ("/?find=++a%20%20b", 301, "/?find=a++b"),
        ("/?find=" + "a" * 101, 400, "find is longer than 100 letters"),
        ("/topics", 301, "/topics/"),
        ("/topics/?utm_source=x", 301, "/topics/"),
        ("/topics?find=a", 301, "/topics/?find=a"),
        ("/topics/?page=1&find=a%20b", 301, "/topics/?find=a+b"),
        ("/build", 301, "/build/"),
        ("/build?topic=ai", 301, "/build/?topic=ai"),
        ("/build/?" + "topic=x&" * 51, 400, "more than 50 parameters"),
        ("/topics/?page=0", 400, "page is 0, must be a whole number from 1 to"),
        ("/topics/?page=2", 404, "no such page"),
        ("/topics/?topic=ai&page=1", 301, "/topics/"),
        ("/build/?limit=50&topic=ai", 301, "/build/?topic=ai"),
        ("/build/?find=x", 301, "/build/"),
        ("/build/?min_quality=60&topic=law&topic=ai", 301, "/build/?topic=ai&topic=law"),
        ("/topics/ai/archive/2020-05", 301, "/topics/ai/archive/2020-05/"),
        ("/topics/AI/archive/", 301, "/topics/ai/archive/"),
        ("/archive/2020-05/?limit=3&type=video", 301, "/archive/2020-05/?type=video"),
        ("/archive/?min_heat=3", 301, "/archive/"),
        ("/archive/x/", 404, "no such month"),
        ("/embed/?theme=light&images=1&limit=5", 301, "/embed/"),
        ("/embed/?theme=pink", 400, "theme must be one of light, dark, auto"),
        ("/embed/?images=no", 400, "images must be one of 1, 0"),
        ("/embed/?images=0&images=0", 400, "images must be one of 1, 0"),
        ("/embed/?limit=0", 400, "limit is 0"),
        # Frames were pasted without the slash, and followed the visitor's system.
        ("/embed", 301, "/embed/?theme=auto"),
        ("/topics/ai/embed?limit=50", 301, "/topics/ai/embed/?limit=50&theme=auto"),
        ("/topics/ai/embed?limit=5&theme=light", 301, "/topics/ai/embed/"),
        ("/embed.js?x=1", 400, "unknown parameter x"),
        ("/embed.js?utm_source=x", 301, "/embed.js"),
    ],
)
def test_page_has_one_address_and_refuses_what_it_does_not_know(
    library: Site, address: str, status: int, location: str
) -> None:
    response = library.get(address)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    if status == 301:
        assert response.headers["Location"] == library.base + location
    else:
        assert location in response.text


def test_lists_of_names_go_on_over_pages(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    names = [f"Topic {number:03}" for number in range(2 * MAX_NAMES + 1)]
    collection.write("one.md", article(topics=tuple(names)))
    site = serve(collection)
    index = parsed(site.get("/"))
    assert len(index.xpath("//section[@id='topics']//li")) == MAX_LARGEST
    assert "All 201 topics" in text(index)
    shown = []
    for number in (1, 2, 3):
        address = f"/topics/?page={number}" if number > 1 else "/topics/"
        page = parsed(site.get(address))
        (canonical,) = page.xpath("//link[@rel='canonical']/@href")
        assert canonical == site.base + address
        pages = {urljoin(site.base + address, href) for href in page.xpath("//nav/a/@href")}
        ends = ("", "?page=2", "?page=3")
        assert {f"{site.base}/topics/{end}" for end in ends} <= pages
        (current,) = page.xpath("//*[@aria-current='page']")
        assert text(current) == str(number)
        shown += [text(name) for name in page.xpath("//div[@id='names']//li/a")]
    assert shown == names
    assert site.get("/topics/?page=4").status_code == 404
    found = parsed(site.get("/?find=topic"))
    assert len(found.xpath("//section[@id='topics']//li")) == MAX_FOUND
    (link,) = [a for a in found.iter("a") if text(a) == "All 201 topics"]
    assert link.get("href") == "./topics/?find=topic"


def test_page_shows_stories_as_subscribers_see_them(library: Site) -> None:
    page = parsed(library.get("/topics/law/"))
    story = stories(page)[0]
    assert text(story) == ("Story 29 Paper A · 15 May 2020 About Story 29. Also 29 Paper R")
    assert {"https://a.example/29", "https://r.example/29"} == links(story, library.base)
    (picture,) = story.iter("img")
    assert dict(picture.attrib) == {
        "src": "https://images.example/29.jpg?a=1&b=2",
        "alt": "",
        "width": "168",
        "height": "112",
        "loading": "lazy",
        "decoding": "async",
        "referrerpolicy": "no-referrer",
    }
    (time,) = story.iter("time")
    assert time.get("datetime") == "2020-05-15T06:00:00Z"


@pytest.mark.parametrize("excerpt", ["", 'excerpt: "A title"\n'], ids=["none", "the title"])
def test_story_without_a_summary_of_its_own_has_its_title_once(
    collection: Collection, excerpt: str
) -> None:
    collection.write("one.md", article().replace('excerpt: "About A title."\n', excerpt))
    collection.sync()
    page = Pages(index=collection.index, base=BASE).stories(EVERYTHING)
    assert page
    (story,) = stories(html.fromstring(page.body.decode()))
    assert text(story) == "A title Example · 18 May 2020"
    assert all(text(part) for part in story.iter("p"))


@pytest.mark.parametrize(
    ("path", "widths", "shown"),
    [
        ("/", (1200, 336, 400, 120), 1),
        ("/", (1200, 335), 0),
        ("/", (120, 300), 1),
        ("/", (None, 120), 1),
        ("/", (None, None), 0),
        ("/embed/", (1200, 336, 192, 191), 2),
    ],
)
def test_page_shows_the_smallest_picture_that_is_sharp(
    collection: Collection,
    serve: Callable[[Collection], Site],
    path: str,
    widths: tuple[int | None, ...],
    shown: int,
) -> None:
    more = "images:\n"
    for number, width in enumerate(widths):
        more += f'  - url: "https://images.example/{number}.jpg"\n'
        more += f"    width: {width}\n" if width else ""
    collection.write("one.md", article(more=more))
    (picture,) = stories(parsed(serve(collection).get(path)))[0].iter("img")
    assert picture.get("src") == f"https://images.example/{shown}.jpg"


def test_page_says_nothing_twice(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(topics={"law": FeedSettings(description="What courts say.")})
    plain = article("No excerpt", topics=("AI", "Law"))
    collection.write("one.md", plain.replace("excerpt:", "x:"))
    site = serve(collection)
    for path, subtitle in (
        ("/", ["Every topic and every provider"]),
        ("/topics/law/", ["What courts say."]),
        ("/topics/ai/", []),
        ("/?topic=ai&topic=law", []),
        ("/topics/law/?exclude=ai", []),
    ):
        page = parsed(site.get(path))
        assert [text(p) for p in page.find_class("subtitle")][:1] == subtitle
        for story in stories(page):
            assert text(story) == "No excerpt Example · 18 May 2020"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/topics/ai/", [*range(29, -1, -1)]),
        ("/topics/law/", [*range(29, 0, -2)]),
        ("/topics/ai/?exclude=law", [*range(28, -1, -2)]),
        ("/providers/a.example/?limit=4", [*range(29, -1, -1)]),
        ("/topics/ai/?min_quality=80", [*range(29, 9, -1)]),
        ("/", ["C", *range(29, -1, -1)]),
    ],
)
def test_older_leads_through_the_whole_history(
    library: Site, path: str, expected: list[object]
) -> None:
    shown, seen, at = [], 0, library.base + path
    while at:
        page = parsed(library.get(at))
        shown += titles(page)
        seen += 1
        assert len(titles(page)) <= MAX_STORIES
        older = [link.get("href") for link in page.iter("a") if link.get("rel") == "prev"]
        at = urljoin(at, older[0]) if older else ""
    assert shown == [f"Story {e}" if isinstance(e, int) else e for e in expected]
    assert seen <= 5


def test_month_leads_to_the_newer_month_and_to_its_feed(library: Site) -> None:
    at = f"{library.base}/topics/law/archive/2020-04/"
    page = parsed(library.get(at))
    assert page.findtext(".//h1") == "April 2020"
    (newer,) = [link.get("href") for link in page.iter("a") if link.get("rel") == "next"]
    assert urljoin(at, newer or "") == f"{library.base}/topics/law/archive/2020-05/"
    assert f"{library.base}/topics/law/" in links(page, at)


def test_history_lists_the_months_that_have_stories(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    for number, month in enumerate(("2020-12", "2020-05", "2018-01", "1990-01")):
        collection.write(f"{number}.md", article(time=f"{month}-31T23:59:59Z"))
    collection.write("hidden.md", article(time="2019-01-01T00:00:00Z", published="false"))
    site = serve(collection)
    at = site.base + "/topics/ai/archive/"
    page = parsed(site.get(at))
    shown = "History 2020 December May 2018 January 1990 January"
    assert shown in text(page)
    months = [f"{site.base}/topics/ai/archive/{m}/" for m in ("2020-12", "2018-01", "1990-01")]
    assert set(months) <= links(page, at)


def test_feed_chosen_by_heat_has_no_history(library: Site) -> None:
    page = library.get("/topics/ai/?min_heat=1")
    assert "All months" not in page.text
    assert library.get("/archive/2020-05.atom?min_heat=1").status_code == 400


def test_builder_shows_what_is_chosen_and_the_address_of_the_feed(library: Site) -> None:
    address = (
        "/build/?exclude=c%2B%2B&min_heat=5&min_quality=90&provider=a.example&topic=law&topic=ai"
    )
    moved = library.get(address)
    assert moved.status_code == 301
    page = parsed(library.get(moved.headers["Location"]))
    fields = [(f.get("name"), f.get("value")) for f in page.xpath("//form//input[@checked]")]
    assert fields == [
        *(("topic", "ai"), ("topic", "law"), ("provider", "a.example"), ("exclude", "cplusplus"))
    ]
    (slider,) = page.xpath("//input[@type='range']")
    assert (slider.get("min"), slider.get("max"), slider.get("value")) == ("60", "99", "90")
    (kept,) = page.xpath("//form//input[@type='hidden']")
    assert (kept.get("name"), kept.get("value")) == ("min_heat", "5")
    (atom,) = page.xpath("//input[@id='built-atom']")
    query = "exclude=cplusplus&min_heat=5&min_quality=90&topic=ai&topic=law"
    assert atom.get("value") == f"{library.base}/providers/a.example/feed.atom?{query}"
    assert library.get(atom.get("value") or "").status_code == 200


def test_builder_form_makes_the_feed_without_a_script(library: Site) -> None:
    page = parsed(library.get("/"))
    (form,) = page.xpath("//form[@class='builder']")
    assert (form.get("method") or "get", urljoin("/", form.get("action"))) == ("get", "/build/")
    form.fields["min_quality"] = "85"
    (box,) = form.xpath(".//input[@name='topic'][@value='ai']")
    box.checked = True
    answer = library.client.get("/build/", params=form.form_values(), follow_redirects=True)
    assert str(answer.url) == f"{library.base}/build/?min_quality=85&topic=ai"
    assert f"{library.base}/topics/ai/feed.atom?min_quality=85" in answer.text


@pytest.mark.parametrize(
    ("query", "shown", "fixed"),
    [
        (
            "topic=Lawe&min_quality=80",
            "There is no topic “Lawe”. Law",
            "/build/?min_quality=80&topic=law",
        ),
        (
            "provider=papr+a&topic=law",
            "There is no provider “papr a”. Paper A",
            "/build/?provider=a.example&topic=law",
        ),
        (
            "exclude=Papr+A",
            "There is no topic or provider “Papr A”. Paper A",
            "/build/?exclude=a.example",
        ),
        ("topic=xyz&type=video", "There is no topic “xyz”.", None),
        ("exclude=<b>&exclude=law", "There is no topic or provider “<b>”.", None),
        ("exclude=Hushed", "There is no topic or provider “Hushed”.", None),
        ("exclude=LAW&topic=law", "“Law” is chosen, so it cannot be excluded.", None),
        (f"topic={501 * 'a'}", f"There is no topic “{57 * 'a'}...”.", None),
    ],
)
def test_fault_stands_at_its_field(
    library: Site, query: str, shown: str, fixed: str | None
) -> None:
    answer = library.get(f"/build/?{query}")
    page = parsed(answer, 404)
    field = query.partition("=")[0]
    told = {name: text(page.xpath(f"//*[@id='fault-{name}']")[0]) for name in FIELDS}
    assert told == dict.fromkeys(FIELDS, "") | {field: shown}
    (result,) = page.xpath("//*[@id='result']")
    assert result.get("hidden") is not None
    offered = [link.get("href") or "" for link in page.xpath("//*[@role='alert']//a")]
    if fixed:
        (offer,) = offered
        moved = library.client.get(urljoin("/build/", offer), follow_redirects=True)
        assert (moved.status_code, str(moved.url)) == (200, library.base + fixed)
    else:
        assert offered == []


def test_faults_of_one_address_share_the_names_they_are_compared_with(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To compare fifty names with a thousand topics took a minute."""
    monkeypatch.setattr(import_module("feeds.pages.builder"), "MAX_COMPARED", 2)
    for at, topics in enumerate([("Climate", "Weather"), ("Climate",)]):
        collection.write(f"{at}.md", article(topics=topics))
    collection.sync(NOW)
    pages = Pages(index=collection.index, base=BASE)
    for written, offered in (
        (["Wether"], ["Weather"]),
        (["Climat", "Wether"], ["Climate"]),
    ):
        made = pages.build(EVERYTHING, [("topic", name) for name in written])
        assert made
        page = html.document_fromstring(made.body.decode())
        assert page.xpath("//*[@role='alert']//a/text()") == offered


def test_builder_takes_names_as_people_write_them(library: Site) -> None:
    for provider in ("WWW.A.example", "paper%20%20A"):
        moved = library.get(f"/build/?topic=C%2B%2B&topic=&provider={provider}&min_quality=60")
        end = "/build/?provider=a.example&topic=cplusplus"
        assert moved.headers["Location"] == library.base + end
    moved = library.get("/build/?exclude=Paper%20A&exclude=LAW&type=video")
    assert (
        moved.headers["Location"]
        == library.base + "/build/?exclude=a.example&exclude=law&type=video"
    )


@pytest.mark.parametrize(
    ("address", "rate", "steps"),
    [
        # Thirty stories from 1 April to 15 May, and one on 20 May.
        ("/build/", "4.4", {70: "4.4", 71: "4.3", 99: "0.1"}),
        ("/build/?min_quality=90", "1.4", {70: "4.4", 90: "1.4"}),
        ("/build/?topic=law", "2.4", {71: "2.4", 99: "0.2"}),
        ("/build/?min_quality=85&topic=law", "1.3", {71: "2.4", 85: "1.3"}),
        ("/build/?min_quality=999", "0.0", {99: "0.1"}),
    ],
)
def test_plot_tells_how_many_stories_a_week_come_through(
    library: Site, address: str, rate: str, steps: dict[int, str]
) -> None:
    page = parsed(library.get(address))
    (sentence,) = page.xpath("//p[b[@id='rate']]")
    assert text(sentence) == f"{rate} stories a week, April \u2013 May 2020"
    (drawing,) = page.xpath("//div[@id='plot']//svg")
    found = dict(pair.split(":") for pair in (drawing.get("data-steps") or "").split())
    assert {int(quality): value for quality, value in found.items()} | steps == {
        int(quality): value for quality, value in found.items()
    }


@pytest.mark.parametrize(
    ("times", "months"),
    [
        (("2020-12-31", "2021-01-01"), "December 2020 \u2013 January 2021"),
        (("2021-01-30", "2021-01-15"), "January 2021"),
    ],
)
def test_rate_has_the_months_for_which_it_holds(
    collection: Collection, serve: Callable[[Collection], Site], times: list[str], months: str
) -> None:
    for day in times:
        collection.write(f"{day}.md", article(time=f"{day}T10:00:00Z"))
    page = parsed(serve(collection).get("/build/"))
    (told,) = page.xpath("//p[b[@id='rate']]")
    assert text(told).endswith(f" stories a week, {months}")


def test_builder_without_a_choice_of_qualities_says_why(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    site = serve(collection)

    def shown() -> tuple[str, bool]:
        page = parsed(site.get("/build/"))
        (drawing,), (slider,) = page.xpath("//*[@id='plot']"), page.xpath("//input[@type='range']")
        return text(drawing), slider.getparent().get("hidden") is None

    nothing = "There are no such stories yet. The feed stays: what comes next will be in it."
    assert shown() == (nothing, False)
    collection.write("one.md", article(quality=80))
    site.sync()
    assert shown() == ("All of these stories have quality 80.", False)
    collection.write("two.md", article(quality=90))
    site.sync()
    assert shown() == ("Stories a week 2.0 0", True)


def test_builder_offers_a_limit_where_more_comes_than_the_feed_holds(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(limit=1)
    for number in range(29):
        collection.write(f"{number}.md", article(f"Story {number}", quality=60 + number))
    site = serve(collection)

    def holding(address: str) -> tuple[str, list[str]]:
        page = parsed(site.get(address))
        (part,) = page.xpath("//*[@id='holding']")
        boxes = part.xpath(".//input[@name='limit']")
        return text(part), [f"{b.get('value')} {b.get('checked') is not None}" for b in boxes]

    warning = (
        "About 3 stories come in half a day, and the feed holds {}."
        " A reader that asks twice a day misses the others."
    )
    assert holding("/build/") == (f"{warning.format(1)} Hold 50 stories", ["50 False"])
    assert holding("/build/?limit=50") == ("Hold 50 stories", ["50 True"])
    # What somebody chose can be unchosen, and is not exchanged.
    assert holding("/build/?limit=2") == (f"{warning.format(2)} Hold 2 stories", ["2 True"])
    assert holding("/build/?min_quality=80") == ("", [])


def test_frame_shows_the_newest_stories(library: Site) -> None:
    page = parsed(library.get("/topics/ai/embed/"))
    assert titles(page) == [f"Story {number}" for number in range(29, 24, -1)]
    assert len(list(page.iter("img"))) == 4
    assert all(link.get("target") == "_blank" for link in page.iter("a"))
    assert page.get("data-theme") == "light"
    assert "data-theme" not in parsed(library.get("/embed/?theme=auto")).attrib
    page = parsed(library.get("/topics/ai/embed/?images=0&limit=3&theme=dark"))
    assert page.get("data-theme") == "dark"
    assert len(titles(page)) == 3
    assert not list(page.iter("img"))
    assert len(titles(parsed(library.get("/topics/ai/embed/?limit=50")))) == 30


def test_frame_shows_pictures_of_https_alone(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    more = 'images:\n  - url: "http://images.example/p.jpg"\n'
    collection.write("one.md", article(more=more))
    site = serve(collection)
    assert "http://images.example" not in site.get("/embed/").text
    assert "http://images.example" in site.get("/topics/ai/").text


@pytest.mark.parametrize(
    "path", [*PAGES, "/feed.atom", "/nowhere", "/embed.js", "/topics/x/embed/"]
)
def test_only_frames_may_stand_in_other_sites(library: Site, path: str) -> None:
    policy = library.get(path).headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", FRAMES)
def test_frame_policy_lets_in_pictures_and_what_is_ours(library: Site, path: str) -> None:
    for response in (library.get(path), library.get(path, if_none_match="*")):
        assert response.headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src https:;"
            " base-uri 'none'; form-action 'none'; frame-ancestors *"
        )
        assert "X-Frame-Options" not in response.headers
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_element_is_a_small_script_for_every_site(library: Site) -> None:
    response = library.get("/embed.js")
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", PAGES)
def test_oembed_is_found_from_every_page(library: Site, path: str) -> None:
    page = parsed(library.get(path))
    (found,) = (
        link.get("href") or "" for link in page.iter("link") if "oembed" in link.get("type", "")
    )
    response = library.get(found)
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    oembed = response.json()
    assert oembed["version"] == "1.0"
    assert oembed["type"] == "rich"
    assert oembed["provider_name"] == "News"
    assert oembed["provider_url"] == library.base + "/"
    frame = html.fromstring(oembed["html"])
    assert frame.tag == "iframe"
    assert (frame.get("width"), frame.get("height")) == (
        str(oembed["width"]),
        str(oembed["height"]),
    )
    assert frame.get("title") == oembed["title"]
    assert library.get(frame.get("src") or "").status_code == 200


@pytest.mark.parametrize(
    ("address", "framed"),
    [
        ("/", "/embed/"),
        ("", "/embed/"),
        ("/topics/ai/feed.rss", "/topics/ai/embed/"),
        ("/topics/AI", "/topics/ai/embed/"),
        ("/topics/ai/embed/?theme=dark&limit=2", "/topics/ai/embed/?limit=2"),
        ("/topics/ai/?limit=5", "/topics/ai/embed/"),
        ("/?topic=law&topic=ai&utm_source=x", "/embed/?topic=ai&topic=law"),
        ("/topics/law/?q=Story+-x", "/topics/law/embed/?q=story%20-x"),
    ],
)
def test_oembed_knows_every_address_of_a_feed(library: Site, address: str, framed: str) -> None:
    for base in (library.base, library.base.replace("http:", "https:")):
        oembed = library.client.get("/oembed", params={"url": base + address}).json()
        assert html.fromstring(oembed["html"]).get("src") == library.base + framed


@pytest.mark.parametrize(
    ("bounds", "width", "height", "stories"),
    [
        ({}, 600, 549, None),
        ({"maxwidth": "300"}, 300, 549, None),
        ({"maxwidth": "1200", "maxheight": "1200"}, 600, 549, None),
        ({"maxheight": "548"}, 600, 452, "4"),
        ({"maxheight": "300"}, 600, 258, "2"),
        ({"maxheight": "90", "maxwidth": "1"}, 1, 90, "1"),
    ],
)
def test_oembed_keeps_within_its_bounds(
    library: Site, bounds: dict[str, str], width: int, height: int, stories: str | None
) -> None:
    params = {"url": f"{library.base}/topics/ai/", "format": "json", **bounds}
    oembed = library.client.get("/oembed", params=params).json()
    assert (oembed["width"], oembed["height"]) == (width, height)
    source = html.fromstring(oembed["html"]).get("src") or ""
    assert parse_qs(urlsplit(source).query).get("limit") == (stories and [stories])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("url={base}/topics/none/", 404),
        ("url={base}/nowhere", 404),
        ("url={base}/healthz", 404),
        ("url={base}/topics/ai/archive/2020-05/", 404),
        ("url={base}/topics/ai/archive/2020-05.atom", 404),
        ("url={base}/topics/", 404),
        ("url={base}/feeds.opml", 404),
        ("url={base}/topics/ai/?limit=x", 404),
        ("url=https://other.example/topics/ai/", 404),
        ("url={base}.evil.example/topics/ai/", 404),
        ("url=http://[", 404),
        ("url=javascript:alert(1)", 404),
        ("url=ftp://{host}/topics/ai/", 404),
        ("url={base}/&format=xml", 501),
        ("format=xml", 501),
        ("", 400),
        ("url=", 400),
        ("url={base}/&url={base}/", 400),
        ("url={base}/&maxwidth=0", 400),
        ("url={base}/&maxheight=tall", 400),
        ("url={base}/&x=1", 400),
    ],
)
def test_oembed_refuses_what_it_cannot_embed(library: Site, query: str, status: int) -> None:
    response = library.get(
        "/oembed?" + query.format(base=library.base, host=urlsplit(library.base).netloc)
    )
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text.count("\n") == 1


def test_oembed_under_a_path_knows_its_own_pages(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(base_url="https://news.example/under")
    collection.write("one.md", article())
    site = serve(collection)
    oembed = site.get("/oembed?url=https://news.example/under/topics/ai/").json()
    assert 'src="https://news.example/under/topics/ai/embed/"' in oembed["html"]
    for address in ("https://news.example/topics/ai/", "https://news.example/undertopics/ai/"):
        assert site.get(f"/oembed?url={address}").status_code == 404


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://News.Example", "https://news.example/topics/ai/"),
        ("https://News.Example", "https://News.Example"),
        ("https://münchen.example", "https://münchen.example/topics/ai/"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example/"),
        ("https://news.example/feeds", "https://news.example/feeds"),
    ],
)
def test_oembed_knows_its_site_however_it_is_written(
    make_collection: Callable[..., Collection],
    serve: Callable[[Collection], Site],
    base: str,
    address: str,
) -> None:
    collection = make_collection(base_url=read_config(None, {"FEEDS_BASE_URL": base}).base_url)
    collection.write("one.md", article())
    site = serve(collection)
    assert site.client.get("/oembed", params={"url": address}).status_code == 200


def test_history_page_has_a_new_date_with_each_change(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(limit=2)
    for day in (1, 2, 3):
        collection.write(f"{day}.md", article(time=f"2020-05-0{day}T00:00:00Z"))
    collection.sync()
    first = Pages(index=collection.index, base=BASE).months(EVERYTHING)
    collection.write("old.md", article(time="2019-01-01T00:00:00Z"))
    later = NOW + timedelta(seconds=9)
    collection.sync(later)
    second = Pages(index=collection.index, base=BASE).months(EVERYTHING)
    assert first and second and first.last_modified and second.last_modified
    assert first.etag != second.etag
    assert first.last_modified < second.last_modified


def test_page_of_the_last_month_leads_to_the_next_in_its_time(collection: Collection) -> None:
    due = NOW + timedelta(minutes=10)
    collection.write("due.md", article("Due", time=f"{due:%Y-%m-%dT%H:%M:%SZ}"))
    for month in (4, 5):
        collection.write(f"{month}.md", article(time=f"2020-0{month}-01T00:00:00Z"))
    collection.sync()
    newer = []
    for now in (NOW, due):
        collection.advance(now)
        pages = Pages(index=collection.index, base=BASE)
        for month in (4, 5):
            page = pages.stories(EVERYTHING, Archive(month=Month(year=2020, month=month)))
            assert page
            newer.append(b"Newer: " in page.body)
    assert newer == [True, False, True, True]


def test_frame_shows_its_five_stories_whatever_a_feed_is_limited_to(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(limit=2)
    for day in range(1, 8):
        collection.write(f"{day}.md", article(time=f"2020-05-0{day}T00:00:00Z"))
    site = serve(collection)
    assert len(titles(parsed(site.get("/embed/")))) == 5
    assert len(titles(parsed(site.get("/topics/ai/")))) == 2


def test_builder_starts_at_the_threshold_of_what_is_chosen(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(
        topics={"ai": FeedSettings(min_quality=75), "law": FeedSettings(min_quality=40)}
    )
    collection.write("one.md", article(topics=("AI", "Law")))
    site = serve(collection)
    for query, least in (("", "60"), ("?topic=ai", "75"), ("?topic=ai&topic=law", "40")):
        (slider,) = parsed(site.get(f"/build/{query}")).xpath("//input[@type='range']")
        assert (slider.get("min"), slider.get("value")) == (least, least)


def test_slider_ends_at_a_quality_that_can_be_chosen(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article(quality=999_999_999))
    collection.write("two.md", article(quality=70))
    site = serve(collection)
    (slider,) = parsed(site.get("/build/")).xpath("//input[@type='range']")
    assert slider.get("max") == "999999999"
    assert site.get(f"/build/?min_quality={slider.get('max')}").status_code == 200


def test_builder_suggests_the_largest_of_topics_and_providers_to_leave_out(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    topics = tuple(f"Topic {number}" for number in range(80))
    collection.write("one.md", article(topics=topics))
    collection.write("two.md", article(topics=topics[:1]))
    page = parsed(serve(collection).get("/build/"))
    values = page.xpath("//datalist[@id='suggested-exclude']/option/@value")
    assert set(values[:2]) == {"topic-0", "example.org"}
    assert len(values) == 60


def test_withdrawn_and_renamed_pages(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(
        topics={
            "ai": FeedSettings(slug="machines", former=("robots",)),
            "law": FeedSettings(withdrawn=True),
        }
    )
    collection.write("one.md", article(topics=("AI", "Law")))
    site = serve(collection)
    for end in ("", "archive/", "archive/2020-05/", "embed/"):
        moved = site.get(f"/topics/robots/{end}")
        assert moved.headers["Location"] == f"{site.base}/topics/machines/{end}"
        assert site.get(f"/topics/law/{end}").status_code == 410
    for path in ("/", "/topics/", "/build/", "/?find=law"):
        page = parsed(site.get(path))
        assert not {link for link in links(page, site.base) if "/law" in link}
    assert site.get(f"/oembed?url={site.base}/topics/law/").status_code == 404


def test_pages_of_a_large_site_stay_small(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    for number in range(300):
        more = "related:\n" + "".join(
            f'  - title: "{"Also on this story " * 4}{other}"\n    quality: 80\n'
            f'    webUrl: "https://r{other}.example/{"path/" * 8}{number}"\n'
            f'    provider:\n      name: "Paper {other}"\n'
            for other in range(6)
        )
        text = article(
            "A headline of a length that headlines have, and then some " + str(number),
            quality=60 + number % 90,
            time=f"20{10 + number // 30}-0{1 + number % 9}-01T00:00:{number % 60:02}Z",
            url=f"https://paper{number}.example/2020/05/18/a-headline-of-a-length-{number}",
            topics=(f"人工知能 {number % 30}", f"Topic of some length {number % 3}"),
            provider=f"The Paper of Record {number}",
            domain=f"paper{number}.example",
            more=more + PICTURE.partition("related")[0].format(number=number),
        )
        collection.write(f"{number}.md", text.replace("About", "About this and that, " * 30))
    site = serve(collection)
    paths = ["/", "/topics/", "/providers/", "/build/", "/archive/", "/?find=t", "/embed/?limit=50"]
    paths += ["/providers/?page=2", "/topics/topic-of-some-length-1/", "/archive/2015-01/"]
    sizes = {path: len(site.get(path).content) for path in paths}
    assert {path: size for path, size in sizes.items() if size >= 50_000} == {}
    assert sizes["/"] > 10_000


def test_hostile_text_is_escaped_on_pages(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    hostile = "<script>alert(1)</script>'><img src=x onerror=alert(2)>"
    collection = make_collection(
        title=hostile,
        description=hostile,
        topics={"ai": FeedSettings(title=hostile, description=hostile)},
    )
    related = f'related:\n  - title: "{hostile}"\n    webUrl: "https://r.ex/"\n    quality: 60\n'
    collection.write(
        "one.md",
        article(
            hostile,
            provider=hostile,
            topics=("AI", hostile),
            url="https://example.org/?q=\\\"'><script>alert(3)</script>",
            more=related,
        ),
    )
    site = serve(collection)
    found = links(parsed(site.get("/")), site.base)
    paths = {link for link in found if link.startswith(site.base) and not link.endswith(".opml")}
    for path in (*paths, site.base + "/embed/", site.base + "/build/?topic=ai"):
        page = parsed(site.get(path))
        assert hostile in " ".join(page.text_content().split())
        scripts = [s for s in page.iter("script") if "/static/" not in s.get("src", "")]
        # Data end only where an element ends (WHATWG HTML section 4.12.1.3).
        assert all(s.get("type") == "application/ld+json" for s in scripts)
        assert not [s for s in scripts if "<" in (s.text or "")]
        assert not [image for image in page.iter("img") if "/static/" not in image.get("src", "")]
    oembed = site.get(f"/oembed?url={site.base}/").json()
    assert oembed["title"] == hostile
    assert [element.tag for element in html.fromstring(oembed["html"]).iter()] == ["iframe"]


def test_pages_are_the_same_without_a_server(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    pages = Pages(index=collection.index, base=BASE)
    first, second = pages.stories(EVERYTHING), pages.stories(EVERYTHING)
    assert first and second and first.body == second.body
    assert json.dumps(pages.title(EVERYTHING)) == '"News"'
