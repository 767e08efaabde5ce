"""What is kept in memory, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from feeds.index import Revision
from feeds.index.database import IndexUnavailable
from feeds.publish import Published
from feeds.web.memory import MEMORY, OVERHEAD, Memory
from tests.support import NOW, Collection, Site, article

FEED = "/topics/ai/feed.atom"


class Maker:
    """Makes documents and counts them."""

    def __init__(self, body: bytes = b"", due: int | None = None, ranked: bool = False) -> None:
        self.body = body
        self.due = due
        self.ranked = ranked
        self.made = 0

    def __call__(self) -> Published:
        self.made += 1
        due = None if self.due is None else NOW + timedelta(seconds=self.due)
        return Published(
            body=self.body or b"%d" % self.made,
            content_type="text/plain",
            etag="",
            modified=None,
            due=due,
            ranked=self.ranked,
        )


def unavailable() -> Published:
    raise IndexUnavailable("gone")


def test_document_is_made_once_for_a_revision() -> None:
    revisions = [Revision(1, 0)]
    memory, make = Memory(lambda: revisions[0]), Maker()
    kept = memory.answer("/", NOW, make)
    assert memory.answer("/", NOW + timedelta(days=9), make) is kept
    revisions[0] = Revision(2, 0)
    assert memory.answer("/", NOW, make).published.body == b"2"
    assert make.made == 2


def test_each_address_has_a_document_of_its_own() -> None:
    memory = Memory(lambda: Revision(1, 0))
    one, two = memory.answer("/1", NOW, Maker(b"one")), memory.answer("/2", NOW, Maker(b"two"))
    assert (one.published.body, two.published.body) == (b"one", b"two")


@pytest.mark.parametrize(("seconds", "made"), [(9.9, 1), (10, 2), (11, 2)])
def test_document_is_made_anew_when_time_changes_it(seconds: float, made: int) -> None:
    memory, make = Memory(lambda: Revision(1, 0)), Maker(due=10)
    memory.answer("/", NOW, make)
    memory.answer("/", NOW + timedelta(seconds=seconds), make)
    assert make.made == made


def test_change_while_a_document_is_made_makes_it_again() -> None:
    revisions = [Revision(1, 0)]
    memory, make = Memory(lambda: revisions[0]), Maker()

    def slow() -> Published:
        made = make()
        revisions[0] = Revision(2, 0)
        return made

    memory.answer("/", NOW, slow)
    memory.answer("/", NOW, make)
    assert make.made == 2


def test_what_the_index_said_earlier_is_not_believed_later() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> Revision:
        asked.set()
        assert go_on.wait(5)
        return Revision(1, 0)

    memory = Memory(slow)
    other = threading.Thread(target=memory.look)
    other.start()
    assert asked.wait(5)
    memory._read = lambda: Revision(2, 0)
    assert memory.look() == Revision(2, 0)
    go_on.set()
    other.join()
    assert memory.last == Revision(2, 0)


def test_last_good_version_stays_while_the_index_cannot_be_read() -> None:
    memory = Memory(lambda: Revision(1, 0))
    kept = memory.answer("/", NOW, Maker(b"good", due=10))
    assert memory.answer("/", NOW + timedelta(seconds=10), unavailable) is kept
    with pytest.raises(IndexUnavailable):
        memory.answer("/other", NOW, unavailable)


def test_documents_asked_for_lately_stay_within_the_bound() -> None:
    memory, third = Memory(lambda: Revision(1, 0)), Maker(bytes((MEMORY // 3 - OVERHEAD) // 2 - 1))
    for address in ("/1", "/2", "/3", "/1", "/4"):
        memory.answer(address, NOW, third)
    assert third.made == 4
    memory.answer("/1", NOW, third)
    assert third.made == 4
    memory.answer("/2", NOW, third)
    assert third.made == 5


def test_any_number_of_addresses_stays_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.web.memory.MEMORY", 100 * OVERHEAD)
    memory = Memory(lambda: Revision(1, 0))
    for number in range(10_000):
        memory.answer(f"/feed.atom?min_heat={number}", NOW, Maker(bytes(number % 999)))
        assert memory._kept.currsize <= 100 * OVERHEAD
    assert 50 < len(memory._kept) <= 100


def test_long_addresses_count_among_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.web.memory.MEMORY", 100 * OVERHEAD)
    memory = Memory(lambda: Revision(1, 0))
    for number in range(100):
        memory.answer(f"/?find={number}&utm_source=" + 10 * OVERHEAD * "x", NOW, Maker())
        assert len(memory._kept) < 10


@pytest.mark.parametrize(("ranked", "made"), [(False, 1), (True, 2)])
def test_change_of_rank_makes_only_ranked_documents_anew(ranked: bool, made: int) -> None:
    revisions = [Revision(1, 0)]
    memory, make = Memory(lambda: revisions[0]), Maker(ranked=ranked)
    memory.answer("/", NOW, make)
    revisions[0] = Revision(1, 1)
    memory.answer("/", NOW, make)
    memory.answer("/", NOW, make)
    assert make.made == made


def test_address_that_is_refused_is_not_kept() -> None:
    memory = Memory(lambda: Revision(1, 0))

    def refuse() -> Published:
        raise KeyError

    for number in range(9):
        with pytest.raises(KeyError):
            memory.answer(f"/{number}", NOW, refuse)
    assert len(memory._kept) == 0


def test_document_larger_than_the_bound_is_answered_and_not_kept() -> None:
    memory, make = Memory(lambda: Revision(1, 0)), Maker(bytes(MEMORY + 1))
    for _ in range(2):
        assert len(memory.answer("/", NOW, make).published.body) == MEMORY + 1
    assert make.made == 2


def test_document_is_compressed_once() -> None:
    kept = Memory(lambda: Revision(1, 0)).answer("/", NOW, Maker(b"text" * 999))
    for coding in ("gzip", "br", "identity"):
        assert kept.coded(coding) is kept.coded(coding)
    assert len({kept.coded(coding) for coding in ("gzip", "br", "identity")}) == 3


def test_feeds_in_memory_stay_up_without_the_index(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article(topics=("AI", "Law")))
    site = serve(collection)
    before = site.get(FEED)
    with collection.index.writing() as connection:
        connection.execute(text("DROP TABLE state"))
    after = site.get(FEED)
    assert (after.status_code, after.content) == (200, before.content)
    assert after.headers["ETag"] == before.headers["ETag"]
    etag = before.headers["ETag"]
    assert site.get(FEED, if_none_match=etag).status_code == 304
    for path in ("/topics/law/feed.atom", "/topics/ai/", "/"):
        refused = site.get(path)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "30"
        assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    health = site.get("/healthz")
    assert health.status_code == 503
    assert health.json() == {"status": "the index cannot be read"}
    site.sync()
    assert site.get("/topics/law/feed.atom").status_code == 200
    assert site.get("/healthz").status_code == 200
