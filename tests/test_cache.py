"""What is answered without Flask, and for how long: on real bytes and over real HTTP."""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask import Response, request
from sqlalchemy import Engine, event, text
from werkzeug.test import Client, EnvironBuilder, TestResponse

from feeds.web import create_app
from feeds.web.cache import MAX_WAIT
from feeds.web.responses import coding_of
from tests.support import Collection, Site, article

FEED = "/topics/ai/feed.atom"
LAW = "/topics/law/feed.atom"


class Made:
    """A site in this process: its client, and the paths that came to Flask."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.app = create_app(collection.config)
        self.client = Client(self.app)
        self.seen: list[str] = []
        #: Called with the path of each request that comes to Flask, and with the answer.
        self.before: list[Callable[[str], object]] = [self.seen.append]
        self.after: list[Callable[[Response], object]] = []
        self.app.before_request(self._before)
        self.app.after_request(self._after)

    @property
    def count(self) -> int:
        return len(self.seen)

    def ask(self, path: str = FEED, method: str = "GET", **headers: str) -> TestResponse:
        """A request with headers named with underscores."""
        sent_fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, headers=sent_fields, buffered=True)

    def _before(self) -> None:
        for call in self.before:
            call(request.path)

    def _after(self, response: Response) -> Response:
        for call in self.after:
            call(response)
        return response


@pytest.fixture
def made(collection: Collection) -> Made:
    """A site with one article, which changed long enough ago for another change to have a date."""
    save(collection, "Old", datetime.now(UTC) - timedelta(hours=1))
    return Made(collection)


@pytest.fixture
def seldom(make_collection: Callable[..., Collection]) -> Collection:
    """A collection with one article, whose index is polled once a second."""
    collection = make_collection(index_polls_per_second=1)
    save(collection, "Old", datetime.now(UTC) - timedelta(hours=1))
    return collection


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which stands still."""
    now = [1000.0]
    monkeypatch.setattr("feeds.web.cache.time.monotonic", lambda: now[0])
    return now


def save(collection: Collection, title: str, now: datetime | None = None) -> None:
    """Save the article, and have the index follow."""
    collection.write("one.md", article(title, topics=("AI", "Law")))
    collection.sync(now or datetime.now(UTC))


def title(body: bytes) -> str:
    """The title of the one entry of a feed."""
    found: list[str] = re.findall(r"<title[^>]*>([^<]*)</title>", body.decode())
    return found[-1]


def delete_index(collection: Collection) -> None:
    """Delete the file of the index."""
    collection.index.close()
    for suffix in ("", "-wal", "-shm"):
        path = Path(f"{collection.folder.parent}/articles.sqlite3{suffix}")
        path.unlink(missing_ok=True)


def start(*calls: Callable[[], object]) -> list[threading.Thread]:
    """Call functions, each in a thread."""
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def statements(moment: str, call: Callable[[], object]) -> Iterator[None]:
    """Call a function around each statement of a database."""

    def listen(*_: Any) -> None:
        call()

    event.listen(Engine, moment, listen)
    try:
        yield
    finally:
        event.remove(Engine, moment, listen)


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()) + 0.02)


@pytest.mark.parametrize("path", [FEED, "/topics/ai/", "/", "/feeds.opml", "/embed.js", "/embed/"])
@pytest.mark.parametrize("coding", ["", "gzip", "br", "gzip, deflate, br", "zstd"])
def test_second_request_does_not_come_to_flask(made: Made, path: str, coding: str) -> None:
    first = made.ask(path, Accept_Encoding=coding)
    assert (first.status_code, made.count) == (200, 1)
    again = made.ask(path, Accept_Encoding=coding)
    head = made.ask(path, "HEAD", Accept_Encoding=coding)
    fresh = made.ask(path, Accept_Encoding=coding, If_None_Match=first.headers["ETag"])
    assert made.count == 1
    assert list(again.headers) == list(first.headers) == list(head.headers)
    assert (again.data, head.data, fresh.data) == (first.data, b"", b"")
    assert fresh.status_code == 304
    body = ("Content-Type", "Content-Length", "Content-Encoding")
    assert list(fresh.headers) == [(n, v) for n, v in first.headers if n not in body]


@pytest.mark.parametrize(
    ("tag", "status"),
    [("*", 304), ('"x"', 200), ('W/"x", {tag}', 304), ('"{opaque}-gzip"', 304), ("", 200)],
)
def test_no_tag_comes_to_flask(made: Made, tag: str, status: int) -> None:
    own = made.ask().headers["ETag"]
    field = tag.format(tag=own, opaque=own[3:-1])
    assert made.ask(If_None_Match=field).status_code == status
    assert made.count == 1


def test_no_date_comes_to_flask(made: Made) -> None:
    date = made.ask().headers["Last-Modified"]
    assert made.ask(If_Modified_Since=date).status_code == 304
    assert made.ask(If_Modified_Since="Thu, 01 Jan 1998 00:00:00 GMT").status_code == 200
    assert made.count == 1


def test_conditional_request_is_answered_first_of_all(made: Made) -> None:
    tag = Made(made.collection).ask().headers["ETag"]
    assert made.ask(If_None_Match=tag).status_code == 304
    assert made.ask().data
    assert made.count == 1


def test_flask_makes_whole_documents_alone(made: Made) -> None:
    received: list[str] = []
    made.before.append(lambda _: received.append(request.method))
    old = "Thu, 01 Jan 1998 00:00:00 GMT"
    made.ask("/feed.atom", "HEAD", If_None_Match='"x"', If_Modified_Since=old, Range="bytes=0-1")
    assert received == ["GET"]
    ranged = made.ask(Range="bytes=0-1")
    assert (ranged.status_code, ranged.data) == (200, made.ask().data)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("HEAD", "/nowhere", 404),
        ("GET", "/topics/AI/feed.atom", 301),
        ("GET", "/feed.atom?x=1", 400),
        ("GET", "/healthz", 200),
        ("POST", FEED, 405),
    ],
)
def test_only_documents_are_cached(made: Made, method: str, path: str, status: int) -> None:
    assert [made.ask(path, method).status_code for _ in range(2)] == [status, status]
    assert made.count == 2


def test_static_files_are_cached_and_compressed_too(made: Made) -> None:
    plain = made.ask("/static/style.css")
    assert plain.headers["Cache-Control"] == "public, max-age=86400"
    tag = plain.headers["ETag"]
    assert made.ask("/static/style.css", If_None_Match=tag).status_code == 304
    coded = made.ask("/static/style.css", Accept_Encoding="br")
    assert (coded.headers["Content-Encoding"], coded.headers["ETag"]) == ("br", tag)
    assert brotli.decompress(coded.data) == plain.data
    assert made.count == 1
    # The page that names an earlier version may be in a cache for some time.
    earlier = made.ask("/static/style.css?v=00000000")
    assert earlier.status_code == 301
    assert made.ask(earlier.headers["Location"]).data == plain.data


def test_head_request_caches_the_document(made: Made) -> None:
    head = made.ask(method="HEAD")
    whole = made.ask()
    assert head.data == b""
    assert whole.data != b""
    assert list(head.headers) == list(whole.headers)
    assert made.count == 1


def test_document_is_compressed_once(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    compress, count = gzip.compress, [0]

    def counted(*arguments: Any, **more: Any) -> bytes:
        count[0] += 1
        return compress(*arguments, **more)

    monkeypatch.setattr(gzip, "compress", counted)
    for accepted in ("gzip", "gzip, deflate", "gzip;q=1"):
        assert gzip.decompress(made.ask(Accept_Encoding=accepted).data) == made.ask().data
    assert count == [1]


def test_invisible_change_keeps_cached_responses(made: Made) -> None:
    made.ask()
    made.collection.write("two.md", article(published="false"))
    made.collection.sync(datetime.now(UTC))
    made.ask()
    assert made.count == 1


def test_hosts_have_answers_of_their_own(made: Made) -> None:
    for host in ("localhost", "127.0.0.1:8000", "localhost"):
        assert f"http://{host}{FEED}".encode() in made.ask(Host=host).data
    assert made.count == 2
    assert made.ask(Host="evil.example").status_code == 400


def test_schemes_and_mounts_have_answers_of_their_own(made: Made) -> None:
    for base in ("http://localhost", "https://localhost", "http://localhost/news"):
        assert f'href="{base}{FEED}"' in made.client.get(FEED, base_url=base).text


def test_hosts_share_answers_where_documents_have_an_address_of_their_own(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(base_url="https://news.example")
    save(collection, "Old")
    made = Made(collection)
    for host in ("localhost", "evil.example"):
        assert b"evil" not in made.ask(Host=host).data
    assert made.count == 1


@pytest.mark.parametrize("left_out", ["HTTP_HOST", "QUERY_STRING", "SCRIPT_NAME"])
def test_missing_wsgi_variables_are_empty(made: Made, left_out: str) -> None:
    """HTTP/1.0 has no host, and PEP 3333 lets a server leave out what is empty."""
    environ = EnvironBuilder(FEED).get_environ()
    del environ[left_out]
    for _ in range(2):
        body, status, _ = made.client.run_wsgi_app(environ, buffered=True)
        assert status == "200 OK"
        assert f"http://localhost{FEED}".encode() in b"".join(body)
    assert made.count == 1


def test_request_without_a_path_is_answered(made: Made) -> None:
    environ = EnvironBuilder("/", base_url="http://localhost/news").get_environ()
    del environ["PATH_INFO"]
    _, status, _ = made.client.run_wsgi_app(environ, buffered=True)
    assert status == "200 OK"


def test_headers_that_a_server_adds_are_not_cached(made: Made) -> None:
    started = list[list[str]]()

    def begin(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        started.append([status, *(name for name, _ in headers)])
        headers.append(("X-Added", "by the server"))

    environ = EnvironBuilder(FEED).get_environ()
    for _ in range(3):
        list(made.app.wsgi_app(environ, begin))
    environ["HTTP_IF_NONE_MATCH"] = made.ask().headers["ETag"]
    for _ in range(3):
        list(made.app.wsgi_app(environ, begin))
    assert [(status, "X-Added" in names) for status, *names in started] == (
        [("200 OK", False)] * 3 + [("304 NOT MODIFIED", False)] * 3
    )


def count_kept(made: Made, paths: list[str]) -> int:
    """How many of the addresses that were asked for, in this order, are kept."""
    for number, path in enumerate(reversed(paths)):
        before = made.count
        made.ask(path)
        if made.count > before:
            return number
    return len(paths)


def test_any_number_of_addresses_stays_within_the_bound(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.web.cache.MAX_CACHE_SIZE", 200_000)
    paths = [f"/feed.atom?min_heat={number}" for number in range(100)]
    for path in paths:
        assert made.ask(path).status_code == 200
    assert 10 < count_kept(made, paths) < 40


def test_long_addresses_count_among_what_is_kept(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.web.cache.MAX_CACHE_SIZE", 200_000)
    oembed = "/oembed?url=http://localhost/&utm_source="
    paths = [f"{oembed}{number}" + 20_000 * "y" for number in range(20)]
    for path in paths:
        assert made.ask(path).status_code == 200
    assert 5 < count_kept(made, paths) < 10


def test_few_accept_encoding_fields_are_remembered() -> None:
    """Clients may send long ones."""
    for number in range(200):
        assert coding_of(f"gzip, x{number}") == "gzip"
    assert coding_of.cache_info().currsize <= 100


def test_document_larger_than_the_bound_is_answered_and_takes_no_place(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.ask("/embed.js")
    monkeypatch.setattr("feeds.web.cache.MAX_CACHE_SIZE", 20_000)
    made.collection.write("long.md", article(body=30_000 * "x"))
    small, large = f"{LAW}?limit=1", FEED
    made.collection.sync(datetime.now(UTC))
    made.ask(small)
    assert made.count == 2
    for _ in range(2):
        assert len(made.ask(large).data) > 30_000
    assert made.count == 4
    made.ask(small)
    assert made.count == 4


def test_document_is_made_once_however_many_ask(made: Made) -> None:
    made.before.append(lambda _: time.sleep(0.1))
    answers: list[bytes] = []
    join(start(*[lambda: answers.append(made.ask().data)] * 8))
    assert made.count == 1
    assert len(answers) == 8 and len(set(answers)) == 1
    save(made.collection, "Fresh")
    join(start(*[lambda: answers.append(made.ask().data)] * 8))
    assert made.count == 2
    assert set(map(title, answers[8:])) == {"Fresh"}


def test_waiting_requests_make_an_error_at_once(made: Made) -> None:
    """In a queue, requests for one address would hold up all threads of a server."""
    first, others = threading.Event(), threading.Barrier(5)

    def meet(_: str) -> None:
        if first.is_set():
            others.wait(5)
        else:
            first.set()
            time.sleep(0.2)

    made.before.append(meet)
    answers: list[TestResponse] = []

    def ask() -> None:
        answers.append(made.ask("/nowhere"))

    alone = start(ask)
    assert first.wait(5)
    join(alone + start(*[ask] * 5))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 6


class Hold:
    """Holds up the first request for a path until it may go on."""

    def __init__(self, made: Made, held: str) -> None:
        self._held = held
        self.began, self.go_on = threading.Event(), threading.Event()
        made.before.append(self._wait)

    def _wait(self, path: str) -> None:
        if path == self._held and not self.began.is_set():
            self.began.set()
            assert self.go_on.wait(10)


def test_last_version_stands_in_where_a_new_one_takes_long(made: Made) -> None:
    old = made.ask()
    save(made.collection, "Fresh")
    hold = Hold(made, FEED)
    maker = start(made.ask)
    assert hold.began.wait(5)
    began = time.monotonic()
    assert made.ask().data == old.data
    assert made.ask(If_None_Match=old.headers["ETag"]).status_code == 304
    assert 2 * MAX_WAIT <= time.monotonic() - began < 5
    # It is not kept as the new one.
    hold.go_on.set()
    join(maker)
    assert title(made.ask().data) == "Fresh"
    assert made.count == 2


def test_other_addresses_do_not_wait_for_a_slow_one(made: Made) -> None:
    hold = Hold(made, FEED)
    maker = start(made.ask)
    assert hold.began.wait(5)
    assert made.ask(LAW).status_code == 200
    hold.go_on.set()
    join(maker)


def test_request_with_other_validators_waits_for_the_new_version(made: Made) -> None:
    """It may have the new one already, of another process."""
    made.ask()
    save(made.collection, "Fresh")
    known = Made(made.collection).ask().headers["ETag"]
    hold = Hold(made, FEED)
    maker, statuses = start(made.ask), list[int]()
    assert hold.began.wait(5)
    asking = start(lambda: statuses.append(made.ask(If_None_Match=known).status_code))
    asking[0].join(2 * MAX_WAIT)
    assert statuses == []
    hold.go_on.set()
    join(maker + asking)
    assert statuses == [304]


def test_request_with_newer_validators_gets_no_older_version(
    seldom: Collection, clock: list[float]
) -> None:
    """Of two processes that poll once a second, a client gets the newer answer first."""
    late, early = Made(seldom), Made(seldom)
    assert title(late.ask().data) == "Old"
    save(seldom, "Fresh")
    known = early.ask()
    assert title(known.data) == "Fresh"
    assert late.ask(If_None_Match=known.headers["ETag"]).status_code == 304
    assert title(late.ask().data) == "Fresh"


def test_request_without_validators_gets_the_previous_version_for_one_pause_at_most(
    seldom: Collection, clock: list[float]
) -> None:
    late, early = Made(seldom), Made(seldom)
    assert title(late.ask().data) == "Old"
    save(seldom, "Fresh")
    assert title(early.ask().data) == "Fresh"
    assert title(late.ask().data) == "Old"
    clock[0] += 1
    assert title(late.ask().data) == "Fresh"


def test_no_response_is_older_than_that_of_another_request(
    seldom: Collection, clock: list[float]
) -> None:
    made = Made(seldom)
    assert title(made.ask().data) == title(made.ask(LAW).data) == "Old"
    save(seldom, "Fresh")
    assert title(made.ask(LAW, If_None_Match='"x"').data) == "Fresh"
    assert title(made.ask().data) == "Fresh"


def test_request_with_newer_validators_needs_no_other_request(
    seldom: Collection, clock: list[float]
) -> None:
    """Another request has read the index before the change, and says so after it."""
    late, early = Made(seldom), Made(seldom)
    late.ask()
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        if not entered.is_set():
            entered.set()
            assert go_on.wait(5)

    with statements("after_cursor_execute", hold):
        other = start(lambda: late.ask(LAW, If_None_Match='"x"'))
        assert entered.wait(5)
        save(seldom, "Fresh")
        known = early.ask().headers["ETag"]
        assert late.ask(If_None_Match=known).status_code == 304
        go_on.set()
        join(other)
    assert title(late.ask().data) == "Fresh"


def test_index_that_does_not_answer_holds_up_no_more_than_it_must(made: Made) -> None:
    """A database may say nothing for seconds; what is in memory is answered meanwhile."""
    old = made.ask()
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        if not entered.is_set():
            entered.set()
            assert go_on.wait(10)

    with statements("before_cursor_execute", hold):
        slow = start(made.ask)
        assert entered.wait(5)
        answers: list[int] = []
        others = start(lambda: answers.append(made.ask().status_code))
        others[0].join(5)
        assert answers == [200]
        go_on.set()
        join(slow + others)
    assert made.ask().data == old.data


def test_no_process_under_load_answers_with_an_older_version(collection: Collection) -> None:
    save(collection, "0")
    apps = [create_app(collection.config) for _ in range(2)]
    done = threading.Event()
    back: list[tuple[int, int]] = []

    def number(response: TestResponse) -> int:
        return int(title(response.data))

    def read() -> None:
        clients, had, tag = [Client(app) for app in apps], -1, ""
        while not done.is_set():
            for client in clients:
                got = client.get(FEED, headers={"If-None-Match": tag})
                if got.status_code == 200:
                    if number(got) <= had:
                        back.append((had, number(got)))
                    had, tag = number(got), got.headers["ETag"]

    readers = start(*[read] * 8)
    for edit in range(1, 15):
        save(collection, f"{edit}")
        time.sleep(0.02)
    done.set()
    join(readers)
    assert back == []


def test_answer_that_was_overtaken_is_made_again(made: Made) -> None:
    """The index changes, and others see it, while an answer is on its way out."""
    edited = threading.Event()

    def edit(_: Response) -> None:
        if not edited.is_set():
            edited.set()
            save(made.collection, "Fresh")
            assert title(made.ask("/feed.atom").data) == "Fresh"

    made.after.append(edit)
    assert title(made.ask().data) == "Old"
    assert title(made.ask().data) == "Fresh"


def test_answer_that_was_overtaken_takes_the_place_of_none(made: Made) -> None:
    read, go_on, answers = threading.Event(), threading.Event(), list[bytes]()

    def wait(_: Response) -> None:
        """Hold up the first answer once its document is made."""
        if not read.is_set():
            read.set()
            assert go_on.wait(10)

    made.after.append(wait)
    slow = start(lambda: answers.append(made.ask().data))
    assert read.wait(5)
    save(made.collection, "Fresh")
    assert title(made.ask().data) == "Fresh"
    go_on.set()
    join(slow)
    assert title(answers[0]) == "Old"
    assert title(made.ask().data) == "Fresh"
    assert made.count == 2


def test_answers_stand_while_the_index_cannot_be_read(made: Made) -> None:
    first = made.ask()
    delete_index(made.collection)
    assert made.ask().data == first.data
    assert made.count == 1
    assert made.ask("/healthz").status_code == 503
    assert made.ask("/feed.atom").status_code == 503


def test_last_version_stands_in_while_a_new_one_cannot_be_made(made: Made) -> None:
    old = made.ask()
    save(made.collection, "Fresh")
    assert made.ask(LAW).status_code == 200
    delete_index(made.collection)
    for number in range(2):
        assert made.ask().data == old.data
        assert made.ask(If_None_Match=old.headers["ETag"]).status_code == 304
        assert made.count == 4 + 2 * number  # it is not kept as the new one
    made.collection.sync(datetime.now(UTC))
    assert title(made.ask().data) == "Fresh"


def test_feeds_in_memory_stay_up_without_the_index(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article(topics=("AI", "Law")))
    site = serve(collection)
    before = site.get(FEED)
    with collection.index.write_transaction() as connection:
        connection.execute(text("DROP TABLE meta"))
        connection.execute(text("DROP TABLE entries"))
    after = site.get(FEED)
    assert (after.status_code, after.content) == (200, before.content)
    assert after.headers["ETag"] == before.headers["ETag"]
    etag = before.headers["ETag"]
    assert site.get(FEED, if_none_match=etag).status_code == 304
    for path in (LAW, "/topics/ai/", "/"):
        refused = site.get(path)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "30"
        assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    health = site.get("/healthz")
    assert health.status_code == 503
    assert health.json() == {"status": "the index cannot be read"}
    site.sync()
    assert site.get(LAW).status_code == 200
    assert site.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", [FEED, "/", "/feeds.opml", f"{FEED}?limit=1"])
def test_date_is_left_out_until_its_second_has_come(made: Made, path: str) -> None:
    scheduled = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    save(made.collection, "Fresh", scheduled)
    before = made.ask(path)
    assert datetime.now(UTC) < scheduled, "too slow to tell"
    assert "Last-Modified" not in before.headers
    fresh = made.ask(path, If_None_Match=before.headers["ETag"])
    assert (fresh.status_code, "Last-Modified" in fresh.headers) == (304, False)
    # Whoever knows a date alone gets the feed.
    since = f"{scheduled:%a, %d %b %Y %H:%M:%S} GMT"
    assert made.ask(path, If_Modified_Since=since).status_code == 200
    wait_until(scheduled)
    after = made.ask(path)
    assert after.headers["Last-Modified"] == since
    assert (after.headers["ETag"], after.data) == (before.headers["ETag"], before.data)
    assert made.ask(path, If_Modified_Since=since).status_code == 304


def schedule(collection: Collection, seconds: float = 1) -> datetime:
    """Save an article that comes due; when it does."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds + 1)
    collection.write("due.md", article("Due", time=due.isoformat()))
    collection.sync(datetime.now(UTC))
    return due


def test_application_alone_publishes_scheduled_articles(site: Site) -> None:
    due = schedule(site.collection)
    before = site.get(FEED)
    assert datetime.now(UTC) < due, "too slow to tell"
    assert "Due" not in before.text
    assert before.headers["Cache-Control"] == "public, max-age=1800"
    wait_until(due)
    after = site.get(FEED, if_none_match=before.headers["ETag"])
    assert (after.status_code, "Due" in after.text) == (200, True)
    assert due <= datetime.strptime(
        after.headers["Last-Modified"], "%a, %d %b %Y %H:%M:%S GMT"
    ).replace(tzinfo=UTC)


def test_scheduled_article_waits_while_another_process_writes(
    made: Made, clock: list[float]
) -> None:
    due = schedule(made.collection)
    made.ask()
    wait_until(due)
    with made.collection.index.write_transaction():
        began = time.perf_counter()
        assert title(made.ask().data) == "Old"
        assert time.perf_counter() - began < 5
    # A failed attempt is followed by another a second later.
    assert b"Due" not in made.ask().data
    clock[0] += 1.1
    assert b"Due" in made.ask().data


def test_change_is_seen_though_time_cannot_change_the_index(made: Made) -> None:
    """On a disk that cannot be written, what another machine wrote is there to be read."""
    wait_until(schedule(made.collection))
    reader = Made(made.collection)
    with made.collection.index.write_transaction():
        reader.ask()
    made.collection.write("one.md", article("Fresh", topics=("AI", "Law")))
    made.collection.sync(datetime.now(UTC) - timedelta(hours=1))
    with made.collection.index.write_transaction():
        assert b"Fresh" in reader.ask().data
