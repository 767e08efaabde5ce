"""A sync of the changed paths alone leaves the index as a sync of the whole folder does.

python -m tests.test_changed_paths EXAMPLES
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from feeds.articles import folder as folders
from feeds.config import Config
from feeds.index import Index, schema
from feeds.index.changes import MAX_CHANGED_PATHS, MIN_ABSENT_AT_ONCE
from feeds.index.sync import Report, sync
from tests.support import NOW, Collection, article, before_open, refuse

TEXTS = (
    *(article("One"), article("Two", topics=("Law",)), article("Three", quality=59)),
    *(article("Four", published="false"), article("Five", quality="many"), "---\ntitle: [\n"),
)
PATHS = ("a.md", "b.md", "b.txt", "x/a.md", "x/b.md", "x/y/a.md", "z/c.TXT", ".h/a.md", "note.html")
_paths = st.sampled_from(PATHS)
_edits = st.one_of(
    st.tuples(st.just("write"), _paths, st.sampled_from(TEXTS)),
    st.tuples(st.just("write"), _paths, st.sampled_from(TEXTS)),
    st.tuples(st.just("delete"), _paths, st.just("")),
    st.tuples(st.just("move"), _paths, _paths),
    st.tuples(st.just("move"), st.sampled_from(["x", "x/y", "z"]), st.sampled_from(["w", "v"])),
    st.tuples(st.just("delete"), st.sampled_from(["x", "x/y", "w"]), st.just("")),
    st.tuples(st.just("link"), _paths, _paths),
)
_steps = st.lists(st.lists(_edits, min_size=1, max_size=3), min_size=1, max_size=7)


def contents(index: Index) -> dict[str, list[str]]:
    """Return the rows of every table but `meta`, which has the time of the sync."""
    with index.read_transaction() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in (schema.files, schema.articles, schema.entries, schema.feeds)
        }


def edit(collection: Collection, kind: str, name: str, what: str) -> set[str]:
    """Change the folder, and return the paths that a watch would report."""
    path = collection.folder / name
    other = collection.folder / what
    if path.parent.is_file() or (kind != "write" and what and other.parent.is_file()):
        return set()
    if kind == "write" and not path.is_symlink():
        new = {str(p.relative_to(collection.folder)) for p in path.parents if not p.exists()}
        collection.write(name, what)
        return {name} | new
    if kind == "delete" and (path.exists() or path.is_symlink()):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return {name}
    if kind == "move" and path.exists() and not other.exists() and other.parent.is_dir():
        path.rename(other)
        return {name, what}
    if kind == "link" and path.is_file() and not other.exists() and other.parent.is_dir():
        other.unlink(missing_ok=True)
        other.symlink_to(path)
        return {what}
    return set()


@given(_steps)
@settings(max_examples=12, deadline=None)
def test_sync_of_the_changed_paths_is_enough(steps: list[list[tuple[str, str, str]]]) -> None:
    check(steps)


def check(steps: list[list[tuple[str, str, str]]]) -> None:
    """Compare two indexes after each step: one synced by paths, the other as a whole."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        folder.mkdir()
        config = Config(articles=folder, database=f"sqlite:///{scratch}/changed.sqlite3")
        collection = Collection(folder, config)
        whole = Index(f"sqlite:///{scratch}/whole.sqlite3", config)
        now = NOW
        report = collection.sync(now)
        sync(whole, folder, now)
        for step in steps:
            now += timedelta(seconds=3)
            changed = {path for each in step for path in edit(collection, *each)}
            changed_paths = changed if report.can_sync_paths else None
            report = sync(collection.index, folder, now, changed_paths=changed_paths)
            full = sync(whole, folder, now)
            assert contents(collection.index) == contents(whole)
            assert list(map(str, report.faults)) == list(map(str, full.faults))
            assert (report.added, report.changed, report.removed, report.changed_feeds) == (
                full.added,
                full.changed,
                full.removed,
                full.changed_feeds,
            )
        collection.index.close()
        whole.close()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were listed as a whole."""
    calls: list[Path] = []

    def list_files(directory: Path) -> folders.Listing:
        calls.append(directory)
        return folders.list_files(directory)

    monkeypatch.setattr("feeds.index.changes.list_files", list_files)
    return calls


def sync_paths(collection: Collection, *paths: str) -> Report:
    return sync(collection.index, collection.folder, NOW, changed_paths=set(paths))


@pytest.fixture
def known(collection: Collection) -> Collection:
    """Two articles, in the index."""
    collection.write("one.md", article("One"))
    collection.write("sub/two.md", article("Two"))
    assert collection.sync().can_sync_paths
    return collection


def test_only_the_changed_paths_are_read(known: Collection, listed: list[Path]) -> None:
    known.write("one.md", article("Another"))
    known.write("new.md", article("New"))
    (known.folder / "sub" / "two.md").unlink()
    report = sync_paths(known, "one.md", "new.md", "sub/two.md", "new.md.tmp", ".one.md.swp")
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 1, 0)
    assert report.can_sync_paths and listed == []


def test_saved_file_of_the_same_size_and_time_is_read(
    known: Collection, listed: list[Path]
) -> None:
    """A tool may keep the times of files, or exchange two files."""
    for name, title in (("one.md", "Six"), ("sub/two.md", "Ten")):
        path = known.folder / name
        before = path.stat()
        path.write_text(article(title))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
    report = sync_paths(known, "one.md", "sub/two.md")
    assert (report.changed, report.changed_feeds, listed) == (2, 3, [])
    (known.folder / "one.md").write_text(article("New"))
    os.utime(known.folder / "one.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert sync_paths(known, "one.md", "sub").changed == 1


def test_path_of_a_folder_or_link_needs_a_whole_scan(known: Collection, listed: list[Path]) -> None:
    for name in ("sub", "."):
        sync_paths(known, name)
    (known.folder / "link.md").symlink_to("one.md")
    assert not sync_paths(known, "link.md").can_sync_paths
    (known.folder / "link.md").unlink()
    (known.folder / "behind").symlink_to("sub")
    assert sync_paths(known, "behind/two.md").can_sync_paths
    shutil.rmtree(known.folder / "sub")
    assert sync_paths(known, "sub").removed == 1
    assert len(listed) == 5


def test_loss_of_all_files_needs_a_whole_scan(collection: Collection) -> None:
    for number in range(MIN_ABSENT_AT_ONCE):
        collection.write(f"{number}.md", article(f"{number}"))
    collection.sync(NOW)
    names = {f"{number}.md" for number in range(MIN_ABSENT_AT_ONCE)}
    for name in names:
        (collection.folder / name).unlink()
    report = sync(collection.index, collection.folder, NOW, changed_paths=names)
    assert (report.removed, report.unchanged) == (0, MIN_ABSENT_AT_ONCE)
    assert [fault.path for fault in report.faults] == ["."]


def test_link_without_a_target_needs_a_whole_scan(known: Collection, listed: list[Path]) -> None:
    (known.folder / "link.md").symlink_to("data")
    assert not sync_paths(known, "link.md").can_sync_paths
    (known.folder / "data").write_text(article("Linked"))
    assert sync(known.index, known.folder, NOW).added == 1
    (known.folder / "data").unlink()
    assert not sync(known.index, known.folder, NOW).can_sync_paths


def test_too_many_paths_need_a_whole_scan(known: Collection, listed: list[Path]) -> None:
    sync_paths(known, *map(str, range(MAX_CHANGED_PATHS + 1)))
    assert len(listed) == 1


def test_second_file_of_a_name_takes_it_once_the_first_is_gone(
    known: Collection, listed: list[Path]
) -> None:
    known.write("sub/one.txt", article("Waiting"))
    assert len(sync_paths(known, "sub/one.txt").faults) == 1
    (known.folder / "one.md").unlink()
    assert sync_paths(known, "one.md").faults == ()
    assert "Waiting" in str(contents(known.index)["articles"]) and listed == []


def test_second_file_of_a_name_that_became_a_link_needs_a_whole_scan(
    known: Collection, listed: list[Path]
) -> None:
    path = known.write("sub/one.txt", article("Waiting"))
    sync_paths(known, "sub/one.txt")
    path.unlink()
    path.symlink_to(known.folder / "one.md")
    known.write("one.md", article("Edited"))
    sync_paths(known, "one.md")
    assert len(listed) == 1


def test_folder_without_permission_needs_a_whole_scan(
    known: Collection, listed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before_open(monkeypatch, "sub", refuse)
    assert sync_paths(known, "sub/two.md").removed == 0
    assert len(listed) == 1


if __name__ == "__main__":
    settings(max_examples=int(sys.argv[1]), deadline=None)(given(_steps)(check))()
