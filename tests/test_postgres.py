"""One index for several machines, over a real PostgreSQL server."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from feeds.config import Config, ConfigError, read_config
from feeds.follow import follow
from feeds.formats import FORMATS
from feeds.index import Index, schema
from feeds.index.postgresql import CONNECT_TIMEOUT
from feeds.index.store import IndexUnavailable
from feeds.index.sync import Report, advance, sync
from feeds.selection import EVERYTHING
from tests.postgres import Server
from tests.support import NOW, Collection, Site, article, publish_feed
from tests.test_index import statements

pytestmark = pytest.mark.databases("postgresql")

LATER = NOW + timedelta(hours=1)
SPAWN = multiprocessing.get_context("spawn")
#: Names and topics that collations, encodings and patterns treat in their own ways.
NAMES = ("Zebra", "apple", "Äpfel", "ähre", "a_b", "a%b", "a\\b", "日本", "😀", "e\u0301", "_")


def titles(index: Index) -> list[str]:
    found = index.find(EVERYTHING)
    return [article.title for article in found.articles] if found else []


def wait_for(come: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _follow(database: str, folder: Path) -> None:
    """What the main process of a machine does, for ever."""
    follow(Index(database, Config()), folder, threading.Event(), lambda level, line: None)


def _sync(database: str, folder: Path, ready: Any, reports: Any) -> None:
    ready.wait(30)
    reports.put(sync(Index(database, Config()), folder, NOW).added)


@contextmanager
def process(target: Callable[..., None], *arguments: object) -> Iterator[Any]:
    """A process of another machine, killed at the end."""
    started = SPAWN.Process(target=target, args=arguments, daemon=True)
    started.start()
    try:
        yield started
    finally:
        started.kill()
        started.join()


@pytest.fixture
def stopped(postgres: Server) -> Iterator[Server]:
    """A server for a test that stops it; it runs again for the next."""
    yield postgres
    postgres.restart()


def test_damaged_database_is_left_to_its_keeper(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.exec_driver_sql("UPDATE articles SET encoded = '{'")
    with pytest.raises(IndexUnavailable, match="cannot be used: Input data was truncated"):
        collection.index.find(EVERYTHING)


def test_two_processes_sync_at_once(collection: Collection) -> None:
    for number in range(30):
        collection.write(f"{number}.md", article(f"{number}", topics=(f"T{number % 7}", "AI")))
    ready, reports = SPAWN.Barrier(2), SPAWN.Queue()
    arguments = (collection.config.database, collection.folder, ready, reports)
    with process(_sync, *arguments), process(_sync, *arguments):
        assert sorted(reports.get(timeout=30) for _ in range(2)) == [0, 30]
    assert len(titles(collection.index)) == 30
    assert collection.index.health().visible == 30


def test_revision_and_date_grow_with_each_of_many_writers(collection: Collection) -> None:
    seen: list[Any] = []

    def write(number: int) -> None:
        other = Collection(collection.folder, collection.config)
        collection.write(f"{number}.md", article(f"{number}"))
        other.sync()
        with other.index.read_transaction() as connection:
            seen.append(connection.execute(schema.meta.select()).one())
        other.index.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = sorted(seen, key=lambda row: row.revision)
    assert len(titles(collection.index)) == 6
    dates = {row.revision: row.changed for row in rows}
    assert sorted(dates.values()) == list(dates.values())
    assert len(set(dates.values())) == len(dates)


def test_of_two_machines_one_follows_and_the_other_takes_over(collection: Collection) -> None:
    collection.write("one.md", article("First"))
    collection.sync(datetime.now(UTC))
    index, folder = collection.index, collection.folder
    lagging = folder.with_name("lagging")
    lagging.mkdir()
    with process(_follow, collection.config.database, folder) as leader:
        collection.write("two.md", article("Second"))
        wait_for(lambda: "Second" in titles(index))
        stop, lines = threading.Event(), list[str]()
        other = Index(collection.config.database, collection.config)
        arguments = (other, lagging, stop, lambda level, line: lines.append(line))
        follower = threading.Thread(target=follow, args=arguments, daemon=True)
        follower.start()
        time.sleep(1.5)
        # What the other's copy of the folder lacks is taken from nobody.
        assert (sorted(titles(index)), lines) == (["First", "Second"], [])
        os.kill(leader.pid, signal.SIGKILL)
        wait_for(lambda: titles(index) == [])
    stop.set()
    follower.join(10)
    assert lines == ["one.md, two.md: 3 feeds changed"]
    # Who stops lets go, and has nothing more to let go of.
    wait_for(lambda: index.acquire("follow"))
    index.release()
    index.release()
    other.close()


def test_sync_waits_only_so_long_for_another(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.sync()
    monkeypatch.setattr("feeds.index.postgresql.LOCK_TIMEOUT", 100)
    other = Index(collection.config.database, collection.config)
    with other.write_transaction():
        with pytest.raises(IndexUnavailable, match=r"cannot be written: .* due to lock timeout"):
            collection.sync()
        assert titles(collection.index) == []
    other.close()
    collection.sync()


def test_server_that_goes_and_comes_back(
    collection: Collection, serve: Callable[[Collection], Site], stopped: Server
) -> None:
    collection.write("one.md", article())
    site = serve(collection)
    lines, stop = list[str](), threading.Event()
    index = Index(collection.config.database, collection.config)
    arguments = (index, collection.folder, stop, lambda level, line: lines.append(line))
    # Where an assertion fails, it does not outlive the tests.
    follower = threading.Thread(target=follow, args=arguments, daemon=True)
    follower.start()
    before = site.get("/feed.atom")
    assert site.get("/healthz").status_code == 200
    stopped.stop()
    for _ in range(3):
        after = site.get("/feed.atom")
        assert (after.status_code, after.content) == (200, before.content)
        assert site.get("/feed.atom", if_none_match=before.headers["ETag"]).status_code == 304
    assert site.get("/healthz").json() == {"status": "the index cannot be read"}
    assert site.get("/feed.json").status_code == 503
    collection.write("two.md", article("Second"))
    wait_for(lambda: lines)
    stopped.start()
    wait_for(lambda: site.get("/healthz").status_code == 200)
    # Not by `get`, whose two answers the follower may come between.
    wait_for(lambda: b"Second" in site.raw("/feed.json").body)
    assert b"Second" in site.get("/feed.atom").content
    stop.set()
    follower.join(10)
    index.close()
    assert lines[0].endswith("trying again every second")
    assert lines[-1] == "two.md: 3 feeds changed"


def test_leader_that_lost_its_connection_gets_an_error(collection: Collection) -> None:
    index = collection.index
    assert index.acquire("follow") and index.acquire("follow")
    with index.read_transaction() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    with pytest.raises(IndexUnavailable):
        index.acquire("follow")
    other = Index(collection.config.database, collection.config)
    assert other.acquire("follow")
    assert not index.acquire("follow")
    other.release()
    # The server lets go a moment after the client has closed its connection.
    deadline = time.monotonic() + 10
    while not index.acquire("follow"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    index.release()
    other.close()


def test_silent_server_holds_up_one_request_alone(collection: Collection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = f"postgresql+psycopg://x@127.0.0.1:{silent.getsockname()[1]}/x"
        index, faults = Index(database, collection.config), list[str]()

        def ask() -> None:
            try:
                index.status()
            except IndexUnavailable as error:
                faults.append(str(error))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < CONNECT_TIMEOUT * 1.8
        again = threading.Thread(target=ask)
        again.start()
        time.sleep(0.2)
        began = time.monotonic()
        ask()
        assert time.monotonic() - began < 2
        again.join()
    assert sum("cannot be used: the server is away; run" in fault for fault in faults) == 1
    assert len(faults) == 10


def edit(collection: Collection, chance: random.Random, number: int) -> None:
    """One of many changes of a folder."""
    name = chance.choice(NAMES)
    path = collection.folder / f"{name.replace('/', '')}.md"
    if path.exists() and chance.random() < 0.2:
        path.unlink()
        return
    collection.write(
        path.name,
        article(
            name.replace("\\", "\\\\"),
            topics=tuple(n.replace("\\", "\\\\") for n in chance.sample(NAMES, 2)),
            quality=chance.choice([59, 60, 999_999_999, 80]),
            time=chance.choice(["2020-05-18T02:41:00Z", "2021-01-01T00:00:00Z"]),
            more=f"heat: {chance.choice([-999_999_999, 0, number])}\n",
            published=chance.choice(["true", "true", "false"]),
        ),
    )


def documents(index: Index) -> dict[str, tuple[bytes, str, datetime | None]]:
    """Everything that subscribers see, and its validators."""
    from feeds.index.survey import public_feeds
    from feeds.publish import publish, publish_list

    found = {}
    chosen = [item.selection for item in public_feeds(index)]
    chosen += [replace(EVERYTHING, min_heat=0), replace(EVERYTHING, min_quality=61, limit=3)]
    for selection in chosen:
        for form in FORMATS.values():
            made = publish(index, selection, form, "https://news.example")
            assert made
            found[selection.address(form.file)] = (made.body, made.etag, made.last_modified)
    made = publish_list(index, FORMATS["atom"], "https://news.example")
    return found | {"opml": (made.body, made.etag, made.last_modified)}


def test_every_machine_and_sqlite_give_the_same(collection: Collection, tmp_path: Path) -> None:
    lite = Config(articles=collection.folder, database=f"sqlite:///{tmp_path}/lite.sqlite3")
    indexes = [Index(collection.config.database, collection.config) for _ in range(2)]
    indexes.append(Index(lite.database, lite))
    chance, now, reports = random.Random(7), NOW, list[Report]()
    for number in range(6):
        for _ in range(4):
            edit(collection, chance, number)
        now += timedelta(seconds=chance.choice([0, 1, 60]))
        first, last = (sync(index, collection.folder, now) for index in indexes[::2])
        assert first == last
        reports.append(first)
        for index in indexes[::2]:
            advance(index, now)
        one, two, three = (documents(index) for index in indexes)
        assert one == two == three
        slugs = [index.slugs("topic", "a") for index in indexes]
        assert slugs[0] == slugs[2] == sorted(slugs[0])
        assert indexes[0].status()[1:] == indexes[2].status()[1:]
    assert sum(report.changed_feeds for report in reports) > 10
    for index in indexes:
        index.close()


def test_wildcards_in_a_slug_are_letters(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.write("one.md", article(topics=("AI", "Art", "Law")))
    collection.sync()
    monkeypatch.setattr("feeds.index.MAX_SLUGS", 2)
    assert [collection.index.slugs("topic", near) for near in "%_\\a"] == [
        [],
        [],
        [],
        ["ai", "art"],
    ]


def test_nul_reaches_no_column(site: Site, collection: Collection) -> None:
    for number, field in enumerate(article().splitlines()[1:-1]):
        name, colon, _ = field.partition(":")
        text = article().replace(field, f'{name}{colon} "a\\0b"' if colon else '  - "a\\0b"')
        collection.write(f"{number}.md", text + "\0")
    assert site.sync().added > 5
    for path in ("/topics/a%00i/feed.atom", "/feed.atom?topic=%00", "/feed.atom?type=%00"):
        assert site.get(path).status_code in (301, 400, 404)
    assert site.get("/topics/?find=%00").status_code == 200


def test_readers_do_not_wait_for_an_index_made_anew(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    before = publish_feed(collection)
    with collection.index.write_transaction() as connection:
        connection.execute(schema.meta.update().values(version=0))
    other = Index(collection.config.database, collection.config)
    with pytest.raises(KeyError), other.write_transaction() as connection:
        assert connection.execute(schema.articles.select()).all() == []
        assert publish_feed(collection) == before
        raise KeyError
    assert publish_feed(collection) == before
    assert other.acquire("follow")
    assert sync(other, collection.folder, LATER).added == 1
    assert publish_feed(collection).body
    assert sync(other, collection.folder, LATER).unchanged == 1
    other.release()
    other.close()


def test_newest_articles_are_one_range_of_one_index(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with statements() as ran:
        collection.index.find(EVERYTHING)
    statement, values = next(each for each in ran if "ORDER BY" in each[0])
    with collection.index.read_transaction() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
    assert any(re.search("Index (Only )?Scan using entries_newest", row) for row in rows)
    assert not [row for row in rows if "Sort" in row]


def test_database_of_another_encoding_is_refused(postgres: Server, collection: Collection) -> None:
    postgres.execute("DROP DATABASE IF EXISTS latin")
    postgres.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    index = Index(postgres.url("latin"), collection.config)
    with pytest.raises(IndexUnavailable, match="encoding is SQL_ASCII, make a database with"):
        index.status()


def test_password_is_never_shown(collection: Collection) -> None:
    index = Index("postgresql+psycopg://me:secret@127.0.0.1:1/x", collection.config)
    with pytest.raises(IndexUnavailable) as caught:
        index.status()
    assert "secret" not in str(caught.value)
    assert "//me:***@127.0.0.1:1/x cannot be used: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"FEEDS_DATABASE": "postgresql+psycopg://me@[::1]:5432/x?sslmode=require"}
    assert read_config(None, environ).database == environ["FEEDS_DATABASE"]
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"needs psycopg, run pip install 'feeds\[postgresql\]'"):
        read_config(None, environ)
