"""An index that is damaged or lost while it is served comes back by itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from feeds.cli import serving
from feeds.index import Index
from feeds.index.store import IndexDamaged, IndexUnavailable
from feeds.index.survey import public_feeds
from feeds.selection import EVERYTHING
from tests.process import Process
from tests.support import Collection, Site, article
from tests.test_follow import Follower

FEED = "/topics/ai/feed.atom"


def overwrite(path: Path) -> None:
    """Junk from the second page to the end."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


HARMS: dict[str, Callable[[Path], object]] = {
    "overwritten": overwrite,
    "truncated": truncate,
    "emptied": lambda path: os.truncate(path, 0),
    "no database": lambda path: path.write_bytes(b"garbage" * 1000),
    "deleted": Path.unlink,
}


@pytest.fixture
def followed(collection: Collection, serve: Callable[[Collection], Site]) -> Iterator[Site]:
    """A served collection whose folder is followed."""
    for number in range(40):
        collection.write(f"{number}.md", article(f"Number {number}"))
    site = serve(collection)
    follower = Follower(collection)
    follower.wait_for(lambda: "Number 7" in follower.titles())
    yield site
    follower.close()


def file_of(collection: Collection) -> Path:
    return Path(str(collection.index.url.database))


@pytest.mark.parametrize("harm", HARMS)
def test_damaged_index_is_made_anew_while_the_feeds_stay_up(followed: Site, harm: str) -> None:
    collection = followed.collection
    before = followed.get(FEED)
    path = file_of(collection)
    # What SQLite has not written to the file yet would mend it.
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.close()
    HARMS[harm](path)
    collection.write("new.md", article("Saved meanwhile"))
    last, deadline = before, time.monotonic() + 15
    while "Saved meanwhile" not in last.text:
        assert time.monotonic() < deadline
        last = compare(last, followed.client.get(FEED))
        other = followed.client.get("/feed.json?limit=7")
        assert other.status_code == 200 or other.headers["Retry-After"]
        time.sleep(0.02)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


HARMS_BESIDE: dict[str, Callable[[str], object]] = {
    "log emptied": lambda path: os.truncate(f"{path}-wal", 0),
    "shared memory emptied": lambda path: os.truncate(f"{path}-shm", 0),
    "all emptied": lambda path: os.system(f"truncate -s 0 {path} {path}-wal {path}-shm"),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("harm", HARMS_BESIDE)
def test_served_site_recovers_from_damage_to_what_sqlite_keeps_beside_its_file(
    collection: Collection, harm: str
) -> None:
    """SQLite maps the shared memory: each process that holds it dies of SIGBUS."""
    for number in range(400):
        collection.write(f"{number}.md", article(f"Number {number}"))
    site = Process(collection.folder, FEEDS_DATABASE=collection.config.database)
    try:
        collection.write("one.md", article("Withdrawn", time="2020-06-01T00:00:00Z"))
        site.wait_until(lambda: "Withdrawn" in site.get(FEED).text)
        HARMS_BESIDE[harm](str(file_of(collection)))
        (collection.folder / "one.md").unlink()
        site.wait_until(lambda: site.get("/feed.json?limit=7").status_code == 200)
        site.wait_until(lambda: "Withdrawn" not in site.get(FEED).text)
        site.wait_until(lambda: site.get("/healthz").status_code == 200)
        assert site.popen.poll() is None
    finally:
        site.stop()


def test_log_that_was_cut_short_is_damage(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    other = Index(collection.index.url, collection.index.config)
    os.truncate(f"{file_of(collection)}-wal", 0)
    with pytest.raises(IndexDamaged):
        other.status()
    other.close()
    assert collection.sync().added == 1


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_file_that_was_cut_short_is_damage_before_its_lost_part_is_read(
    collection: Collection, suffix: str
) -> None:
    for number in range(100):
        collection.write(f"{number}.md", article(f"Number {number}"))
    collection.sync()
    assert collection.index.status()
    path = Path(f"{file_of(collection)}{suffix}")
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(IndexDamaged, match="a part of it was cut off"):
        collection.index.status()
    assert collection.sync().added == 100


@pytest.mark.parametrize(
    ("spoil", "read"),
    [
        ("UPDATE entries SET published = 'x'", lambda index: index.find(EVERYTHING)),
        ("UPDATE entries SET published = 'x'", public_feeds),
        ("UPDATE feeds SET kind = 'x'", public_feeds),
        ("UPDATE feeds SET name = x'00'", lambda index: index.find(EVERYTHING)),
        ("UPDATE meta SET next_change = 'x'", Index.status),
    ],
)
def test_value_of_another_type_is_damage(
    collection: Collection, spoil: str, read: Callable[[Index], object]
) -> None:
    """SQLite returns such values where it takes a page of one table for that of another."""
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.exec_driver_sql(spoil)
    with pytest.raises(IndexDamaged):
        read(collection.index)
    assert collection.sync().added == 1


def compare(last: httpx.Response, response: httpx.Response) -> httpx.Response:
    """A document is never lost, and its date never goes back; a future date is left out."""
    assert response.status_code == 200
    sent = [r.headers.get("Last-Modified") for r in (last, response)]
    dates = [parsedate_to_datetime(date) for date in sent if date]
    assert dates == sorted(dates)
    assert (last.text == response.text) == (last.headers["ETag"] == response.headers["ETag"])
    return response


def test_new_index_is_not_taken_for_the_old_one(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    """Both had one change; what was kept of the first must not stand for the second."""
    collection.write("one.md", article("First"))
    site = serve(collection)
    assert "First" in site.get(FEED).text
    path = file_of(collection)
    path.unlink()
    collection.write("one.md", article("Second"))
    time.sleep(1.1)
    site.sync()
    assert "Second" in site.get(FEED).text


def test_article_that_cannot_be_read_back_is_damage(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.exec_driver_sql("UPDATE articles SET encoded = '{'")
    with pytest.raises(IndexDamaged, match="it is set aside and made anew"):
        collection.index.find(EVERYTHING)
    assert file_of(collection).with_name("articles.sqlite3.damaged").exists()
    assert collection.sync().added == 1


def test_article_that_is_no_text_is_damage(collection: Collection) -> None:
    collection.write("one.md", article("Letters"))
    collection.sync()
    with collection.index.write_transaction() as connection:
        spoilt = "replace(encoded, x'4c657474657273', x'ffffffffffffff')"
        connection.exec_driver_sql(f"UPDATE articles SET encoded = CAST({spoilt} AS BLOB)")
    with pytest.raises(IndexDamaged):
        collection.index.find(EVERYTHING)


def test_index_without_its_state_is_damage(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    with pytest.raises(IndexDamaged, match="No row was found"):
        collection.index.status()


def test_text_that_cannot_be_read_back_is_damage(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.exec_driver_sql("UPDATE files SET path = CAST(x'ff' AS TEXT)")
    assert collection.sync().added == 1


def test_index_is_readable_once_it_was_filled(collection: Collection) -> None:
    index = collection.index
    assert not index.is_readable()
    with index.write_transaction():
        pass
    assert not index.is_readable()
    collection.sync()
    assert index.is_readable()


def test_locked_index_is_kept(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.index.sqlite.LOCK_TIMEOUT", 10)
    collection.write("one.md", article())
    collection.sync()
    path = file_of(collection)
    inode = path.stat().st_ino
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexUnavailable, match="locked"):
            collection.sync()
    connection.close()
    assert collection.sync().unchanged == 1
    assert path.stat().st_ino == inode


def test_index_that_takes_nothing_is_served_as_it_is(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.index.sqlite.LOCK_TIMEOUT", 10)
    collection.write("one.md", article())
    with pytest.raises(IndexUnavailable, match="cannot be written"):
        serving.first_sync(Index(f"sqlite:///{collection.folder}", collection.config), print)
    collection.sync()
    with sqlite3.connect(file_of(collection), isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert serving.first_sync(collection.index, print) == ()
    connection.close()


def test_connection_does_not_outlive_what_the_disk_refused(collection: Collection) -> None:
    """As one that was made while nothing could be written."""
    collection.sync()
    with pytest.raises(IndexUnavailable), collection.index.read_transaction() as connection:
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorcode = sqlite3.SQLITE_READONLY
        old = connection.connection.driver_connection
        raise error
    with collection.index.read_transaction() as connection:
        assert connection.connection.driver_connection is not old
    assert file_of(collection).exists()


def test_index_that_another_made_meanwhile_is_kept(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    path = file_of(collection)
    error = sqlite3.DatabaseError()
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    with pytest.raises(IndexUnavailable), collection.index.read_transaction():
        shutil.copy(path, path.with_name("copy"))
        path.with_name("copy").replace(path)
        raise error
    assert path.exists()
    with pytest.raises(IndexUnavailable), collection.index.read_transaction():
        path.unlink()
        raise error
    assert not path.with_name(f"{path.name}.damaged").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk, which only root may")
def test_full_disk_keeps_the_feeds_up(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=1m tmpfs {disk} 2>/dev/null"):
        pytest.skip("no disk can be mounted here")
    try:
        collection = make_collection(database=f"sqlite:///{disk}/index.sqlite3")
        collection.write("one.md", article("First"))
        site = serve(collection)
        before = site.get(FEED)
        with contextlib.suppress(OSError):  # for then the disk is full
            (disk / "other").write_bytes(bytes(1 << 20))
        for number in range(300):
            collection.write(f"{number}.md", article(f"Number {number}"))
        with pytest.raises(IndexUnavailable, match=r"disk is full|disk I/O error"):
            site.sync()
        assert compare(before, site.get(FEED)).text == before.text
        (disk / "other").unlink()
        assert site.sync().added == 300
        assert compare(before, site.get(FEED)).text != before.text
        assert not (disk / "index.sqlite3.damaged").exists()
    finally:
        collection.index.close()
        os.system(f"umount -l {disk}")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk, which only root may")
def test_read_only_disk_keeps_the_feeds_up(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    """After a crash, say: the articles and the index on a disk that takes nothing."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs tmpfs {disk} 2>/dev/null"):
        pytest.skip("no disk can be mounted here")
    site = None
    try:
        database = f"sqlite:///{disk}/index.sqlite3"
        collection = make_collection("disk/articles", database=database)
        collection.write("one.md", article("First"))
        crash = "import os; from feeds.cli import main; main(['index'], None, "
        crash = f"{crash} standalone_mode=False); os.kill(os.getpid(), 9)"
        settings = {"FEEDS_DATABASE": database, "FEEDS_ARTICLES": str(collection.folder)}
        subprocess.run([sys.executable, "-c", crash], env={**os.environ, **settings})
        assert (disk / "index.sqlite3-wal").stat().st_size
        assert os.system(f"mount -o remount,ro {disk}") == 0
        site = Process(collection.folder, FEEDS_DATABASE=database)
        for path in (FEED, "/feed.json", "/feed.rss?limit=1", "/"):
            assert "First" in site.get(path).text
        with pytest.raises(IndexUnavailable, match="readonly"):
            collection.sync()
        assert os.system(f"mount -o remount,rw {disk}") == 0
        collection.write("two.md", article("Second"))
        site.wait_until(lambda: "Second" in site.get(FEED).text)
        assert "Second" in site.get("/feed.rss?limit=2").text
        assert collection.sync(datetime.now(UTC)).unchanged == 2
    finally:
        if site:
            site.stop()
        collection.index.close()
        os.system(f"umount -l {disk}")
