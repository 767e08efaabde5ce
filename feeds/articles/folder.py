"""The folder of articles, which other programs may change at any moment."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISLNK, S_ISREG

#: The endings of article files, in lower case.
SUFFIXES = (".md", ".markdown", ".txt")
#: Largest article file, in bytes.
MAX_FILE_SIZE = 1 << 20

#: A file's path, its size, and its last change in nanoseconds since 1970.
File = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The article files of a folder, and what could not be listed.

    Paths are relative to the folder, with slashes.
    """

    #: In no order.
    files: list[File] = field(default_factory=list)
    #: Faults by path. Where a folder is at fault, the files below it are not known.
    faults: dict[str, str] = field(default_factory=dict)
    #: Links that lead to files, or may do so later. What they lead to may be elsewhere.
    links: set[str] = field(default_factory=set)

    @property
    def paths(self) -> list[str]:
        """The paths of the files."""
        return [path for path, _, _ in self.files]

    def add(self, path: str, stat: os.stat_result) -> None:
        """Add a path if it is that of a file."""
        if S_ISREG(stat.st_mode):
            self.files.append((path, stat.st_size, stat.st_mtime_ns))


def list_files(directory: Path) -> Listing:
    """Return all article files below a folder, except names that begin with a dot.

    A link is followed if it leads to a file within the folder. Raises OSError if the folder
    itself cannot be read.
    """
    while True:
        listing, folders, real = Listing(), [""], os.path.realpath(directory)
        with _open_folder(directory) as root:
            while folders:
                path = folders.pop()
                try:
                    with _open_folder(root, path) as folder, os.scandir(folder) as items:
                        folders += _list(items, path and f"{path}/", listing)
                except OSError as error:
                    if not path:
                        raise
                    listing.faults[path] = f"the folder cannot be read, {error.strerror}"
            for path in listing.links:
                # A link to nothing or to itself must not hide the other files.
                with suppress(OSError):
                    listing.add(path, _stat(root, _target(real, path)))
            if _is_at(directory, root):
                return listing


def _list(items: Iterable[os.DirEntry[str]], prefix: str, listing: Listing) -> list[str]:
    """Add the files and links of a folder to the listing, and return the folders in it."""
    # Every line costs time, because all files are scanned again and again.
    folders = []
    for item in items:
        name = item.name
        if name[0] == ".":
            continue
        is_folder = item.is_dir(follow_symlinks=False)
        if not (is_folder or name.endswith(SUFFIXES) or name.lower().endswith(SUFFIXES)):
            continue
        path = prefix + name
        if not name.isprintable():  # a line break, or bytes that are not UTF-8
            listing.faults[ascii(path)] = "the name cannot be printed, rename it"
        elif is_folder:
            folders.append(path)
        else:
            try:
                stat = item.stat(follow_symlinks=False)
            except FileNotFoundError:  # it was deleted meanwhile
                continue
            if S_ISLNK(stat.st_mode):
                listing.links.add(path)
            else:
                listing.add(path, stat)
    return folders


def scan_paths(directory: Path, paths: Iterable[str]) -> Listing | None:
    """Return the article files among some paths below a folder; None if `list_files` is needed.

    It is needed for folders, for links and paths through links, for names that cannot be
    printed, for what cannot be read, and where the folder was replaced meanwhile.
    Raises OSError if the folder itself cannot be read.
    """
    listing = Listing()
    with _open_folder(directory) as root:
        for path in paths:
            try:
                stat = _stat(root, path)
            except FileNotFoundError:
                continue
            except OSError:
                return None
            if not (S_ISREG(stat.st_mode) and path.isprintable()):
                return None
            if path.lower().endswith(SUFFIXES) and "/." not in f"/{path}":
                listing.add(path, stat)
        return listing if _is_at(directory, root) else None


def read_bytes(directory: Path, path: str) -> bytes:
    """Return the bytes of a file below a folder, at most MAX_FILE_SIZE + 1 of them.

    Raises OSError if it cannot be read, is not a file, leads out of the folder, or changes
    meanwhile: a file that is only half saved must not be published.
    """
    try:
        return _read(directory, path)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    # It is a link, which may lead elsewhere than when the folder was listed.
    return _read(directory, _target(os.path.realpath(directory), path))


def _read(directory: Path, path: str) -> bytes:
    above, _, name = path.rpartition("/")
    # O_NONBLOCK, because opening a FIFO or a device may wait for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW
    with _open_folder(directory, above) as folder:
        descriptor = os.open(name, flags, dir_fd=folder)
    with open(descriptor, "rb", buffering=0) as file:
        before = os.fstat(descriptor)
        if not S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        # Python allocates as many bytes as it may read: no megabyte for a small file.
        raw = file.read(min(before.st_size, MAX_FILE_SIZE) + 1)
        after = os.fstat(descriptor)
    changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    if changed or len(raw) != min(after.st_size, MAX_FILE_SIZE + 1):
        raise OSError(errno.EBUSY, "it changes while it is read, save it again")
    return raw


@contextmanager
def _open_folder(start: Path | int, path: str = "") -> Iterator[int]:
    """Open the folder at `path` below `start`, and yield its descriptor.

    Each name is opened in the folder before it (openat), and none of `path` may be a link,
    because a path that is checked before it is opened may lead elsewhere by then.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY
    folder = os.dup(start) if isinstance(start, int) else os.open(start, flags)
    try:
        for name in path.split("/") if path else ():
            above, folder = folder, os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
            os.close(above)
        yield folder
    finally:
        os.close(folder)


def _stat(root: int, path: str) -> os.stat_result:
    above, _, name = path.rpartition("/")
    with _open_folder(root, above) as folder:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)


def _target(root: str, path: str) -> str:
    """Return the path below `root` to which a link leads. Raises OSError if it leads elsewhere."""
    target = os.path.realpath(f"{root}/{path}", strict=True)
    if not target.startswith(root + os.sep):
        raise OSError(errno.ELOOP, "it is a link to no file of the folder")
    return target.removeprefix(root + os.sep)


def _is_at(directory: Path, root: int) -> bool:
    """Return whether the path of a folder still leads to the folder that was opened."""
    return os.path.samestat(os.fstat(root), os.stat(directory))
