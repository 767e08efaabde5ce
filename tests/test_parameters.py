"""What readers choose in the query of an address, over real HTTP."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import brotli
import feedparser
import httpx
import pytest
from lxml import etree, html

from feeds.config import Config, FeedSettings
from feeds.formats import FORMATS
from feeds.index.survey import public_feeds
from feeds.selection import fold, slugify
from tests.support import Collection, Site, article

FUTURE = "2999-01-01T00:00:00Z"
SCRIPT = quote("人工知能")
LISTED = "lists them all"
#: In `library`: title, topics, provider, type, quality, heat.
ARTICLES: list[tuple[str, tuple[str, ...], str, str, int, int | None]] = [
    ("both", ("AI", "Law"), "a.example", "article", 80, 5),
    ("ai", ("AI", "Computer Vision"), "b.example", "video", 90, None),
    ("law", ("Law", "Video"), "b.example", "article", 70, 9),
    ("letters", ("C", "C++", "C#"), "a.example", "article", 60, -1),
    ("script", ("人工知能", "Gone"), "c.example", "article", 75, 0),
    ("low", ("Low", "Strict"), "b.example", "article", 70, 1),
    ("lowest", ("Low",), "c.example", "article", 40, None),
    ("strict", ("Strict",), "law.example", "article", 85, None),
]
SETTINGS = {
    "topics": {
        "ai": FeedSettings(former=("artificial",)),
        "gone": FeedSettings(withdrawn=True, former=("went",)),
        "low": FeedSettings(min_quality=40),
        "strict": FeedSettings(min_quality=80),
    },
    "providers": {
        "b.example": FeedSettings(former=("old.example",), min_quality=70),
        "law.example": FeedSettings(slug="law", title="Law Daily"),
        "gone.example": FeedSettings(withdrawn=True),
    },
}
HIDDEN = {
    "unpublished": {"published": "false"},
    "below": {"quality": 59},
    "undue": {"time": FUTURE},
    "removed": {"more": "removed: true\n"},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Articles of every sort, and hidden ones that no answer may tell of; only to be read."""
    folder = tmp_path_factory.mktemp("library")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    config = Config(articles=folder, database=database, **SETTINGS)  # type: ignore[arg-type]
    collection = Collection(folder, config)
    for title, topics, domain, kind, quality, heat in ARTICLES:
        more = "" if heat is None else f"heat: {heat}\n"
        name = domain.split(".")[0].upper()
        text = article(
            title, topics=topics, provider=name, domain=domain, quality=quality, more=more
        )
        collection.write(f"{title}.md", text.replace("type: article", f"type: {kind}"))
    for number, hidden in enumerate(HIDDEN.values()):
        text = article("Hush", topics=("Hushed",), domain="hushed.example", **hidden)  # type: ignore[arg-type]
        collection.write(f"hush-{number}.md", text.replace("type: article", "type: hushed"))
    site = Site(collection)
    yield site
    site.close()


FEED = re.compile(r"(?<=/)feed\.(atom|rss|json)")


def own_addresses(response: httpx.Response) -> set[str]:
    """Every place where a feed says its own address."""
    kind = response.headers["Content-Type"]
    if kind.startswith("text/html"):
        page = html.fromstring(response.text)
        feeds = [
            link.get("href") or ""
            for link in page.iter("link")
            if FEED.search(link.get("href") or "")
        ]
        return {FEED.sub("", href) for href in feeds}
    stated = {str(response.links["self"]["url"])}
    if "json" in kind:
        return stated | {json.loads(response.content)["feed_url"]}
    links = etree.fromstring(response.content).iter("{http://www.w3.org/2005/Atom}link")
    found = {link.get("href") or "" for link in links if link.get("rel") == "self"}
    assert found
    return stated | found


def titles(response: httpx.Response) -> list[str]:
    """The titles of the entries, in order of the alphabet."""
    return sorted(entry.title for entry in feedparser.parse(response.content).entries)


def check_moved(site: Site, old: str, new: str) -> None:
    """One hop, to a document that calls itself by that address."""
    response = site.get(old)
    assert (response.status_code, response.headers.get("Location")) == (301, site.base + new)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    check_canonical(site, new)


def check_canonical(site: Site, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 200
    assert own_addresses(response) == {site.base + path}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("limit=5&exclude=law", "exclude=law&limit=5"),
        ("topic=law&topic=ai", "topic=ai&topic=law"),
        (
            "provider=b.example&topic=law&topic=ai&provider=a.example",
            "provider=a.example&provider=b.example&topic=ai&topic=law",
        ),
        ("topic=ai&topic=law&topic=ai", "topic=ai&topic=law"),
        ("topic=AI&topic=law&topic=artificial", "topic=ai&topic=law"),
        ("exclude=ai&exclude=ai", "exclude=ai"),
        ("exclude=Computer%20Vision", "exclude=computer-vision"),
        ("exclude=computer+VISION", "exclude=computer-vision"),
        ("exclude=artificial", "exclude=ai"),
        ("exclude=www.B.Example", "exclude=b.example"),
        ("exclude=old.example", "exclude=b.example"),
        ("exclude=C%2B%2B", "exclude=cplusplus"),
        ("exclude=C%23", "exclude=csharp"),
        ("exclude=C", "exclude=c"),
        ("exclude=%6Caw", "exclude=law"),
        (f"exclude={SCRIPT.lower()}", f"exclude={SCRIPT}"),
        ("type=VIDEO", "type=video"),
        ("type=video&type=article&type=video", "type=article&type=video"),
        ("limit=005", "limit=5"),
        ("limit=%2B5", "limit=5"),
        ("limit=%205%20", "limit=5"),
        ("limit=50", ""),
        ("limit=050", ""),
        ("min_heat=-0", "min_heat=0"),
        ("min_quality=061", "min_quality=61"),
        ("min_quality=60", ""),
        ("min_quality=59", ""),
        ("min_quality=-999999", ""),
        ("topic=&provider=&exclude=&type=&min_quality=&min_heat=&limit=", ""),
        ("topic=&provider=&exclude=&type=video&min_quality=%20&min_heat=&limit=", "type=video"),
        ("&limit=5&", "limit=5"),
        ("limit=5&utm_source=x&fbclid=y&gclid=z&utm_campaign=", "limit=5"),
        ("utm_medium=x&exclude=law", "exclude=law"),
        ("topic=gone&topic=law&topic=ai", "topic=ai&topic=law"),
    ],
)
def test_other_spelling_moves_to_the_one_address(library: Site, old: str, new: str) -> None:
    check_moved(library, f"/feed.atom?{old}", f"/feed.atom?{new}".rstrip("?"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/feed.atom?topic=ai", "/topics/ai/feed.atom"),
        ("/feed.atom?topic=Computer%20Vision", "/topics/computer-vision/feed.atom"),
        ("/feed.atom?topic=Computer+Vision&limit=9", "/topics/computer-vision/feed.atom?limit=9"),
        ("/feed.atom?topic=artificial&topic=ai", "/topics/ai/feed.atom"),
        ("/feed.atom?topic=C%2B%2B", "/topics/cplusplus/feed.atom"),
        ("/feed.atom?topic=C%23", "/topics/csharp/feed.atom"),
        ("/feed.atom?topic=C", "/topics/c/feed.atom"),
        (f"/feed.atom?topic={SCRIPT}", f"/topics/{SCRIPT}/feed.atom"),
        ("/feed.atom?provider=old.example", "/providers/b.example/feed.atom"),
        ("/feed.atom?provider=law.example", "/providers/law/feed.atom"),
        ("/feed.atom?topic=ai&provider=B.Example", "/topics/ai/feed.atom?provider=b.example"),
        (
            "/feed.atom?topic=law&topic=ai&provider=b.example",
            "/providers/b.example/feed.atom?topic=ai&topic=law",
        ),
        ("/providers/b.example/feed.atom?topic=ai", "/topics/ai/feed.atom?provider=b.example"),
        ("/providers/old.example/feed.atom?limit=05", "/providers/b.example/feed.atom?limit=5"),
        ("/topics/artificial/feed.atom?limit=50", "/topics/ai/feed.atom"),
        ("/topics/AI/feed.atom?exclude=Law", "/topics/ai/feed.atom?exclude=law"),
        ("/topics/strict/feed.atom?min_quality=80", "/topics/strict/feed.atom"),
        ("/topics/strict/feed.atom?min_quality=70", "/topics/strict/feed.atom"),
        ("/topics/low/feed.atom?min_quality=40", "/topics/low/feed.atom"),
        ("/topics/low/feed.atom?min_quality=041", "/topics/low/feed.atom?min_quality=41"),
        ("/providers/b.example/feed.atom?min_quality=70", "/providers/b.example/feed.atom"),
        (
            "/feed.atom?topic=strict&topic=low&min_quality=40",
            "/feed.atom?topic=low&topic=strict",
        ),
        (
            "/topics/low/feed.atom?provider=b.example&min_quality=70",
            "/topics/low/feed.atom?provider=b.example",
        ),
        ("/feed.atom?topic=gone&topic=law", "/topics/law/feed.atom"),
        ("/feed.atom?topic=went&topic=law", "/topics/law/feed.atom"),
        ("/?topic=ai", "/topics/ai/"),
        ("/?topic=law&topic=ai", "/?topic=ai&topic=law"),
        ("/topics/AI?limit=05", "/topics/ai/?limit=5"),
        ("/providers/b.example/?topic=ai&limit=50", "/topics/ai/?provider=b.example"),
    ],
)
def test_selection_moves_to_where_it_lies(library: Site, old: str, new: str) -> None:
    check_moved(library, old, new)


@pytest.mark.parametrize(
    "path",
    [
        "/feed.atom?topic=ai&topic=law",
        "/feed.atom?exclude=ai&exclude=b.example&limit=200&min_heat=-1&min_quality=61&type=video",
        "/topics/low/feed.atom?min_quality=41",
        "/topics/low/feed.atom?min_quality=61&provider=c.example",
        "/feed.atom?min_quality=41&topic=low&topic=strict",
        "/topics/low/feed.atom?min_quality=71&provider=b.example",
        "/topics/strict/feed.atom?min_quality=81",
        "/providers/b.example/feed.atom?min_quality=71",
        f"/topics/{SCRIPT}/feed.atom?exclude=c",
        "/feed.atom?limit=1",
    ],
)
@pytest.mark.parametrize("suffix", [*FORMATS, ""])
def test_canonical_address_is_its_own(library: Site, path: str, suffix: str) -> None:
    check_canonical(library, path.replace("feed.atom", f"feed.{suffix}" if suffix else ""))


@pytest.mark.parametrize("query", ["?topic=ai&topic=law", "?topic=law&limit=05&topic=ai"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_each_format_moves_to_itself(library: Site, suffix: str, query: str) -> None:
    end = query.replace("?topic=law&limit=05&topic=ai", "?limit=5&topic=ai&topic=law")
    if query != end:
        check_moved(library, f"/feed.{suffix}{query}", f"/feed.{suffix}{end}")
    response = library.get(f"/feed.{suffix}{end}")
    kind = FORMATS[suffix].content_type
    assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert response.links["alternate"]["url"] == f"{library.base}/{end}"


@pytest.mark.parametrize(
    ("guess", "file"),
    [
        ("atom.xml", "feed.atom"),
        ("rss.xml", "feed.rss"),
        ("feed.xml", "feed.atom"),
        ("index.xml", "feed.rss"),
        ("feed", "feed.atom"),
        ("feed/", "feed.atom"),
        ("atom", "feed.atom"),
        ("rss", "feed.rss"),
        ("rss/", "feed.rss"),
    ],
)
@pytest.mark.parametrize("under", ["/", "/topics/ai/", "/providers/b.example/"])
@pytest.mark.parametrize(
    ("query", "canonical"), [("", ""), ("?utm_source=x", ""), ("?limit=05", "?limit=5")]
)
def test_guessed_address_moves_to_the_feed(
    library: Site, under: str, guess: str, file: str, query: str, canonical: str
) -> None:
    check_moved(library, under + guess + query, under + file + canonical)


@pytest.mark.parametrize("guess", ["topics/AI/feed.xml", "feed.xml?topic=AI", "topics/ai/feed/"])
def test_guess_of_another_spelling_takes_one_hop(library: Site, guess: str) -> None:
    check_moved(library, f"/{guess}", "/topics/ai/feed.atom")


@pytest.mark.parametrize("guess", ["atom.xml", "rss.xml", "feed.xml", "feed", "rss/"])
def test_guess_below_an_unknown_topic_is_not_found(library: Site, guess: str) -> None:
    response = library.get(f"/topics/nothing/{guess}")
    assert response.status_code == 404
    assert response.text.startswith("404 Not Found: no such topic: nothing")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/feed.atom?topic=ai&topic=law", ["ai", "both", "law"]),
        ("/topics/ai/feed.atom?provider=b.example", ["ai"]),
        ("/providers/b.example/feed.atom?topic=ai&topic=law", ["ai", "law"]),
        ("/feed.atom?provider=a.example&provider=c.example", ["both", "letters", "script"]),
        ("/topics/ai/feed.atom?exclude=law", ["ai"]),
        ("/feed.atom?exclude=a.example&exclude=b.example", ["script", "strict"]),
        ("/feed.atom?exclude=c", ["ai", "both", "law", "low", "script", "strict"]),
        ("/feed.atom?type=video", ["ai"]),
        ("/feed.atom?min_quality=85", ["ai", "strict"]),
        ("/feed.atom?min_heat=5", ["both", "law"]),
        ("/feed.atom?min_heat=-1", ["both", "law", "letters", "low", "script"]),
        ("/topics/low/feed.atom", ["low", "lowest"]),
        ("/topics/low/feed.atom?min_quality=41", ["low"]),
        ("/topics/low/feed.atom?provider=c.example", []),
        ("/feed.atom?topic=low&topic=strict", ["low", "lowest", "strict"]),
        # Excluded for the topic it names, though it is below that topic's threshold.
        ("/topics/low/feed.atom?exclude=strict", ["lowest"]),
    ],
)
def test_selection_holds_what_was_chosen(library: Site, path: str, found: list[str]) -> None:
    assert titles(library.get(path)) == found


def test_limit_keeps_the_newest(library: Site) -> None:
    for limit in (1, 3, 200):
        entries = feedparser.parse(library.get(f"/feed.atom?limit={limit}").content).entries
        whole = feedparser.parse(library.get("/feed.atom").content).entries
        assert [e.id for e in entries] == [e.id for e in whole][:limit]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=0", "limit is 0, must be a whole number from 1 to 200"),
        ("limit=201", "limit is 201, must be a whole number from 1 to 200"),
        ("limit=-1", "limit is -1, must be a whole number from 1 to 200"),
        ("limit=ten", "limit is ten, must be a whole number from 1 to 200"),
        ("limit=1.5", "limit is 1.5, must be a whole number from 1 to 200"),
        ("limit=1e2", "limit is 1e2, must be a whole number from 1 to 200"),
        ("limit=1_0", "limit is 1_0, must be a whole number from 1 to 200"),
        ("limit=%D9%A5", "limit is \u0665, must be a whole number from 1 to 200"),
        ("limit=" + "9" * 99, f"limit is {'9' * 80}, must be a whole number from 1 to 200"),
        ("limit=5&limit=6", "limit stands 2 times, once is enough"),
        (
            "min_quality=high",
            "min_quality is high, must be a whole number from -999999999 to 999999999",
        ),
        (
            "min_quality=1000000000",
            "min_quality is 1000000000, must be a whole number from -999999999 to 999999999",
        ),
        (
            "min_heat=%3Cb%3E",
            "min_heat is %3Cb%3E, must be a whole number from -999999999 to 999999999",
        ),
        (
            "min_heat=a%0Ab",
            "min_heat is a%0Ab, must be a whole number from -999999999 to 999999999",
        ),
        ("type=podcast", "type podcast is not known, known are: article, video"),
        ("type=hushed", "type hushed is not known, known are: article, video"),
        (
            "colour=red",
            "unknown parameter colour, known here: topic, provider, exclude, q, type,"
            " min_quality, min_heat, limit",
        ),
        ("topic=ai&topic=law&exclude=AI", "topic ai is chosen and excluded"),
        ("topic=ai&topic=law&exclude=law&exclude=ai", "topic ai is chosen and excluded"),
        ("provider=law.example&exclude=law.example", "provider law is chosen and excluded"),
        ("&".join(["topic=ai"] * 51), "more than 50 parameters"),
    ],
)
def test_value_that_cannot_be_is_refused_by_name(library: Site, query: str, problem: str) -> None:
    check_refused(library, f"/feed.atom?{query}", f"400 Bad Request: {problem}")


def check_refused(site: Site, path: str, text: str) -> None:
    """The same plain line at feeds and pages, which any script may read."""
    files = ["feed.atom", "feed.json"]
    # A page ignores what it does not know.
    files += [""] if "unknown parameter" not in text else []
    for address in (path.replace("feed.atom", file) for file in files):
        response = site.get(address)
        assert response.text == f"{text}\n"
        assert response.status_code == int(text[:3])
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (
            "/topics/ai/feed.atom?topic=law",
            "provider, exclude, q, type, min_quality, min_heat, limit",
        ),
        (
            "/providers/b.example/feed.atom?provider=a.example",
            "topic, exclude, q, type, min_quality, min_heat, limit",
        ),
    ],
)
def test_parameter_that_the_path_says_already_is_refused(
    library: Site, path: str, known: str
) -> None:
    name = path.partition("?")[2].partition("=")[0]
    text = f"400 Bad Request: unknown parameter {name}, known here: {known}"
    check_refused(library, path, text)


@pytest.mark.parametrize(
    "path", ["/topics/ai/feed.atom?exclude=ai", "/topics/ai/feed.atom?exclude=law&exclude=AI"]
)
def test_feed_without_its_own_topic_is_refused(library: Site, path: str) -> None:
    check_refused(library, path, "400 Bad Request: topic ai is chosen and excluded")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/feed.atom?topic=lawn", "topic: lawn, nearest: law, low"),
        ("/feed.atom?topic=Computer%20Vison", "topic: Computer%20Vison, nearest: computer-vision"),
        ("/feed.atom?topic=ai&topic=lawn", "topic: lawn, nearest: law, low"),
        ("/topics/lawn/feed.atom?limit=5", "topic: lawn, nearest: law, low"),
        ("/feed.atom?topic=zzz", "topic: zzz"),
        ("/feed.atom?topic=%3Cb%3E", "topic: %3Cb%3E"),
        ("/feed.atom?topic=%FF", "topic: %25FF"),
        ("/feed.atom?topic=x%00y%0Az", "topic: x%00y%0Az"),
        ("/feed.atom?topic=" + "z" * 999, "topic: " + "z" * 80),
        (
            "/feed.atom?provider=bb.example",
            "provider: bb.example, nearest: b.example, c.example, a.example",
        ),
        ("/topics/ai/feed.atom?provider=zzz", "provider: zzz"),
        ("/feed.atom?exclude=lawn", "topic or provider: lawn, nearest: law, low"),
        ("/feed.atom?exclude=zzz.q", "topic or provider: zzz.q"),
        ("/feed.atom?topic=hushe", "topic: hushe"),
        ("/feed.atom?topic=hushed", "topic: hushed"),
        (
            "/feed.atom?provider=hushed.exampl",
            "provider: hushed.exampl, nearest: c.example, b.example, a.example",
        ),
        ("/feed.atom?exclude=hushed", "topic or provider: hushed"),
        ("/feed.atom?topic=gon", "topic: gon"),
        ("/feed.atom?exclude=gon", "topic or provider: gon"),
    ],
)
def test_unknown_name_is_not_found_and_similar_ones_are_suggested(
    library: Site, path: str, problem: str
) -> None:
    text = f"404 Not Found: no such {problem}; {library.base}/ {LISTED}"
    check_refused(library, path, text)


@pytest.mark.parametrize(
    "path",
    [
        "/feed.atom?topic=gone",
        "/feed.atom?topic=GONE&topic=went",
        "/feed.atom?provider=gone.example",
        "/feed.atom?topic=gone&provider=b.example",
        "/topics/ai/feed.atom?provider=gone.example",
        "/topics/gone/feed.atom?limit=5",
    ],
)
def test_selection_of_withdrawn_names_alone_is_gone(library: Site, path: str) -> None:
    check_refused(library, path, "410 Gone: this feed was taken away on purpose")


def test_excluded_provider_stays_a_provider(library: Site) -> None:
    """Its slug is also that of a topic."""
    response = library.get("/feed.atom?exclude=LAW.example")
    assert response.status_code == 301
    found = library.get(response.headers["Location"])
    assert titles(found) == ["ai", "both", "law", "letters", "low", "script"]
    check_canonical(library, response.headers["Location"].removeprefix(library.base))


#: What topics and the domains of providers share.
SHARED = ("intranet", "wiki", "Node.js", "Inc.", "a.example")


@pytest.fixture
def alike(make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]) -> Site:
    """Topics, and providers whose domains and slugs are much like them."""
    collection = make_collection(
        providers={
            "wiki": FeedSettings(slug="intra"),
            "intra": FeedSettings(slug="wiki"),
            "inc": FeedSettings(title="Inc."),
            "news.example": FeedSettings(slug="other"),
        }
    )
    collection.write("all.md", article("all", topics=(*SHARED, "Intra"), domain="other.example"))
    for domain in (*SHARED, "intra", "news.example"):
        text = article(domain, topics=("Other",), domain=domain.strip("."), provider=domain)
        collection.write(f"{domain}.md", text)
    return serve(collection)


def test_every_topic_and_provider_is_excluded_by_a_value_of_its_own(alike: Site) -> None:
    """In a feed's address and in the builder, which suggests the values."""
    page = html.fromstring(alike.get("/build/").text)
    (suggested,) = [item for item in page.iter("datalist") if item.get("id") == "suggested-exclude"]
    values = [option.get("value") for option in suggested]
    listed = [feed for feed in public_feeds(alike.collection.index) if feed.selection.key]
    assert len(set(values)) == len(values) == len(listed)
    for feed in listed:
        shown = titles(alike.get(f"{feed.selection.path}feed.atom"))
        left = sorted(set(titles(alike.get("/feed.atom"))) - set(shown))
        query = f"exclude={quote(feed.selection.exclude_value)}"
        assert feed.selection.exclude_value in values
        response = alike.get(f"/feed.atom?{query}")
        assert (response.status_code, titles(response)) == (200, left)
        assert f"<title>Everything, without {feed.name} · News</title>" in response.text
        assert alike.get(f"/build/?{query}").status_code == 200


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("intranet", "intranet"),  # the topic
        ("INTRANET.", "intranet."),
        ("Node.js", "node.js"),  # a domain as well
        ("intra..", "intra."),
        ("other", "other"),
    ],
)
def test_excluded_name_means_the_same_in_the_builder(alike: Site, written: str, value: str) -> None:
    for path in ("/feed.atom", "/build/"):
        found = alike.client.get(f"{path}?exclude={written}", follow_redirects=True)
        assert str(found.url) == f"{alike.base}{path}?exclude={value}"


def test_excluded_provider_without_a_dot_leads_to_its_address(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article(domain="intranet"))
    response = serve(collection).get("/feed.atom?exclude=intranet")
    assert response.status_code == 301
    assert response.headers["Location"].endswith("/feed.atom?exclude=intranet.")


@pytest.mark.parametrize("kind", HIDDEN)
def test_no_address_reveals_hidden_articles(
    collection: Collection, serve: Callable[[Collection], Site], kind: str
) -> None:
    collection.write("one.md", article())
    text = article("Hush", topics=("Hushed", "AI"), domain="hushed.example", **HIDDEN[kind])  # type: ignore[arg-type]
    text = text.replace("type: article", "type: hushed")
    collection.write("hidden.md", text.replace("removed", "heat: 99\nremoved"))
    site = serve(collection)
    for query in ("topic=hushed", "provider=hushed.example", "exclude=hushed", "type=hushed"):
        for path in ("/", "/feed.atom", "/topics/ai/feed.json"):
            response = site.get(f"{path}?{query}")
            # The same as of what is not there at all, and nothing near it.
            unknown = site.get(f"{path}?{query.replace('hushed', 'uvwxyz')}")
            assert response.text == unknown.text.replace("uvwxyz", "hushed")
            assert response.status_code == unknown.status_code
    for query in ("?min_heat=-1", "?limit=200", "?exclude=example.org", "?min_quality=61"):
        for path in ("/", "/feed.atom", "/topics/ai/feed.rss"):
            assert "hush" not in site.get(path + query).text.lower()


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        (
            "/topics/computer-vision/feed.atom?exclude=video&min_quality=80",
            "Computer Vision, quality 80 and up, without Video",
        ),
        ("/feed.atom?topic=ai&topic=law", "AI or Law"),
        ("/topics/ai/feed.atom?provider=b.example", "AI, from B"),
        (
            "/feed.atom?provider=a.example&provider=b.example&topic=ai&topic=law",
            "AI or Law, from A or B",
        ),
        ("/providers/law/feed.atom?limit=3", "Law Daily"),
        ("/providers/b.example/feed.atom?type=video", "B, only video"),
        ("/feed.atom?min_heat=5", "Everything, heat 5 and up"),
        ("/feed.atom?exclude=b.example&exclude=c", "Everything, without B and C"),
        (
            "/feed.atom?limit=7&type=article&type=video",
            "Everything, only article or video",
        ),
    ],
)
def test_title_says_what_was_chosen(library: Site, path: str, chosen: str) -> None:
    parsed = feedparser.parse(library.get(path).content)
    assert parsed.feed.title == f"{chosen} · News"
    page = html.fromstring(library.get(path.replace("feed.atom", "")).text)
    assert page.findtext(".//title") == f"{chosen} · News"
    assert page.findtext(".//h1") == chosen


def feed_id(site: Site, path: str) -> str:
    return str(feedparser.parse(site.get(path).content).feed.id)


def test_feed_of_any_limit_has_one_id(library: Site) -> None:
    for path in ("/feed.atom?", "/topics/ai/feed.atom?", "/feed.atom?topic=ai&topic=law&"):
        pairs = [f"limit={limit}" for limit in (1, 2, 200)]
        ids = {feed_id(library, path.replace("?", f"?{pair}&").rstrip("&")) for pair in pairs}
        assert ids == {feed_id(library, path.rstrip("?&"))}


def test_each_selection_has_an_id_of_its_own(library: Site) -> None:
    paths = [
        "/feed.atom",
        "/feed.atom?exclude=ai",
        "/feed.atom?exclude=law",
        "/feed.atom?exclude=law.example",
        "/feed.atom?exclude=ai&exclude=law",
        "/feed.atom?topic=ai&topic=law",
        "/feed.atom?provider=a.example&provider=b.example",
        "/feed.atom?type=video",
        "/feed.atom?min_quality=70",
        "/feed.atom?min_quality=71",
        "/feed.atom?min_heat=70",
        "/feed.atom?min_heat=71",
        "/topics/ai/feed.atom",
        "/topics/ai/feed.atom?min_quality=70",
        "/topics/ai/feed.atom?provider=a.example",
        "/providers/a.example/feed.atom",
        "/providers/a.example/feed.atom?topic=ai&topic=law",
        "/providers/law/feed.atom",
        "/topics/law/feed.atom",
    ]
    assert len({feed_id(library, path) for path in paths}) == len(paths)


def test_id_does_not_hang_on_slugs(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    ids = []
    # The slugs are in another order.
    for name, slug in (("old", "ai"), ("new", "zz")):
        collection = make_collection(name, topics={"ai": FeedSettings(slug=slug, former=("ai",))})
        collection.write("one.md", article(topics=("AI", "Law")))
        site = serve(collection)
        first, second = sorted([slug, "law"])
        path = f"/feed.atom?topic={first}&topic={second}"
        assert site.get(path).status_code == 200
        ids.append((feed_id(site, path), feed_id(site, f"/feed.atom?exclude={slug}")))
    assert ids[0] == ids[1]


CHOSEN = "/feed.atom?min_heat=-1&min_quality=61&topic=ai&topic=law"


@pytest.mark.parametrize(
    "path", ["/feed.atom", "/feed.atom?topic=ai&topic=law", "/topics/ai/feed.rss?limit=1"]
)
def test_selection_is_served_like_any_feed(library: Site, path: str) -> None:
    response = library.get(path)
    tag, date = response.headers["ETag"], response.headers["Last-Modified"]
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', tag)
    assert parsedate_to_datetime(date) <= datetime.now(UTC)
    assert response.headers["Cache-Control"] == "public, max-age=1800"
    assert response.headers["Vary"] == "Accept-Encoding"
    for headers in ({"if_none_match": tag}, {"if_modified_since": date}):
        fresh = library.get(path, **headers)
        assert (fresh.status_code, fresh.content) == (304, b"")
        for name in ("ETag", "Last-Modified", "Cache-Control", "Vary", "Link"):
            assert fresh.headers[name] == response.headers[name]
    assert library.get(path, if_none_match='"other"').status_code == 200
    old = "Mon, 01 Jan 1990 00:00:00 GMT"
    assert library.get(path, if_modified_since=old).status_code == 200
    head = library.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    for name in {*response.headers} - {"date"}:
        assert head.headers[name] == response.headers[name]


@pytest.mark.parametrize(("coding", "undo"), [("gzip", gzip.decompress), ("br", brotli.decompress)])
def test_selection_is_coded_as_the_request_accepts(
    library: Site, coding: str, undo: Callable[[bytes], bytes]
) -> None:
    plain, coded = library.get(CHOSEN), library.raw(CHOSEN, Accept_Encoding=coding)
    assert coded.headers["Content-Encoding"] == coding
    body = library.raw(CHOSEN, host=library.base.removeprefix("http://")).body
    assert body == plain.content
    same = library.raw(CHOSEN)
    assert undo(coded.body) == same.body
    assert coded.headers["ETag"] == same.headers["ETag"]


def test_long_names_are_known_by_their_addresses_alone(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    name = 600 * "x"
    collection.write("one.md", article(topics=("AI", name)))
    site = serve(collection)
    assert site.get(f"/topics/{name}/").status_code == 200
    assert site.get(f"/build/?topic={name}&topic=AI").status_code == 301
    for path in ("/topics/{}/", "/build/?topic={}", "/feed.atom?exclude={}", "/feed.atom?topic={}"):
        refused = site.get(path.format(name.upper()))
        assert (refused.status_code, "nearest" in refused.text) == (404, False)


def test_long_names_are_not_remembered(standing: Site) -> None:
    sizes = set()
    for letter in "abc":
        for path in ("/topics/{}/", "/providers/{}/", "/build/?topic={}", "/feed.atom?exclude={}"):
            assert standing.get(path.format(600 * letter)).status_code == 404
        sizes.add((slugify.cache_info().currsize, fold.cache_info().currsize))
    assert len(sizes) == 1
