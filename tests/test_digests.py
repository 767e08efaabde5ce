"""Digests: the best stories of each finished day, week and month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import msgspec
import pytest
from lxml import html
from msgspec import structs
from sqlalchemy import update

from feeds.formats import FORMATS
from feeds.index import pings, schema
from feeds.periods import FREQUENCIES
from feeds.publish import publish
from feeds.search import parse_search
from feeds.selection import EVERYTHING, Selection, choose
from tests import atom_rules, json_rules, rss_rules
from tests.hostile import write_hostile
from tests.support import BASE, NOW, SEEDS, Collection, Site, article, publish_feed

pytestmark = pytest.mark.databases("sqlite", "postgresql")

AI = Selection(kind="topic", key="ai", slug="ai")
LAW = Selection(kind="topic", key="law", slug="law")
WEEKLY = EVERYTHING.digests("weekly")
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FAULTS = {"atom": atom_rules.faults, "rss": rss_rules.faults, "json": json_rules.faults}
#: The Monday before NOW, which is a Thursday.
MONDAY = datetime(2025, 12, 29, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def entries(collection: Collection, selection: Selection = WEEKLY) -> list[Any]:
    """The digests in a feed, as feedparser reads them."""
    body = publish_feed(collection, selection).body
    return list(feedparser.parse(body).entries)


def stories(digest: Any) -> list[str]:
    """The titles of the stories in the content of a digest."""
    return [str(link.text) for link in html.fromstring(digest.content[0].value).iterfind("*/a")]


def titles(collection: Collection, selection: Selection = WEEKLY) -> list[str]:
    return [entry.title for entry in entries(collection, selection)]


def test_digest_has_the_best_stories_of_a_period_ties_newest_first(collection: Collection) -> None:
    for number, quality in enumerate([70, 90, 80, 90, *[75] * 8]):
        at = datetime(2020, 5, 12 + number // 4, number, tzinfo=UTC)
        collection.write(f"{number}.md", article(f"S{number}", quality=quality, time=stamp(at)))
    collection.write("late.md", article("Sunday", quality=99, time="2020-05-17T23:59:59Z"))
    collection.write("next.md", article("Monday", quality=99, time="2020-05-18T00:00:00Z"))
    collection.sync()
    newer, older = entries(collection)
    assert (newer.title, older.title) == ("News: 18 to 24 May 2020", "News: 11 to 17 May 2020")
    best = ["Sunday", "S3", "S1", "S2", *(f"S{number}" for number in range(11, 5, -1))]
    assert (stories(newer), stories(older)) == (["Monday"], best)
    assert older.summary == "\n".join(f"· {title}" for title in best)
    assert older.link == f"{BASE}/weekly/2020-W20/"
    assert older.published == older.updated == "2020-05-18T00:00:00+00:00"
    assert older.author == "News"
    assert stories(entries(collection, replace(WEEKLY, limit=2))[1]) == best[:2]


def test_digest_reads_like_a_letter(collection: Collection) -> None:
    picture = 'images:\n  - url: "https://example.org/{}.jpg"\n    width: 300\n    height: 200\n'
    related = (
        'related:\n  - title: "Told & <b> elsewhere"\n    webUrl: "https://other.example/x?a=1&b"\n'
        "    quality: {}\n    provider:\n      name: Other\n      domain: other.example\n"
    )
    for number in range(4):
        more = picture.format(number) + related.format(60 if number == 0 else 59)
        text = article(f"T{number} &amp; <i>", quality=90 - number, more=more)
        collection.write(f"{number}.md", text)
    plain = article("Plain", quality=61).replace('excerpt: "About Plain."\n', "")
    collection.write("plain.md", plain)
    collection.sync()
    [digest] = entries(collection)
    content = digest.content[0].value
    tree: Any = html.fromstring(f"<div>{content}</div>")
    assert [str(img.get("src"))[-5] for img in tree.iter("img")] == ["0", "1", "2"]
    assert content.count("About T0") == 1 and content.count("<h3>") == 5
    assert content.endswith(">Plain</a></h3>\n<p>Example</p>")
    [item] = tree.iter("li")
    assert item.text_content() == "Told & <b> elsewhere (Other)"
    assert not [e.tag for e in tree.iter() if e.get("style") or e.get("class") or e.tag == "style"]
    assert digest.media_thumbnail[0]["url"] == "https://example.org/0.jpg"


def test_digest_of_the_seeds_is_one_with_one_story(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    site = serve(Collection(SEEDS, collection.config))
    [digest] = site.get("/weekly/feed.json").json()["items"]
    assert digest["url"].endswith("/weekly/2020-W21/")
    assert digest["content_html"].count("<h3>") == 1
    assert (digest["_feeds"], digest["tags"]) == ({"type": "digest", "related": []}, [])
    page = site.get("/weekly/").text
    assert "18 to 24 May 2020" in page and "1 story" in page


@pytest.mark.parametrize("suffix", FORMATS)
def test_digests_of_hostile_articles_are_valid(collection: Collection, suffix: str) -> None:
    write_hostile(collection.folder, 60, 2)
    collection.sync()
    for frequency in FREQUENCIES:
        body = publish_feed(collection, EVERYTHING.digests(frequency), suffix).body
        assert FAULTS[suffix](body) == []


def test_digest_of_a_choice_has_the_best_of_what_was_chosen(collection: Collection) -> None:
    for number, (title, topic, quality) in enumerate(
        [
            *(("Clearview one", "AI", 70), ("Clearview two", "Law", 90), ("Other", "AI", 99)),
            *(("Clearview three", "Tax", 95), ("Clearview four", "AI", 80)),
        ]
    ):
        collection.write(f"{number}.md", article(title, quality=quality, topics=(topic,)))
    collection.sync()
    chosen = choose([AI, LAW], search=parse_search("clearview"))
    for selection, best in (
        (chosen, ["Clearview two", "Clearview four", "Clearview one"]),
        (replace(chosen, min_quality=75), ["Clearview two", "Clearview four"]),
        (choose(exclude=[AI]), ["Clearview three", "Clearview two"]),
        (choose(min_heat=0), []),
    ):
        found = entries(collection, selection.digests("weekly"))
        assert [story for digest in found for story in stories(digest)] == best


def test_period_without_stories_has_no_digest(collection: Collection) -> None:
    for month in (1, 3):
        collection.write(f"{month}.md", article(time=f"2020-{month:02}-15T12:00:00Z"))
    collection.sync()
    assert titles(collection, AI.digests("monthly")) == ["AI: March 2020", "AI: January 2020"]
    assert titles(collection, AI.digests("daily")) == ["AI: 15 March 2020", "AI: 15 January 2020"]


def test_digest_appears_when_its_period_is_over(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(time_zone="Europe/Berlin", base_url=BASE, hub="https://h.example/")
    collection.write("old.md", article("Old", time="2020-05-18T02:41:00Z", topics=("Law",)))
    collection.write("one.md", article("One", time=stamp(NOW)))
    collection.sync()
    everyone = {"/", "/topics/ai/", "/topics/law/", "/providers/example.org/"}
    assert told(collection) == everyone
    seen = [publish_feed(collection, LAW), publish_feed(collection, WEEKLY)]
    midnight = datetime(2026, 1, 1, 23, tzinfo=UTC)
    assert collection.index.status().next_change == midnight.timestamp()
    before = collection.index.status()
    assert collection.advance(midnight - SECOND) == 0
    assert collection.index.status() == before
    collection.advance(midnight)
    assert titles(collection, AI.digests("daily")) == ["AI: 1 January 2026"]
    assert collection.index.status().revision == before.revision + 1
    assert told(collection) == {f"{p}daily/" for p in everyone - {"/topics/law/"}}
    # A day on which nothing was published ends, and no cache is dropped for it.
    after = collection.index.status()
    collection.advance(midnight + DAY)
    assert collection.index.status()._replace(next_change=0) == after._replace(next_change=0)
    assert told(collection) == set()
    assert [publish_feed(collection, LAW), publish_feed(collection, WEEKLY)] == seen
    # Nobody was there when the week ended, nor when a further day did.
    collection.sync(midnight + 5 * DAY)
    assert titles(collection)[0] == "News: 29 Dec 2025 to 4 Jan 2026"
    assert told(collection) == {f"{p}weekly/" for p in everyone - {"/topics/law/"}}


def told(collection: Collection) -> set[str]:
    """The feeds that a hub is told of, after which nothing waits."""
    found = set()
    while waiting := pings.longest_waiting(collection.index):
        found |= {selection.address() for selection in waiting.selections}
        pings.mark(collection.index, waiting)
    return found


def test_hub_is_told_of_digests_that_an_edit_may_change(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(base_url=BASE, hub="https://hub.example/")
    for name, at in (("today", NOW), ("monday", MONDAY), ("old", datetime(2020, 1, 1, tzinfo=UTC))):
        collection.write(f"{name}.md", article(name, time=stamp(at), topics=(name,)))
    collection.sync()
    told(collection)
    for name, at, frequencies in (
        ("today", NOW, ()),
        ("monday", MONDAY, ("daily/", "monthly/")),
        ("old", datetime(2020, 1, 1, tzinfo=UTC), ("daily/", "weekly/", "monthly/")),
    ):
        collection.write(f"{name}.md", article("Edited", time=stamp(at), topics=(name,)))
        collection.sync()
        paths = ("/", f"/topics/{name}/", "/providers/example.org/")
        assert told(collection) == {path + f for path in paths for f in ("", *frequencies)}
    # Of the stories the hub is told first: they are what subscribers wait for.
    with collection.index.write_transaction() as connection:
        is_site = schema.feeds.c.kind == "site"
        connection.execute(update(schema.feeds).where(is_site).values(daily=2**40))
    collection.write("today.md", article("Again", time=stamp(NOW), topics=("today",)))
    collection.sync()
    first = pings.longest_waiting(collection.index)
    assert first and first.selection != EVERYTHING


def test_document_of_a_digest_feed_names_the_hub_that_is_told_of_it(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(base_url=BASE, hub="https://hub.example/")
    collection.write("one.md", article())
    collection.sync()
    for selection, is_told in (
        *((AI.digests("daily"), True), (WEEKLY, True)),
        *((replace(WEEKLY, limit=3), False), (replace(WEEKLY, min_quality=70), False)),
    ):
        published = publish_feed(collection, selection)
        assert ("hub" in published.link) is (b'rel="hub"' in published.body) is is_told
        # As with all that quality chooses, nothing dates them.
        assert published.last_modified is None


def test_feed_of_digests_keeps_its_id_and_so_does_each_digest(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection()
    collection.write("one.md", article(topics=("AI", "AI/weekly")))
    collection.sync()
    slash = collection.index.resolve("topic", "ai-weekly")
    assert slash
    chosen = choose([AI], min_quality=70)
    selections = [s for base in (EVERYTHING, AI, slash, chosen) for s in (
        base, base.digests("daily"), base.digests("weekly"), base.digests("monthly"))]  # fmt: skip
    feeds = [feedparser.parse(publish_feed(collection, s).body) for s in selections]
    assert len({feed.feed.id for feed in feeds}) == len(selections)
    ids = dict(zip(selections, (feed.feed.id for feed in feeds), strict=True))
    # Those of stories are as they were before there were digests.
    assert ids[EVERYTHING] == "urn:uuid:121f1e6f-10a0-575b-9443-bf9b917821e7"
    assert ids[AI] == "urn:uuid:61f92422-473d-5a22-ad43-029266dbb587"
    assert ids[chosen] == "urn:uuid:68a2fcdc-7837-58c5-8e37-398fc5c775e7"
    # These must never change either.
    weekly = AI.digests("weekly")
    assert ids[weekly] == "urn:uuid:32284538-53d8-5e38-a847-a86b2e599829"
    for selection in (weekly, replace(weekly, limit=5)):
        [digest] = entries(collection, selection)
        assert digest.id == "urn:uuid:f9788264-30d8-5fa9-a139-65afc3c80c37"


def test_story_that_is_withdrawn_leaves_its_digests_at_once(collection: Collection) -> None:
    collection.write("one.md", article("One"))
    collection.write("two.md", article("Two"))
    collection.write("law.md", article("Law", topics=("Law",), time="2020-05-01T00:00:00Z"))
    collection.sync()
    seen = publish_feed(collection, WEEKLY), publish_feed(collection, LAW.digests("weekly"))
    (collection.folder / "one.md").unlink()
    collection.sync()
    assert stories(entries(collection)[0]) == ["Two"]
    assert publish_feed(collection, WEEKLY) != seen[0]
    assert publish_feed(collection, LAW.digests("weekly")) == seen[1]
    (collection.folder / "two.md").unlink()
    collection.sync()
    assert titles(collection) == ["News: 27 Apr to 3 May 2020"]
    assert entries(collection, AI.digests("weekly")) == []


def test_bytes_move_only_with_what_a_digest_shows(collection: Collection) -> None:
    collection.write("one.md", article("One", quality=80))
    collection.write("two.md", article("Two", quality=70))
    collection.sync()
    first = replace(WEEKLY, limit=1)
    before = publish_feed(collection, first)
    collection.write("two.md", article("Two, edited", quality=79))
    collection.write("new.md", article("New", quality=99, time=stamp(NOW)))
    collection.sync()
    assert publish_feed(collection, first) == before
    collection.write("two.md", article("Two, edited", quality=81))
    collection.sync()
    assert stories(entries(collection, first)[0]) == ["Two, edited"]


def test_digest_is_updated_when_one_of_its_stories_is(collection: Collection) -> None:
    for name, at in (("before", "2020-05-19T00:00:00Z"), ("after", "2020-06-02T03:04:05Z")):
        collection.write(f"{name}.md", article(more=f"updatedDateTime: {at}\n", topics=(name,)))
    announced = f"updatedDateTime: {stamp(NOW + DAY)}\n"
    collection.write("later.md", article(more=announced, topics=("later",)))
    collection.sync()
    end = "2020-05-25T00:00:00+00:00"
    updated = {
        name: entries(collection, Selection(kind="topic", key=name, slug=name).digests("weekly"))
        for name in ("before", "after", "later")
    }
    assert {name: found[0].updated for name, found in updated.items()} == {
        "before": end,
        "after": "2020-06-02T03:04:05+00:00",
        "later": end,
    }
    assert {found[0].published for found in updated.values()} == {end}
    collection.advance(NOW + DAY)
    later = Selection(kind="topic", key="later", slug="later")
    [digest] = entries(collection, later.digests("weekly"))
    assert digest.updated == (NOW + DAY).isoformat()


def test_fresh_index_gives_the_same_bytes(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(base_url=BASE)
    for number in range(20):
        at = NOW - number * 3 * DAY
        collection.write(f"{number}.md", article(f"S{number}", time=stamp(at), quality=60 + number))
        collection.sync(max(at, NOW - 30 * DAY))
    collection.advance(NOW + DAY)
    database = f"sqlite:///{collection.folder.parent}/fresh.sqlite3"
    other = changed_settings(collection, database=database)
    other.sync(NOW + DAY)
    for selection in (WEEKLY, AI.digests("daily"), replace(WEEKLY, min_quality=70)):
        for suffix in FORMATS:
            published = publish_feed(collection, selection, suffix)
            assert publish_feed(other, selection, suffix) == published
    other.index.close()


def test_other_time_zone_moves_the_ends_of_periods(collection: Collection) -> None:
    collection.write("one.md", article(time="2020-05-17T23:00:00Z"))
    collection.sync()
    [before] = entries(collection)
    moved = changed_settings(collection, time_zone="Pacific/Kiritimati")
    moved.sync()
    [after] = entries(moved)
    assert (before.title, after.title) == ("News: 11 to 17 May 2020", "News: 18 to 24 May 2020")
    assert after.published == "2020-05-24T10:00:00+00:00"
    # It is the second of January there already, so the first one is over.
    moved.write("new.md", article("New", time="2026-01-01T09:00:00Z"))
    moved.sync()
    assert titles(moved, AI.digests("daily"))[0] == "AI: 1 January 2026"
    back = changed_settings(collection, time_zone="UTC")
    back.sync()
    assert titles(back, AI.digests("daily"))[0] == "AI: 17 May 2020"


def changed_settings(collection: Collection, **settings: Any) -> Collection:
    """The same folder with other settings."""
    return Collection(collection.folder, structs.replace(collection.config, **settings))


def test_clock_that_is_set_back_takes_no_digest_away(collection: Collection) -> None:
    collection.write("one.md", article(time=stamp(NOW - DAY)))
    collection.sync()
    assert len(entries(collection, AI.digests("daily"))) == 1
    collection.write("two.md", article("Two", time=stamp(NOW - 4 * DAY)))
    collection.sync(NOW - 3 * DAY)
    assert len(entries(collection, AI.digests("daily"))) == 2


def test_empty_site_has_no_digests(collection: Collection) -> None:
    collection.sync()
    published = publish(collection.index, WEEKLY, FORMATS["atom"], BASE)
    assert published and not feedparser.parse(published.body).entries


@pytest.mark.parametrize("suffix", FORMATS)
def test_archives_have_each_older_digest_once(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site], suffix: str
) -> None:
    collection = make_collection()
    # 50 weeks are in the current document: those from 2019-W07 on.
    weeks = [datetime(2020, 1, 22, tzinfo=UTC) - number * 7 * DAY for number in range(60)]
    weeks += [datetime(2016, 1, 2, tzinfo=UTC), datetime(2014, 12, 31, tzinfo=UTC)]
    for number, at in enumerate(weeks):
        collection.write(f"{number}.md", article(f"S{number}", time=stamp(at)))
    site = serve(collection)
    address, walked, seen = f"/weekly/feed.{suffix}", list[str](), list[str]()
    while address:
        response = site.get(address)
        assert response.status_code == 200
        walked.append(address)
        links, address = read(response.content, suffix)
        seen += links
        address = address.removeprefix(site.base)
    years = [f"/weekly/archive/{year}.{suffix}" for year in (2019, 2018, 2015)]
    assert walked == [f"/weekly/feed.{suffix}", *years]
    assert len(seen) == len(set(seen)) == 62
    assert seen == sorted(seen, reverse=True)
    # Back to the current document, which is no archive.
    assert "next-archive" not in site.get(years[0]).text
    assert f"archive/2019.{suffix}" in site.get(years[1]).text or suffix == "json"


def read(body: bytes, suffix: str) -> tuple[list[str], str]:
    """The links of the entries of a document, and the address of the archive before it."""
    if suffix == "json":
        document = msgspec.json.decode(body)
        return [item["url"] for item in document["items"]], document.get("next_url", "")
    found = feedparser.parse(body)
    previous = [link.href for link in found.feed.links if link.rel == "prev-archive"]
    return [entry.link for entry in found.entries], "".join(previous)
