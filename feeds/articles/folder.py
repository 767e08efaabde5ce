"""The folder of articles, as the file system shows it."""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from feeds.articles import SUFFIXES, opening
from feeds.articles.opening import open_folder

_SUFFIXES = tuple(SUFFIXES)

#: A file's path, its size, and its last change in nanoseconds since 1970.
File = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The article files of a folder, and what could not be listed.

    Paths are relative to the folder, with slashes.
    """

    #: In no order.
    files: list[File] = field(default_factory=list)
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
        listing, folders, real = Listing(), [""], os.path.realpath(directory)
        with open_folder(directory) as root:
            while folders:
                path = folders.pop()
                try:
                    with open_folder(root, path) as folder, os.scandir(folder) as items:
                        folders += _list(items, path and f"{path}/", listing)
                except OSError as error:
                    if not path:
                        raise
                    listing.faults[path] = f"the folder cannot be read, {error.strerror}"
            for path in listing.links:
                # A link to nothing or to itself must not hide its neighbours.
                with suppress(OSError):
                    _add(listing, path, _stat(root, _target(real, path)))
            if os.path.samestat(os.fstat(root), os.stat(directory)):
                return listing


def _list(items: Iterable[os.DirEntry[str]], prefix: str, listing: Listing) -> list[str]:
    """Add the files and links of a folder, and return the folders in it."""
    # Every line costs time: all files are scanned again and again.
    folders = []
    for item in items:
        name = item.name
        if name[0] == ".":
            continue
        is_folder = item.is_dir(follow_symlinks=False)
        if not (is_folder or name.endswith(_SUFFIXES) or name.lower().endswith(_SUFFIXES)):
            continue
        path = prefix + name
        if not name.isprintable():  # a line break, or bytes that are no UTF-8
            listing.faults[ascii(path)] = "the name cannot be printed, rename it"
        elif is_folder:
            folders.append(path)
        else:
            try:
                stat = item.stat(follow_symlinks=False)
            except FileNotFoundError:  # it vanished since the folder was read
                continue
            if S_ISLNK(stat.st_mode):
                listing.links.add(path)
            else:
                _add(listing, path, stat)
    return folders


def scan_paths(directory: Path, paths: Iterable[str]) -> Listing | None:
    """The article files among some paths below a folder; None where only a list can tell.

    That is so for folders, for links and what lies behind them, for names that cannot be
    printed, for what may not be read, and where the folder was replaced meanwhile.
    Raises OSError if the folder itself cannot be read.
    """
    listing = Listing()
    with open_folder(directory) as root:
        for path in paths:
            try:
                stat = _stat(root, path)
            except FileNotFoundError:
                continue
            except OSError:
                return None
            if not (S_ISREG(stat.st_mode) and path.isprintable()):
                return None
            if path.lower().endswith(_SUFFIXES) and "/." not in f"/{path}":
                _add(listing, path, stat)
        return listing if os.path.samestat(os.fstat(root), os.stat(directory)) else None


def _add(listing: Listing, path: str, stat: os.stat_result) -> None:
    if S_ISREG(stat.st_mode):
        listing.files.append((path, stat.st_size, stat.st_mtime_ns))


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Scanning makes no reference cycles, so the collector only costs time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        (gc.enable if was_on else gc.disable)()


def read_bytes(directory: Path, path: str) -> bytes:
    """A file's bytes, at most one more than an article may have. Raises OSError."""
    try:
        return _read(directory, path)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    # A link, which may lead elsewhere than when the folder was listed.
    return _read(directory, _target(os.path.realpath(directory), path))


def _read(directory: Path, path: str) -> bytes:
    above, _, name = path.rpartition("/")
    with open_folder(directory, above) as folder:
        return opening.read_bytes(name, folder)


def _stat(root: int, path: str) -> os.stat_result:
    above, _, name = path.rpartition("/")
    with open_folder(root, above) as folder:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)


def _target(root: str, path: str) -> str:
    """The path below `root` that a link leads to. Raises OSError if it leads elsewhere."""
    target = os.path.realpath(f"{root}/{path}", strict=True)
    if not target.startswith(root + os.sep):
        raise OSError(errno.ELOOP, "it is a link to no file of the folder")
    return target.removeprefix(root + os.sep)
