"""Real folders."""

from __future__ import annotations

import ctypes
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket

import pytest

from feeds.articles.folder import MAX_FILE_SIZE, list_files, read_bytes, scan_paths
from tests.support import before_open, refuse


def paths(folder: Path) -> list[str]:
    return sorted(list_files(folder).paths)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # and back afterwards
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


def test_article_files_of_every_depth_are_listed(folder: Path) -> None:
    (folder / "b" / "c").mkdir(parents=True)
    for name in ("z.md", "a.TXT", "b/c/x.markdown", "b/y.md", "b/page.html", "b/y.md~"):
        (folder / name).write_text("x")
    assert paths(folder) == ["a.TXT", "b/c/x.markdown", "b/y.md", "z.md"]


def test_hidden_names_are_left_out(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "x.md").write_text("x")
    (folder / ".x.md").write_text("x")
    assert paths(folder) == []


def test_links_are_followed_within_the_folder_only(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y.md").write_text("x")
    (folder / "..data").mkdir()
    (folder / "..data" / "real.md").write_text("inside")
    (folder / "in.md").symlink_to(folder / "..data" / "real.md")
    (folder / "out.md").symlink_to(tmp_path / "secret.md")
    (folder / "outside").symlink_to(tmp_path / "elsewhere")
    (folder / "dangling.md").symlink_to(folder / "nothing.md")
    assert paths(folder) == ["in.md"]
    assert read_bytes(folder, "in.md") == b"inside"


def test_link_to_a_folder_is_not_followed(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "one.md").write_text("x")
    (folder / "b").symlink_to(folder / "a")
    (folder / "a" / "again").symlink_to(folder)
    assert paths(folder) == ["a/one.md"]


@pytest.mark.parametrize("target", ["link.md", "nothing.md", "one.md/x", "x" * 300])
def test_broken_link_does_not_hide_its_neighbours(folder: Path, target: str) -> None:
    (folder / "one.md").write_text("x")
    (folder / "link.md").symlink_to(target)
    listing = list_files(folder)
    assert sorted(listing.paths) == ["one.md"]
    assert listing.faults == {}


def test_neighbour_whose_name_begins_like_the_folder_is_outside(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "articles-of-others").mkdir()
    (tmp_path / "articles-of-others" / "secret.md").write_text("x")
    (folder / "out.md").symlink_to(tmp_path / "articles-of-others" / "secret.md")
    assert paths(folder) == []


def test_folder_may_be_a_link_itself(folder: Path, tmp_path: Path) -> None:
    (folder / "one.md").write_text("x")
    (folder / "two.md").symlink_to("one.md")
    (tmp_path / "link").symlink_to(folder)
    assert paths(tmp_path / "link") == ["one.md", "two.md"]


def test_only_regular_files_are_listed(folder: Path) -> None:
    os.mkfifo(folder / "pipe.md")
    (folder / "link.md").symlink_to("pipe.md")
    (folder / "device.md").symlink_to("/dev/zero")
    (folder / "folder.md").mkdir()
    with socket(AF_UNIX) as listener:
        os.chdir(folder)  # a socket's path is short
        listener.bind("socket.md")
    assert paths(folder) == []


def test_size_and_time_are_those_of_the_file(folder: Path) -> None:
    (folder / "one.md").write_text("12345")
    os.utime(folder / "one.md", ns=(0, 1_600_000_000_123_456_789))
    assert list_files(folder).files == [("one.md", 5, 1_600_000_000_123_456_789)]


@pytest.mark.parametrize("name", [b"two\nlines.md", b"latin-\xe9.md"])
def test_name_that_cannot_be_printed_is_a_fault(folder: Path, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")
    listing = list_files(folder)
    assert listing.files == []
    ((shown, fault),) = listing.faults.items()
    assert shown.isprintable() and fault == "the name cannot be printed, rename it"


def test_folder_whose_name_cannot_be_printed_is_a_fault(folder: Path) -> None:
    (folder / "sub" / "two\nlines").mkdir(parents=True)
    (folder / "sub" / "two\nlines" / "one.md").write_text("x")
    listing = list_files(folder)
    assert listing.files == []
    assert listing.faults == {"'sub/two\\nlines'": "the name cannot be printed, rename it"}


@pytest.mark.parametrize("name", ["Screenshot 1\u202fPM.png", ".hidden\n.md", "notes\n"])
def test_name_that_is_no_articles_may_be_any(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    assert list_files(folder).faults == {}


def test_unreadable_subfolder_is_a_fault_and_the_others_are_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/closed", "b"):
        (folder / name).mkdir(parents=True)
        (folder / name / "one.md").write_text("x")
    before_open(monkeypatch, "closed", refuse)
    listing = list_files(folder)
    assert sorted(listing.paths) == ["b/one.md"]
    assert listing.faults == {"a/closed": "the folder cannot be read, Permission denied"}


@pytest.mark.parametrize(
    ("target", "listed"),
    [
        (None, [("two.md", 2)]),
        ("two.md", [("one.md", 2), ("two.md", 2)]),
        ("../secret.md", [("two.md", 2)]),
    ],
)
def test_file_that_vanishes_or_becomes_a_link_while_listed_is_listed_as_that(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str | None,
    listed: list[tuple[str, int]],
) -> None:
    (folder / "one.md").write_text("x")
    (folder / "two.md").write_text("xx")
    folder.with_name("secret.md").write_text("secret")
    real = os.scandir

    @contextmanager
    def scandir(opened: int) -> Iterator[list[os.DirEntry[str]]]:
        with real(opened) as found:
            items = list(found)
        (folder / "one.md").unlink()
        if target:
            (folder / "one.md").symlink_to(target)
        yield items

    monkeypatch.setattr(os, "scandir", scandir)
    assert sorted((path, size) for path, size, _ in list_files(folder).files) == listed


def test_folder_that_is_moved_while_listed_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its articles would be taken for removed ones."""
    (folder / "a").mkdir()
    (folder / "one.md").write_text("x")
    before_open(monkeypatch, "a", lambda: folder.rename(folder.with_name("away")))
    with pytest.raises(FileNotFoundError):
        list_files(folder)


def test_folder_on_a_failing_disk_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(opened: int) -> Iterator[os.DirEntry[str]]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(OSError):
        list_files(folder)


def test_subfolder_moved_while_it_is_listed_is_a_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "one.md").write_text("x")
    (folder / "two.md").write_text("x")
    before_open(monkeypatch, "a", lambda: (folder / "a").rename(folder / "b"))
    listing = list_files(folder)
    assert listing.paths == ["two.md"]
    assert listing.faults == {"a": "the folder cannot be read, No such file or directory"}


@pytest.mark.parametrize("by_link", [False, True])
def test_folder_that_is_replaced_while_listed_is_listed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, by_link: bool
) -> None:
    """As those are who publish a whole folder at once; the old one may be half deleted."""
    for release, names in (("old", ["one.md", "a/two.md"]), ("new", ["one.md", "a/three.md"])):
        (folder / release / "a").mkdir(parents=True)
        for name in names:
            (folder / release / name).write_text("x")
    current = folder / "current"
    if by_link:
        current.symlink_to("old")
    else:
        (folder / "old").rename(current)

    def replace() -> None:
        if not (folder / "new").exists() or current.resolve().name == "new":
            return
        if by_link:
            (folder / "next").symlink_to("new")
            (folder / "next").rename(current)
            (folder / "old" / "a" / "two.md").unlink()
        else:
            current.rename(folder / "old")
            (folder / "new").rename(current)

    before_open(monkeypatch, "a", replace)
    assert paths(current) == ["a/three.md", "one.md"]


def test_scanned_paths_are_as_in_the_whole_list(folder: Path) -> None:
    names = ["a.md", "b.TXT", ".c.md", ".h/d.md", "x/.e.md", "x/f.markdown", "page.html"]
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    found = scan_paths(folder, [*names, "gone.md", "gone/a.md"])
    assert found and sorted(found.files) == sorted(list_files(folder).files)
    assert sorted(found.paths) == ["a.md", "b.TXT", "x/f.markdown"]


@pytest.mark.parametrize(
    "path",
    ["x", "link.md", "behind/one.md", "x/one.md/a.md", "pipe/a.md", "line\nbreak.md", "x" * 300],
)
def test_path_that_only_the_whole_list_finds_is_not_scanned(folder: Path, path: str) -> None:
    (folder / "x").mkdir()
    (folder / "x" / "one.md").write_text("x")
    (folder / "line\nbreak.md").write_text("x")
    (folder / "link.md").symlink_to("x/one.md")
    (folder / "behind").symlink_to("x")
    os.mkfifo(folder / "pipe")
    assert scan_paths(folder, ["x/one.md"]) is not None
    assert scan_paths(folder, ["x/one.md", path]) is None


def test_paths_of_a_folder_that_was_replaced_meanwhile_are_not_scanned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "one.md").write_text("x")
    assert scan_paths(folder, ["one.md", "a/two.md"]) is not None

    def replace() -> None:
        folder.rename(folder.with_name("away"))
        folder.mkdir()

    before_open(monkeypatch, "a", replace)
    assert scan_paths(folder, ["one.md", "a/two.md"]) is None


def test_missing_folder_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list_files(folder / "nowhere")
    with pytest.raises(FileNotFoundError):
        scan_paths(folder / "nowhere", ["one.md"])


def test_at_most_one_byte_too_many_is_read(folder: Path) -> None:
    (folder / "one.md").write_bytes(b"x" * (MAX_FILE_SIZE + 9))
    assert len(read_bytes(folder, "one.md")) == MAX_FILE_SIZE + 1


def _swap_for_a_link_out(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def _swap_for_a_pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def _swap_for_a_link_to_a_pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def _swap_for_a_loop(path: Path, outside: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("swap", "problem"),
    [
        (_swap_for_a_link_out, "a link to no file of the folder"),
        (_swap_for_a_pipe, "it is not a file"),
        (_swap_for_a_link_to_a_pipe, "it is not a file"),
        (_swap_for_a_loop, None),
    ],
)
def test_file_that_became_something_else_is_not_read(
    folder: Path, tmp_path: Path, swap: Callable[[Path, Path], None], problem: str | None
) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (folder / "one.md").write_text("x")
    (file,) = list_files(folder).paths
    (folder / "one.md").unlink()
    swap(folder / "one.md", tmp_path / "secret.md")
    with pytest.raises(OSError, match=problem):
        read_bytes(folder, file)


def test_hundreds_of_levels_are_listed(folder: Path) -> None:
    below = folder.joinpath(*["d"] * 300)
    below.mkdir(parents=True)
    (below / f"{'x' * 252}.md").write_text("x")
    assert len(paths(folder)) == 1


def _with_an_outside(folder: Path) -> Path:
    """A folder beside `folder` that holds a file of the same name, and a link to it."""
    outside = folder.with_name("outside")
    for path, text in ((folder / "a", "inside"), (outside, "secret, outside")):
        path.mkdir()
        (path / "one.md").write_text(text)
    (folder / "link").symlink_to(outside)
    return outside


def test_subfolder_that_became_a_link_out_is_not_read(folder: Path) -> None:
    outside = _with_an_outside(folder)
    (file,) = list_files(folder).paths
    (folder / "a").rename(folder / "b")
    (folder / "a").symlink_to(outside)
    with pytest.raises(OSError):
        read_bytes(folder, file)
    assert scan_paths(folder, [file]) is None


def _swap_as_it_is_opened(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    outside = _with_an_outside(folder)

    def swap() -> None:
        if not (folder / "a").is_symlink():
            (folder / "a").rename(folder / "b")
            (folder / "a").symlink_to(outside)

    before_open(monkeypatch, "a", swap)


def test_subfolder_that_becomes_a_link_out_as_it_is_opened_is_not_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _swap_as_it_is_opened(monkeypatch, folder)
    listing = list_files(folder)
    assert (listing.files, [*listing.faults]) == ([], ["a"])


def test_link_whose_target_comes_to_lie_outside_as_it_is_opened_is_not_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "to.md").symlink_to("a/one.md")
    _swap_as_it_is_opened(monkeypatch, folder)
    with pytest.raises(OSError):
        read_bytes(folder, "to.md")


def test_subfolder_that_changes_places_with_a_link_out_shows_nothing_of_it(folder: Path) -> None:
    """Linux exchanges two names in one step (renameat2), so there is no moment without them."""
    outside = _with_an_outside(folder)
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        pytest.skip("the C library has no renameat2")
    names = [os.fsencode(folder / name) for name in ("a", "link")]
    at_cwd, exchange = -100, 2
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            renameat2(at_cwd, names[0], at_cwd, names[1], exchange)

    swapping = threading.Thread(target=swap)
    swapping.start()
    sizes, texts, deadline = set(), set(), time.monotonic() + 1
    try:
        while time.monotonic() < deadline:
            scanned = scan_paths(folder, ["a/one.md", "link/one.md"])
            files = [*list_files(folder).files, *(scanned.files if scanned else [])]
            sizes |= {size for _, size, _ in files}
            for path in ("a/one.md", "link/one.md"):
                try:
                    texts.add(read_bytes(folder, path))
                except OSError:
                    continue
    finally:
        stop.set()
        swapping.join()
    assert (sizes, texts) == ({6}, {b"inside"})
    assert (outside / "one.md").read_text() == "secret, outside"
