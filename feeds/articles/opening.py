"""Reading a file that may be anything, and may change meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

#: Largest file read, in bytes.
MAX_BYTES = 1 << 20

# A FIFO without a writer keeps whoever opens it waiting, and so may a device.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_bytes(path: str | Path, flags: int = 0) -> bytes:
    """A file's bytes, at most one more than an article may have.

    Raises OSError if it cannot be read, is no file, or changes on the way: half a
    saved file must not be published.
    """
    descriptor = os.open(path, _FLAGS | flags)
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
