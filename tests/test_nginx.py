"""Tests of the printed configuration, by the real nginx over a built site."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from feeds.cli import main
from feeds.config import Config, FeedSettings
from feeds.static_site import build
from feeds.static_site.nginx import configuration
from feeds.static_site.output import SiteError
from feeds.wire import FRAME_POLICY, SECURITY
from tests.nginx import find_nginx, serving
from tests.support import BASE, Collection, article

#: With a letter that tries the configuration's quotes.
HUB = "https://hub.example/?a='b'&c=d"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A built site behind nginx."""
    if not find_nginx():
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse("no nginx to test with, run apt-get install nginx")
    scratch = tmp_path_factory.mktemp("nginx")
    folder = scratch / "articles"
    folder.mkdir()
    config = Config(
        articles=folder,
        database=f"sqlite:///{scratch}/index.sqlite3",
        base_url=BASE,
        hub=HUB,
        limit=1,
        max_age=600,
        topics={
            "ai": FeedSettings(slug="machines", former=("ml", "C++ und \u00c4hnliches")),
            "secret": FeedSettings(withdrawn=True, former=("private",)),
        },
        providers={"example.org": FeedSettings(slug="the-example")},
    )
    collection = Collection(folder, config)
    collection.write("one.md", article(topics=("AI", "人工知能", "Secret")))
    collection.write("two.md", article(topics=("人工知能",), time="2020-04-01T12:00:00Z"))
    collection.sync(datetime.now(UTC))
    build(config.database, config, scratch / "out")

    def configure(listen: str) -> str:
        return configuration(collection.index, scratch / "out", listen)

    with serving(scratch, configure) as port:
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(
            base_url=address, headers={"Accept-Encoding": ""}, verify=False
        ) as client:
            yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/topics/machines/", "text/html"),
        ("/topics/%E4%BA%BA%E5%B7%A5%E7%9F%A5%E8%83%BD/", "text/html"),
        ("/topics/machines/archive/2020-05/", "text/html"),
        ("/topics/", "text/html"),
        ("/embed/", "text/html"),
        ("/feed.atom", "application/atom+xml"),
        ("/providers/the-example/feed.rss", "application/rss+xml"),
        ("/feed.json", "application/feed+json"),
        ("/feeds.opml", "text/x-opml"),
        ("/robots.txt", "text/plain"),
        ("/sitemap.xml", "application/xml"),
        ("/embed.js", "text/javascript"),
        ("/static/style.css?v=1", "text/css"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/favicon.ico", "image/x-icon"),
        ("/apple-touch-icon.png", "image/png"),
    ],
)
def test_each_file_has_its_type_and_headers(server: httpx.Client, path: str, kind: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    age = 86400 if path.startswith("/static/") else 600
    assert answer.headers["Cache-Control"] == f"public, max-age={age}"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Link"
    policy = FRAME_POLICY if path == "/embed/" else SECURITY["Content-Security-Policy"]
    for name, value in (SECURITY | {"Content-Security-Policy": policy}).items():
        assert answer.headers.get_list(name) == [value]


def test_a_compressed_file_is_sent_as_it_lies(server: httpx.Client) -> None:
    plain = server.get("/feed.atom")
    with server.stream("GET", "/feed.atom", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert answer.headers["Last-Modified"] == plain.headers["Last-Modified"]
    # Strong ones, so each coding has its own (RFC 9110 section 8.8.3).
    assert answer.headers["ETag"] != plain.headers["ETag"]
    assert gzip.decompress(raw) == plain.content


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("prefix", ["", "W/"])
def test_a_known_tag_is_answered_304(server: httpx.Client, coding: str, prefix: str) -> None:
    first = server.get("/feed.atom", headers={"Accept-Encoding": coding})
    tags = f'"x", {prefix}{first.headers["ETag"]}'
    again = server.get("/feed.atom", headers={"Accept-Encoding": coding, "If-None-Match": tags})
    assert (again.status_code, again.content) == (304, b"")
    for name in (
        *("ETag", "Last-Modified", "Cache-Control", "Vary", "Link"),
        *("Access-Control-Allow-Origin", "Access-Control-Expose-Headers"),
    ):
        assert again.headers[name] == first.headers[name]
    other = server.get("/feed.atom", headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


def test_a_date_is_answered_304_from_the_last_change_on(server: httpx.Client) -> None:
    modified = server.get("/feed.atom").headers["Last-Modified"]
    for date, status in (
        (modified, 304),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 304),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
    ):
        answer = server.get("/feed.atom", headers={"If-Modified-Since": date})
        assert answer.status_code == status


def test_a_feed_links_to_itself_and_its_page(server: httpx.Client) -> None:
    under = f"{BASE}/topics/%E4%BA%BA%E5%B7%A5%E7%9F%A5%E8%83%BD/"
    path = under.removeprefix(BASE)
    page = f'<{under}>; rel="alternate"; type="text/html"'
    answer = server.get(f"{path}feed.json")
    expected = f'<{under}feed.json>; rel="self", <{HUB}>; rel="hub", {page}'
    assert answer.headers["Link"] == expected
    assert answer.json()["hubs"] == [{"type": "WebSub", "url": HUB}]
    # No hub is told of an archive, and the topic is the one that the document names.
    older = f'<{under}archive/2020-04.atom>; rel="self", {page}'
    assert server.get(f"{path}archive/2020-04.atom").headers["Link"] == older
    assert "Link" not in server.get(path).headers


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/atom.xml", "/feed.atom"),
        ("/feed", "/feed.atom"),
        ("/feed/", "/feed.atom"),
        ("/feed.xml?utm_source=x", "/feed.atom"),
        ("/rss.xml", "/feed.rss"),
        ("/index.xml", "/feed.rss"),
        ("/topics/machines/rss/?utm_source=x", "/topics/machines/feed.rss"),
        ("/topics/machines/feed", "/topics/machines/feed.atom"),
        ("/topics/ai/", "/topics/machines/"),
        ("/topics/ai", "/topics/machines/"),
        ("/topics/ml/feed.json", "/topics/machines/feed.json"),
        ("/topics/cplusplus-und-%C3%A4hnliches/feed.rss", "/topics/machines/feed.rss"),
        ("/topics/ml/%0D%0AX:%20y", "/topics/machines/%0D%0AX:%20y"),
        ("/providers/example.org/archive/", "/providers/the-example/archive/"),
    ],
)
def test_a_former_or_guessed_address_leads_on(server: httpx.Client, path: str, target: str) -> None:
    answer = server.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (301, BASE + target)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_page_without_its_slash_leads_to_it(server: httpx.Client) -> None:
    answer = server.get("/topics/machines")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/topics/machines/")


@pytest.mark.parametrize("path", ["/topics/secret/", "/topics/secret/feed.atom", "/topics/private"])
def test_a_withdrawn_address_is_gone(server: httpx.Client, path: str) -> None:
    answer = server.get(path)
    assert (answer.status_code, answer.text[:8]) == (410, "410 Gone")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "/topics/unknown/feed.atom",
        "/topics/secretary/",
        "/index.html",
        "/topics/machines/index.html",
        "/feed.atom.gz",
        "/embed.js.br",
        "/.feeds.json",
        "/.feeds.lock",
        "/static/",
        "/feed.atom?topic=machines",
        "/?a=b&find=x",
        "/feed.atom?q=x",
        "/feeds.opml?format=rss",
        "/healthz",
        "/build/",
    ],
)
def test_what_is_not_there_is_404_in_plain_text(server: httpx.Client, path: str) -> None:
    answer = server.get(path)
    assert (answer.status_code, answer.text[:13]) == (404, "404 Not Found")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Cache-Control" not in answer.headers


def test_a_preflight_is_answered(server: httpx.Client) -> None:
    answer = server.options("/feed.atom")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"]
    assert "Cache-Control" not in answer.headers


def test_another_method_is_refused_in_plain_text(server: httpx.Client) -> None:
    answer = server.post("/feed.atom")
    assert (answer.status_code, answer.text) == (405, "405 Method Not Allowed\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_the_command_prints_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDS_DATABASE", f"sqlite:///{tmp_path}/index.sqlite3")
    folder, out = tmp_path / "articles", tmp_path / "out"
    folder.mkdir()
    monkeypatch.setenv("FEEDS_BASE_URL", BASE)
    made = CliRunner().invoke(main, ["build", "--print-nginx", str(out), str(folder)])
    assert made.exit_code == 0
    assert made.output.startswith("# Include")
    assert f'root "{out}";' in made.output
    assert not out.exists()
    monkeypatch.setenv("FEEDS_BASE_URL", f"{BASE}/below")
    made = CliRunner().invoke(main, ["build", "--print-nginx", str(out), str(folder)])
    assert made.exit_code == 1
    assert made.output == (
        "Error: nginx serves a site at the top of its host, base_url has a path\n"
    )


def test_a_folder_that_nginx_would_read_otherwise_is_refused(collection: Collection) -> None:
    collection.sync()
    with pytest.raises(SiteError, match="it has a"):
        configuration(collection.index, Path("/x/$host"))
