"""Addresses, hosts, redirects, errors and pages over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import feedparser
import pytest

from feeds import create_app
from feeds.config import Config, ConfigError, Name
from feeds.web import environment_config, open_index
from tests.support import Collection, Site, article

FEED = "/topics/ai/feed.atom"
FUTURE = "2999-01-01T00:00:00Z"
#: In `renamed`: addresses of every sort, feed and page, error and redirect.
ANSWERS = {
    "/": 200,
    "/feed.atom": 200,
    "/topics/machines/": 200,
    "/topics/machines/feed.atom": 200,
    "/providers/example.org/": 200,
    "/providers/example.org/feed.atom": 200,
    "/healthz": 200,
    "/static/style.css": 200,
    "/topics/ai/feed.atom": 301,
    "/topics/machines": 301,
    "/feed.atom?utm_source=x": 301,
    "/feed.atom?x=1": 400,
    "/topics/none/feed.atom": 404,
    "/providers/none.example/feed.atom": 404,
    "/nowhere": 404,
    "/static/nothing.css": 404,
    "/topics/gone/feed.atom": 410,
}


class Links(HTMLParser):
    """Links and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.alternates: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        if tag == "a":
            self.anchors.append(found["href"] or "")
        if tag == "link" and found["rel"] == "alternate":
            self.alternates.append(found)

    def handle_data(self, data: str) -> None:
        self.text = " ".join([*self.text.split(), *data.split()])


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A topic with a slug of its own and former ones, and two taken away; only to be read."""
    folder = tmp_path_factory.mktemp("renamed")
    config = Config(
        articles=folder,
        database=f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3",
        topics={
            "ai": Name(slug="machines", former=("artificial", "robots-2000")),
            "gone": Name(withdrawn=True, former=("went",)),
            "never": Name(withdrawn=True, former=("nevermore",)),
        },
        providers={"example.org": Name(former=("old.example",))},
    )
    collection = Collection(folder, config)
    collection.write("one.md", article(topics=("AI", "Gone", "Règles du jeu")))
    site = Site(collection)
    yield site
    site.close()


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/feed.atom", "News"),
        (FEED, "AI · News"),
        ("/providers/example.org/feed.atom", "Example · News"),
    ],
)
def test_feed_is_read_by_a_client(standing: Site, path: str, title: str) -> None:
    parsed = feedparser.parse(standing.get(path).content)
    assert not parsed.bozo
    assert parsed.feed.title == title
    assert [entry.title for entry in parsed.entries] == ["A title"]


@pytest.mark.parametrize("accept", ["text/html", "text/html, */*;q=0.1", "application/json", "*/*"])
@pytest.mark.parametrize("path", [path for path in ANSWERS if "feed.atom" in path])
def test_feed_address_never_answers_html(renamed: Site, path: str, accept: str) -> None:
    response = renamed.get(path, accept=accept)
    assert response.status_code == ANSWERS[path]
    kind = "application/atom+xml" if response.status_code == 200 else "text/plain"
    assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert "<html" not in response.text.lower()


@pytest.mark.parametrize(("path", "status"), ANSWERS.items())
def test_every_answer_lets_other_origins_read_it_and_guards_itself(
    renamed: Site, path: str, status: int
) -> None:
    response = renamed.get(path)
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Expose-Headers"] == "ETag, Link"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize("path", [FEED, "/topics/ai/", "/"])
def test_preflight_may_ask_for_conditional_requests(standing: Site, path: str) -> None:
    response = standing.request(
        "OPTIONS",
        path,
        origin="https://reader.example",
        access_control_request_method="GET",
        access_control_request_headers="if-none-match",
    )
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in response.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"if-none-match", "if-modified-since"} <= set(allowed)
    assert "Content-Type" not in response.headers


def test_preflight_of_nothing_is_not_found(standing: Site) -> None:
    assert standing.request("OPTIONS", "/nowhere").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [FEED, "/", "/healthz"])
def test_other_methods_are_refused_in_plain_text(standing: Site, path: str, method: str) -> None:
    response = standing.request(method, path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert re.fullmatch(r"405 Method Not Allowed: [^\n<]+\n", response.text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/topics/ai/", "/topics/machines/"),
        ("/topics/ai", "/topics/machines/"),
        ("/topics/ai/feed.atom", "/topics/machines/feed.atom"),
        ("/topics/ai/feed.atom?utm_source=x&fbclid=y", "/topics/machines/feed.atom"),
        ("/topics/artificial/feed.atom", "/topics/machines/feed.atom"),
        ("/topics/artificial?utm_medium=x", "/topics/machines/"),
        ("/topics/robots-2000/feed.atom/", "/topics/machines/feed.atom"),
        ("/topics/MACHINES/feed.atom", "/topics/machines/feed.atom"),
        ("/topics/Machines?gclid=1", "/topics/machines/"),
        ("/topics/AI/", "/topics/machines/"),
        ("/topics/Artificial/feed.atom", "/topics/machines/feed.atom"),
        ("/topics/machines/feed.atom?", None),
        ("/topics/machines/feed.atom?&", "/topics/machines/feed.atom"),
        ("/topics/Règles du jeu", "/topics/r%C3%A8gles-du-jeu/"),
        ("/topics/r%C3%A8gles-du-jeu/", None),
        ("/providers/www.Example.org/feed.atom", "/providers/example.org/feed.atom"),
        ("/providers/old.example", "/providers/example.org/"),
        ("/feed.atom/", "/feed.atom"),
        ("/?ref=elsewhere", "/"),
    ],
)
def test_other_spelling_moves_to_the_one_address_at_once(
    renamed: Site, old: str, new: str | None
) -> None:
    response = renamed.get(old)
    if new is None:
        assert response.status_code == 200
        return
    assert response.status_code == 301
    assert response.headers["Location"] == renamed.base + new
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert renamed.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/topics/gone/",
        "/topics/GONE/feed.atom",
        "/topics/went/feed.atom",
        "/topics/never/feed.atom",
        "/topics/nevermore/",
    ],
)
def test_withdrawn_feed_is_gone(renamed: Site, path: str) -> None:
    response = renamed.get(path)
    assert response.status_code == 410
    assert response.text == "410 Gone: this feed was taken away on purpose\n"
    assert "/topics/gone/" not in renamed.get("/").text


def test_query_that_is_not_ascii_is_refused(standing: Site) -> None:
    app = create_app(standing.collection.config)
    response = app.test_client().get("/feed.atom", environ_overrides={"QUERY_STRING": "topic=\xff"})
    assert (response.status_code, response.text) == (
        400,
        "400 Bad Request: the query has letters that are not percent-encoded (RFC 3986)\n",
    )


def test_unknown_feed_is_not_found(standing: Site) -> None:
    response = standing.get("/topics/none/feed.atom")
    assert response.status_code == 404
    assert response.text == f"404 Not Found: no such topic: none; {standing.base}/ lists them all\n"


def test_emptied_topic_keeps_its_feed_and_page(site: Site) -> None:
    site.collection.write("one.md", article(published="false"))
    site.sync()
    response = site.get(FEED)
    assert response.status_code == 200
    assert feedparser.parse(response.content).entries == []
    page = site.get("/topics/ai/")
    assert page.status_code == 200
    assert "No articles at the moment." in page.text
    assert "AI 0 articles Atom" in Links(site.get("/").text).text


@pytest.mark.parametrize(
    "hidden",
    [
        article("Hush", topics=("Hushed",), domain="hushed.example", published="false"),
        article("Hush", topics=("Hushed",), domain="hushed.example", quality=59),
        article("Hush", topics=("Hushed",), domain="hushed.example", time=FUTURE),
        article("Hush", topics=("Hushed",), domain="hushed.example", more="removed: true\n"),
    ],
    ids=["unpublished", "below", "future", "removed"],
)
def test_nothing_tells_of_a_topic_that_was_never_public(
    collection: Collection, serve: Callable[[Collection], Site], hidden: str
) -> None:
    collection.write("one.md", article())
    collection.write("hidden.md", hidden)
    site = serve(collection)
    for kind, slug in (("topic", "hushed"), ("provider", "hushed.example")):
        unknown = site.get(f"/{kind}s/{slug.replace('hushed', 'unseen')}/")
        told = unknown.text.replace("unseen", "hushed")
        for path in (f"/{kind}s/{slug}/", f"/{kind}s/{slug}", f"/{kind}s/{slug}/feed.atom"):
            response = site.get(path)
            # The same in every word and header as for what is not there at all.
            assert (response.status_code, response.text) == (404, told)
            own = {"date": "", "content-length": ""}
            assert {**response.headers, **own} == {**unknown.headers, **own}
    for path in ("/", "/feed.atom", FEED, "/topics/ai/", "/providers/example.org/"):
        assert "hush" not in site.get(path).text.lower()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("quality=20", "quality"),
        ("utm_source=x&colour=red", "colour"),
        ("%3Cscript%3E=1", "%3Cscript%3E"),
        ("a%0Ab", "a%0Ab"),
        ("x" * 500, "x" * 80),
    ],
)
@pytest.mark.parametrize("path", [FEED, "/topics/ai/", "/"])
def test_unknown_parameter_is_refused_by_name(
    standing: Site, path: str, query: str, named: str
) -> None:
    response = standing.get(f"{path}?{query}")
    assert response.status_code == 400
    known = "provider, exclude, type, min_quality, min_heat, limit\n"
    topic = "" if "topics" in path else "topic, "
    problem = f"400 Bad Request: unknown parameter {named}, known here: {topic}{known}"
    assert response.text == problem
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("//evil.example/..", 404),
        ("//evil.example/topics/ai", 404),
        ("/%2F%2Fevil.example", 404),
        ("/%2F%2Fevil.example/topics/ai", 404),
        ("/\\evil.example", 404),
        ("/\\\\evil.example/topics/ai", 404),
        ("/topics/%2F%2Fevil.example", 404),
        ("/topics/\\evil.example/", 404),
        ("/topics/ai?utm_source=//evil.example", 301),
        ("/topics/AI/..%2F..%2F%2Fevil.example", 404),
        ("/topics/%FF%FE/", 404),
        ("/topics/%00/", 404),
        ("/topics/ai%0D%0ALocation:%20https:%2F%2Fevil.example/", 404),
    ],
)
def test_redirect_never_leaves_the_site(standing: Site, target: str, status: int) -> None:
    response = standing.raw(target)
    assert response.status == status
    location = response.headers.get("Location", "http://localhost/topics/ai/")
    assert location == "http://localhost/topics/ai/"


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "127.0.0.1", "127.0.0.1:5000", "[::1]", "[::1]:8000"],
)
def test_trusted_host_is_the_address_in_documents(standing: Site, host: str) -> None:
    response = standing.raw(FEED, host=host)
    assert response.status == 200
    assert f'href="http://{host}{FEED}" rel="self"'.encode() in response.body
    assert f"<http://{host}{FEED}>; rel=" in response.headers["Link"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "localhost@evil.example",
        "evil\\localhost",
        "[::1]evil",
        "[::2]",
        "127.0.0.1:99999",
        "local host",
        "",
    ],
)
def test_forged_host_is_refused_and_reaches_no_document(standing: Site, host: str) -> None:
    for path in ("/", FEED, "/topics/ai", "/nowhere", "/static/style.css"):
        response = standing.raw(path, host=host)
        assert response.status == 400
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert b"evil" not in response.body
    forged = {"X_Forwarded_Host": "evil.example", "Forwarded": "host=evil.example"}
    for path in ("/", FEED):
        response = standing.raw(path, **forged)
        assert response.status == 200
        assert b"evil" not in response.body


def test_capitals_in_the_host_make_no_difference(standing: Site) -> None:
    assert standing.raw(FEED, host="LocalHost").status == 200


def test_trusted_hosts_are_a_setting(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(trusted_hosts=("xn--e1afmkfd.xn--p1ai", "bücher.example"))
    collection.write("one.md", article())
    site = serve(collection)
    for host in collection.config.trusted_hosts:
        name = host.encode("idna").decode()
        response = site.raw(FEED, host=name)
        assert response.status == 200
        assert f'href="http://{name}{FEED}" rel="self"'.encode() in response.body
    assert site.raw(FEED).status == 400


def test_no_trusted_host_means_none(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    site = serve(make_collection(trusted_hosts=()))
    assert [site.raw("/", host=host).status for host in ("localhost", "evil.example")] == [400, 400]


@pytest.mark.parametrize("host", ["localhost", "evil.example", "[::1]:99", "local host", ""])
def test_base_url_is_the_address_in_documents_whatever_the_host(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site], host: str
) -> None:
    collection = make_collection(base_url="https://news.example/under")
    collection.write("one.md", article())
    site = serve(collection)
    for path in ("/", FEED, "/topics/ai/"):
        response = site.raw(path, host=host)
        assert response.status == 200
        assert b"https://news.example/under/topics/ai/feed.atom" in response.body
        assert b"evil.example" not in response.body
    moved = site.raw("/topics/ai", host=host)
    assert moved.headers["Location"] == "https://news.example/under/topics/ai/"


def test_index_page_lists_topics_and_providers_with_counts_and_feeds(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article("One", topics=("AI", "Law & <Order>")))
    collection.write("two.md", article("Two", provider="Other", domain="other.example"))
    site = serve(collection)
    response = site.get("/")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Links(response.text)
    assert (
        "Topics AI 2 articles Atom RSS JSON Feed Law & <Order> 1 article Atom RSS JSON Feed"
        " Providers Example 1 article Atom RSS JSON Feed Other 1 article Atom RSS JSON Feed"
    ) in page.text
    paths = ("/topics/ai/", "/topics/law-order/", "/providers/example.org/")
    for path in (*paths, "/providers/other.example/"):
        assert site.base + path in page.anchors
        assert site.base + path + "feed.atom" in page.anchors
    assert {site.get(link).status_code for link in page.anchors} == {200}


def test_index_page_without_articles_says_so(site: Site) -> None:
    (site.collection.folder / "one.md").unlink()
    with site.collection.index.writing() as connection:
        for table in ("entries", "articles", "files", "feeds"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("UPDATE state SET revision = revision + 1")
    assert "Topics None yet. Providers None yet." in Links(site.get("/").text).text
    assert site.get("/feed.atom").text == "404 Not Found: no such feed\n"


def test_site_that_never_had_an_article_is_an_empty_feed(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    response = serve(collection).get("/feed.atom")
    assert response.status_code == 200
    assert feedparser.parse(response.content).entries == []


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "News"),
        ("/topics/ai/", "AI · News"),
        ("/providers/example.org/", "Example · News"),
    ],
)
def test_page_leads_readers_to_its_feed(standing: Site, path: str, title: str) -> None:
    page = Links(standing.get(path).text)
    formats = [
        ("Atom", "feed.atom", "application/atom+xml"),
        ("RSS", "feed.rss", "application/rss+xml"),
        ("JSON Feed", "feed.json", "application/feed+json"),
    ]
    assert page.alternates == [
        {
            "rel": "alternate",
            "type": kind,
            "title": f"{title} ({name})",
            "href": f"{standing.base}{path}{file}",
        }
        for name, file, kind in formats
    ]
    for _, file, kind in formats:
        href = f"{standing.base}{path}{file}"
        assert href in page.anchors
        assert standing.get(href).headers["Content-Type"] == f"{kind}; charset=utf-8"


def test_page_of_a_topic_shows_its_articles(site: Site) -> None:
    more = 'related:\n  - title: R\n    webUrl: "https://r.example/"\n    quality: 60\n'
    site.collection.write("one.md", article("Shown", more=more))
    site.sync()
    page = Links(site.get("/topics/ai/").text)
    assert "Shown Example, 2020-05-18 About Shown." in page.text
    assert {"https://example.org/story", "https://r.example/"} <= set(page.anchors)


def test_hostile_text_is_escaped_on_pages(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    hostile = "<script>alert(1)</script>'><img src=x onerror=alert(2)>"
    collection = make_collection(
        title=hostile, description=hostile, topics={"ai": Name(title=hostile, description=hostile)}
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
    index = Links(site.get("/").text)
    for path in ("/topics/ai/", "/providers/example.org/", *index.anchors):
        response = site.get(path)
        if not response.headers["Content-Type"].startswith("text/html"):
            continue
        page = Links(response.text)
        assert hostile in page.text
        assert not page.tags & {"script", "img"}
        assert not [link for link in page.anchors if not link.startswith("http")]


def test_health_counts_files_visible_articles_and_faults(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article())
    collection.write("two.md", article(published="false"))
    collection.write("bad.md", "nothing")
    before = datetime.now(UTC).replace(microsecond=0)
    response = serve(collection).get("/healthz")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    health = response.json()
    synced = datetime.fromisoformat(health.pop("last_sync"))
    assert before <= synced <= datetime.now(UTC)
    assert health == {"status": "ok", "articles": 3, "visible": 1, "faults": 1}


def test_style_sheet_and_icon_are_served_to_be_kept(standing: Site) -> None:
    for path, kind in (("style.css", "text/css"), ("icon.svg", "image/svg+xml")):
        response = standing.get(f"/static/{path}")
        assert response.headers["Content-Type"].startswith(kind)
        assert "max-age=86400" in response.headers["Cache-Control"]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with one article that the environment names."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "one.md").write_text(article("From the environment"), encoding="utf-8")
    monkeypatch.setenv("FEEDS_ARTICLES", str(folder))
    monkeypatch.setenv("FEEDS_DATABASE", f"sqlite:///{tmp_path}/index.sqlite3")
    yield tmp_path


def test_app_without_a_configuration_is_that_of_the_environment(environment: Path) -> None:
    app = create_app()
    response = app.test_client().get("/feed.atom")
    assert b"From the environment" in response.data
    assert (environment / "index.sqlite3").is_file()


def test_app_leaves_a_filled_index_as_it_is(environment: Path) -> None:
    create_app()
    (environment / "seeds" / "two.md").write_text(article("Not yet"), encoding="utf-8")
    assert b"Not yet" not in create_app().test_client().get("/feed.atom").data


def test_configuration_file_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text("title: From a file\n", encoding="utf-8")
    monkeypatch.setenv("FEEDS_CONFIG", str(path))
    assert environment_config().title == "From a file"
    monkeypatch.setenv("FEEDS_LIMIT", "none")
    with pytest.raises(ConfigError, match="FEEDS_LIMIT"):
        create_app()


def test_each_folder_has_an_index_of_its_own(tmp_path: Path) -> None:
    urls = {
        open_index(Config(articles=tmp_path / name)).url.database
        for name in ("a/seeds", "b/seeds", "a/../a/seeds")
    }
    assert len(urls) == 2
    assert all(re.search(r"/instance/seeds-[0-9a-f]{6}\.sqlite3$", str(url)) for url in urls)
