"""From a selection to bytes and validators, over a real index of real files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from feeds.articles import parse_article
from feeds.config import Config
from feeds.formats import FORMATS
from feeds.index import Index
from feeds.index.survey import public_feeds
from feeds.publish import Document, find_feed, publish
from feeds.selection import EVERYTHING, Kind, Selection
from tests.atom_rules import read_atom, texts
from tests.html_rules import Html
from tests.support import BASE, NOW, SEEDS, Collection, article

AI = Selection(kind="topic", key="ai", slug="ai")
LATER = NOW + timedelta(hours=1)
POLICE = "Police 'stocktake' surveillance tech after Clearview AI facial recognition trial"
TVNZ = "Police searched for suspects in unapproved trial of facial recognition tech, Clearview AI"


def published(collection: Collection, selection: Selection = EVERYTHING) -> Document:
    found = publish(collection.index, selection, FORMATS["atom"], BASE)
    assert found
    return found


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def seeds(tmp_path: Path) -> Collection:
    config = Config(articles=SEEDS, database=f"sqlite:///{tmp_path}/seeds.sqlite3")
    collection = Collection(SEEDS, config)
    assert collection.sync().faults == ()
    return collection


@pytest.mark.parametrize(
    ("kind", "slug"), [("topic", "ai"), ("topic", "computer-vision"), ("provider", "rnz.co.nz")]
)
def test_seeds_have_one_entry_with_one_related_story(
    seeds: Collection, kind: Kind, slug: str
) -> None:
    selection = seeds.index.resolve(kind, slug)
    assert selection
    root = read_atom(published(seeds, selection).body)
    assert texts(root, "a:entry/a:title") == [POLICE]
    assert texts(root, "a:entry/a:link[@rel='related']/@title") == [TVNZ]
    text = Html(texts(root, "a:entry/a:content")[0]).text
    assert text.endswith(f"Related coverage:\n{TVNZ} (TVNZ 1)")
    assert texts(root, "a:link[@rel='self']/@href") == [f"{BASE}/{kind}s/{slug}/feed.atom"]


def test_seeds_have_no_other_topic_or_provider(seeds: Collection) -> None:
    paths = [item.selection.path for item in public_feeds(seeds.index)]
    assert paths == ["/", "/topics/ai/", "/topics/computer-vision/", "/providers/rnz.co.nz/"]


def test_nothing_of_the_other_seeds_is_in_any_feed(seeds: Collection) -> None:
    whole = b"".join(
        published(seeds, item.selection).body for item in public_feeds(seeds.index)
    ).decode()
    assert whole.count("<entry>") == 4
    hidden = ["secured", "Newshub", "newshub.co.nz", "amp.rnz.co.nz"]
    for path in sorted(SEEDS.glob("*.txt")):
        raw = path.read_bytes()
        hidden += [line for line in raw.decode().split('"') if ";" in line and "==" in line]
        reading = parse_article(raw, path.name)
        assert reading.article and bool(reading.withheld_reason) == (
            reading.article.title != POLICE
        )
        if reading.withheld_reason:
            hidden += [reading.article.title, reading.article.link]
            hidden += [reading.article.provider.name + "<", reading.article.provider.domain]
            hidden += [story.link for story in reading.article.related]
    shown = {"rnz<", "rnz.co.nz"}
    assert len(hidden) == 39
    assert [text for text in hidden if text in whole and text not in shown] == []


def test_feed_of_an_unknown_selection_is_none(collection: Collection) -> None:
    collection.sync()
    assert publish(collection.index, AI, FORMATS["atom"], BASE) is None
    assert find_feed(collection.index, AI, BASE) is None


def test_feed_that_lost_its_articles_stays_and_is_empty(collection: Collection) -> None:
    path = collection.write("one.md", article())
    collection.sync()
    path.unlink()
    collection.sync(LATER)
    made = published(collection, AI)
    root = read_atom(made.body, LATER)
    assert texts(root, "a:title") == ["AI · News"]
    assert texts(root, "a:entry") == []
    assert made.last_modified == LATER


def test_document_and_header_name_the_same_addresses(collection: Collection) -> None:
    collection.write("one.md", article(topics=("人工知能",)))
    collection.sync()
    selection = collection.index.resolve("topic", "人工知能")
    assert selection
    made = published(collection, selection)
    page = f"{BASE}/topics/%E4%BA%BA%E5%B7%A5%E7%9F%A5%E8%83%BD/"
    assert made.link == (
        f'<{page}feed.atom>; rel="self", <{page}>; rel="alternate"; type="text/html"'
    )
    assert texts(read_atom(made.body), "a:link/@href") == [page, f"{page}feed.atom"]


def test_content_type_is_atom_in_utf_8(collection: Collection) -> None:
    collection.sync()
    assert published(collection).content_type == "application/atom+xml; charset=utf-8"


def test_etag_is_of_the_bytes(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    made = published(collection)
    assert made.etag == hashlib.sha256(made.body).hexdigest()[:32]
    assert made.etag.isascii() and made.etag.isalnum()


def test_every_process_publishes_the_same(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    other = Index(collection.config.database, collection.config)
    assert publish(other, EVERYTHING, FORMATS["atom"], BASE) == published(collection)


def test_visible_change_gives_other_bytes_tag_and_date(collection: Collection) -> None:
    collection.write("one.md", article("First"))
    collection.sync()
    before = published(collection)
    collection.write("one.md", article("Second"))
    collection.sync(LATER)
    after = published(collection)
    assert after.body != before.body and after.etag != before.etag
    assert (before.last_modified, after.last_modified) == (NOW, LATER)


def test_invisible_change_changes_nothing(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    before = published(collection)
    collection.write("one.md", article(quality=99, more="heat: 12\n"))
    collection.sync(LATER)
    assert published(collection) == before


def test_withdrawal_does_not_set_the_date_back(collection: Collection) -> None:
    collection.write("old.md", article("Old", time="2019-01-01T00:00:00Z"))
    path = collection.write("new.md", article("New"))
    collection.sync()
    path.unlink()
    collection.sync(LATER)
    assert published(collection).last_modified == LATER


def test_date_is_that_of_an_article_which_came_due(collection: Collection) -> None:
    collection.write("old.md", article("Old"))
    collection.write("due.md", article("Due", time=stamp(LATER)))
    collection.sync()
    before = published(collection)
    collection.advance(LATER)
    after = published(collection)
    assert (before.last_modified, after.last_modified) == (NOW, LATER)
    assert b"Due" in after.body and b"Due" not in before.body


def test_date_is_that_of_an_announced_update_which_came(collection: Collection) -> None:
    collection.write("one.md", article(more=f"updatedDateTime: {stamp(LATER)}\n"))
    collection.sync()
    before = published(collection)
    collection.advance(LATER)
    after = published(collection)
    assert (before.last_modified, after.last_modified) == (NOW, LATER)
    assert after.etag != before.etag


def test_limit_keeps_the_newest(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(limit=2)
    for year in (2018, 2020, 2019):
        collection.write(f"{year}.md", article(f"{year}", time=f"{year}-01-01T00:00:00Z"))
    collection.sync()
    root = read_atom(published(collection).body)
    assert texts(root, "a:entry/a:title") == ["2020", "2019"]


def test_base_is_the_start_of_every_address_of_ours(collection: Collection) -> None:
    collection.write("one.md", article(url="https://other.example/"))
    collection.sync()
    made = publish(collection.index, AI, FORMATS["atom"], "http://[::1]:8000")
    assert made
    root = read_atom(made.body)
    ours = "a:link/@href | a:author/a:uri | a:icon | a:logo | //a:category/@scheme"
    assert len(texts(root, ours)) == 6
    assert all(text.startswith("http://[::1]:8000/") for text in texts(root, ours))
