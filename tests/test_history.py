"""The history of feeds: months as documents, and walks through them."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.config import Config, FeedSettings
from feeds.formats.xml import ATOM, HISTORY
from feeds.history import Archive, Cursor, Month
from feeds.selection import EVERYTHING, Selection
from tests.support import NOW, Collection, Site, article, publish_feed

pytestmark = pytest.mark.databases("sqlite", "postgresql")

LATER = NOW + timedelta(hours=1)
AI = Selection(kind="topic", key="ai", slug="ai")
LAW = Selection(kind="topic", key="law", slug="law")
MAY = Month(year=2020, month=5)
SUFFIXES = ("atom", "rss", "json")
IDS = {"atom": "{*}entry/{*}id", "rss": "channel/item/guid"}


@dataclass(frozen=True)
class Part:
    """A document of a feed's history."""

    ids: list[str]
    #: By relation; JSON Feed has `prev-archive` alone, as its `next_url`.
    links: dict[str, str]
    is_archive: bool
    is_complete: bool


def read(body: bytes, suffix: str) -> Part:
    """What a document says, as a walker reads it."""
    if suffix == "json":
        read = json.loads(body)
        links = {"prev-archive": read["next_url"]} if "next_url" in read else {}
        return Part([item["id"] for item in read["items"]], links, False, False)
    root = etree.fromstring(body)
    ids = [element.text or "" for element in root.iterfind(IDS[suffix])]
    own = [*root.iterfind(f"{{{ATOM}}}link"), *root.iterfind(f"channel/{{{ATOM}}}link")]
    links = {link.get("rel", ""): link.get("href", "") for link in own}
    marks = {etree.QName(e).localname for e in root.iter(f"{{{HISTORY}}}*")}
    return Part(ids, links, "archive" in marks, "complete" in marks)


def walk(
    site: Site, address: str, suffix: str = "atom", rel: str = "prev-archive"
) -> Iterator[Part]:
    """The documents from one to the end of the history."""
    seen = set()
    while address:
        assert address not in seen, "the history loops"
        seen.add(address)
        response = site.get(address)
        assert response.status_code == 200, address
        part = read(response.content, suffix)
        yield part
        address = part.links.get(rel, "")


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_months(collection: Collection, *months: str, topics: tuple[str, ...] = ("AI",)) -> None:
    """An article in each month, such as `2020-05`."""
    for number, month in enumerate(months):
        text = article(f"{month}", time=f"{month}-15T00:00:{number:02}Z", topics=topics)
        collection.write(f"{month}-{number}.md", text)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2020-05", MAY),
        ("1990-12", Month(year=1990, month=12)),
        *(
            (text, None)
            for text in ("2020-13", "2020-00", "2020-5", "20-05", "\uff12020-05", "", "x")
        ),
    ],
)
def test_month_is_read_as_it_is_written(text: str, month: Month | None) -> None:
    assert Month.read(text) == month
    assert month is None or str(month) == text


def test_months_follow_each_other_over_the_year() -> None:
    december = Month(year=2019, month=12)
    assert december.plus(1) == Month(year=2020, month=1)
    assert december.plus(1).plus(-1) == december
    assert (december.start, Month.of(december.start)) == (
        datetime(2019, 12, 1, tzinfo=UTC),
        december,
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "20200518T024100Z", "20201318T024100Z-" + "0" * 32, "1-" + "0" * 32),
        *("20200518T024100Z-" + "0" * 33, "20200518T024100Z-" + "0" * 32 + "\n"),
    ],
)
def test_invalid_cursor_is_refused(text: str) -> None:
    assert Cursor.read(text) is None


def test_cursor_is_read_as_it_is_written() -> None:
    place = Cursor(published=datetime(2020, 5, 18, 2, 41, tzinfo=UTC), id="0a" * 16)
    assert str(place) == "20200518T024100Z-" + "0a" * 16
    assert Cursor.read(str(place)) == place


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """2,000 articles of two years, many of them in the same second."""
    folder = tmp_path_factory.mktemp("articles")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    collection = Collection(folder, Config(articles=folder, database=database))
    chance = random.Random(5)
    for number in range(2000):
        time = f"{chance.randint(2019, 2020)}-{chance.randint(1, 12):02}-01T00:00:00Z"
        topics = ("AI",) if number % 3 else ("AI", "Law")
        kind = f"type: {'video' if number % 10 == 0 else 'article'}"
        text = article(f"{number}", time=time, topics=topics, quality=60 + number % 50)
        collection.write(f"{number}.md", text.replace("type: article", kind))
    site = Site(collection)
    yield site
    site.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_walk_yields_each_of_2000_articles_once(large: Site, suffix: str) -> None:
    parts = list(walk(large, f"/feed.{suffix}", suffix))
    ids = [id for part in parts for id in part.ids]
    assert (len(ids), len(set(ids))) == (2000, 2000)
    assert len(parts[0].ids) == 50
    # The current document, the rest of its last month, the other months, and the end.
    assert len(parts) == 1 + 1 + 23 + 1


@pytest.mark.parametrize(
    ("address", "count"),
    [
        ("/topics/law/feed.atom", 667),
        ("/topics/law/feed.atom?limit=7", 667),
        ("/feed.atom?type=video", 200),
        ("/topics/ai/feed.atom?exclude=law&min_quality=90", 533),
        ("/feed.atom?limit=200&topic=ai&topic=law", 2000),
    ],
)
def test_walk_yields_what_a_reader_chose(large: Site, address: str, count: int) -> None:
    ids = [id for part in walk(large, address) for id in part.ids]
    assert (len(ids), len(set(ids))) == (count, count)


def test_walk_forward_leads_from_the_first_month_to_the_last(large: Site) -> None:
    parts = list(walk(large, "/archive/2019-01.atom", rel="next-archive"))
    ids = [id for part in parts for id in part.ids]
    assert (len(ids), len(set(ids))) == (2000, 2000)
    assert len(parts) == 25


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_while_articles_come_and_go(
    collection: Collection, serve: Callable[[Collection], Site], seed: int
) -> None:
    chance = random.Random(seed)
    stems = [f"{number}" for number in range(150)]

    def write(stem: str, published: str = "true") -> None:
        day = f"2020-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T00:00:00Z"
        collection.write(f"{stem}.md", article(stem, time=day, published=published))

    for stem in stems:
        write(stem)
    site = serve(collection)
    # Those that are touched while the walk goes on.
    moving = stems[:75]
    found: list[str] = []
    now = datetime.now(UTC)
    for part in walk(site, "/feed.atom"):
        found += part.ids
        for _ in range(5):
            write(chance.choice([*moving, f"new{chance.random()}"]), chance.choice(["true", "no"]))
        (collection.folder / f"{moving.pop()}.md").unlink(missing_ok=True)
        # By a clock that runs ahead: two changes in one second would wait.
        now += timedelta(minutes=1)
        collection.sync(now)
    still = {collection.config.entry_id(stem).urn for stem in stems[75:]}
    assert sorted(id for id in found if id in still) == sorted(still)


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_archive_says_that_it_is_one_and_where_it_is(collection: Collection, suffix: str) -> None:
    write_months(collection, "2020-04", "2020-05", "2020-06")
    collection.sync()
    base = "https://news.example/topics/ai/"
    made = publish_feed(collection, AI, suffix, archive=Archive(month=MAY))
    part = read(made.body, suffix)
    links = {
        "self": f"{base}archive/2020-05.{suffix}",
        "current": f"{base}feed.{suffix}",
        "prev-archive": f"{base}archive/2020-04.{suffix}",
        "next-archive": f"{base}archive/2020-06.{suffix}",
    }
    alternate = {"alternate": base} if suffix == "atom" else {}
    assert (part.links, part.is_archive, part.is_complete) == (links | alternate, True, False)
    assert part.ids == [collection.config.entry_id("2020-05-1").urn]


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_short_feed_says_that_it_is_complete(
    make_collection: Callable[..., Collection], suffix: str
) -> None:
    collection = make_collection(limit=2)
    write_months(collection, "2020-04", "2020-05")
    collection.sync()
    part = read(publish_feed(collection, AI, suffix).body, suffix)
    assert part.is_complete and "prev-archive" not in part.links
    write_months(collection, "2020-04", "2020-05", "2020-03")
    collection.sync(LATER)
    part = read(publish_feed(collection, AI, suffix).body, suffix)
    assert not part.is_complete and not part.is_archive
    assert "/archive/2020-04/2020".replace("atom", suffix) in part.links["prev-archive"]


def test_feed_chosen_by_heat_has_no_history(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(limit=1)
    write_months(collection, "2020-04", "2020-05")
    collection.sync()
    for limit in (None, 2):
        hot = Selection(min_heat=-5, limit=limit)
        part = read(publish_feed(collection, hot).body, "atom")
        assert not part.is_complete and part.links.keys() == {"self", "alternate"}


def test_feed_is_dated_when_older_articles_come_or_go(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(limit=1)
    write_months(collection, "2020-05")
    collection.sync()
    collection.write("old.md", article("Old", time="2019-01-01T00:00:00Z"))
    collection.sync(LATER)
    assert publish_feed(collection).last_modified == LATER
    (collection.folder / "old.md").unlink()
    collection.sync(LATER + timedelta(hours=1))
    assert publish_feed(collection).last_modified == LATER + timedelta(hours=1)


def test_month_without_articles_points_to_the_nearest_that_have_some(
    collection: Collection,
) -> None:
    write_months(collection, "2019-01", "2020-06")
    collection.sync()

    def links(month: Month) -> list[str | None]:
        part = read(publish_feed(collection, archive=Archive(month=month)).body, "atom")
        assert part.is_archive
        found = (part.links.get(rel) for rel in ("prev-archive", "next-archive"))
        return [link and link.removeprefix("https://news.example/archive/") for link in found]

    assert links(MAY) == ["2019-01.atom", "2020-06.atom"]
    assert links(Month(year=2018, month=12)) == [None, "2019-01.atom"]
    assert links(Month(year=2020, month=7)) == ["2020-06.atom", None]
    assert links(Month(year=2020, month=6)) == ["2020-05.atom", "2020-07.atom"]


def test_page_of_a_month_leads_to_no_empty_page(collection: Collection) -> None:
    """Beside a document stands each month; beside a page only those with articles."""
    for number, time in enumerate(("2020-01-02", "2020-05-02", "2020-05-03", "2020-08-04")):
        collection.write(f"{number}.md", article(f"{number}", time=f"{time}T00:00:00Z"))
    collection.sync()

    def beside(archive: Archive, most: int | None = None) -> tuple[str, str]:
        found = collection.index.find(EVERYTHING, archive, most)
        assert found
        both = found.neighbours.previous, found.neighbours.following
        previous, following = (part.page.removeprefix("archive/") if part else "" for part in both)
        return previous, following

    may = Archive(month=Month(year=2020, month=5))
    assert beside(may) == ("2020-04/", "2020-06/")
    assert beside(may, 3) == beside(may, 2) == ("2020-01/", "2020-08/")
    place = Cursor(
        published=datetime(2020, 5, 3, tzinfo=UTC), id=collection.config.entry_id("2").hex
    )
    rest = replace(may, before=place)
    assert beside(may, 1) == (rest.page.removeprefix("archive/"), "2020-08/")
    # What is newer than a rest stands in the document that led to it.
    assert beside(rest) == ("2020-04/", "")
    assert beside(rest, 1) == ("2020-01/", "")


def test_rest_of_a_month_that_went_points_further_back(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(limit=1)
    write_months(collection, "2020-05", "2020-05", "2019-01")
    collection.sync()
    found = collection.index.find(EVERYTHING)
    assert found and found.neighbours.previous
    rest = found.neighbours.previous
    assert len(read(publish_feed(collection, archive=rest).body, "atom").ids) == 1
    (collection.folder / "2020-05-0.md").unlink()
    collection.sync(LATER)
    part = read(publish_feed(collection, archive=rest).body, "atom")
    assert (part.ids, part.links["prev-archive"][-12:]) == ([], "2019-01.atom")
    assert "next-archive" not in part.links


changes = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(["2019-11", "2020-02", "2020-03", "2020-05"]),
        st.sampled_from(["true", "true", "false"]),
        st.sampled_from([59, 60, 61]),
        st.sampled_from(["RNZ", "Radio New Zealand"]),
    ),
    min_size=1,
    max_size=3,
)


@given(st.lists(changes, min_size=2, max_size=6))
@settings(max_examples=10, deadline=None)
def test_archive_changes_only_with_an_article_of_its_month(
    history: list[list[tuple[str, str, str, int, str]]],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        folder.mkdir()
        config = Config(articles=folder, database=f"sqlite:///{scratch}/x.sqlite3", limit=2)
        collection, now = Collection(folder, config), NOW
        shown: dict[str, tuple[str, str]] = {}
        before: dict[str, tuple[object, ...]] = {}
        for edits in history:
            for stem, month, published, quality, provider in edits:
                text = article(
                    stem,
                    time=f"{month}-10T00:00:00Z",
                    published=published,
                    quality=quality,
                    provider=provider,
                )
                collection.write(f"{stem}.md", text)
                shown.pop(stem, None)
                if published == "true" and quality >= 60:
                    shown[stem] = (month, provider)
            now += timedelta(minutes=1)
            collection.sync(now)
            after: dict[str, tuple[object, ...]] = {}
            for month in {month for month, _ in shown.values()}:
                part = Month.read(month)
                assert part
                archive = Archive(month=part)
                made = publish_feed(collection, archive=archive)
                mine = sorted((s, p) for s, (m, p) in shown.items() if m == month)
                after[month] = (mine, made.body, made.etag)
                if month in before and before[month][0] == mine:
                    assert before[month] == after[month]
            before = after
        collection.index.close()


def test_withdrawn_article_leaves_its_archive_at_the_next_request(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    write_months(collection, "2020-05", "2020-05")
    site = serve(collection)
    addresses = [f"{path}archive/2020-05.{s}" for path in ("/", "/topics/ai/") for s in SUFFIXES]
    first = {address: site.get(address) for address in addresses}
    path = collection.folder / "2020-05-0.md"
    path.write_text(path.read_text().replace("published: true", "published: false"))
    site.sync()
    for address, before in first.items():
        after = site.get(address, if_none_match=before.headers["ETag"])
        assert after.status_code == 200
        gone = collection.config.entry_id("2020-05-0").urn
        assert gone in before.text and gone not in after.text
        assert after.headers["ETag"] != before.headers["ETag"]
        again = site.get(address, if_none_match=after.headers["ETag"])
        assert (again.status_code, again.content) == (304, b"")


def test_article_of_the_future_is_in_no_archive_yet(collection: Collection) -> None:
    due = NOW + timedelta(minutes=10)
    collection.write("due.md", article("Due", time=stamp(due)))
    collection.write("one.md", article("One", time=stamp(NOW - timedelta(hours=1))))
    collection.sync()
    archive = Archive(month=Month.of(NOW))
    before = publish_feed(collection, archive=archive)
    assert b"Due" not in before.body
    collection.advance(due)
    after = publish_feed(collection, archive=archive)
    assert b"Due" in after.body
    assert (before.last_modified, after.last_modified) == (NOW, due)


def test_month_before_an_article_of_the_future_leads_to_it_in_its_time(
    collection: Collection,
) -> None:
    due = NOW + timedelta(minutes=10)
    collection.write("due.md", article("Due", time=stamp(due), topics=("AI",)))
    collection.write("old.md", article("Old", topics=("AI",)))
    collection.sync()
    archive = Archive(month=Month.of(NOW).plus(-1))
    before = publish_feed(collection, AI, archive=archive)
    collection.advance(due)
    after = publish_feed(collection, AI, archive=archive)
    assert b"next-archive" not in before.body and b"next-archive" in after.body
    assert (before.last_modified, after.last_modified) == (NOW, due)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/archive/1989-11.atom", 404),
        ("/archive/1989-12.atom", 200),
        ("/archive/9999-12.atom", 404),
        ("/archive/2020-13.atom", 404),
        ("/archive/2020-05.xml", 404),
        ("/archive/2020-05", 301),
        ("/archive/2020-13/", 404),
        ("/archive/", 200),
        ("/archive", 301),
        ("/archive/?limit=5", 301),
        ("/topics/none/archive/2020-05.atom", 404),
        ("/archive/2020-05.atom?limit=5", 400),
        ("/archive/2020-05.atom?min_heat=5", 400),
        ("/archive/2020-05/yesterday.atom", 404),
        ("/archive/2020-05/20200418T024100Z-" + "0" * 32 + ".atom", 404),
        ("/archive/2020-05.atom?before=x", 400),
        ("/archive/2020-05/20200518T024100Z-" + "0" * 32 + ".atom", 200),
        ("/providers/example.org/archive/2020-05.json?min_quality=70", 200),
        ("/archive/2020-05.atom?utm_source=x", 301),
        ("/archive/2020-05.atom?min_quality=60", 301),
        ("/archive/2020-05.atom?topic=ai", 301),
        ("/topics/AI/archive/2020-05.rss", 301),
    ],
)
def test_archive_has_one_address(standing: Site, address: str, status: int) -> None:
    response = standing.get(address)
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    if status == 301:
        assert standing.get(response.headers["Location"]).status_code == 200
    if status in (400, 404):
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.text.count("\n") == 1


def test_archive_of_a_renamed_topic_moves_and_of_a_withdrawn_one_is_gone(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    names = {
        "ai": FeedSettings(slug="machines", former=("robots",)),
        "law": FeedSettings(withdrawn=True),
    }
    collection = make_collection(topics=names)
    write_months(collection, "2020-05", topics=("AI", "Law"))
    site = serve(collection)
    moved = site.get("/topics/robots/archive/2020-05.atom")
    assert moved.headers["Location"] == f"{site.base}/topics/machines/archive/2020-05.atom"
    assert site.get("/topics/law/archive/2020-05.atom").status_code == 410
