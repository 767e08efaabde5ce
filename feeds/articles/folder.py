"""The folder of articles, as the file system shows it."""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from feeds.articles import SUFFIXES, opening

_SUFFIXES = tuple(SUFFIXES)

#: A file's path, its size, and its last change in nanoseconds since 1970.
File = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The article files of a folder, and what could not be listed.

    Paths are relative to the folder, with slashes.
    """

    #: In no order.
    files: list[File]
    #: The fault by path; of a folder's, nothing is known of what lies below.
    faults: dict[str, str] = field(default_factory=dict)
    #: Links that are, or may become, files: what changes one of them may lie elsewhere.
    links: set[str] = field(default_factory=set)

    @property
    def paths(self) -> list[str]:
        """The paths of the files."""
        return [path for path, _, _ in self.files]


def list_files(directory: Path) -> Listing:
    """Every article file below a folder; names that begin with a dot are left out.

    Links are followed to files within the folder only, and what is neither file nor
    folder is left out. Raises OSError if the folder itself cannot be read.
    """
    while True:
        before = os.stat(directory)
        listing = _list_all(os.path.realpath(directory))
        if os.path.samestat(before, os.stat(directory)):
            return listing


def _list_all(root: str) -> Listing:
    listing = Listing(files=[])
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(f"{root}/{folder}" if folder else root) as found:
                _list(found, f"{folder}/" if folder else "", root, folders, listing)
        except OSError as error:
            if not folder:
                raise
            listing.faults[folder] = f"the folder cannot be read, {error.strerror}"
    return listing


def _list(
    found: Iterable[os.DirEntry[str]], prefix: str, root: str, folders: list[str], listing: Listing
) -> None:
    # Every line counts here: all files are looked at again and again.
    files = listing.files
    for item in found:
        name = item.name
        if name[0] == ".":
            continue
        is_folder = item.is_dir(follow_symlinks=False)
        if not (is_folder or name.endswith(_SUFFIXES) or name.lower().endswith(_SUFFIXES)):
            continue
        path = prefix + name
        if not name.isprintable():  # a line break, or bytes that are no UTF-8
            listing.faults[ascii(path)] = "the name cannot be printed, rename it"
            continue
        if is_folder:
            folders.append(path)
            continue
        if item.is_symlink():
            listing.links.add(path)
            if _target(item.path, root) is None:
                continue
        try:
            stat = item.stat()
        except FileNotFoundError:  # it vanished since the folder was read
            os.stat(os.path.dirname(item.path))  # unless that did: no word of its files
            continue
        if S_ISREG(stat.st_mode):
            files.append((path, stat.st_size, stat.st_mtime_ns))


def look_at(directory: Path, paths: Iterable[str]) -> Listing | None:
    """The article files among some paths below a folder; None where only a list can tell.

    That is so for folders, for links and what lies behind them, for names that cannot be
    printed, for what may not be looked at, and where the folder was replaced meanwhile.
    Raises OSError if the folder itself cannot be read.
    """
    before = os.stat(directory)
    root = os.path.realpath(directory)
    listing = Listing(files=[])
    for path in paths:
        full = f"{root}/{path}"
        folder = os.path.dirname(full)
        if os.path.realpath(folder) != folder:
            return None
        try:
            stat = os.lstat(full)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return None
        if not (S_ISREG(stat.st_mode) and path.isprintable()):
            return None
        if path.lower().endswith(_SUFFIXES) and not is_hidden(path):
            listing.files.append((path, stat.st_size, stat.st_mtime_ns))
    return listing if os.path.samestat(before, os.stat(directory)) else None


def is_hidden(path: str) -> bool:
    """Whether any name in a path begins with a dot."""
    return path.startswith(".") or "/." in path


def _target(path: str, root: str) -> str | None:
    """The file within `root` that a link leads to, if it does."""
    try:
        target = os.path.realpath(path, strict=True)
    except OSError:  # a link to nothing or to itself must not hide its neighbours
        return None
    return target if target.startswith(root + os.sep) and os.path.isfile(target) else None


@contextmanager
def collector_off() -> Iterator[None]:
    """Python's collector off: it would go through all that is listed, and find nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        (gc.enable if was_on else gc.disable)()


def read_bytes(directory: Path, path: str) -> bytes:
    """A file's bytes, at most one more than an article may have. Raises OSError."""
    try:
        return opening.read_bytes(f"{directory}/{path}", os.O_NOFOLLOW)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    # A link, which may lead elsewhere than when the folder was listed.
    target = _target(f"{directory}/{path}", os.path.realpath(directory))
    if target is None:
        raise OSError(errno.ELOOP, "it is a link to no file of the folder")
    return opening.read_bytes(target, os.O_NOFOLLOW)
