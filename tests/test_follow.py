"""Following a real folder."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from feeds.follow import SyncReporter, follow
from feeds.index import Index
from feeds.index.store import IndexUnavailable
from feeds.selection import EVERYTHING
from tests.support import Collection, article


class Follower:
    """A thread that follows a collection, with the lines that it logged."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.lines: list[str] = []
        #: The seconds that each sync took.
        self.syncs: list[float] = []
        self.stop = threading.Event()
        arguments = (
            collection.index,
            collection.folder,
            self.stop,
            self.log,
            (),
            self.syncs.append,
        )
        self.thread = threading.Thread(target=follow, args=arguments, daemon=True)
        self.thread.start()

    def log(self, level: int, line: str) -> None:
        assert level == (logging.INFO if "feeds changed" in line else logging.WARNING)
        self.lines.append(line)

    def titles(self) -> list[str]:
        try:
            found = self.collection.index.find(EVERYTHING)
        except IndexUnavailable:
            return []
        return [article.title for article in found.articles] if found else []

    def close(self) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def wait_for(self, come: Callable[[], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not come():
            assert time.monotonic() < deadline, (self.titles(), self.lines)
            time.sleep(0.01)

    def wait_for_syncs(self, count: int) -> None:
        """Wait for the sync at the start, for the first scan a second later, and for others."""
        self.wait_for(lambda: len(self.syncs) >= count)


@pytest.fixture
def follower(collection: Collection) -> Iterator[Follower]:
    collection.write("one.md", article("First"))
    collection.sync(datetime.now(UTC))
    follower = Follower(collection)
    yield follower
    follower.close()


def test_saved_file_is_followed(follower: Follower) -> None:
    follower.collection.write("two.md", article("Second"))
    follower.wait_for(lambda: "Second" in follower.titles())
    follower.wait_for(lambda: "two.md: 3 feeds changed" in follower.lines)


def test_article_comes_when_its_time_has_come(follower: Follower) -> None:
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    follower.collection.write("due.md", article("Due", time=due.isoformat()))
    follower.wait_for(lambda: len(follower.lines) == 1)
    assert follower.titles() == ["First"]
    follower.wait_for(lambda: "Due" in follower.titles())
    assert follower.lines == ["due.md: 0 feeds changed"]


def test_time_that_changes_the_index_while_another_process_writes_is_no_trouble(
    follower: Follower,
) -> None:
    follower.wait_for_syncs(2)
    # Articles keep whole seconds.
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    follower.collection.write("due.md", article("Due", time=due.isoformat()))
    follower.wait_for(lambda: len(follower.lines) == 1)
    other = Index(follower.collection.config.database, follower.collection.config)
    with other.write_transaction():
        assert datetime.now(UTC) < due, "too slow to tell"
        time.sleep((due - datetime.now(UTC)).total_seconds() + 1)
        assert follower.titles() == ["First"]
    other.close()
    follower.wait_for(lambda: "Due" in follower.titles())
    assert follower.lines == ["due.md: 0 feeds changed"]


def test_fault_is_logged_once(follower: Follower) -> None:
    follower.collection.write("bad.md", "nothing")
    follower.wait_for(lambda: any("bad.md:1:" in line for line in follower.lines))
    follower.collection.write("two.md", article("Second"))
    follower.wait_for(lambda: "Second" in follower.titles())
    assert sum(line.startswith("bad.md:1: no front matter") for line in follower.lines) == 1


def test_folder_that_goes_and_comes_back_is_followed(follower: Follower) -> None:
    folder = follower.collection.folder
    away = folder.rename(folder.with_name("away"))
    follower.wait_for(lambda: any("trying again every second" in s for s in follower.lines))
    assert follower.titles() == ["First"]
    time.sleep(1.2)
    assert len([line for line in follower.lines if "cannot be watched" in line]) == 1
    shutil.copytree(away, folder)
    follower.collection.write("two.md", article("Second"))
    follower.wait_for(lambda: "Second" in follower.titles())
    follower.collection.write("three.md", article("Third"))
    follower.wait_for(lambda: "Third" in follower.titles())


def test_folder_that_is_deleted_and_made_anew_is_followed(follower: Follower) -> None:
    folder, reused = follower.collection.folder, False
    follower.wait_for_syncs(2)
    for number in range(20):
        before = folder.stat().st_ino
        shutil.rmtree(folder)
        folder.mkdir()
        # As it mostly is, where nothing was deleted besides.
        reused = folder.stat().st_ino == before
        for title in (f"New {number}", f"Newer {number}"):
            follower.collection.write("one.md", article(title))
            follower.wait_for(lambda title=title: title in follower.titles())  # type: ignore[misc]
        if reused:
            break


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts disks, which only root may")
def test_folder_whose_disk_is_mounted_again_is_followed(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new disk has the old one's number, as its first folder has."""
    monkeypatch.setattr("feeds.follow.SCAN_PAUSE", 1)
    mount = f"mount -t tmpfs tmpfs {collection.folder} 2>/dev/null"
    if os.system(mount):
        pytest.skip("no disk can be mounted here")
    try:
        collection.write("one.md", article("First"))
        follower = Follower(collection)
        follower.wait_for_syncs(2)
        os.system(f"umount -l {collection.folder}; {mount}")
        collection.write("one.md", article("Second"))
        follower.wait_for(lambda: "Second" in follower.titles())
        monkeypatch.setattr("feeds.follow.SCAN_PAUSE", 60)
        time.sleep(2.2)
        collection.write("one.md", article("Third"))
        follower.wait_for(lambda: "Third" in follower.titles())
        follower.close()
    finally:
        os.system(f"umount -l {collection.folder}")


def test_change_without_an_event_starts_a_new_watch(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.follow.SCAN_PAUSE", 1)
    watch, anew = watchfiles.watch, list[object]()

    def count(*about: Any, **more: Any) -> Any:
        anew.append(about)
        return watch(*about, **more)

    monkeypatch.setattr(watchfiles, "watch", count)
    follower.wait_for_syncs(2)
    anew.clear()
    # What is written by another name, elsewhere, sends no event here.
    other = follower.collection.folder.parent / "other.md"
    os.link(follower.collection.folder / "one.md", other)
    other.write_text(article("Fresh"))
    follower.wait_for(lambda: follower.titles() == ["Fresh"])
    follower.wait_for(lambda: bool(anew))
    follower.collection.write("two.md", article("Second"))
    follower.wait_for(lambda: "Second" in follower.titles())


def test_link_to_a_new_folder_is_followed(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    first, second = make_collection("first"), make_collection("second")
    first.write("one.md", article("First"))
    second.write("one.md", article("Second"))
    current = tmp_path / "current"
    current.symlink_to(first.folder)
    follower = Follower(Collection(current, first.config))
    follower.wait_for(lambda: follower.titles() == ["First"])
    follower.wait_for_syncs(2)
    (tmp_path / "next").symlink_to(second.folder)
    (tmp_path / "next").replace(current)
    follower.wait_for(lambda: follower.titles() == ["Second"])
    second.write("two.md", article("Third"))
    follower.wait_for(lambda: "Third" in follower.titles())
    follower.close()


def test_file_name_that_is_not_utf_8_does_not_end_the_watch(follower: Follower) -> None:
    folder = follower.collection.folder
    for name in (b"caf\xe9.jpg", b"caf\xe9.md"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")
    follower.collection.write("two.md", article("Second"))
    follower.wait_for(lambda: "Second" in follower.titles())
    # A sync is logged after its end.
    unprintable = "caf\\udce9.md':1: the name cannot be printed"
    follower.wait_for(lambda: any(unprintable in line for line in follower.lines))
    assert all(line.isprintable() for line in follower.lines)


def test_folder_whose_name_is_not_utf_8_is_scanned_every_second(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/index.sqlite3"
    collection = make_collection("caf\udce9", database=database)
    follower = Follower(collection)
    collection.write("one.md", article("First"))
    follower.wait_for(lambda: follower.titles() == ["First"])
    follower.close()
    assert [line for line in follower.lines if "cannot be watched" in line]


def test_fault_reported_before_is_not_reported_again(collection: Collection) -> None:
    collection.write("bad.md", "nothing")
    faults = map(str, collection.sync().faults)
    lines: list[str] = []
    SyncReporter(lambda _, line: lines.append(line), faults).report(collection.sync())
    assert lines == []


def test_files_that_changed_the_feeds_are_named(collection: Collection) -> None:
    lines: list[str] = []
    reporter = SyncReporter(lambda _, line: lines.append(line))

    def report() -> list[str]:
        lines.clear()
        reporter.report(collection.sync())
        return lines

    collection.write("stories/one.md", article("First"))
    assert report() == ["stories/one.md: 3 feeds changed"]
    assert report() == []
    for number in range(5):
        collection.write(f"{number}.md", article(topics=()))
    assert report() == ["0.md, 1.md, 2.md and 2 more files: 2 feeds changed"]
    # What subscribers cannot see, and what they can.
    collection.write("stories/one.md", article("First", more="heat: 3\n"))
    assert report() == ["stories/one.md: 0 feeds changed"]
    collection.write("stories/one.md", article("First", more="heat: 4\n"))
    (collection.folder / "4.md").unlink()
    collection.write("3.md", "nothing")
    assert report()[1:] == ["4.md: 2 feeds changed"]


def test_warning_is_logged_when_its_file_is_saved(collection: Collection) -> None:
    lines: list[tuple[int, str]] = []
    reporter = SyncReporter(lambda *line: lines.append(line))
    collection.write("one.md", article(published="'no'"))
    for _ in range(2):
        reporter.report(collection.sync())
    warning = "'published' is not true or false, so the article is not published"
    assert lines == [
        (logging.WARNING, f"one.md:8: warning: {warning}"),
        (logging.INFO, "one.md: 1 feed changed"),
    ]


def test_index_that_fails_is_tried_again(follower: Follower) -> None:
    database = follower.collection.folder.parent / "articles.sqlite3"
    follower.collection.index.close()
    database.unlink()
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.mkdir()
    follower.collection.write("two.md", article("Second"))
    follower.wait_for(lambda: any("cannot be written" in line for line in follower.lines))
    database.rmdir()
    follower.wait_for(lambda: "Second" in follower.titles(), 20)


def test_trouble_that_comes_back_is_logged_again(follower: Follower) -> None:
    folder = follower.collection.folder

    def warnings() -> int:
        return sum("cannot be watched" in line for line in follower.lines)

    for times in (1, 2):
        away = folder.rename(folder.with_name("away"))
        follower.wait_for(lambda times=times: warnings() == times)  # type: ignore[misc]  # bound now
        away.rename(folder)
        follower.collection.write(f"{times}.md", article(f"Back {times}"))
        title = f"Back {times}"
        follower.wait_for(lambda title=title: title in follower.titles())  # type: ignore[misc]
        time.sleep(0.1)
    assert warnings() == 2


def test_fault_is_logged_once_though_the_watch_begins_anew(follower: Follower) -> None:
    folder, database = follower.collection.folder, follower.collection.config.database
    follower.collection.write("bad.md", "nothing")
    follower.wait_for(lambda: any("bad.md:1:" in line for line in follower.lines))
    with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as locking:
        locking.execute("BEGIN IMMEDIATE")
        away = folder.rename(folder.with_name("away"))
        follower.wait_for(lambda: any("trying again" in line for line in follower.lines))
        away.rename(folder)
        follower.collection.write("two.md", article("Second"))
        time.sleep(1.2)  # the watch begins anew, and waits for the lock
        assert follower.titles() == ["First"]
        locking.rollback()
    follower.wait_for(lambda: "Second" in follower.titles())
    follower.collection.write("three.md", article("Third"))
    follower.wait_for(lambda: "Third" in follower.titles())
    assert sum(line.startswith("bad.md:1:") for line in follower.lines) == 1


def test_folder_that_cannot_be_watched_is_scanned_every_second(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("OS file watch limit reached")

    # The system's limit is for all its processes, so its refusal is played.
    monkeypatch.setattr("watchfiles.watch", refuse)
    collection.sync(datetime.now(UTC))
    follower = Follower(collection)
    follower.wait_for_syncs(2)
    collection.write("one.md", article("First"))
    follower.wait_for(lambda: follower.titles() == ["First"])
    follower.close()
    (line,) = [line for line in follower.lines if "watched" in line]
    assert line.endswith(
        "cannot be watched, OS file watch limit reached; trying again every second"
    )


def test_change_before_the_watch_is_found_by_a_scan(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.write("one.md", article("First"))
    collection.sync(datetime.now(UTC))
    collection.write("two.md", article("Before the watch"))
    monkeypatch.setattr("feeds.follow.SCAN_PAUSE", 1)
    follower = Follower(collection)
    follower.wait_for(lambda: "Before the watch" in follower.titles())
    follower.close()
