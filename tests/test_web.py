"""Addresses, hosts, redirects, errors and pages over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import feedparser
import pytest

from feeds import create_app
from feeds.config import Config, FeedSettings
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


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A topic with a slug of its own and former ones, and two taken away; only to be read."""
    folder = tmp_path_factory.mktemp("renamed")
    config = Config(
        articles=folder,
        database=f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3",
        topics={
            "ai": FeedSettings(slug="machines", former=("artificial", "robots-2000")),
            "gone": FeedSettings(withdrawn=True, former=("went",)),
            "never": FeedSettings(withdrawn=True, former=("nevermore",)),
        },
        providers={"example.org": FeedSettings(former=("old.example",))},
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
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https:;"
        " connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'self'"
    )


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
    for name in ("Allow", "Access-Control-Allow-Methods"):
        assert response.headers[name] == "GET, HEAD, OPTIONS"
    assert response.headers["Access-Control-Max-Age"] == "86400"
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
        ("/?s=09", "/"),
        (
            "/topics/machines/?ref_src=x&exclude=example.org&source=y",
            "/topics/machines/?exclude=example.org",
        ),
        ("/topics/AI?%3Cscript%3E=1&" + "a=b&" * 99, "/topics/machines/"),
        ("/topics/machines/?topic=machines", "/topics/machines/"),
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


def test_named_in_the_settings_alone_a_feed_is_gone_or_not_there(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    """Of what never had an article, only the settings tell whether it was taken away."""
    collection = make_collection(
        topics={
            "gone": FeedSettings(slug="away", former=("before",), withdrawn=True),
            "coming": FeedSettings(slug="soon", former=("later",)),
        }
    )
    site = serve(collection)
    for slug in ("gone", "away", "before", "Gone"):
        assert (slug, site.get(f"/topics/{slug}/feed.atom").status_code) == (slug, 410)
    for slug in ("coming", "soon", "later"):
        assert (slug, site.get(f"/topics/{slug}/feed.atom").status_code) == (slug, 404)


@pytest.mark.parametrize("path", ["/topics//ai/feed.atom", "/topics//ai/", "/archive//2020-05.rss"])
def test_doubled_slashes_lead_nowhere(standing: Site, path: str) -> None:
    response = standing.get(path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


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
def test_no_response_reveals_a_topic_that_was_never_public(
    collection: Collection, serve: Callable[[Collection], Site], hidden: str
) -> None:
    collection.write("one.md", article())
    collection.write("hidden.md", hidden)
    site = serve(collection)
    for kind, slug in (("topic", "hushed"), ("provider", "hushed.example")):
        for path in (f"/{kind}s/{slug}/", f"/{kind}s/{slug}", f"/{kind}s/{slug}/feed.atom"):
            response, unknown = site.get(path), site.get(path.replace("hushed", "unseen"))
            expected = unknown.text.replace("unseen", "hushed")
            # The same in every word and header as for what is not there at all.
            assert (response.status_code, response.text) == (404, expected)
            own = dict.fromkeys(("date", "content-length", "x-request-id"), "")
            assert {**response.headers, **own} == {**unknown.headers, **own}
    for path in ("/", "/feed.atom", FEED, "/topics/ai/", "/providers/example.org/"):
        assert "hush" not in site.get(path).text.lower()


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("quality=20", "quality"),
        ("utm_source=x&colour=red", "colour"),
        ("%3Cscript%3E=1", "%3Cscript%3E"),
        ("a%0Ab", "a%0Ab"),
        ("x" * 500, "x" * 80),
    ],
)
@pytest.mark.parametrize("path", [FEED, "/topics/ai/embed", "/feed.atom"])
def test_unknown_parameter_is_refused_by_name(
    standing: Site, path: str, query: str, parameter: str
) -> None:
    response = standing.get(f"{path}?{query}")
    assert response.status_code == 400
    frame = ", theme, images" if "embed" in path else ""
    known = f"provider, exclude, q, type, min_quality, min_heat, limit{frame}\n"
    topic = "" if "topics" in path else "topic, "
    problem = f"400 Bad Request: unknown parameter {parameter}, known here: {topic}{known}"
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


def test_no_header_of_a_proxy_says_where_the_site_is(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(proxies=(ip_network("127.0.0.0/8"),))
    collection.write("one.md", article())
    site = serve(collection)
    forged = {
        "X_Forwarded_For": "203.0.113.5",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Port": "666",
        "X_Forwarded_Prefix": "/evil",
        "Forwarded": "for=203.0.113.5;host=evil.example;proto=https",
    }
    for path in ("/", FEED, "/topics/ai/embed/", "/feeds.opml", "/topics/ai", "/nowhere"):
        for headers in ({}, forged):
            response = site.raw(path, **headers)
            text = response.body + str(response.headers).encode()
            assert not re.search(rb"evil|:666|https://localhost", text)
            assert (b"http://localhost/" in text) == (path != "/nowhere")


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
    for path in (FEED, "/topics/ai/"):
        response = site.raw(path, host=host)
        assert response.status == 200
        assert b"https://news.example/under/topics/ai/feed.atom" in response.body
        assert b"evil.example" not in response.body
    moved = site.raw("/topics/ai", host=host)
    assert moved.headers["Location"] == "https://news.example/under/topics/ai/"


def test_site_that_never_had_an_article_is_an_empty_feed(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    response = serve(collection).get("/feed.atom")
    assert response.status_code == 200
    assert feedparser.parse(response.content).entries == []
