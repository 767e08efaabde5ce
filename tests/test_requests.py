"""Requests that nobody sensible sends: none of them may break anything or lead elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from feeds import create_app
from feeds.config import Config, FeedSettings
from feeds.web.parameters import PARAMETERS, TRACKING
from tests.support import Collection, article

OURS = "http://localhost"
EVIL = "evil.example"
#: The parameters of addresses that are no feeds.
OTHERS = ("find", "format", "theme", "images", "url", "maxwidth", "maxheight")
#: Bytes of the longest error; a selection of 50 names is named in a redirect alone.
SHORT = 2_000


class Request(NamedTuple):
    """A request as it comes from the network."""

    method: str
    #: Percent-encoded, as is the query.
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Request], Response]]:
    """The application over a few articles."""
    folder = tmp_path_factory.mktemp("asked")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    topics = {"ai": FeedSettings(former=("machine-learning",)), "law": FeedSettings(withdrawn=True)}
    config = Config(articles=folder, database=database, topics=topics)
    collection = Collection(folder, config)
    for number in range(3):
        collection.write(f"{number}.md", article(topics=("AI", "Law", f"Topic {number}")))
    app = create_app(config)

    def send(sent: Request) -> Response:
        environ = EnvironBuilder(method=sent.method, base_url=OURS).get_environ()
        path = unquote_to_bytes(sent.path).decode("latin-1")
        environ |= {"PATH_INFO": path, "QUERY_STRING": sent.query, "RAW_URI": sent.path}
        environ |= {f"HTTP_{n.upper().replace('-', '_')}": value for n, value in sent.headers}
        body, status, headers = run_wsgi_app(app, environ, buffered=True)
        return Response(int(status.split()[0]), dict(headers), b"".join(body))

    yield send
    collection.index.close()


#: Every address, a name in brackets where one is chosen.
RULES = sorted({rule.rule for rule in create_app(Config()).url_map.iter_rules()})
NAMES = ("ai", "AI", "machine-learning", "law", "topic-1", "example.org", "article", "2020-05")
NUMBERS = ("0", "-1", "80", "200", "999999999", "9" * 400, "1e3", "٢", "80.0", "+5", " 7 ")
TRICKS = (
    *("%2e%2e", "..", ".", "%00", "%5c", "%2f", "%2f%2fevil.example", "%0d%0aX:%20y", "%c0%ae"),
    *("%ff", "%ed%a0%80", ";x=y", "ai.", "ai%00", "%25", "%", "%zz", "a" * 5_000, "%e4" * 900),
    *(
        "evil.example",
        "@evil.example",
        "%40evil.example",
        "%7b%7b7*7%7d%7d",
        "<script>",
        "%F0%9F%98%80",
    ),
    *("xn--", "xn--a", "%e2%80%ae", "%e3%80%82", "\\evil.example", "2020-05-18T02:41:00Z", "~"),
)
JUNK = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=30)
TEXT = st.text(max_size=12).map(lambda text: quote(text, safe="", errors="replace"))
_name = st.sampled_from(NAMES)
SEGMENT = _name | _name | _name | st.sampled_from(TRICKS) | TEXT
HEADERS = {
    "If-None-Match": ('"', "*", "W/", 'W/"a", "b-gzip", *', '""', ",,,", '"' * 9_000, 'W/""-br'),
    "If-Modified-Since": (
        *("x", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 99999 23:59:59 GMT", "0", "Mon"),
        *("Mon, 18 May 2020 02:41:00 +9999", "Mon, 18 May 2020 99:99:99 GMT"),
    ),
    "Accept-Encoding": ("gzip;q=x", "br;q=-1", "*;q=0", "identity;q=0", "gzip," * 3_000, ";;;"),
    "Accept": ("text/html", "*/*;q=0", "application/json;v=", "x" * 5_000),
    "Range": ("bytes=0-0", "bytes=-1", "bytes=9-1,1-,-", "lines=1", "bytes=" + "0-0," * 2_000),
    "If-Range": ('"x"', "x"),
    "Cookie": ("a=b; " * 5_000, "session=.eJx", "\x80=\xff", "$Version=1"),
    "Authorization": ("Basic x", "Digest", "Bearer " + "a" * 9_000, "Basic /w=="),
    "Content-Length": ("x", "-1", "99999999999", "0"),
    "Content-Type": ("multipart/form-data", "application/json; charset=no", "x"),
    "Transfer-Encoding": ("chunked", "x"),
    "Host": (
        *(EVIL, "localhost.evil.example", "evil.example:80", "localhost@evil.example", "[::1", ""),
        *("localhost:@evil.example", "localhost:80@evil.example", "localhost:/evil.example"),
        *("localhost:x", "localhost/evil.example", "xn--", "xn--a.example", "LOCALHOST:0", "\xff"),
    ),
    "X-Forwarded-Host": (EVIL, "localhost, evil.example"),
    "X-Forwarded-For": ("127.0.0.1", "evil.example," * 900),
    "X-Forwarded-Proto": ("gopher", "https"),
    "X-Forwarded-Prefix": ("//evil.example", "/" + EVIL),
    "X-Original-URL": ("//evil.example/",),
    "X-HTTP-Method-Override": ("DELETE",),
    "Forwarded": (f"host={EVIL};proto=http",),
    "Origin": ("null", "https://evil.example"),
    "Referer": ("//evil.example", "x"),
    "Access-Control-Request-Method": ("x",),
    "A-IM": ("feed", "diffe, gzip"),
    "Expect": ("100-continue", "x"),
    "Upgrade": ("h2c", "websocket"),
}
METHODS = (*["GET"] * 12, "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "PATCH", "G%T")


def _filled(rule: str) -> st.SearchStrategy[str]:
    """A rule with something in each of its places."""
    parts = re.split(r"<[^>]*>", rule)
    places = st.lists(SEGMENT, min_size=len(parts) - 1, max_size=len(parts) - 1)
    return places.map(lambda chosen: "".join(sum(zip(parts, [*chosen, ""], strict=True), ())))


_loose = st.lists(SEGMENT, max_size=5).map("/".join)
_known = st.sampled_from(RULES).flatmap(_filled)
PATHS = (
    _known
    | _known
    | _known
    | _known.map(lambda path: "/" + path)
    | _loose.map(lambda path: "/" + path)
    | _loose.map(lambda path: "//evil.example/" + path)
)
_pair = st.tuples(
    st.sampled_from([*PARAMETERS, *OTHERS, *sorted(TRACKING), "utm_x", "x", "", "%00"]),
    st.sampled_from(["=", "=", "=", "", "[]=", "=="]),
    SEGMENT | st.sampled_from(NUMBERS).map(quote) | st.just(quote(f"{OURS}//{EVIL}/", safe="")),
)
QUERIES = (
    st.just("")
    | st.lists(_pair, max_size=5).map(lambda pairs: "&".join(map("".join, pairs)))
    | JUNK
)
_header = st.sampled_from(sorted(HEADERS)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name]) | JUNK)
)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(METHODS),
    path=PATHS,
    query=QUERIES,
    headers=st.lists(_header, max_size=3, unique_by=lambda header: header[0]).map(tuple),
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sent=REQUESTS)
def test_no_request_breaks_anything_or_leads_elsewhere(
    ask: Callable[[Request], Response], sent: Request
) -> None:
    response = ask(sent)
    # 501 is oEmbed's word for a format other than JSON.
    assert response.status < 500 or (response.status == 501 and "oembed" in sent.path)
    assert b"Traceback" not in response.body
    location = response.headers.get("Location", OURS)
    assert urlsplit(location).netloc in ("localhost", "localhost:0")
    assert not any(mark in location for mark in "\r\n\\ ")
    if response.status >= 400:
        is_page = response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert is_page or response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert len(response.body) < (4 * SHORT if is_page else SHORT)
        assert not is_page or "Accept" in dict(sent.headers)
    if sent.method == "HEAD" or response.status in (204, 304):
        assert response.body == b""
    assert b"root:" not in response.body


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "Forwarded", "X-Forwarded-Prefix"])
def test_forged_headers_change_nothing(ask: Callable[[Request], Response], name: str) -> None:
    for path in ("/", "/feed.atom", "/feed", "/topics/ai", "/feeds.opml", "/embed/"):
        plain = ask(Request("GET", path, "", ()))
        for forged in HEADERS[name]:
            assert ask(Request("GET", path, "", ((name, forged),))) == plain


@pytest.mark.parametrize("host", HEADERS["Host"])
def test_forged_host_reaches_no_document(ask: Callable[[Request], Response], host: str) -> None:
    for path in ("/", "/feed.atom", "/feed", "/healthz"):
        response = ask(Request("GET", path, "", (("Host", host),)))
        assert response.status == 400 or host.startswith(("LOCALHOST", "localhost:x"))
        assert EVIL.encode() not in response.body
