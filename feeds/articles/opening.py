"""Opening files and folders that may be anything, and may change meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Largest file read, in bytes.
MAX_BYTES = 1 << 20

# A FIFO without a writer keeps whoever opens it waiting, and so may a device.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY


@contextmanager
def open_folder(start: Path | int, path: str = "") -> Iterator[int]:
    """Open the folder at `path` below `start`, and yield its descriptor.

    Each name is opened in the folder before it (openat), and none of `path` may be a link.
    A path that is checked first and used afterwards may lead elsewhere by then. Raises OSError.
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


def read_bytes(path: str | Path, folder: int | None = None) -> bytes:
    """A file's bytes, at most one more than an article may have.

    In a `folder`, an open one, a link is not followed but an error (ELOOP).
    Raises OSError if it cannot be read, is no file, or changes on the way: half a
    saved file must not be published.
    """
    flags = _FLAGS if folder is None else _FLAGS | os.O_NOFOLLOW
    descriptor = os.open(path, flags, dir_fd=folder)
    with open(descriptor, "rb", buffering=0) as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        # Python makes room for all that it may read: no megabyte for each file.
        raw = file.read(min(before.st_size, MAX_BYTES) + 1)
        after = os.fstat(descriptor)
    changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    if changed or len(raw) != min(after.st_size, MAX_BYTES + 1):
        raise OSError(errno.EBUSY, "it changes while it is read, save it again")
    return raw
