"""Pings to a real hub over HTTP, and what of them waits in a real index."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import feedparser
import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from sqlalchemy import or_, select

from feeds import websub
from feeds.cli import main
from feeds.config import Config, FeedSettings
from feeds.index import Index, pings, schema
from tests.hub import Hub, Served, Subscriber, Trouble, wait_for
from tests.process import Process, opened
from tests.support import BASE, NOW, Collection, Site, article
from tests.test_serve import seeds, start

pytestmark = pytest.mark.slow

__all__ = ["seeds", "start"]

SPAWN = multiprocessing.get_context("spawn")
SUFFIXES = ("atom", "rss", "json")


def topics(*paths: str) -> list[str]:
    """The addresses that a hub is told of the feeds at some paths."""
    return [f"{BASE}{path}feed.{suffix}" for path in paths for suffix in SUFFIXES]


def stamp(moment: datetime) -> str:
    """The time of an article, which is in no digest yet if it is of today."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


#: Those of an article as it is by default.
ALL = topics("/providers/example.org/", "/", "/topics/ai/")


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture
def announced(make_collection: Callable[..., Collection], hub: Hub) -> Collection:
    """A collection whose hub is told, with one article that waits."""
    collection = make_collection(base_url=BASE, hub=hub.url)
    collection.write("one.md", article())
    collection.sync()
    return collection


class Pushing:
    """A thread that pushes, of an index of its own, and what it told."""

    def __init__(self, collection: Collection) -> None:
        self.lines: list[str] = []
        self.stop = threading.Event()
        self.index = Index(collection.config.database, collection.config)
        arguments = (self.index, self.stop, self.lines.append)
        self.thread = threading.Thread(target=websub.ping, args=arguments, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()
        self.index.close()


@pytest.fixture
def pusher() -> Iterator[Callable[[Collection], Pushing]]:
    """Starts threads that push, and ends them."""
    started: list[Pushing] = []

    def begin(collection: Collection) -> Pushing:
        started.append(Pushing(collection))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def waiting(collection: Collection) -> list[str]:
    """The keys of the feeds that wait, in order."""
    c = schema.feeds.c
    waits = or_(c.pinged.is_(None), c.changed > c.pinged)
    statement = select(c.key).where(c.changed.is_not(None), waits).order_by(c.changed, c.id)
    with collection.index.read_transaction() as connection:
        return list(connection.execute(statement).scalars())


def forget(collection: Collection) -> None:
    """Let nothing wait."""
    with collection.index.write_transaction() as connection:
        connection.execute(schema.feeds.update().values(pinged=schema.feeds.c.changed))


def links_of(suffix: str, body: bytes) -> tuple[list[str], str]:
    """The hubs and the own address that a document names, as a client reads it."""
    if suffix == "json":
        document = msgspec.json.decode(body)
        return [
            hub["url"] for hub in document.get("hubs", []) if hub["type"] == "WebSub"
        ], document["feed_url"]
    links = feedparser.parse(body).feed.links
    by = {rel: [link.href for link in links if link.rel == rel] for rel in ("hub", "self")}
    return by["hub"], "".join(by["self"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_pinged_names_its_hub(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site], suffix: str
) -> None:
    hub = "https://hub.example/?a='b'&c=d"
    collection = make_collection(base_url=BASE, hub=hub, limit=1)
    collection.write("one.md", article(topics=("人工知能",)))
    collection.write("two.md", article(topics=("人工知能",), time="2020-04-01T12:00:00Z"))
    site = serve(collection)
    under = f"/topics/{quote('人工知能')}/"
    for path in ("/", under, "/providers/example.org/"):
        answer = site.get(f"{path}feed.{suffix}")
        links = answer.links
        topic = f"{BASE}{path}feed.{suffix}"
        assert (links["hub"]["url"], links["self"]["url"]) == (hub, topic)
        assert links_of(suffix, answer.content) == ([hub], topic)
        again = site.get(f"{path}feed.{suffix}", if_none_match=answer.headers["ETag"])
        assert (again.status_code, again.headers["Link"]) == (304, answer.headers["Link"])
    # What is not pinged promises nothing.
    for path in (
        f"{under}archive/2020-04.{suffix}",
        f"{under}feed.{suffix}?limit=2",
        f"{under}feed.{suffix}?min_quality=70",
        f"/feed.{suffix}?type=article",
    ):
        answer = site.get(path)
        assert answer.status_code == 200
        assert "hub" not in answer.links
        assert links_of(suffix, answer.content) == ([], BASE + path)


def test_subscriber_has_a_story_seconds_after_it_was_saved(
    start: Callable[..., Process], seeds: Path, hub: Hub
) -> None:
    server = start(seeds, "--workers", "2", FEEDS_BASE_URL="{base}", FEEDS_HUB=hub.url)
    wait_for(lambda: len(hub.pings) == 12)  # of an index that is new
    subscriber = Subscriber()
    for suffix in SUFFIXES:
        address = f"{server.base}/topics/ai/feed.{suffix}"
        assert subscriber.subscribe(address) == address
    assert len(hub.subscriptions) == 3
    waits = []
    for title in ("Saved once", "Saved twice", "Saved again"):
        saved = time.time()
        (seeds / "new.md").write_text(article(title))
        wait_for(partial(subscriber.has, title, SUFFIXES))
        waits.append(max(came for _, came in subscriber.content.values()) - saved)
        if waits[-1] < 2:
            break
    # The quickest, for the machine may be busy with something else.
    assert min(waits) < 2
    # At its start, too, the hub is told of nothing that is not served yet.
    assert hub.missing == []
    subscriber.close()


def test_killed_between_a_change_and_its_pings_it_sends_them_when_it_is_back(
    start: Callable[..., Process], seeds: Path, tmp_path: Path, hub: Hub
) -> None:
    settings = {
        "FEEDS_DATABASE": f"sqlite:///{tmp_path}/kept.sqlite3",
        "FEEDS_BASE_URL": BASE,
        "FEEDS_HUB": hub.url,
    }
    hub.always = Trouble(status=0, seconds=3)
    server = start(seeds, **settings)
    (seeds / "new.md").write_text(article(topics=("New",), time=stamp(datetime.now(UTC))))
    server.wait_until(lambda: "A title" in server.get("/feed.atom").text)
    wait_for(lambda: hub.refused)
    os.kill(server.popen.pid, signal.SIGKILL)
    server.popen.wait()
    assert hub.pings == []
    hub.always = None
    again = start(seeds, **settings)
    expected = topics("/", "/topics/ai/", "/topics/new/", "/providers/example.org/")
    wait_for(lambda: set(expected) <= set(hub.topics))
    server.wait()
    assert len(hub.topics) == len(set(hub.topics)) == 18
    assert "hub" not in again.stop()
    assert pings.count(Index(settings["FEEDS_DATABASE"], Config())) == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_worker_has_nothing_of_the_threads_that_follow_and_push(
    start: Callable[..., Process], seeds: Path, hub: Hub
) -> None:
    server = start(seeds, FEEDS_BASE_URL="{base}", FEEDS_HUB=hub.url)
    wait_for(lambda: hub.pings)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    # One that is forked has SQLite's locks as they are then, and may wait for them for ever.
    wait_for(lambda: set(server.workers()) - {worker})
    (worker,) = set(server.workers()) - {worker}
    assert [path for path in opened(worker) if path.endswith("-ping")] == []
    server.wait_until(lambda: server.get("/healthz").status_code == 200)


def test_hub_that_hangs_delays_no_responses(
    start: Callable[..., Process], seeds: Path, hub: Hub
) -> None:
    hub.always = Trouble(status=0, seconds=30)
    server = start(seeds, FEEDS_BASE_URL="{base}", FEEDS_HUB=hub.url)
    wait_for(lambda: hub.refused)
    (seeds / "new.md").write_text(article("Just saved"))
    server.wait_until(lambda: "Just saved" in server.get("/feed.atom").text)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 4
    assert (server.popen.returncode, len(hub.refused)) == (0, 1)


def test_each_feed_is_pinged_once_in_the_order_of_changes(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    announced.write("two.md", article("Two", topics=("Law",), time=stamp(NOW)))
    announced.sync(NOW + timedelta(hours=1))
    lines = pusher(announced).lines
    wait_for(lambda: len(hub.pings) == 12)
    time.sleep(0.5)
    # What changed again waits for that.
    assert hub.topics == topics("/topics/ai/", "/providers/example.org/", "/", "/topics/law/")
    assert (hub.most, waiting(announced), lines) == (1, [], [])
    assert {ping.headers["User-Agent"] for ping in hub.pings} == {f"feeds ({BASE}/)"}


def test_ping_waits_until_every_process_has_looked_for_changes(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    began = time.time()
    pusher(Collection(announced.folder, replace(announced.config, index_polls_per_second=1)))
    wait_for(lambda: hub.pings)
    assert hub.pings[0].at - began >= 1


def test_change_that_no_subscriber_sees_waits_for_nothing(announced: Collection) -> None:
    forget(announced)
    announced.write("one.md", article(quality=90, more="heat: 7\n"))
    announced.write("hidden.md", article("Hidden", quality=10))
    assert announced.sync(NOW + timedelta(minutes=1)).changed_feeds == 0
    assert waiting(announced) == []
    announced.write("one.md", article("Other"))
    announced.sync(NOW + timedelta(hours=1))
    assert waiting(announced) == ["example.org", "", "ai"]


def test_withdrawn_feed_is_not_pinged(announced: Collection, hub: Hub) -> None:
    changed = replace(announced.config, topics={"ai": FeedSettings(withdrawn=True)})
    collection = Collection(announced.folder, changed)
    collection.sync(NOW + timedelta(hours=1))
    assert websub.ping_once(collection.index, print) == 0
    assert hub.topics == topics("/providers/example.org/", "/")


def test_another_hub_is_pinged_for_every_feed(announced: Collection) -> None:
    forget(announced)
    collection = Collection(
        announced.folder, replace(announced.config, hub="https://other.example/")
    )
    assert pings.count(collection.index) == 0
    # All bytes name the hub, so each feed has changed.
    assert collection.sync(NOW + timedelta(hours=1)).changed_feeds == 3
    assert pings.count(collection.index) == 3


@pytest.mark.databases("sqlite", "postgresql")
def test_feed_that_changes_while_it_is_pinged_is_pinged_again(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    hub.troubles = [Trouble(status=200, seconds=0.5)]
    pusher(announced)
    wait_for(lambda: hub.refused)
    announced.write("one.md", article("Changed meanwhile", topics=()))
    announced.sync(NOW + timedelta(hours=1))
    wait_for(lambda: waiting(announced) == [])
    provider = topics("/providers/example.org/")
    # The digests of that old article are told of too.
    told = [topic for topic in hub.topics if "ly/" not in topic]
    assert told == [*provider[1:], *provider, *topics("/", "/topics/ai/")]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_hub_says_when_it_is_asked_again(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing], form: str
) -> None:
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    retry_after = "2" if form == "seconds" else format_datetime(later, usegmt=True)
    hub.troubles = [Trouble(status=503, headers={"Retry-After": retry_after})]
    lines = pusher(announced).lines
    wait_for(lambda: len(hub.pings) == 9)
    assert hub.topics == ALL
    least = hub.refused[0].at + 2 if form == "seconds" else later.timestamp()
    assert least - 0.05 <= hub.pings[0].at < least + 2  # curl counts in whole seconds
    assert lines == [f"the hub {hub.url} answers 503; trying again"]


def test_nonsense_of_a_hub_ends_no_pushing(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    retry_after = "Mon, 01 Jan 99999999999 00:00:00 GMT"
    hub.troubles = [Trouble(status=503, headers={"Retry-After": retry_after})]
    pusher(announced)
    wait_for(lambda: waiting(announced) == [])
    assert hub.topics == ALL


def pusher_by(collection: Collection, clock: list[float]) -> tuple[websub.Pinger, list[str]]:
    """A pusher by a clock that a test moves, and what it told; all processes have looked."""
    lines: list[str] = []
    pusher = websub.Pinger(index=collection.index, log=lines.append, clock=lambda: clock[0])
    clock[0] += pusher.step()
    return pusher, lines


def test_hub_that_fails_is_left_alone_longer_each_time(
    announced: Collection, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websub, "TIMEOUT", 1)
    troubles = [Trouble(status=s, headers={"Retry-After": "?"}) for s in (500, 408, 429)]
    hub.troubles = [*troubles, Trouble(status=0), Trouble(status=202, seconds=3)]
    pusher, lines = pusher_by(announced, clock := [0.0])
    # Twice as long each time, half of it by chance.
    for most in (1, 2, 4, 8, 16):
        assert pusher.step() == 0
        pause = pusher.step()
        assert most / 2 <= pause <= most
        clock[0] += pause
    while pusher.step() < math.inf:
        pass
    assert hub.topics == ALL
    assert {ping.topic for ping in hub.refused} == {ALL[0]}
    told_of = [line.removeprefix(f"the hub {hub.url} ") for line in lines]
    assert told_of[:3] == [
        "answers 500; trying again",
        "answers 408; trying again",
        "answers 429; trying again",
    ]
    assert [line.partition(",")[0] for line in told_of[3:]] == ["cannot be reached"] * 2


def test_what_a_hub_has_taken_is_not_sent_again_when_it_fails(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    hub.troubles = [None, None, Trouble(status=503)]
    pusher(announced)
    wait_for(lambda: waiting(announced) == [])
    assert hub.topics == ALL
    assert [ping.topic for ping in hub.refused] == [ALL[2]]


def test_pauses_grow_to_an_hour(announced: Collection, hub: Hub) -> None:
    pusher, lines = pusher_by(announced, clock := [0.0])
    hub.always = Trouble(status=503)
    for _ in range(40):
        assert pusher.step() == 0
        clock[0] += (pause := pusher.step())
    assert 1800 <= pause <= 3600
    hub.always = Trouble(status=503, headers={"Retry-After": "99999999"})
    assert pusher.step() == 0
    assert 3600 < pusher.step() < 90_000
    assert (len(hub.refused), len(lines)) == (41, 1)


@pytest.mark.parametrize("status", [400, 404])
def test_ping_that_is_refused_is_given_up(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing], status: int
) -> None:
    hub.troubles = [Trouble(status=status)]
    lines = pusher(announced).lines
    wait_for(lambda: waiting(announced) == [])
    assert hub.topics == ALL[1:]
    refusal = "and is not asked again"
    assert lines == [f"the hub {hub.url} answers {status} to {ALL[0]}, {refusal}"]


def test_no_redirect_is_followed(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    elsewhere = Hub()
    hub.troubles = [Trouble(status=status, headers={"Location": elsewhere.url}) for status in (
        *(301, 302, 303, 307, 308),
    )]  # fmt: skip
    lines = pusher(announced).lines
    wait_for(lambda: waiting(announced) == [])
    assert (hub.topics, elsewhere.requests, len(lines)) == (ALL[5:], [], 5)
    elsewhere.close()


def test_hub_that_was_down_is_pinged_when_it_is_back(
    make_collection: Callable[..., Collection], pusher: Callable[[Collection], Pushing]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    collection = make_collection(base_url=BASE, hub=address)
    collection.write("one.md", article())
    collection.sync()
    lines = pusher(collection).lines
    wait_for(lambda: lines)
    assert lines[0].startswith(f"the hub {address} cannot be reached, ")
    assert len(waiting(collection)) == 3
    hub = Hub(port)
    wait_for(lambda: len(hub.pings) == 9)
    assert len(lines) == 1
    hub.close()


def test_host_that_cannot_be_is_one_that_cannot_be_reached(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(base_url=BASE, hub=f"https://{'a' * 70}.example/")
    collection.write("one.md", article())
    collection.sync()
    lines: list[str] = []
    assert websub.ping_once(collection.index, lines.append) == 3
    assert "cannot be reached" in lines[0]


def test_article_is_pinged_when_it_comes_due(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    forget(announced)
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    announced.write("two.md", article("Two", topics=("Law",), time=stamp(due)))
    announced.sync(datetime.now(UTC))
    assert waiting(announced) == []
    pusher(announced)
    time.sleep(max(0, due.timestamp() - time.time()))
    announced.advance(datetime.now(UTC))
    wait_for(lambda: len(hub.pings) == 9)
    assert sorted(hub.topics) == sorted(topics("/", "/topics/law/", "/providers/example.org/"))
    assert due.timestamp() <= hub.pings[0].at


@pytest.mark.databases("sqlite", "postgresql")
def test_what_time_changes_waits_once_and_only_where_it_shows(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(base_url=BASE, hub="https://hub.example/", limit=1)
    update = 'updatedDateTime: "2026-01-02T12:00:00Z"\n'
    collection.write("new.md", article("New", time="2025-12-31T12:00:00Z", more=update))
    collection.write("old.md", article("Old", topics=("Law", "Tax"), more=update))
    collection.write("tax.md", article("Tax", topics=("Tax",), time="2025-12-01T12:00:00Z"))
    collection.write("later.md", article("Later", topics=("Art",), time="2026-01-03T12:00:00Z"))
    collection.sync()
    forget(collection)
    collection.advance(NOW + timedelta(hours=23))
    assert waiting(collection) == []
    collection.advance(NOW + timedelta(days=1))
    # `Old` is shown by its topic alone.
    assert sorted(waiting(collection)) == ["", "ai", "example.org", "law"]
    forget(collection)
    collection.advance(NOW + timedelta(days=1))
    assert waiting(collection) == []
    collection.advance(NOW + timedelta(days=2))
    assert sorted(waiting(collection)) == ["", "art", "example.org"]


def test_article_that_is_withdrawn_before_it_comes_due_is_not_pinged(announced: Collection) -> None:
    path = announced.write("two.md", article("Two", time="2026-01-02T12:00:00Z"))
    announced.sync(NOW + timedelta(minutes=1))
    path.unlink()
    announced.sync(NOW + timedelta(hours=1))
    forget(announced)
    announced.advance(NOW + timedelta(days=9))
    assert waiting(announced) == []


@pytest.mark.databases("postgresql")
def test_of_two_machines_one_sends(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    hub.troubles = [Trouble(status=200, seconds=0.3)] * 4
    both = [pusher(announced), pusher(announced)]
    wait_for(lambda: waiting(announced) == [])
    assert (hub.most, len(hub.refused), len(hub.pings)) == (1, 4, 5)
    both[0].close()
    both[1].close()
    pusher(announced)
    announced.write("one.md", article("Changed"))
    announced.sync(NOW + timedelta(hours=1))
    # Three documents of each of three feeds, and of their digests of three frequencies.
    wait_for(lambda: len(hub.pings) == 5 + 9 + 27)


@pytest.mark.databases("postgresql")
def test_machine_takes_over_from_one_that_stops(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    first, other = Index(announced.config.database, announced.config), announced.index
    assert first.acquire("ping") and first.acquire("ping") and first.acquire("follow")
    assert not other.acquire("ping")
    pusher(announced)
    time.sleep(1.2)
    assert hub.pings == []
    first.release()
    wait_for(lambda: len(hub.pings) == 9)
    first.close()


def _hold(database: str, config: object, ready: object) -> None:
    index = Index(database, config)  # type: ignore[arg-type]  # from another process
    assert index.acquire("ping")
    ready.set()  # type: ignore[attr-defined]
    time.sleep(60)


def test_of_two_processes_one_sends(announced: Collection, hub: Hub) -> None:
    ready = SPAWN.Event()
    arguments = (announced.config.database, announced.config, ready)
    holder = SPAWN.Process(target=_hold, args=arguments, daemon=True)
    holder.start()
    assert ready.wait(30)
    assert websub.ping_once(announced.index, print) is None
    holder.kill()
    holder.join()
    assert websub.ping_once(announced.index, print) == 0
    assert hub.topics == ALL


def test_process_takes_over_from_one_that_dies(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    ready = SPAWN.Event()
    arguments = (announced.config.database, announced.config, ready)
    holder = SPAWN.Process(target=_hold, args=arguments, daemon=True)
    holder.start()
    assert ready.wait(30)
    pusher(announced)
    time.sleep(websub.SETTLE_PAUSE + 0.5)
    assert hub.requests == []
    holder.kill()
    wait_for(lambda: waiting(announced) == [])
    assert hub.topics == ALL


class Saying(Served):
    """A server that says something again and again, some seconds apart."""

    def __init__(self, first: bytes, more: bytes, pause: float) -> None:
        self._first, self._more, self._pause = first, more, pause
        super().__init__()

    def post(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        with contextlib.suppress(OSError):
            request.wfile.write(self._first)
            while self._more:
                request.wfile.write(self._more)
                time.sleep(self._pause)


OK, CHUNKED = b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
HOSTILE = {
    "no HTTP": (b"non\x1bsense" + 999 * b"!" + b"\r\n\r\n", b"", 0),
    "nothing": (b"", b"", 0),
    "interim answers for ever": (b"", 999 * b"HTTP/1.1 100 Continue\r\n\r\n", 0),
    "an interim answer now and then": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.1),
    "a header now and then": (OK, b"X-More: 1\r\n", 0.1),
    "a letter now and then": (b"", b"H", 0.1),
    "headers for ever": (OK, 999 * b"X-More: 1\r\n", 0),
    "one header for ever": (OK + b"X-More: ", 9999 * b"a", 0),
    "an endless reason": (b"HTTP/1.1 200 ", 9999 * b"a", 0),
    "an endless body": (OK + b"\r\n", 9999 * b"a", 0),
    "a chunk now and then": (OK + CHUNKED, b"1\r\na\r\n", 0.1),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_hub_whose_answer_does_not_end_is_tried_again(
    make_collection: Callable[..., Collection],
    pusher: Callable[[Collection], Pushing],
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[bytes, bytes, float],
) -> None:
    monkeypatch.setattr(websub, "TIMEOUT", 0.3)
    monkeypatch.setattr(websub, "FIRST_PAUSE", 0.2)
    hub = Saying(*answer)
    collection = make_collection(base_url=BASE, hub=hub.url)
    collection.write("one.md", article())
    collection.sync()
    lines = pusher(collection).lines
    wait_for(lambda: len(hub.requests) == 2)
    (line,) = lines
    assert line.startswith(f"the hub {hub.url} cannot be reached, ")
    assert line.endswith("; trying again")
    assert line.isprintable() and len(line) < 160
    hub.close()


def test_hub_that_answered_is_well_again(announced: Collection, hub: Hub) -> None:
    fails, refuses = Trouble(status=500), Trouble(status=404)
    hub.troubles = [fails, refuses, fails, None, fails]
    pusher = websub.Pinger(index=announced.index, log=(lines := list[str]()).append)
    failures, deadline = [0], time.monotonic() + 20
    while len(hub.refused) < 4:
        assert time.monotonic() < deadline
        time.sleep(min(pusher.step(), 0.1))
        if pusher.failures != failures[-1]:
            failures.append(pusher.failures)
    # Neither does it wait for longer than the first time, nor is its trouble no news.
    assert max(failures) == 1
    assert [line.partition("answers ")[2][:3] for line in lines] == ["500", "404", "500", "500"]


def test_index_that_fails_is_asked_again(
    announced: Collection, hub: Hub, pusher: Callable[[Collection], Pushing]
) -> None:
    hub.troubles = [Trouble(status=500)]
    pusher(announced)
    wait_for(lambda: hub.refused)
    database = announced.folder.parent / "articles.sqlite3"
    away = database.rename(database.with_name("away"))
    time.sleep(1.2)
    away.rename(database)
    wait_for(lambda: len(hub.pings) == 9)


def test_hub_is_pinged_once_every_process_has_seen_the_change(
    announced: Collection, hub: Hub
) -> None:
    config = replace(announced.config, index_polls_per_second=4)
    clock = [0.0]
    pinger = websub.Pinger(index=Index(config.database, config), log=print, clock=lambda: clock[0])
    assert pinger.step() == websub.SETTLE_PAUSE + 0.25
    assert pinger.step() == websub.SETTLE_PAUSE + 0.25
    clock[0] = websub.SETTLE_PAUSE + 0.25
    assert pinger.step() == 0
    assert len(hub.pings) == 3
    # An index that was deleted is made anew after a clock was set back.
    (announced.folder.parent / "articles.sqlite3").unlink()
    announced.sync(NOW - timedelta(seconds=1))
    assert pinger.step() == websub.SETTLE_PAUSE + 0.25
    pinger.index.close()


def test_command_pings_the_hub(
    announced: Collection, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> tuple[int, str]:
        made = CliRunner().invoke(main, ["ping", str(announced.folder)])
        return made.exit_code, made.output

    monkeypatch.setenv("FEEDS_DATABASE", announced.config.database)
    assert run() == (1, "Error: there is no hub to tell, set 'hub'\n")
    monkeypatch.setenv("FEEDS_BASE_URL", BASE)
    monkeypatch.setenv("FEEDS_HUB", hub.url)
    hub.troubles = [Trouble(status=500)]
    code, output = run()
    assert (code, output.splitlines()[1:]) == (1, ["Error: 3 feeds still wait, run it again"])
    assert run() == (0, "")
    assert hub.topics == ALL
    # Where the command runs, there may be no other digests than those of a built site.
    announced.write("two.md", article("Two", topics=()))
    announced.sync(NOW + timedelta(hours=1))
    hub.pings.clear()
    monkeypatch.setenv("FEEDS_DIGESTS", "monthly")
    assert run() == (0, "")
    folders = ("", "/monthly", "/providers/example.org", "/providers/example.org/monthly")
    told = {topic.rpartition("/")[0] for topic in hub.topics}
    assert told == {BASE + folder for folder in folders}
    monkeypatch.setattr(Index, "acquire", lambda *_: False)  # another process is tried above
    assert run() == (0, "Another process tells the hub.\n")
