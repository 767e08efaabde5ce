"""Since when documents look as they do, whoever asks and whenever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import Connection, Engine

from feeds.index import Index
from feeds.index.noting import since
from feeds.index.tables import documents
from feeds.publish import Published
from feeds.selection import EVERYTHING, Selection
from tests.support import NOW, Collection, Site, article, publish_feed

pytestmark = pytest.mark.databases("sqlite", "postgresql")

LATER = NOW + timedelta(hours=1)
SECOND = timedelta(seconds=1)
AI = Selection(kind="topic", key="ai", slug="ai")
LAW = Selection(kind="topic", key="law", slug="law")
HOT = replace(EVERYTHING, min_heat=5)
GOOD = replace(EVERYTHING, min_quality=70)
OTHERS = (EVERYTHING, AI, replace(AI, limit=3), replace(EVERYTHING, exclude=(LAW,)))


@pytest.fixture
def filled(collection: Collection) -> Collection:
    """An index without articles."""
    collection.sync()
    return collection


def look(collection: Collection, *chosen: Selection, now: datetime = LATER) -> list[Published]:
    """What subscribers of some selections see."""
    return [publish_feed(collection, selection, now=now) for selection in chosen]


def write(collection: Collection, now: datetime, quality: int = 80, heat: int = 5) -> None:
    """One article of this quality and heat, brought into the index."""
    collection.write("one.md", article(quality=quality, more=f"heat: {heat}\n"))
    collection.sync(now)


def noted(collection: Collection) -> int:
    """How many documents are remembered."""
    with collection.index.reading() as connection:
        count = select(func.count()).select_from(documents)
        return int(connection.execute(count).scalar_one())


def test_document_keeps_the_date_at_which_it_was_first_seen(filled: Collection) -> None:
    for hours in range(3):
        assert since(filled.index, "/", b"same", NOW + timedelta(hours=hours)) == NOW
    assert since(filled.index, "/other", b"same", LATER) == LATER


def test_changed_document_has_the_date_of_the_change(filled: Collection) -> None:
    since(filled.index, "/", b"old", NOW)
    assert since(filled.index, "/", b"new", LATER) == LATER
    assert since(filled.index, "/", b"old", LATER + SECOND * 9) == LATER + SECOND * 9


def test_changes_at_one_time_are_a_second_apart(filled: Collection) -> None:
    dates = [since(filled.index, "/", digest, NOW) for digest in (b"1", b"2")]
    assert dates == [NOW, NOW + SECOND]


def test_late_process_takes_nothing_back(filled: Collection) -> None:
    since(filled.index, "/", b"new", LATER)
    assert since(filled.index, "/", b"old", NOW) == NOW
    assert since(filled.index, "/", b"new", LATER + SECOND) == LATER


def test_every_process_gives_one_date_and_so_does_the_next(filled: Collection) -> None:
    other = Index(filled.config.database, filled.config)
    assert since(other, "/", b"same", NOW) == NOW
    assert since(filled.index, "/", b"same", LATER) == NOW
    other.close()
    filled.index.close()
    again = Index(filled.config.database, filled.config)
    assert since(again, "/", b"same", LATER) == NOW
    again.close()


@pytest.mark.parametrize(("digest", "date"), [(b"same", NOW), (b"another", LATER)])
def test_process_that_was_faster_is_believed(
    filled: Collection, digest: bytes, date: datetime
) -> None:
    class Overtaken(Index):
        """Another process notes the document just before this one."""

        @contextmanager
        def noting(self) -> Iterator[Connection]:
            since(filled.index, "/", digest, NOW)
            with super().noting() as connection:
                yield connection

    slow = Overtaken(filled.config.database, filled.config)
    assert since(slow, "/", b"same", LATER) == date
    slow.close()


def test_only_the_latest_documents_are_remembered(
    filled: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.index.noting.NOTED", 5)
    for number in range(12):
        since(filled.index, f"/{number}", b"same", NOW)
        assert noted(filled) == min(number + 1, 5)
    assert [since(filled.index, f"/{n}", b"same", LATER) for n in (7, 11)] == [NOW, NOW]
    assert since(filled.index, "/6", b"same", LATER) == LATER
    assert noted(filled) == 5


@contextmanager
def locked(collection: Collection) -> Iterator[None]:
    """While another process writes to the index."""
    other = Index(collection.config.database, collection.config)
    with other.writing():
        yield
    other.close()


def test_locked_index_delays_no_answer(filled: Collection) -> None:
    with locked(filled):
        began = time.monotonic()
        assert since(filled.index, "/", b"same", NOW) == NOW
        assert time.monotonic() - began < 3
    assert noted(filled) == 0
    # What waits for a sync waits again afterwards.
    with filled.index.reading() as connection:
        lite = connection.dialect.name == "sqlite"
        waits = "PRAGMA busy_timeout" if lite else "SHOW lock_timeout"
        assert connection.exec_driver_sql(waits).scalar() == (30_000 if lite else "0")


def test_note_of_before_a_lock_counts_in_it(filled: Collection) -> None:
    since(filled.index, "/", b"same", NOW)
    with locked(filled):
        assert since(filled.index, "/", b"same", LATER) == NOW
        assert since(filled.index, "/", b"new", LATER) == LATER


@pytest.mark.parametrize("selection", [HOT, GOOD])
def test_change_of_rank_that_shows_nothing_dates_nothing(
    collection: Collection, selection: Selection
) -> None:
    write(collection, NOW)
    before = look(collection, selection, *OTHERS)
    for number, (quality, heat) in enumerate([(80, 9), (70, 5), (99, 6)], 1):
        write(collection, NOW + SECOND * 9 * number, quality, heat)
        assert look(collection, selection, *OTHERS) == before


@pytest.mark.parametrize(
    ("changed", "still", "ranks"),
    [(HOT, GOOD, [(80, 4), (80, 5), (80, -1)]), (GOOD, HOT, [(69, 5), (70, 5), (61, 5)])],
)
def test_change_of_rank_dates_what_it_changes_alone(
    collection: Collection, changed: Selection, still: Selection, ranks: list[tuple[int, int]]
) -> None:
    write(collection, NOW)
    (old,), before = look(collection, changed), look(collection, still, *OTHERS)
    for number, (quality, heat) in enumerate(ranks, 1):
        now = NOW + SECOND * 2 * number
        write(collection, now, quality, heat)
        (new,) = look(collection, changed, now=now)
        assert new.etag != old.etag
        assert old.modified and new.modified
        assert old.modified + SECOND <= new.modified <= now
        assert look(collection, still, *OTHERS) == before
        old = new


def test_changes_of_rank_in_one_second_are_a_second_apart(collection: Collection) -> None:
    write(collection, NOW)
    (old,) = look(collection, HOT)
    write(collection, NOW, heat=4)
    (new,) = look(collection, HOT)
    assert old.modified and new.modified
    assert new.modified >= old.modified + SECOND


def test_article_that_was_not_chosen_dates_nothing(collection: Collection) -> None:
    collection.write("law.md", article("Law", topics=("Law",)))
    write(collection, NOW)
    chosen = (HOT, replace(GOOD, min_quality=80), replace(EVERYTHING, exclude=(LAW,)))
    before = look(collection, *chosen)
    text = article("Two", topics=("AI", "Law"), quality=79, more="heat: 4\n")
    collection.write("two.md", text)
    collection.sync(NOW + SECOND * 9)
    assert look(collection, *chosen) == before
    collection.write("two.md", text.replace('"Law"', '"C"'))
    collection.sync(NOW + SECOND * 20)
    *same, other = look(collection, *chosen)
    assert same == before[:2]
    assert other.modified == NOW + SECOND * 20


def test_article_that_came_due_dates_the_selection(collection: Collection) -> None:
    at = NOW + SECOND * 5
    collection.write("one.md", article(more="heat: 5\n"))
    collection.write("two.md", article("Two", time=at.isoformat(), more="heat: 5\n"))
    collection.sync()
    before = publish_feed(collection, HOT, now=at - SECOND)
    after = publish_feed(collection, HOT, now=at)
    assert (before.due, before.modified, after.modified) == (at, NOW, at)
    assert before.etag != after.etag


def test_processes_agree_on_selections(collection: Collection) -> None:
    write(collection, NOW)
    before = look(collection, HOT, GOOD)
    write(collection, NOW + SECOND * 9, heat=6)
    other = Collection(collection.folder, collection.config)
    assert look(other, HOT, GOOD) == before
    write(other, NOW + SECOND * 20, heat=4)
    assert look(other, HOT, GOOD) == look(collection, HOT, GOOD)
    collection.index.close()
    assert look(Collection(collection.folder, collection.config), HOT) == look(other, HOT)


def modified(site: Site, path: str) -> datetime:
    """The Last-Modified of a feed that is there, and not of the future."""
    response = site.get(path)
    assert response.status_code == 200
    date = parsedate_to_datetime(response.headers["Last-Modified"])
    assert date <= datetime.now(UTC)
    return date


def test_conditional_requests_follow_the_heat(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article(more="heat: 5\n"))
    site = serve(collection)
    hot, others = "/feed.atom?min_heat=5", ("/feed.rss", "/feed.json?limit=3&min_quality=61")
    before = {path: site.get(path) for path in (hot, *others)}
    date = modified(site, hot)
    for heat, moves in ((6, False), (4, True)):
        collection.write("one.md", article(more=f"heat: {heat}\n"))
        site.sync()
        for path, old in before.items():
            stated = {"if_none_match": old.headers["ETag"]}
            dated = {"if_modified_since": old.headers["Last-Modified"]}
            status = 200 if moves and path == hot else 304
            assert site.get(path, **stated).status_code == status
            assert site.get(path, **dated).status_code == status
            if status == 304:
                assert site.get(path).content == old.content
                assert site.get(path).headers["Last-Modified"] == old.headers["Last-Modified"]
    assert modified(site, hot) >= date + SECOND


def test_request_during_a_sync_is_answered_at_once(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article())
    site = serve(collection)
    assert site.get("/feed.atom").status_code == 200
    with locked(collection):
        began = time.monotonic()
        for number in range(1, 9):
            modified(site, f"/feed.atom?limit={number}")
        assert time.monotonic() - began < 8
    assert noted(collection) == 0


def test_servers_of_one_index_give_the_same_validators(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(base_url="https://news.example")
    collection.write("one.md", article(more="heat: 5\n"))
    sites = [serve(collection), serve(collection)]
    for heat in (5, 4):
        collection.write("one.md", article(more=f"heat: {heat}\n"))
        sites[0].sync()
        for path in ("/feed.atom?min_heat=5", "/feed.json?min_quality=61", "/feed.rss?limit=1"):
            one, two = (site.get(path) for site in sites)
            assert one.content == two.content
            for name in ("ETag", "Last-Modified"):
                assert one.headers[name] == two.headers[name]


@pytest.mark.databases("sqlite")
def test_index_that_cannot_be_written_is_served(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    def forbid(connection: Any, _: Any) -> None:
        # As a file without the permission; that does not stop root.
        connection.execute("PRAGMA query_only = 1")

    collection.write("one.md", article())
    site = serve(collection)
    event.listen(Engine, "connect", forbid)
    try:
        modified(site, "/feed.atom?limit=1")
        modified(site, "/topics/ai/feed.json?min_quality=61")
    finally:
        event.remove(Engine, "connect", forbid)
    assert noted(collection) == 0
