"""Digests over HTTP: their addresses, their pages, and how they appear."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from feeds.config import Config
from feeds.static_site import build
from tests.process import Process
from tests.support import BASE, NOW, Collection, Site, article


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def open_page(site: Site, path: str) -> Any:
    """The elements of a page, with absolute links; lxml's stubs lack that."""
    page: Any = html.fromstring(site.get(path, accept="text/html").text)
    page.make_links_absolute(site.base + path)
    return page


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A story a week for a year, and a better one in the newest week."""
    folder = tmp_path_factory.mktemp("weeks")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    collection = Collection(folder, Config(articles=folder, database=database))
    for number in range(53):
        at = datetime(2020, 5, 18, tzinfo=UTC) - timedelta(weeks=number)
        collection.write(
            f"{number}.md", article(f"Story {number}", time=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        )
    collection.write("best.md", article("Best", quality=99, topics=("AI", "Law")))
    site = Site(collection)
    yield site
    site.close()


@pytest.mark.parametrize(
    ("address", "status", "target"),
    [
        ("/weekly/", 200, ""),
        ("/weekly/2020-W21/", 200, ""),
        ("/weekly/archive/2019/", 200, ""),
        ("/topics/ai/monthly/feed.json", 200, ""),
        ("/topics/law/daily/feed.rss?provider=example.org", 200, ""),
        ("/weekly/feed.atom?limit=50", 200, ""),
        ("/weekly/archive/2019.atom?limit=1&min_quality=70", 200, ""),
        ("/weekly/archive/2020.rss", 200, ""),
        # Other spellings.
        ("/weekly", 301, "/weekly/"),
        ("/topics/AI/weekly/", 301, "/topics/ai/weekly/"),
        ("/weekly/2020-w21/?limit=10", 301, "/weekly/2020-W21/"),
        ("/weekly/2020-W21", 301, "/weekly/2020-W21/"),
        ("/weekly/atom", 301, "/weekly/feed.atom"),
        ("/topics/ai/daily/rss.xml", 301, "/topics/ai/daily/feed.rss"),
        ("/weekly/archive/2019", 301, "/weekly/archive/2019/"),
        ("/daily/?x=1", 301, "/daily/"),
        # What there is not.
        ("/weekly/2020-W22/", 404, ""),
        ("/weekly/2999-W22/", 404, ""),
        ("/weekly/2020-05-18/", 404, ""),
        ("/daily/9999-12-31/", 404, ""),
        ("/daily/1800-01-01/?q=story", 404, ""),
        ("/monthly/0001-02/?exclude=law", 404, ""),
        ("/weekly/archive/", 404, ""),
        ("/weekly/archive/2020/", 404, ""),
        ("/weekly/archive/1850/", 404, ""),
        ("/weekly/archive/3000.atom", 404, ""),
        ("/weekly/archive/x.atom", 404, ""),
        ("/yearly/", 404, ""),
        ("/topics/none/weekly/", 404, ""),
        ("/weekly/embed/", 404, ""),
        # What cannot be chosen.
        ("/weekly/feed.atom?limit=0", 400, ""),
        ("/weekly/feed.atom?limit=51", 400, ""),
        ("/weekly/feed.atom?frequency=daily", 400, ""),
        ("/weekly/archive/2019.atom?min_heat=3", 400, ""),
    ],
)
def test_address_of_digests(weeks: Site, address: str, status: int, target: str) -> None:
    answer = weeks.get(address)
    assert answer.status_code == status
    assert answer.headers.get("Location", "") == (target and weeks.base + target)


def test_page_of_digests_leads_to_each_of_them_and_to_their_feed(weeks: Site) -> None:
    page = open_page(weeks, "/topics/ai/weekly/?min_quality=70")
    assert "".join(page.xpath("//h1/text()")) == "AI, quality 70 and up, weekly"
    feeds = page.xpath("//link[@rel='alternate']/@href")
    address = f"{weeks.base}/topics/ai/weekly/feed."
    assert feeds == [f"{address}{suffix}?min_quality=70" for suffix in ("atom", "rss", "json")]
    [first, *_] = sections = page.xpath("//main//section[h2/a]")
    assert len(sections) == 50
    assert [" ".join(text.split()) for text in first.itertext() if text.strip()] == [
        *("18 to 24 May 2020", "2 stories", "Best", "Story 0")
    ]
    links = page.xpath("//main//a/@href")
    assert f"{weeks.base}/topics/ai/weekly/2020-W21/?min_quality=70" in links
    assert f"{weeks.base}/topics/ai/weekly/archive/2019/?min_quality=70" in links
    assert f"{weeks.base}/topics/ai/?min_quality=70" in links
    assert f"{weeks.base}/build/?frequency=weekly&min_quality=70&topic=ai" in links


def test_page_of_a_digest_shows_its_stories_the_best_first(weeks: Site) -> None:
    answer = weeks.get("/weekly/2020-W21/")
    page = open_page(weeks, "/weekly/2020-W21/")
    assert page.xpath("string(//title)") == page.xpath("string(//h1)") == "News: 18 to 24 May 2020"
    assert page.xpath("//div[@role='article']//h2/a/text()") == ["Best", "Story 0"]
    assert page.xpath("string(//link[@rel='canonical']/@href)").endswith("/weekly/2020-W21/")
    assert ("Last-Modified" in answer.headers, "embed" in answer.text) == (False, False)
    one = open_page(weeks, "/topics/ai/weekly/2020-W21/?limit=1")
    assert one.xpath("//div[@role='article']//h2/a/text()") == ["Best"]
    assert one.xpath("string(//title)") == "AI: 18 to 24 May 2020 · News"


def test_pages_of_years_lead_back_and_forth(weeks: Site) -> None:
    page = open_page(weeks, "/weekly/archive/2019/")
    assert page.xpath("string(//title)") == "2019 · News, weekly"
    # Those of 2020 and most of 2019 are among the newest 50.
    names = page.xpath("//main//section/h2/a/@href")
    assert [name.split("/")[-2] for name in names] == ["2019-W23", "2019-W22", "2019-W21"]


def test_page_that_is_not_there_leads_to_the_list(weeks: Site) -> None:
    for path in ("weekly/2020-W22/", "weekly/x/", "weekly/archive/2012/"):
        page = open_page(weeks, f"/topics/ai/{path}")
        assert f"{weeks.base}/topics/ai/weekly/" in page.xpath("//main//a/@href")


def test_page_of_a_feed_leads_to_its_digests(weeks: Site) -> None:
    for path in ("/", "/topics/ai/", "/topics/ai/?min_quality=70"):
        page = open_page(weeks, path)
        base, _, query = path.partition("?")
        address = f"{weeks.base}{base}weekly/" + (f"?{query}" if query else "")
        assert address in page.xpath("//main//a/@href")


def test_builder_makes_digests(weeks: Site) -> None:
    page = open_page(weeks, "/build/?frequency=weekly&topic=ai")
    chosen = page.xpath("//select[@name='frequency']/option[@selected]/text()")
    assert chosen == ["A digest of each week"]
    assert f"{weeks.base}/topics/ai/weekly/feed.atom" in page.xpath("//input/@value")
    # The form has the number of entries that were chosen before the digest was.
    answer = weeks.get("/build/?frequency=weekly&limit=200&topic=ai")
    assert answer.headers["Location"] == f"{weeks.base}/build/?frequency=weekly&topic=ai"
    assert weeks.get("/build/?frequency=weekly&limit=20").status_code == 200
    assert weeks.get("/build/?frequency=").headers["Location"] == f"{weeks.base}/build/"
    assert weeks.get("/build/?frequency=yearly").status_code == 400


def test_digests_have_no_embedding(weeks: Site) -> None:
    assert weeks.get(f"/oembed?url={weeks.base}/weekly/").status_code == 404


@pytest.mark.slow
def test_digest_is_served_within_a_second_of_the_end_of_its_day(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    at = datetime.now(UTC) - timedelta(minutes=1)
    (tmp_path / "articles" / "one.md").write_text(article(time=stamp(at)))
    midnight = int(time.time()) + 8
    write_zone(tmp_path / "Soon", midnight)
    settings = {"FEEDS_TIME_ZONE": "Soon", "PYTHONTZPATH": str(tmp_path)}
    server = Process(tmp_path / "articles", "--workers", "2", **settings)
    try:
        # A busy machine may take longer to start it than the day lasts.
        begun = max(midnight, time.time())
        server.wait_until(lambda: bool(server.get("/daily/feed.json").json()["items"]))
        late = time.time() - begun
    finally:
        server.stop()
    # Mostly a tenth of a second.
    assert 0 <= late < 5


def write_zone(path: Path, midnight: int) -> None:
    """Write the file of a time zone whose day ends at a Unix time (RFC 8536 section 3)."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    kind = struct.pack(">lbb", -midnight % 86_400, 0, 0)
    path.write_bytes(b"TZif" + bytes(16) + counts + kind + b"TST\0")


@pytest.mark.slow
def test_built_site_has_the_digests_of_its_settings(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    collection = make_collection(base_url=BASE, digests=("weekly", "monthly"))
    collection.write("one.md", article("One"))
    collection.write("new.md", article("New", time=stamp(NOW)))
    collection.sync()
    out = tmp_path / "out"

    def make() -> set[str]:
        """The documents of digests that a build writes anew."""
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        build(collection.config.database, collection.config, out)
        after = {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
        changed = {path for path in after if after[path] != before.get(path)}
        names = {path.relative_to(out).as_posix() for path in changed}
        kept = {"weekly/index.html", "weekly/feed.atom"}
        return {n for n in names if n in kept or (n.endswith("/index.html") and "ly/2" in n)}

    bases = ("", "topics/ai/", "providers/example.org/")
    names = ("weekly/2020-W21/index.html", "monthly/2020-05/index.html")
    everyone = {base + name for base in bases for name in names}
    assert make() == everyone | {"weekly/index.html", "weekly/feed.atom"}
    assert not (out / "daily").exists()
    page = (out / "topics/ai/index.html").read_text()
    assert ('href="../../topics/ai/weekly/"' in page, "/daily/" in page) == (True, False)
    # Nothing of the current week is in a digest, so its edit makes none anew.
    collection.write("new.md", article("New, edited", quality=90, time=stamp(NOW)))
    collection.sync()
    assert make() == set()
    collection.write("two.md", article("Two", quality=70))
    collection.sync()
    assert make() == everyone | {"weekly/index.html", "weekly/feed.atom"}
    # Nothing but the quality changes, and with it the order of the stories.
    collection.write("two.md", article("Two", quality=90))
    collection.sync()
    assert make() == everyone | {"weekly/index.html", "weekly/feed.atom"}
    collection.advance(NOW + timedelta(days=7))
    assert "weekly/2026-W01/index.html" in make()
    for path in collection.folder.glob("*.md"):
        path.unlink()
    collection.sync()
    assert make() == {"weekly/index.html", "weekly/feed.atom"}
    assert list(out.glob("**/2020-*")) == []
