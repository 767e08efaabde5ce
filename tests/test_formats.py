"""The formats beside each other: each says the same of the same articles."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from feeds.config import Config, read_config
from feeds.feed import EMPTY_FEED_UPDATED, Feed, Links, Person, make_entry
from feeds.formats import FORMATS
from feeds.index.survey import public_feeds
from feeds.selection import EVERYTHING, Selection
from tests import atom_rules, json_rules, rss_rules
from tests.hostile import ARTICLES, TEXTS, hostile_article, in_quotes, write_hostile
from tests.html_rules import Html
from tests.support import BASE, NOW, SEEDS, Collection, article, publish_feed, read_article
from tests.xml_rules import read_xml, texts

GOLDEN = Path(__file__).parent / "golden"
RENEW = "RENEW_GOLDEN=1 pytest --no-cov tests/test_formats.py -k golden"
FAULTS = {"atom": atom_rules.faults, "rss": rss_rules.faults, "json": json_rules.faults}
HOSTILE = 1000
TOPICS = 6
RELS = ("self", "current", "prev-archive", "next-archive")
FEED = Feed(
    id="urn:uuid:121f1e6f-10a0-575b-9443-bf9b917821e7",
    title="News",
    subtitle="All.",
    updated=EMPTY_FEED_UPDATED,
    author=Person(name="News", uri=f"{BASE}/"),
    link=f"{BASE}/",
    icon=f"{BASE}/static/icon.svg",
    logo=f"{BASE}/apple-touch-icon.png",
    language="en",
    entries=(),
)


@dataclass(frozen=True, kw_only=True)
class ReadEntry:
    """What a document says of an article."""

    id: str
    title: str
    link: str
    published: datetime
    updated: datetime
    author: str
    labels: tuple[str, ...]
    summary: str
    content: str
    picture: str | None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a document says."""

    title: str
    description: str
    language: str
    page: str
    entries: tuple[ReadEntry, ...]


def read_atom(body: bytes) -> Reading:
    """An Atom document as feedparser reads it."""
    parsed, root = atom_rules.reread(body), read_xml(body)
    return Reading(
        title=checked(parsed.feed.title, *texts(root, "a:title")),
        description=checked(parsed.feed.subtitle, *texts(root, "a:subtitle")),
        language=parsed.feed.language,
        page=parsed.feed.link,
        entries=tuple(
            ReadEntry(
                id=read.id,
                title=checked(read.title, *texts(entry, "a:title")),
                link=read.link,
                published=datetime.fromisoformat(read.published),
                updated=datetime.fromisoformat(read.updated),
                author=checked(read.author, *texts(entry, "a:author/a:name")),
                labels=tuple(tag.label for tag in read.get("tags", ())),
                summary=checked(read.summary, *texts(entry, "a:summary")),
                content=checked(read.content[0].value, *texts(entry, "a:content")),
                picture=picture(read),
            )
            for read, entry in zip(parsed.entries, root.iterfind("{*}entry"), strict=True)
        ),
    )


def read_rss(body: bytes) -> Reading:
    """An RSS document as feedparser reads it."""
    parsed, root = rss_rules.reread(body), read_xml(body)
    return Reading(
        title=checked(parsed.feed.title, *texts(root, "channel/title")),
        description=shown(checked(parsed.feed.subtitle, *texts(root, "channel/description"))),
        language=parsed.feed.language,
        page=parsed.feed.link,
        entries=tuple(
            ReadEntry(
                id=read.id,
                title=checked(read.title, *texts(item, "title")),
                # feedparser 6.0 takes a query such as `&lt;` for a broken reference.
                link=texts(item, "link")[0],
                published=parsedate_to_datetime(read.published),
                # RSS has no date of an update; Atom's stands where there was one.
                updated=datetime.fromisoformat(read["updated"])
                if texts(item, "a:updated")
                else parsedate_to_datetime(read.published),
                author=checked(read.author, *texts(item, "d:creator")),
                labels=tuple(map(checked, terms(read), texts(item, "category"))),
                summary=shown(checked(read.summary, *texts(item, "description"))),
                content=checked(read.content[0].value, *texts(item, "c:encoded")),
                picture=picture(read),
            )
            for read, item in zip(parsed.entries, root.iterfind("channel/item"), strict=True)
        ),
    )


def read_json(body: bytes) -> Reading:
    """A JSON Feed as any JSON parser reads it."""
    feed = json.loads(body)
    return Reading(
        title=feed["title"],
        description=feed["description"],
        language=feed["language"],
        page=feed["home_page_url"],
        entries=tuple(
            ReadEntry(
                id=item["id"],
                title=item["title"],
                link=item["url"],
                published=datetime.fromisoformat(item["date_published"]),
                updated=datetime.fromisoformat(item["date_modified"]),
                author=item["authors"][0]["name"],
                labels=tuple(item["tags"]),
                summary=item["summary"],
                content=item["content_html"],
                picture=item.get("image"),
            )
            for item in feed["items"]
        ),
    )


READERS = {"atom": read_atom, "rss": read_rss, "json": read_json}


def checked(read: str, written: str) -> str:
    """The text that feedparser read, and what it mended as the document writes it.

    feedparser 6.0 takes some text for UTF-8 that was read as Latin-1.
    """
    try:
        mended = written.encode("latin-1").decode()
    except UnicodeError:
        return read
    return written if read == mended else read


def shown(description: str) -> str:
    """The text of an RSS description, which every reader takes for HTML: nothing else is in it."""
    fragment = Html(description)
    assert fragment.tags == []
    return fragment.text


def terms(read: Any) -> list[str]:
    """The names of an RSS item's categories."""
    return [tag.term for tag in read.get("tags", ())]


def picture(read: Any) -> str | None:
    """The address at which both elements of Media RSS show a picture."""
    found = [
        each["url"] for each in read.get("media_content", []) + read.get("media_thumbnail", [])
    ]
    assert not found or found == found[:1] * 2
    return found[0] if found else None


def readings(collection: Collection, selection: Selection = EVERYTHING) -> list[Reading]:
    """What the documents of a feed say, each valid, in the order of the formats."""
    found = []
    for suffix in FORMATS:
        body = publish_feed(collection, selection, suffix).body
        assert FAULTS[suffix](body, NOW) == []
        found.append(READERS[suffix](body))
    return found


def expected(collection: Collection, path: Path) -> ReadEntry:
    """What every document should say of an article file."""
    entry = make_entry(read_article(path), config=collection.config, base=BASE)
    return ReadEntry(
        id=entry.id,
        title=entry.title,
        link=entry.link,
        published=entry.published,
        updated=entry.updated,
        author=entry.author.name,
        labels=tuple(category.label for category in entry.categories),
        summary=entry.summary,
        content=entry.content,
        picture=entry.image.url if entry.image else None,
    )


def assert_all_say(collection: Collection, *names: str) -> None:
    """Each format says of the site the same of these articles, in this order."""
    entries = tuple(expected(collection, collection.folder / name) for name in names)
    for reading in readings(collection):
        assert reading.entries == entries


@pytest.mark.parametrize("suffix", FORMATS)
def test_seeds_are_the_golden_file(suffix: str, tmp_path: Path) -> None:
    collection = Collection(
        SEEDS, Config(articles=SEEDS, database=f"sqlite:///{tmp_path}/seeds.sqlite3")
    )
    collection.sync()
    body = publish_feed(collection, suffix=suffix).body
    assert FAULTS[suffix](body, NOW) == []
    golden = GOLDEN / f"seeds.{suffix}"
    if os.environ.get("RENEW_GOLDEN"):
        golden.write_bytes(body)
    assert body == golden.read_bytes(), f"if this is meant, renew the golden files: {RENEW}"


def test_every_format_says_the_same_of_the_seeds(tmp_path: Path) -> None:
    collection = Collection(
        SEEDS, Config(articles=SEEDS, database=f"sqlite:///{tmp_path}/seeds.sqlite3")
    )
    collection.sync()
    assert_all_say(collection, "000_83583677ea886637.txt")
    for reading in readings(collection):
        assert (reading.title, reading.language, reading.page) == ("News", "en", f"{BASE}/")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_format_says_the_same_of(
    make_collection: Callable[..., Collection], text: str
) -> None:
    collection = make_collection(title=text, description=text, author=text)
    collection.write("one.md", hostile_article([text] * 8, text))
    collection.write("two.md", article(in_quotes(text), time="2019-01-01T00:00:00Z"))
    assert collection.sync().faults == ()
    assert_all_say(collection, "one.md", "two.md")
    for reading in readings(collection):
        assert (reading.title, reading.description) == (text, text)
        assert reading.entries[1].title == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_format_calls_a_topic_and_a_provider_by_name(
    collection: Collection, text: str
) -> None:
    collection.write("one.md", article(topics=(in_quotes(text),), provider=in_quotes(text)))
    collection.sync()
    relations = {"topic": "on", "provider": "from"}
    selections = [item.selection for item in public_feeds(collection.index)]
    assert relations.keys() <= {selection.kind for selection in selections}
    for selection in (each for each in selections if each.kind in relations):
        relation = relations[selection.kind]
        for reading in readings(collection, selection):
            assert reading.title == f"{text} · News"
            assert reading.description == f"Articles {relation} {text}"
            entry = reading.entries[0]
            assert (entry.author, entry.labels) == (text, (text,))


@pytest.mark.parametrize(
    "more",
    ["", "updatedDateTime: 2021-01-01T00:00:00Z\n", "updatedDateTime: 2019-01-01T00:00:00Z\n"],
    ids=["none", "later", "earlier"],
)
def test_every_format_says_the_same_of_an_update(collection: Collection, more: str) -> None:
    collection.write("one.md", article(more=more, topics=()).replace("topics:\n", ""))
    assert collection.sync().faults == ()
    assert_all_say(collection, "one.md")


def test_every_format_says_the_same_of_a_thousand_hostile_articles(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(limit=200)
    write_hostile(collection.folder, HOSTILE, TOPICS)
    assert collection.sync().faults == ()
    entries = {
        each.id: each
        for each in map(lambda p: expected(collection, p), collection.folder.iterdir())
    }
    compared = set()
    topics = [Selection(kind="topic", key=f"t{n}", slug=f"t{n}") for n in range(TOPICS)]
    provider = Selection(kind="provider", key="p1.example", slug="p1.example")
    for selection in (EVERYTHING, provider, *topics):
        atom, *others = readings(collection, selection)
        assert others == [atom] * 2
        for each in atom.entries:
            assert each == entries[each.id]
        compared |= {each.id for each in atom.entries}
    assert len(compared) == len(entries) == HOSTILE


@pytest.mark.parametrize("suffix", FORMATS)
def test_writing_needs_no_clock_and_no_locale(
    suffix: str, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.write("one.md", hostile_article(["x"] * 8, "Body."))
    collection.sync()
    body = publish_feed(collection, suffix=suffix).body
    monkeypatch.setattr("feedgen.feed.datetime", Later)
    monkeypatch.setattr("feedgen.entry.datetime", Later)
    # Other threads format numbers and dates meanwhile.
    monkeypatch.setattr("locale.setlocale", None)
    assert publish_feed(collection, suffix=suffix).body == body


class _AnyMoment(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class Later(metaclass=_AnyMoment):
    """A clock of another day, in feedgen's hands."""

    @staticmethod
    def now(_: object) -> datetime:
        """Another day."""
        return datetime(2020, 1, 1, tzinfo=UTC)


def test_no_lone_surrogate_of_the_environment_reaches_the_output(tmp_path: Path) -> None:
    # What is no UTF-8 in the environment reaches Python as lone surrogates (PEP 383).
    text = b"a\xffb \xed\xa0\x80".decode(errors="surrogateescape")
    environ = dict.fromkeys(("FEEDS_TITLE", "FEEDS_DESCRIPTION", "FEEDS_AUTHOR"), text)
    config = structs.replace(
        read_config(None, environ), articles=SEEDS, database=f"sqlite:///{tmp_path}/seeds.sqlite3"
    )
    collection = Collection(SEEDS, config)
    collection.sync()
    for reading in readings(collection):
        assert (reading.title, reading.description) == ("ab", "ab")


def test_lone_surrogate_is_refused_rather_than_written() -> None:
    for form in FORMATS.values():
        with pytest.raises(ValueError, match="surrogates"):
            form.write(replace(FEED, title="\ud800"), Links(canonical=f"{BASE}/{form.file}"))


@pytest.mark.parametrize("suffix", FORMATS)
def test_feed_that_its_reader_chose_keeps_the_query_in_every_address(suffix: str) -> None:
    page, address = f"{BASE}/?topic=a&type=b", f"{BASE}/feed.{suffix}?topic=a&type=b"
    body = FORMATS[suffix].write(replace(FEED, link=page), Links(canonical=address))
    assert FAULTS[suffix](body, NOW) == []
    assert READERS[suffix](body).page == page
    assert html.unescape(body.decode()).count(address) == 1


def neighbours(suffix: str) -> Links:
    return Links(
        canonical=f"{BASE}/archive/2.{suffix}",
        current=f"{BASE}/feed.{suffix}",
        prev_archive=f"{BASE}/archive/1.{suffix}",
        next_archive=f"{BASE}/archive/3.{suffix}",
    )


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_archive_names_its_neighbours_and_itself(suffix: str) -> None:
    body = FORMATS[suffix].write(replace(FEED, archive=True), neighbours(suffix))
    assert FAULTS[suffix](body, NOW) == []
    root = read_xml(body)
    assert texts(root, "//h:archive | //h:complete") == [""]
    found = {rel: texts(root, f"//a:link[@rel='{rel}']/@href") for rel in RELS}
    names = dict(zip(RELS, ("archive/2", "feed", "archive/1", "archive/3"), strict=True))
    assert found == {rel: [f"{BASE}/{name}.{suffix}"] for rel, name in names.items()}


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_complete_feed_says_so_and_names_no_neighbours(suffix: str) -> None:
    body = FORMATS[suffix].write(
        replace(FEED, complete=True), Links(canonical=f"{BASE}/feed.{suffix}")
    )
    assert FAULTS[suffix](body, NOW) == []
    root = read_xml(body)
    assert len(texts(root, "//h:complete")) == 1
    assert texts(root, "//h:archive") == []
    assert set(texts(root, "//a:link/@rel")) & set(RELS) == {"self"}


def test_next_page_of_a_json_feed_is_the_archive_before() -> None:
    body = FORMATS["json"].write(replace(FEED, archive=True), neighbours("json"))
    feed = json_rules.read_json(body)
    assert feed["feed_url"] == f"{BASE}/archive/2.json"
    assert feed["next_url"] == f"{BASE}/archive/1.json"


def test_json_feed_without_older_entries_has_no_next_page() -> None:
    body = FORMATS["json"].write(FEED, Links(canonical=f"{BASE}/feed.json"))
    assert "next_url" not in json_rules.read_json(body)


@settings(max_examples=10, deadline=None)
@given(articles=st.lists(ARTICLES, max_size=3))
def test_every_format_says_the_same_of_articles_made_up(articles: list[str]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        config = Config(articles=folder, database=f"sqlite:///{folder}/index.sqlite3")
        collection = Collection(folder, config)
        collection.write("sound.md", article("Sound"))
        for number, text in enumerate(articles):
            collection.write(f"{number}.md", text)
        refused = {fault.path for fault in collection.sync().faults}
        sound = [path for path in sorted(folder.glob("*.md")) if path.name not in refused]
        entries = {each.id: each for each in (expected(collection, path) for path in sound)}
        for reading in readings(collection):
            assert {each.id: each for each in reading.entries} == entries
        collection.index.close()
