"""What is answered before Flask routes a request, on real bytes and over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from werkzeug.test import Client, EnvironBuilder, TestResponse

from feeds.index import Revision
from feeds.publish import Published
from feeds.web import create_app
from feeds.web.front import Front
from feeds.web.memory import Memory
from tests.support import NOW, Collection, Site, article

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FEED = "/topics/ai/feed.atom"


class Counted:
    """An application that counts the requests which come through to it."""

    def __init__(self, front: Front) -> None:
        self._app = front.app
        self.count = 0
        front.app = self

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.count += 1
        return self._app(environ, start)


@pytest.fixture
def made(collection: Collection) -> tuple[Client, Counted, Collection]:
    """A client of a site with one article, and what comes through to Flask."""
    collection.write("one.md", article())
    collection.sync(datetime.now(UTC))
    client = Client(create_app(collection.config))
    return client, Counted(front_of(client)), collection


Made = tuple[Client, Counted, Collection]


@pytest.fixture
def seldom(make_collection: Callable[..., Collection]) -> Collection:
    """A collection with one article, whose index is looked at once a second."""
    collection = make_collection(checks_per_second=1)
    save(collection, "Old")
    return collection


def save(collection: Collection, title: str) -> None:
    """Save the article, and have the index follow."""
    collection.write("one.md", article(title))
    collection.sync(datetime.now(UTC))


def ask(client: Client, path: str = FEED, method: str = "GET", **headers: str) -> TestResponse:
    """A request with headers named with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(path, method=method, headers=named)


def front_of(client: Client) -> Front:
    """What answers before Flask does."""
    app = client.application
    assert isinstance(app, Flask) and isinstance(app.wsgi_app, Front)
    return app.wsgi_app


@pytest.mark.parametrize("path", [FEED, "/topics/ai/", "/", "/feeds.opml", "/embed.js", "/embed"])
@pytest.mark.parametrize("coding", ["", "gzip", "br", "gzip, deflate, br", "zstd"])
def test_second_request_does_not_come_to_flask(made: Made, path: str, coding: str) -> None:
    client, behind, _ = made
    first = ask(client, path, Accept_Encoding=coding)
    assert (first.status_code, behind.count) == (200, 1)
    again = ask(client, path, Accept_Encoding=coding)
    head = ask(client, path, "HEAD", Accept_Encoding=coding)
    fresh = ask(client, path, Accept_Encoding=coding, If_None_Match=first.headers["ETag"])
    assert behind.count == 1
    assert list(again.headers) == list(first.headers) == list(head.headers)
    assert (again.data, head.data, fresh.data) == (first.data, b"", b"")
    assert fresh.status_code == 304
    body = ("Content-Type", "Content-Length", "Content-Encoding")
    assert list(fresh.headers) == [(n, v) for n, v in first.headers if n not in body]


def test_date_of_the_document_is_answered_too(made: Made) -> None:
    client, behind, _ = made
    date = ask(client).headers["Last-Modified"]
    assert ask(client, If_Modified_Since=date).status_code == 304
    assert behind.count == 1
    assert ask(client, If_Modified_Since="Thu, 01 Jan 1998 00:00:00 GMT").status_code == 200
    assert behind.count == 2


@pytest.mark.parametrize("tag", ["*", '"x"', 'W/"x", {tag}', "{tag}-gzip", ""])
def test_what_is_not_plain_comes_to_flask(made: Made, tag: str) -> None:
    client, behind, _ = made
    own = ask(client).headers["ETag"]
    ask(client, If_None_Match=tag.format(tag=own))
    ask(client, method="POST")
    ask(client, method="OPTIONS")
    ask(client, "/nowhere")
    ask(client, "/topics/AI/feed.atom")
    assert behind.count == 6


def test_errors_and_redirects_are_not_remembered(made: Made) -> None:
    client, behind, _ = made
    for path, status in (("/nowhere", 404), ("/topics/AI/feed.atom", 301), ("/?x=1", 400)):
        assert [ask(client, path).status_code for _ in range(2)] == [status, status]
    assert behind.count == 6


def test_head_alone_is_not_remembered(made: Made) -> None:
    client, behind, _ = made
    assert ask(client, method="HEAD").data == b""
    assert ask(client).data != b""
    assert behind.count == 2


def test_change_of_the_index_is_seen_at_the_next_look(seldom: Collection) -> None:
    client = Client(create_app(seldom.config))
    began = time.monotonic()
    assert b"Old" in ask(client).data
    memory = front_of(client)._memory
    assert began + 1 <= memory.next_look <= time.monotonic() + 1
    memory.next_look += 3600
    save(seldom, "Fresh")
    assert b"Old" in ask(client).data
    assert b"Old" in ask(client, Accept_Encoding="identity").data
    memory.next_look = 0
    assert b"Fresh" in ask(client).data


def test_change_that_nobody_sees_lets_answers_stand(made: Made) -> None:
    client, behind, collection = made
    ask(client)
    collection.write("two.md", article(published="false"))
    collection.sync(datetime.now(UTC))
    ask(client)
    assert behind.count == 1
    # Else each request would look at the index.
    front = front_of(client)
    assert front._memory.last is front._revision


def test_answers_stand_while_the_index_cannot_be_read(made: Made) -> None:
    client, behind, collection = made
    first = ask(client)
    collection.index.close()
    for suffix in ("", "-wal", "-shm"):
        path = collection.folder.parent / f"articles.sqlite3{suffix}"
        path.unlink(missing_ok=True)
    assert ask(client).data == first.data
    assert behind.count == 1
    assert ask(client, "/healthz").status_code == 503
    assert ask(client, "/feed.atom").status_code == 503


@pytest.mark.parametrize(("seconds", "count"), [(60, 3), (1850, 1), (999_999, 1)])
def test_document_that_comes_due_within_its_age_comes_to_flask(
    made: Made, seconds: int, count: int
) -> None:
    client, behind, collection = made
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    collection.write("due.md", article("Due", time=f"{due:%Y-%m-%dT%H:%M:%SZ}"))
    collection.sync(datetime.now(UTC))
    for _ in range(3):
        response = ask(client)
    age = int(response.headers["Cache-Control"].rpartition("=")[2])
    assert age == 1800 or seconds - 5 <= age <= seconds
    assert behind.count == count


def test_answer_is_forgotten_when_its_time_comes_near(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, behind, collection = made
    due = datetime.now(UTC) + timedelta(seconds=1900)
    collection.write("due.md", article("Due", time=f"{due:%Y-%m-%dT%H:%M:%SZ}"))
    late = due + timedelta(days=1)
    text = article("Late", time=f"{late:%Y-%m-%dT%H:%M:%SZ}", topics=("Law",), domain="l.example")
    collection.write("law.md", article("Law", topics=("Law",), domain="l.example"))
    collection.write("late.md", text)
    collection.sync(datetime.now(UTC))
    ask(client), ask(client), ask(client, "/topics/law/feed.atom")
    assert behind.count == 2
    later = time.time() + 120
    monkeypatch.setattr("feeds.web.front.time.time", lambda: later)
    ask(client), ask(client)
    assert behind.count == 4


def test_answers_that_stand_ready_are_bounded(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _, _ = made
    monkeypatch.setattr("feeds.web.front.READY", 100_000)
    front = front_of(client)
    sizes = []
    for number in range(100):
        ask(client, f"/feed.atom?min_heat={number}")
        sizes.append(len(front._ready))
    assert 5 < max(sizes) < 30


@pytest.mark.parametrize("before", [{}, {"Accept_Encoding": "gzip"}], ids=["ready", "not ready"])
def test_whoever_knows_more_is_not_answered_with_less(
    seldom: Collection, before: dict[str, str]
) -> None:
    """Of two processes that look once a second, a client gets the newer answer first."""
    late, early = (Client(create_app(seldom.config)) for _ in range(2))
    assert ask(late, **before).status_code == 200
    save(seldom, "Fresh")
    known = ask(early)
    assert b"Fresh" in known.data
    # The wait of the sync took a part of the second: it begins anew.
    front_of(late)._memory.next_look = time.monotonic() + 1
    assert ask(late, If_None_Match=known.headers["ETag"]).status_code == 304
    assert b"Fresh" in ask(late).data


def test_whoever_sends_no_validators_gets_the_previous_version_for_one_pause_at_most(
    seldom: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.monotonic()]
    monkeypatch.setattr("feeds.web.memory.time.monotonic", lambda: clock[0])
    late, early = (Client(create_app(seldom.config)) for _ in range(2))
    assert b"Old" in ask(late).data
    save(seldom, "Fresh")
    assert b"Fresh" in ask(early).data
    assert b"Old" in ask(late).data
    clock[0] += 1
    assert b"Fresh" in ask(late).data


def test_nothing_older_is_answered_than_what_another_request_got(seldom: Collection) -> None:
    """The time to look at the index comes as a request is on its way to Flask."""
    client = Client(create_app(seldom.config))
    assert b"Old" in ask(client).data
    save(seldom, "Fresh")
    front = front_of(client)
    memory, app = front._memory, front.app
    memory.next_look = time.monotonic() + 3600

    def late(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        memory.next_look = 0
        return app(environ, start)

    front.app = late
    assert b"Fresh" in ask(client, "/providers/example.org/feed.atom").data
    assert b"Fresh" in ask(client).data


def test_whoever_knows_more_does_not_rely_on_what_others_ask(seldom: Collection) -> None:
    """The index tells another request of the change, and this one does not wait for that."""
    late, early = (Client(create_app(seldom.config)) for _ in range(2))
    assert ask(late).status_code == 200
    save(seldom, "Fresh")
    front, known = front_of(late), ask(early).headers["ETag"]
    memory, app = front._memory, front.app
    read, asked, go_on = memory._read, threading.Event(), threading.Event()

    def slow() -> Revision:
        said = read()
        asked.set()
        assert go_on.wait(5)
        return said

    def beside(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if memory.next_look <= time.monotonic():
            memory._read = slow
            other.start()
            assert asked.wait(5)
            memory._read = read
        return app(environ, start)

    other = threading.Thread(target=memory.look)
    front.app = beside
    memory.next_look = time.monotonic() + 1
    assert ask(late, If_None_Match=known).status_code == 304
    go_on.set()


def test_of_two_processes_under_load_none_takes_anybody_back(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.web.memory.PATIENCE", 30.0)
    collection.write("one.md", article("0"))
    collection.sync(datetime.now(UTC))
    apps = [create_app(collection.config) for _ in range(2)]
    done = threading.Event()
    back: list[tuple[datetime, datetime]] = []

    def dated(response: TestResponse) -> datetime:
        return parsedate_to_datetime(response.headers["Last-Modified"])

    def read() -> None:
        clients, had = [Client(app) for app in apps], ask(Client(apps[0]))
        while not done.is_set():
            for client in clients:
                got = ask(client, If_None_Match=had.headers["ETag"])
                if got.status_code == 200:
                    if dated(got) <= dated(had):
                        back.append((dated(had), dated(got)))
                    had = got

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for number in range(1, 5):
        # Each waits for the second of its own.
        collection.write("one.md", article(f"{number}"))
        collection.sync(datetime.now(UTC))
    done.set()
    for reader in readers:
        reader.join()
    assert back == []


def test_long_headers_count_among_what_stands_ready(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _, _ = made
    monkeypatch.setattr("feeds.web.front.READY", 100_000)
    for number in range(50):
        ask(client, Accept_Encoding=f"gzip, x{number}" + 20_000 * "y")
        assert len(front_of(client)._ready) < 5


def test_long_addresses_count_among_what_stands_ready(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _, _ = made
    monkeypatch.setattr("feeds.web.front.READY", 100_000)
    for number in range(50):
        path = f"/oembed?url=http://localhost/&utm_source=x{number}" + 20_000 * "y"
        assert ask(client, path).status_code == 200
        assert len(front_of(client)._ready) < 5


def test_hosts_have_answers_of_their_own(made: Made) -> None:
    client, behind, _ = made
    for host in ("localhost", "127.0.0.1:8000", "localhost"):
        assert f"http://{host}{FEED}".encode() in ask(client, Host=host).data
    assert behind.count == 2
    assert ask(client, Host="evil.example").status_code == 400


def test_schemes_and_mounts_have_answers_of_their_own(made: Made) -> None:
    client, _, _ = made
    for base in ("http://localhost", "https://localhost", "http://localhost/news"):
        assert f'href="{base}{FEED}"' in client.get(FEED, base_url=base).text


def test_what_a_server_adds_to_an_answer_is_not_remembered(made: Made) -> None:
    client, _, _ = made
    front, told = front_of(client), list[list[str]]()

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        told.append([status, *(name for name, _ in headers)])
        headers.append(("X-Added", "by the server"))

    environ = EnvironBuilder(FEED).get_environ()
    for _ in range(3):
        list(front(environ, start))
    environ["HTTP_IF_NONE_MATCH"] = ask(client).headers["ETag"]
    for _ in range(3):
        list(front(environ, start))
    assert [(status, "X-Added" in names) for status, *names in told] == (
        [("200 OK", False)] * 3 + [("304 NOT MODIFIED", False)] * 3
    )


def test_hosts_share_answers_where_documents_have_an_address_of_their_own(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(base_url="https://news.example")
    collection.write("one.md", article())
    collection.sync(datetime.now(UTC))
    client = Client(create_app(collection.config))
    behind = Counted(front_of(client))
    for host in ("localhost", "evil.example"):
        assert b"evil" not in ask(client, Host=host).data
    assert behind.count == 1


def test_request_of_http_1_0_has_no_host(made: Made) -> None:
    client, behind, _ = made
    environ = EnvironBuilder(FEED).get_environ()
    del environ["HTTP_HOST"]
    for _ in range(2):
        assert client.run_wsgi_app(environ)[1].startswith("200")
    assert behind.count == 2


def test_limit_counts_what_is_transferred_and_nothing_else(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(rate_limit=2)
    collection.write("one.md", article())
    site = serve(collection)
    tag = site.get(FEED).headers["ETag"]
    assert [site.get(FEED).status_code for _ in range(2)] == [200, 429]
    assert [site.get(FEED, if_none_match=tag).status_code for _ in range(3)] == [304] * 3


def document(body: bytes) -> Published:
    return Published(body=body, content_type="text/plain", etag="", modified=None, due=None)


@pytest.mark.parametrize(("patience", "told"), [(5.0, b"new"), (0.01, b"old")])
def test_one_renders_and_others_wait_for_that_unless_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, patience: float, told: bytes
) -> None:
    monkeypatch.setattr("feeds.web.memory.PATIENCE", patience)
    # Few share a lock, but any two may.
    monkeypatch.setattr("feeds.web.memory._LOCKS", 1)
    revision = [Revision(1, 0)]
    memory = Memory(lambda: revision[0])
    for address in ("/", "/other"):
        memory.answer(address, NOW, lambda: document(b"old"))
    revision[0] = Revision(2, 0)
    renders, go_on, began = [0], threading.Event(), threading.Event()

    def make() -> Published:
        renders[0] += 1
        began.set()
        assert go_on.wait(5)
        return document(b"new")

    answers: list[bytes] = []

    def ask_for(address: str) -> None:
        answers.append(memory.answer(address, NOW, make).published.body)

    first, *others = (threading.Thread(target=ask_for, args=[a]) for a in ("/", "/", "/other"))
    first.start()
    assert began.wait(5)
    for other in others:
        other.start()
    for other in others:
        other.join(0.1)
    go_on.set()
    for thread in (first, *others):
        thread.join()
    assert sorted(answers) == sorted([told, told, b"new"])
    assert renders == [2 if told == b"new" else 1]


def test_first_of_many_requests_renders_for_them_all() -> None:
    memory, renders = Memory(lambda: Revision(1, 0)), [0]

    def make() -> Published:
        renders[0] += 1
        time.sleep(0.05)
        return document(b"made")

    threads = [threading.Thread(target=memory.answer, args=("/", NOW, make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert renders == [1]


def test_old_version_that_stands_in_is_not_remembered(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is answered while the new version is made must not be answered after it."""
    monkeypatch.setattr("feeds.web.memory.PATIENCE", 0.01)
    client, behind, collection = made
    front = front_of(client)
    old = ask(client).data
    collection.write("one.md", article("Fresh"))
    collection.sync(datetime.now(UTC))
    memory = front._memory
    for lock in memory._making:
        lock.acquire()
    assert [ask(client).data for _ in range(2)] == [old, old]
    for lock in memory._making:
        lock.release()
    assert b"Fresh" in ask(client).data
    assert behind.count == 4


def test_answer_that_was_overtaken_is_not_remembered(made: Made) -> None:
    """The index changes, and others see it, while an answer is on its way out."""
    client, _, collection = made
    front = front_of(client)
    app = front.app

    def slow(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        held: list[Any] = []
        body = app(environ, lambda *said: held.append(said))  # type: ignore[arg-type]
        front.app = app
        collection.write("one.md", article("Fresh"))
        collection.sync(datetime.now(UTC))
        assert b"Fresh" in ask(client, "/feed.atom").data
        start(*held[0])
        return body

    front.app = slow
    assert b"Fresh" not in ask(client).data
    assert b"Fresh" in ask(client).data
