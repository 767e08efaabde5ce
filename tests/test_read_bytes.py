"""Real files that change, and what is none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from feeds.articles.folder import MAX_FILE_SIZE, read_bytes
from tests.support import Collection, article


def test_bytes_come_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_bytes(b"a\r\n\0\xff")
    assert read_bytes(tmp_path, "one.md") == b"a\r\n\0\xff"
    (tmp_path / "large.md").write_bytes(b"x" * (MAX_FILE_SIZE + 9))
    assert len(read_bytes(tmp_path, "large.md")) == MAX_FILE_SIZE + 1


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(OSError, match="it is not a file"):
        read_bytes(tmp_path, "pipe.md")


@pytest.mark.parametrize("name", ["zero", "tty"])
def test_device_is_not_read(name: str) -> None:
    with pytest.raises(OSError, match=r"not a file|No such device"):
        read_bytes(Path("/dev"), name)


def test_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.md"
    path.write_bytes(b"x" * 1000)
    stop = threading.Event()

    def grow_and_shrink() -> None:
        with path.open("r+b", buffering=0) as file:
            while not stop.is_set():
                file.seek(0, os.SEEK_END)
                file.write(b"x" * 1000)
                file.truncate(1000)

    writer = threading.Thread(target=grow_and_shrink)
    writer.start()
    refused, deadline = 0, time.monotonic() + 10
    try:
        # On a loaded machine the other thread may not write for long.
        while not refused and time.monotonic() < deadline:
            try:
                read_bytes(tmp_path, "one.md")
            except OSError as error:
                assert error.strerror == "it changes while it is read, save it again"
                refused += 1
    finally:
        stop.set()
        writer.join()
    assert refused
    assert len(read_bytes(tmp_path, "one.md")) == 1000


@pytest.mark.parametrize("sizes", [(1000, 1000), (500, 1000), (2000, 2000)])
def test_save_in_the_midst_of_a_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int]
) -> None:
    """A save of the same length, one in two steps within a clock's grain, and a longer one."""
    path = tmp_path / "one.md"
    path.write_bytes(b"x" * 1000)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    first = path.stat()
    fstat, rest = os.fstat, list(sizes)

    def save(descriptor: int) -> os.stat_result:
        before, size = fstat(descriptor), rest.pop(0)
        if rest or sizes == (500, 1000):
            path.write_bytes(b"y" * size)
        if sizes == (500, 1000):
            os.utime(path, ns=(first.st_atime_ns, first.st_mtime_ns))
        return before if rest else fstat(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", save)
        with pytest.raises(OSError, match="it changes while it is read, save it again"):
            read_bytes(tmp_path, "one.md")
    assert rest == []


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("saves", "faults"), [(1, 0), (2, 0), (9, 1)])
def test_file_that_is_just_being_saved_is_read_again(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, saves: int, faults: int
) -> None:
    path, fstat, left = collection.write("one.md", article()), os.fstat, [saves]

    def save(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        if left[0] and os.path.samestat(found, path.stat()):
            left[0] -= 1
            os.utime(path, (1_700_000_000 + left[0],) * 2)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", save)
        report = collection.sync()
    assert (report.added, len(report.faults)) == (1, faults)


def test_file_closed_to_the_reader_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "one.md"
    path.write_text("x")
    path.chmod(0)
    code = (
        "import os, sys; from pathlib import Path; from feeds.articles.folder import read_bytes\n"
        # Root may read everything, so it is given up.
        "os.chdir(sys.argv[1]); os.getuid() or os.setuid(65534)\n"
        "try: read_bytes(Path(), 'one.md')\nexcept PermissionError as error: print(error.strerror)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "Permission denied\n"
