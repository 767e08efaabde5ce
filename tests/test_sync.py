"""Comparing real folders with real SQLite indexes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from feeds.index import Index
from feeds.index.changes import MIN_ABSENT_AT_ONCE
from feeds.index.store import IndexUnavailable
from feeds.index.survey import public_feeds
from feeds.index.sync import sync
from feeds.selection import EVERYTHING, Selection
from tests.support import NOW, SEEDS, Collection, article, before_open, refuse

pytestmark = pytest.mark.databases("sqlite", "postgresql")

AI = Selection(kind="topic", key="ai", slug="ai")
LATER = NOW + timedelta(hours=1)


def titles(collection: Collection, selection: Selection = EVERYTHING) -> list[str]:
    found = collection.index.find(selection)
    return [] if found is None else [article.title for article in found.articles]


def test_report_counts_files(collection: Collection) -> None:
    for name in ("same", "edited", "gone"):
        collection.write(f"{name}.md", article(name))
    first = collection.sync()
    assert (first.added, first.changed, first.removed, first.unchanged) == (3, 0, 0, 0)
    collection.write("edited.md", article("edited", quality=81))
    collection.write("new.md", article("new"))
    (collection.folder / "gone.md").unlink()
    second = collection.sync(LATER)
    assert (second.added, second.changed, second.removed, second.unchanged) == (1, 1, 1, 1)
    assert sorted(titles(collection)) == ["edited", "new", "same"]


def test_touched_file_with_the_same_bytes_is_unchanged(collection: Collection) -> None:
    path = collection.write("one.md", article())
    collection.sync()
    os.utime(path, (1_650_000_000, 1_650_000_000))
    report = collection.sync(LATER)
    assert (report.changed, report.unchanged, report.changed_feeds) == (0, 1, 0)


def test_touched_file_at_fault_stays_at_fault(collection: Collection) -> None:
    path = collection.write("one.md", article(quality="many"))
    faults = collection.sync().faults
    os.utime(path, (1_650_000_000, 1_650_000_000))
    reported = collection.sync(LATER).faults
    assert [str(fault) for fault in reported] == [str(fault) for fault in faults] != []


def test_unchanged_size_and_time_are_not_read_again(collection: Collection) -> None:
    path = collection.write("one.md", article("aaaa"))
    collection.sync()
    stat = path.stat()
    path.write_text(article("bbbb"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert collection.sync(LATER).unchanged == 1
    assert titles(collection) == ["aaaa"]


def test_second_edit_within_the_clocks_grain_is_seen(collection: Collection) -> None:
    path = collection.write("one.md", article("aaaa"))
    # As much before the sync as a clock of the file system may be late.
    moment = NOW.timestamp() - 1.9
    os.utime(path, (moment, moment))
    collection.sync()
    path.write_text(article("bbbb"))
    os.utime(path, (moment, moment))
    assert collection.sync(LATER).changed == 1
    assert titles(collection) == ["bbbb"]


def test_moved_file_is_the_same_article(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    before = collection.index.find(EVERYTHING)
    (collection.folder / "archive").mkdir()
    (collection.folder / "one.md").rename(collection.folder / "archive" / "one.md")
    report = collection.sync(LATER)
    assert (report.added, report.removed, report.changed_feeds) == (1, 1, 0)
    assert collection.index.find(EVERYTHING) == before


def test_faulty_file_keeps_its_last_good_version(collection: Collection) -> None:
    collection.write("one.md", article("good"))
    collection.write("two.md", article("other"))
    collection.sync()
    collection.write("one.md", article("bad", time="2020-05-18T02:41:00"))
    report = collection.sync(LATER)
    assert [str(fault) for fault in report.faults] == [
        "one.md:4: 'publishedDateTime' does not say its time zone,"
        " add 'Z' or an offset such as '+02:00'"
    ]
    assert report.faults[0].line == 4
    assert report.changed_feeds == 0
    assert sorted(titles(collection)) == ["good", "other"]
    again = collection.sync(LATER)
    assert again.faults[0].problem == report.faults[0].problem
    collection.write("one.md", article("mended"))
    mended = collection.sync(LATER)
    assert mended.faults == ()
    assert sorted(titles(collection)) == ["mended", "other"]


@pytest.mark.parametrize(
    ("word", "reported"),
    [("published: false", 0), ("published: no", 1), ("published: maybe", 1), ("removed: true", 1)],
)
def test_fault_does_not_keep_what_its_curator_took_back(
    collection: Collection, word: str, reported: int
) -> None:
    collection.write("one.md", article())
    collection.sync()
    text = article(quality="many").replace("published: true", word)
    if word.startswith("removed"):
        text = text.replace("removed: true", "published: true\nremoved: true")
    collection.write("one.md", text)
    assert len(collection.sync(LATER).faults) == reported
    assert titles(collection) == []


def test_unreadable_yaml_that_says_unpublished_is_withdrawn(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    collection.write("one.md", "---\ntitle: [\npublished: false\n---\n")
    collection.sync(LATER)
    assert titles(collection) == []


def test_same_stem_is_a_fault_of_the_second_path(collection: Collection) -> None:
    collection.write("a/one.md", article("first"))
    collection.write("b/one.txt", article("second"))
    report = collection.sync()
    assert [str(fault) for fault in report.faults] == [
        "b/one.txt:1: has the same name as a/one.md, rename one of them"
    ]
    assert titles(collection) == ["first"]
    (collection.folder / "a" / "one.md").unlink()
    assert collection.sync(LATER).faults == ()
    assert titles(collection) == ["second"]


def test_composed_and_decomposed_names_are_one_stem(collection: Collection) -> None:
    collection.write("caf\u00e9.md", article("composed"))
    collection.write("x/cafe\u0301.md", article("decomposed"))
    assert len(collection.sync().faults) == 1


def test_missing_folder_is_an_error_and_withdraws_nothing(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    away = collection.folder.rename(collection.folder.with_name("away"))
    with pytest.raises(FileNotFoundError):
        collection.sync(LATER)
    assert titles(collection) == ["A title"]
    away.rename(collection.folder)
    assert collection.sync(LATER).unchanged == 1


def test_folder_that_comes_up_empty_but_for_an_unreadable_one_withdraws_nothing(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a disk does that is not mounted where a whole disk was; each has a `lost+found`."""
    for number in range(MIN_ABSENT_AT_ONCE):
        collection.write(f"{number}.md", article(f"{number}"))
    (collection.folder / "lost+found").mkdir()
    before_open(monkeypatch, "lost+found", refuse)
    assert [fault.path for fault in collection.sync().faults] == ["lost+found"]
    collection.folder.rename(collection.folder.with_name("away"))
    (collection.folder / "lost+found").mkdir(parents=True)
    report = collection.sync(LATER)
    assert [fault.path for fault in report.faults] == [".", "lost+found"]
    assert (report.removed, report.unchanged, report.changed_feeds) == (0, MIN_ABSENT_AT_ONCE, 0)
    assert len(titles(collection)) == MIN_ABSENT_AT_ONCE


def test_unreadable_subfolder_of_all_articles_is_the_only_fault(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MIN_ABSENT_AT_ONCE):
        collection.write(f"sub/{number}.md", article(f"{number}"))
    collection.sync()
    before_open(monkeypatch, "sub", refuse)
    report = collection.sync(LATER)
    assert [fault.path for fault in report.faults] == ["sub"]
    assert (report.removed, report.unchanged) == (0, MIN_ABSENT_AT_ONCE)


def test_unreadable_subfolder_withdraws_nothing(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.write("sub/one.md", article("below"))
    collection.write("two.md", article("beside"))
    collection.write("subway/three.md", article("gone"))
    collection.sync()
    (collection.folder / "subway" / "three.md").unlink()
    before_open(monkeypatch, "sub", refuse)
    report = collection.sync(LATER)
    assert [str(f) for f in report.faults] == [
        "sub:1: the folder cannot be read, Permission denied"
    ]
    # What is saved elsewhere must not let the fault be forgotten.
    assert (report.removed, report.unchanged, report.can_sync_paths) == (1, 2, False)
    assert sorted(titles(collection)) == ["below", "beside"]
    # Nor does a file of the same name take the place of one that is not seen.
    collection.write("one.txt", article("other"))
    collection.write("xyz.md", "nothing")
    faults = collection.sync(LATER).faults
    assert [fault.path for fault in faults] == ["one.txt", "sub", "xyz.md"]
    assert faults[0].problem == "has the same name as sub/one.md, rename one of them"
    assert sorted(titles(collection)) == ["below", "beside"]


def test_file_that_vanishes_while_it_is_read_is_a_fault(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = collection.write("one.md", article())
    away = collection.folder / "away"

    def fail(now: datetime) -> None:
        with monkeypatch.context() as patch:
            before_open(patch, "one.md", lambda: path.rename(away))
            report = collection.sync(now)
        assert [str(f) for f in report.faults] == [
            "one.md:1: cannot be read, No such file or directory"
        ]

    fail(NOW)
    # Its size and its time are those of before.
    away.rename(path)
    assert collection.sync(NOW + timedelta(hours=1)).faults == ()
    assert titles(collection) == ["A title"]
    collection.write("one.md", article("Changed"))
    fail(LATER)
    assert titles(collection) == ["A title"]


def test_folder_that_comes_up_empty_withdraws_nothing(collection: Collection) -> None:
    for number in range(MIN_ABSENT_AT_ONCE):
        collection.write(f"{number}.md", article(f"{number}"))
    collection.sync()
    away = collection.folder.rename(collection.folder.with_name("away"))
    collection.folder.mkdir()
    report = collection.sync(LATER)
    assert [str(fault) for fault in report.faults] == [
        ".:1: empty where 10 articles were, which stay up; mount the disk, or leave one file"
    ]
    assert (report.removed, report.unchanged, report.changed_feeds) == (0, MIN_ABSENT_AT_ONCE, 0)
    assert len(titles(collection)) == MIN_ABSENT_AT_ONCE
    collection.folder.rmdir()
    away.rename(collection.folder)
    assert collection.sync(LATER).faults == ()
    for number in range(1, MIN_ABSENT_AT_ONCE):
        (collection.folder / f"{number}.md").unlink()
    assert collection.sync(LATER).removed == MIN_ABSENT_AT_ONCE - 1
    (collection.folder / "0.md").unlink()
    assert collection.sync(LATER).removed == 1
    assert titles(collection) == []


def test_removed_file_leaves_the_feeds(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    (collection.folder / "one.md").unlink()
    assert collection.sync(LATER).removed == 1
    assert titles(collection) == []


def test_many_changes_at_once_are_those_of_few(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.index.rows.MAX_ROWS_PER_STATEMENT", 2)
    for name in "abcd":
        collection.write(f"{name}.md", article(name))
    collection.write("never.md", article(published="false"))
    collection.sync()
    (collection.folder / "a.md").unlink()
    collection.write("b.md", article("changed"))
    collection.write("c.md", article("c", published="false"))
    collection.write("never.md", article("still", published="false"))
    report = collection.sync(LATER)
    assert (report.added, report.changed, report.removed) == (0, 3, 1)
    assert titles(collection) == ["changed", "d"]


def test_progress_counts_every_file(collection: Collection) -> None:
    for number in range(3):
        collection.write(f"{number}.md", article())
    seen: list[tuple[int, int]] = []
    sync(collection.index, collection.folder, NOW, lambda *counts: seen.append(counts))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_changed_settings_place_every_article_again(collection: Collection) -> None:
    collection.write("one.md", article(quality=55))
    collection.write("two.md", article("faulty later", quality=80))
    collection.sync()
    collection.write("two.md", "---\npublished: true\n")
    collection.sync(LATER)
    assert titles(collection) == ["faulty later"]
    lowered = replace(collection.config, min_quality=50, id="another")
    collection.index = Index(collection.config.database, lowered)
    later = LATER + timedelta(minutes=1)
    report = collection.sync(later)
    assert report.changed_feeds == 3
    assert sorted(titles(collection)) == ["A title", "faulty later"]
    found = collection.index.find(EVERYTHING)
    assert found and found.changed == later


def test_sync_that_dies_leaves_the_index_as_it_was(collection: Collection) -> None:
    collection.write("one.md", article("before"))
    collection.sync()
    for number in range(30):
        collection.write(f"new{number}.md", article(f"new {number}"))
    collection.write("one.md", article("after"))
    started = multiprocessing.get_context("spawn").Event()
    process = multiprocessing.get_context("spawn").Process(
        target=_slow_sync, args=(collection.config.database, collection.folder, started)
    )
    process.start()
    assert started.wait(30)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert titles(collection) == ["before"]
    assert collection.sync(LATER).added == 30
    assert "after" in titles(collection)


def _slow_sync(database: str, folder: Path, started: object) -> None:
    from feeds.config import Config

    def wait(done: int, total: int) -> None:
        if done == total - 1:
            started.set()  # type: ignore[attr-defined]  # an Event of multiprocessing
            time.sleep(60)

    sync(Index(database, Config()), folder, LATER, wait)


def test_two_syncs_at_once_both_succeed(collection: Collection) -> None:
    for number in range(20):
        collection.write(f"{number}.md", article(f"{number}"))
    reports = []

    def run() -> None:
        index = Index(collection.config.database, collection.config)
        reports.append(sync(index, collection.folder, NOW))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.added for report in reports) == [0, 0, 0, 20]


@pytest.mark.databases("sqlite")
def test_index_that_cannot_be_written_says_so(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    (tmp_path / "folder.sqlite3").mkdir()
    collection = make_collection(database=f"sqlite:///{tmp_path}/folder.sqlite3")
    with pytest.raises(IndexUnavailable, match=r"folder.sqlite3 cannot be written"):
        collection.sync()


def test_seeds_make_three_feeds_with_one_entry(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection()
    sync(collection.index, SEEDS, NOW)
    listed = [(i.selection.kind, i.selection.slug, i.count) for i in public_feeds(collection.index)]
    assert listed == [
        ("site", "", 1),
        ("topic", "ai", 1),
        ("topic", "computer-vision", 1),
        ("provider", "rnz.co.nz", 1),
    ]


@pytest.mark.databases("sqlite")
def test_secured_is_not_in_the_index_file(collection: Collection) -> None:
    collection.write("one.md", article(more='secured: "QUJDsecretREVG;SVY="\n'))
    collection.sync()
    for path in collection.folder.parent.glob("*.sqlite3*"):
        assert b"QUJDsecretREVG" not in path.read_bytes()


@pytest.mark.databases("sqlite")
def test_unpublished_text_is_not_in_the_index_file(collection: Collection) -> None:
    collection.write("draft.md", article("Unspoken words", published="false"))
    collection.sync()
    for path in collection.folder.parent.glob("*.sqlite3*"):
        assert b"Unspoken words" not in path.read_bytes()
