"""What search engines and the cards of messengers find, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.robotparser import RobotFileParser

import pytest
from lxml import etree, html

from feeds.config import Config, FeedSettings
from feeds.formats import sitemap
from tests.support import BASE, Collection, Site, article

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
TITLE = 'Quotes \\" & </script><b>'
PICTURE = 'images:\n  - url: "https://images.example/{}.jpg?a=1&b=2"\n'


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Stories of two months, some with pictures, and what no sitemap may name."""
    folder = tmp_path_factory.mktemp("library")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    topics = {"gone": FeedSettings(withdrawn=True), "ai": FeedSettings(description='"AI" & <more>')}
    collection = Collection(folder, Config(articles=folder, database=database, topics=topics))
    plain = article(TITLE, topics=("AI", "Gone"), time="2020-05-18T02:41:00Z")
    collection.write("plain.md", plain)
    for day in (10, 9):
        more = PICTURE.format(day)
        text = article(
            f"Of {day}", more=more, topics=("AI", "人工"), time=f"2020-05-{day:02}T06:00:00Z"
        )
        collection.write(f"{day}.md", text)
    collection.write("old.md", article(topics=("Law",), time="2020-03-02T06:00:00Z"))
    collection.write("low.md", article(quality=1, topics=("Hushed",), domain="hushed.example"))
    site = Site(collection)
    yield site
    site.close()


def page_at(site: Site, path: str) -> html.HtmlElement:
    """A page that is there."""
    response = site.get(path)
    assert response.status_code == 200
    return html.fromstring(response.text)


def meta(site: Site, path: str) -> dict[str, str]:
    """What the head of a page says in its meta elements, by name or property."""
    found = page_at(site, path).xpath("//head/meta[@content]")
    return {m.get("name") or m.get("property") or "": m.get("content") or "" for m in found}


def listed(body: bytes, item: str = "url") -> dict[str, str | None]:
    """The addresses of a sitemap, and when each was last modified."""
    root = etree.fromstring(body)
    assert [element.tag for element in root] == [f"{SITEMAP}{item}"] * len(root)
    return {e.findtext(f"{SITEMAP}loc") or "": e.findtext(f"{SITEMAP}lastmod") for e in root}


def test_sitemap_names_the_pages_of_feeds_and_months(library: Site) -> None:
    response = library.get("/sitemap.xml")
    assert response.headers["Content-Type"] == "application/xml; charset=utf-8"
    newest, march = "2020-05-18T02:41:00+00:00", "2020-03-02T06:00:00+00:00"
    assert listed(response.content) == {
        f"{library.base}/": newest,
        f"{library.base}/topics/ai/": newest,
        f"{library.base}/topics/law/": march,
        f"{library.base}/topics/%E4%BA%BA%E5%B7%A5/": "2020-05-10T06:00:00+00:00",
        f"{library.base}/providers/example.org/": newest,
        f"{library.base}/archive/2020-05/": newest,
        f"{library.base}/archive/2020-03/": march,
    }
    for address in listed(response.content):
        assert library.get(address).status_code == 200
        assert "robots" not in meta(library, address)
    again = library.get("/sitemap.xml", if_none_match=response.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")


def test_robots_lead_to_the_sitemap(library: Site) -> None:
    response = library.get("/robots.txt")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["ETag"]
    rules = RobotFileParser()
    rules.parse(response.text.splitlines())
    assert rules.site_maps() == [f"{library.base}/sitemap.xml"]
    # What is not read cannot say that it is not to be found.
    assert rules.can_fetch("Googlebot", f"{library.base}/build/?topic=ai")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sitemap-1.xml", 404),
        ("/sitemap-0.xml", 301),
        ("/sitemap-x.xml", 404),
        ("/sitemap.xml?x=1", 400),
        ("/sitemap.xml?utm_source=x", 301),
        ("/robots.txt?x=1", 400),
        ("/robots.txt/", 301),
        ("/opensearch.xml?x=1", 400),
        ("/opensearch.xml/", 301),
    ],
)
def test_files_for_search_engines_have_one_address(library: Site, path: str, status: int) -> None:
    response = library.get(path, accept="text/html")
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_sitemap_of_a_site_that_never_had_an_article(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    site = serve(collection)
    assert listed(site.get("/sitemap.xml").content) == {f"{site.base}/": None}


def test_long_sitemap_is_an_index_over_parts() -> None:
    moment = datetime(2020, 5, 1, tzinfo=UTC)
    pages = [(f"{BASE}/topics/{number}/?a&b", moment) for number in range(5)]
    files = sitemap.write(pages, BASE, max_urls=2)
    names = [f"sitemap-{number}.xml" for number in (1, 2, 3)]
    assert [*files] == ["sitemap.xml", *names]
    index = listed(files["sitemap.xml"], "sitemap")
    assert index == dict.fromkeys((f"{BASE}/{name}" for name in names), None)
    parts = [listed(files[name]) for name in names]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [address for part in parts for address in part] == [address for address, _ in pages]
    assert [*sitemap.write(pages, BASE, max_urls=5)] == ["sitemap.xml"]


@pytest.mark.parametrize(
    ("path", "described"),
    [
        ("/", "Every topic and every provider"),
        ("/topics/ai/", '"AI" & <more>'),
        ("/topics/law/", "Articles on Law"),
        ("/archive/2020-05/", "Stories of May 2020: Every topic and every provider"),
        ("/topics/ai/archive/2020-05/", 'Stories of May 2020: "AI" & <more>'),
        ("/topics/ai/archive/", 'The months that have stories: "AI" & <more>'),
        ("/topics/", "All topics of News"),
        ("/providers/", "All providers of News"),
        (
            "/build/",
            "Choose topics, providers and a quality, and subscribe to what is left as one feed.",
        ),
    ],
)
def test_page_describes_itself_in_cards_and_results(
    library: Site, path: str, described: str
) -> None:
    head = meta(library, path)
    assert head["description"] == head["og:description"] == described
    page = page_at(library, path)
    assert head["og:title"] == page.findtext(".//title")
    assert head["og:url"] == library.base + path
    assert head["og:site_name"] == "News"
    assert "robots" not in head


@pytest.mark.parametrize(
    ("path", "picture"),
    [
        ("/", "https://images.example/10.jpg?a=1&b=2"),
        ("/topics/ai/", "https://images.example/10.jpg?a=1&b=2"),
        ("/topics/law/", None),
        ("/archive/2020-03/", None),
    ],
)
def test_card_shows_the_newest_picture_or_that_of_the_site(
    library: Site, path: str, picture: str | None
) -> None:
    head = meta(library, path)
    assert head["og:image"] == (picture or f"{library.base}/apple-touch-icon.png")
    assert head["twitter:card"] == ("summary_large_image" if picture else "summary")


@pytest.mark.parametrize(
    "path",
    [
        *("/?exclude=law", "/topics/ai/?limit=2", "/topics/ai/archive/2020-05/?type=article"),
        *("/build/?topic=ai", "/embed/", "/topics/ai/embed/", "/embed/?limit=2"),
    ],
)
def test_choices_and_frames_stay_out_of_search_engines(library: Site, path: str) -> None:
    assert meta(library, path)["robots"] == "noindex"


@pytest.mark.parametrize("path", ["/", "/topics/ai/", "/topics/ai/archive/2020-05/"])
def test_linked_data_lists_the_stories_of_the_page(library: Site, path: str) -> None:
    page = page_at(library, path)
    (script,) = page.xpath("//script[@type='application/ld+json']")
    stated = json.loads(script.text or "")
    assert stated["@type"] == "CollectionPage"
    assert stated["url"] == library.base + path
    assert stated["name"] == page.findtext(".//title")
    assert stated["description"] == meta(library, path)["description"]
    shown = page.xpath("//*[@role='article']//h2/a | //*[@role='article']//h3/a")
    items = stated["mainEntity"]["itemListElement"]
    assert [(i["name"], i["url"]) for i in items] == [(a.text, a.get("href")) for a in shown]
    assert [item["position"] for item in items] == [*range(1, len(shown) + 1)]


@pytest.mark.parametrize("path", ["/?find=ai", "/topics/", "/archive/", "/build/", "/embed/"])
def test_page_without_stories_lists_none(library: Site, path: str) -> None:
    assert "ld+json" not in library.get(path).text
