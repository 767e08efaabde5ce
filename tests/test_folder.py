"""Real folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from feeds.folder import list_files, read_bytes


def paths(folder: Path) -> list[str]:
    return [file.path for file in list_files(folder).files]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


def test_article_files_of_every_depth_come_by_path(folder: Path) -> None:
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
    assert read_bytes(folder, list_files(folder).files[0]) == b"inside"


def test_what_is_no_file_is_left_out(folder: Path) -> None:
    os.mkfifo(folder / "pipe.md")
    (folder / "folder.md").mkdir()
    assert paths(folder) == []


def test_size_and_time_are_those_of_the_file(folder: Path) -> None:
    (folder / "one.md").write_text("12345")
    os.utime(folder / "one.md", ns=(0, 1_600_000_000_123_456_789))
    (file,) = list_files(folder).files
    assert (file.size, file.mtime, file.stem) == (5, 1_600_000_000_123_456_789, "one")


@pytest.mark.parametrize("name", [b"two\nlines.md", b"latin-\xe9.md"])
def test_name_that_cannot_be_printed_is_a_fault(folder: Path, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")
    listing = list_files(folder)
    assert listing.files == ()
    ((shown, fault),) = listing.faults.items()
    assert shown.isprintable() and fault == "the name cannot be printed, rename it"


def test_file_that_vanishes_while_listed_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "one.md").write_text("x")

    class Vanishing:
        """A directory entry whose file goes between two looks at it."""

        name, path = "one.md", str(folder / "one.md")

        def is_dir(self, follow_symlinks: bool) -> bool:
            return False

        def is_symlink(self) -> bool:
            return False

        def is_file(self) -> bool:
            (folder / "one.md").unlink()
            return True

        def stat(self) -> os.stat_result:
            return os.stat(self.path)

    class Listed:
        def __enter__(self) -> list[Vanishing]:
            return [Vanishing()]

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(os, "scandir", lambda path: Listed())
    assert paths(folder) == []


def test_missing_folder_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list_files(folder / "nowhere")
