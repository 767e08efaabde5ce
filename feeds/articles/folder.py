"""The folder of articles, as the file system shows it."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from feeds.articles import SUFFIXES, opening, stem_of


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """An article file; `path` is relative to the folder, with slashes."""

    path: str
    size: int
    #: Last change in nanoseconds since 1970.
    mtime: int

    @property
    def stem(self) -> str:
        """The article's identity."""
        return stem_of(Path(self.path))


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The article files of a folder, by path, and what could not be listed."""

    files: tuple[File, ...]
    #: Relative path to the fault; of a folder's, nothing is known of what lies below.
    faults: dict[str, str]


def list_files(directory: Path) -> Listing:
    """Every article file below a folder; names that begin with a dot are left out.

    Links are followed to files within the folder only, and what is neither file nor
    folder is left out. Raises OSError if the
    folder itself cannot be read.
    """
    root = os.path.realpath(directory)
    files: list[File] = []
    faults: dict[str, str] = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(f"{root}/{folder}" if folder else root) as found:
                for item in filter(_is_ours, found):
                    if item.name.isprintable():
                        _look(item, folder, root, files, folders)
                    else:  # a line break, or bytes that are no UTF-8
                        shown = ascii(f"{folder}/{item.name}".lstrip("/"))
                        faults[shown] = "the name cannot be printed, rename it"
        except OSError as error:
            if not folder:
                raise
            faults[folder] = f"the folder cannot be read, {error.strerror}"
    return Listing(files=tuple(sorted(files, key=lambda f: f.path)), faults=faults)


def _is_ours(item: os.DirEntry[str]) -> bool:
    """Whether it is a folder or an article file by its name, and not hidden."""
    if item.name.startswith("."):
        return False
    suffix = PurePosixPath(item.name).suffix.lower()
    return suffix in SUFFIXES or item.is_dir(follow_symlinks=False)


def _look(
    item: os.DirEntry[str], folder: str, root: str, files: list[File], folders: list[str]
) -> None:
    path = f"{folder}/{item.name}" if folder else item.name
    if item.is_dir(follow_symlinks=False):
        folders.append(path)
    elif _within(item, root):
        try:
            stat = item.stat()
        except FileNotFoundError:  # it vanished since the folder was read
            return
        files.append(File(path=path, size=stat.st_size, mtime=stat.st_mtime_ns))


def _within(item: os.DirEntry[str], root: str) -> bool:
    # A link to nothing or to itself must not hide its neighbours.
    return item.is_file() if not item.is_symlink() else _target(item.path, root) is not None


def _target(path: str, root: str) -> str | None:
    """The file within `root` that a link leads to, if it does."""
    try:
        target = os.path.realpath(path, strict=True)
    except OSError:
        return None
    return target if target.startswith(root + os.sep) and os.path.isfile(target) else None


def read_bytes(directory: Path, file: File) -> bytes:
    """A file's bytes, at most one more than an article may have. Raises OSError."""
    path = directory / file.path
    try:
        return opening.read_bytes(path, os.O_NOFOLLOW)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    # A link, which may lead elsewhere than when the folder was listed.
    target = _target(str(path), os.path.realpath(directory))
    if target is None:
        raise OSError(errno.ELOOP, "it is a link to no file of the folder")
    return opening.read_bytes(target, os.O_NOFOLLOW)
