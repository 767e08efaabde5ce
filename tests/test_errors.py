"""Errors over real HTTP: pages for people, and a line of text for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urljoin

import httpx
import jinja2
import pytest
from lxml import html

from feeds.config import Config, FeedSettings
from feeds.formats import FORMATS
from tests.support import Collection, Site, article

#: What Chromium sends as it opens a page.
BROWSER = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two topics, and one that was taken away; only to be read."""
    folder = tmp_path_factory.mktemp("portal")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    topics = {"gone": FeedSettings(withdrawn=True)}
    config = Config(articles=folder, database=database, language="de", topics=topics)
    collection = Collection(folder, config)
    for number, topic in enumerate(("Portals & <Gates>", "Law")):
        text = article(topics=(topic,), time=f"2020-0{3 + 2 * number}-18T02:41:00Z")
        collection.write(f"{number}.md", text)
    site = Site(collection)
    yield site
    site.close()


def page_of(response: httpx.Response, status: int) -> html.HtmlElement:
    """An error as a person gets it."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Vary"] == "Accept"
    assert not {"ETag", "Cache-Control", "Last-Modified"} & {*response.headers}
    page = html.fromstring(response.text)
    assert page.get("lang") == "de"
    assert (page.findtext(".//title") or "").endswith(" · News")
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert not page.xpath("//link[@rel='canonical' or @rel='alternate']")
    assert len(list(page.iter("h1"))) == 1
    return page


def led_to(page: html.HtmlElement, at: str) -> dict[str, str]:
    """What the links of a page say, and where they lead."""
    anchors = page.xpath("//main//a")
    return {a.text_content(): urljoin(at, a.get("href") or "") for a in anchors}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((path, 404) for path in ("/nowhere", "/topics/no/where/", "/%F0%9F/x")),
        *((path, 404) for path in ("/topics/?page=9", "/archive/x/", "/topics/none/archive/")),
        *((path, 404) for path in ("/providers/none.example", "/?exclude=x")),
        *((path, 410) for path in ("/topics/gone/", "/topics/gone", "/?topic=gone")),
        *((path, 400) for path in ("/?limit=x", "/build/?limit=x", "/?find=" + "a" * 101)),
    ],
)
def test_person_gets_a_page_that_leads_home_and_a_program_a_line(
    portal: Site, path: str, status: int
) -> None:
    for at in (portal.base, "https://news.example/under"):
        page = page_of(portal.get(path, accept=BROWSER), status)
        home = [a.get("href") or "" for a in page.xpath("//main//a[@rel='home']")]
        assert [urljoin(at + path, href) for href in home] == [f"{at}/"]
        styles = page.xpath("//link[@rel='stylesheet']/@href")
        assert urljoin(at + path, styles[0]).startswith(f"{at}/static/style.css")
    for accept in ("*/*", "application/json", "text/plain, text/html", "text/html;q=0"):
        plain = portal.get(path, accept=accept)
        assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert plain.headers["Vary"] == "Accept"
        assert plain.text.startswith(f"{status} ") and plain.text.count("\n") == 1
    head = portal.request("HEAD", path, accept=BROWSER)
    assert (head.status_code, head.content) == (status, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((f"{under}feed.{name}", 404) for under in ("/topics/x/",) for name in FORMATS),
        *((f"/topics/x/{guess}", 404) for guess in ("feed", "rss/", "index.xml")),
        *(("/feed.atom?limit=x", 400), ("/topics/gone/feed.rss", 410), ("/feeed.atom", 404)),
        *(("/archive/1999-1.atom", 404), ("/topics//law/feed.atom", 404), ("/favicon.png", 404)),
        *(("/embed/?limit=x", 400), ("/topics/x/embed/", 404), ("/embed.js?x=1", 400)),
        *(("/oembed?url=x", 404), ("/oembed", 400), ("/feeds.opml?x=1", 400)),
        *(("/static/none.css", 404), ("/wp-login.php", 404)),
    ],
)
def test_what_is_no_page_answers_errors_in_plain_text(portal: Site, path: str, status: int) -> None:
    response = portal.get(path, accept=BROWSER)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Vary" not in response.headers


def test_other_method_at_a_page_is_refused_in_plain_text(portal: Site) -> None:
    response = portal.request("POST", "/", accept=BROWSER)
    assert (response.status_code, response.text[:4]) == (405, "405 ")


@pytest.mark.parametrize(
    "path",
    [
        "/topics/portal-gates/",
        "/topics/Portals-gate",
        "/?topic=portal-gates",
        "/?exclude=portals-gate",
    ],
)
def test_page_of_an_unknown_name_leads_to_the_nearest(portal: Site, path: str) -> None:
    page = page_of(portal.get(path, accept=BROWSER), 404)
    near = portal.base + "/topics/portals-gates/"
    assert led_to(page, portal.base + path)["Portals & <Gates>"] == near
    assert portal.get(near).status_code == 200


def test_doubled_slash_counts_as_browsers_count_it(portal: Site) -> None:
    page = page_of(portal.get("/topics//law/", accept=BROWSER), 404)
    # To a browser there is an empty name between the two (WHATWG URL, path state).
    assert page.xpath("//main//a[@rel='home']/@href") == ["../../../"]


def test_unknown_name_is_shown_and_not_run(portal: Site) -> None:
    page = portal.get("/topics/%3Cscript%3Ealert(1)%3C%2Fscript%3E/", accept=BROWSER)
    assert page.status_code == 404
    assert "alert(1)" not in page.text


@pytest.mark.parametrize("month", ["1999-01", "2020-02", "2020-06", "2999-01", "1000-01", "may"])
@pytest.mark.parametrize(
    ("under", "query"), [("/", ""), ("/", "?type=article"), ("/providers/example.org/", "")]
)
def test_month_beyond_the_history_leads_to_it(
    portal: Site, under: str, month: str, query: str
) -> None:
    address = f"{under}archive/{month}/{query}"
    page = page_of(portal.get(address, accept=BROWSER), 404)
    history = f"{portal.base}{under}archive/{query}"
    assert led_to(page, portal.base + address)["Alle Monate"] == history
    assert portal.get(history).status_code == 200


def test_month_without_stories_within_the_history_leads_both_ways(portal: Site) -> None:
    page = html.fromstring(portal.get("/archive/2020-04/").text)
    assert page.xpath("//a[@rel='prev' or @rel='next']/@href") == [
        "../../archive/2020-05/",
        "../../archive/2020-03/",
    ]


@pytest.mark.parametrize("file", ["2020-02.atom", f"2020-03/20200301T000000Z-{'0' * 32}/"])
def test_what_documents_name_stays_without_stories(portal: Site, file: str) -> None:
    assert portal.get(f"/archive/{file}").status_code == 200


def test_error_page_leads_on_where_the_site_lies_under_a_path(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    base = "https://news.example/under"
    site = serve(make_collection(base_url=base, language="de"))
    for path in ("/a%3Fb/c", "/topics/a%2Fb/", "/a%2F%2F..%2Fb"):
        page = page_of(site.get(path, accept=BROWSER), 404)
        links = page.xpath("//main//a[@rel='home']/@href | //link[@rel='stylesheet']/@href")
        style, home = (urljoin(base + path, link) for link in links)
        assert home == f"{base}/"
        assert style.startswith(f"{base}/static/style.css")


def test_page_says_when_the_index_cannot_be_read(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(language="de")
    site = serve(collection)
    with collection.index.write_transaction() as connection:
        connection.exec_driver_sql("DROP TABLE entries")
    response = site.get("/topics/", accept=BROWSER)
    page_of(response, 503)
    assert response.headers["Retry-After"] == "30"


@pytest.mark.parametrize("also_fails", [False, True])
def test_failure_is_told_even_where_its_page_fails_too(
    portal: Site, monkeypatch: pytest.MonkeyPatch, also_fails: bool
) -> None:
    render = jinja2.Template.render

    # Of what may go wrong nothing is known that does: a library is made to fail.
    def fail(template: jinja2.Template, *args: object, **context: object) -> str:
        if also_fails or template.name != "error.html":
            raise ZeroDivisionError
        return render(template, *args, **context)

    monkeypatch.setattr(jinja2.Template, "render", fail)
    response = portal.get("/topics/?find=failure", accept=BROWSER)
    name = response.headers["X-Request-Id"]
    if also_fails:
        assert response.status_code == 500
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.text.startswith("500 ")
        assert portal.get("/nowhere", accept=BROWSER).text.startswith("404 ")
    else:
        page_of(response, 500)
    assert name in response.text
