"""The files of a built site. Each is replaced as a whole, and only if it changes."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote

import msgspec

from feeds.formats import FORMATS, opml
from feeds.pages.assets import AT_TOP, STATIC
from feeds.periods import FREQUENCIES
from feeds.publish import ROBOTS, Document
from feeds.wire import compress

#: It is made first, and so marks a folder that a site is built into.
_LOCK = ".feeds.lock"
_RECORDS = ".feeds.json"
_INDEX = "index.html"
#: The suffix of the file in each content coding. The plain file is replaced last.
CODINGS = {"br": ".br", "gzip": ".gz", "identity": ""}

_FOLDERS = ("topics", "providers", "archive", "embed", "static", *FREQUENCIES)
_FIXED = [*AT_TOP, opml.FILE, ROBOTS]
_FIXED += [f"static/{path.name}" for path in STATIC.iterdir()]
_FORMAT = rf"\.(?:{'|'.join(FORMATS)})"
_BELOW = rf"(?:archive|embed|{'|'.join(FREQUENCIES)})/"
# Archives and digests are named by their time, which begins with four digits.
_OURS = re.compile(
    rf"(?:(?:(?:topics|providers)/(?:[^/]+/)?)?(?:(?:{_BELOW})*(?:{_INDEX}|feed{_FORMAT})"
    rf"|(?:{_BELOW})+[0-9]{{4}}[0-9A-Za-z/-]*(?:{_FORMAT}|/{_INDEX}))"
    rf"|sitemap(?:-[0-9]+)?\.xml|{'|'.join(map(re.escape, _FIXED))})(?:\.br|\.gz)?"
)

#: The size of a file, and its time as a Unix time.
Stamp = tuple[int, int]


class SiteError(ValueError):
    """The site cannot be built. The text says why."""


class PartRecord(msgspec.Struct, frozen=True, array_like=True):
    """The files of a part of a site, and the fingerprint of the data they were made from."""

    fingerprint: str
    files: dict[str, Stamp]


def file_of(address: str) -> str:
    """Return the file of an address: its path, decoded as web servers decode it.

    Raises SiteError if no file in a folder can have that name.
    """
    path = unquote(address, errors="strict").removeprefix("/")
    file = path + _INDEX if not path or path.endswith("/") else path
    for name in file.split("/"):
        # Most file systems allow 255 bytes, and `.gz` takes three of them.
        if name.startswith(".") or not name or "\0" in name or len(name.encode()) > 252:
            raise SiteError(f"{address} cannot be a file")
    # The same name would be the list of names and a folder.
    if f"/{_INDEX}" in f"/{file}".removesuffix(f"/{_INDEX}"):
        raise SiteError(f"{address} cannot be a file, it lies below one")
    return file


def is_ours(file: str) -> bool:
    """Return whether a site may have a file of such a name."""
    return bool(_OURS.fullmatch(file))


class Output:
    """The folder of a built site. Names of files are relative to it, with `/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home = os.path.realpath(folder)
        self._ready: set[str] = set()

    @contextmanager
    def locked(self) -> Iterator[dict[str, Stamp]]:
        """Lock the folder against other builds, and return the files in it.

        Raises SiteError if another build has the lock, or if no site was built into the
        folder and a file in it has the name of a site's file.
        """
        if not (self.folder / _LOCK).exists():
            foreign = min(filter(is_ours, self._scan()), default=None)
            if foreign:
                raise SiteError(
                    f"{self.folder} has files that no build wrote, such as {foreign};"
                    " name another folder, or empty this one"
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / _LOCK, "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SiteError(f"another build writes to {self.folder}") from error
            for unfinished in self.folder.glob(".feeds-*.tmp"):
                unfinished.unlink()
            yield self._scan()

    def _scan(self) -> dict[str, Stamp]:
        """Return the files in the folders that a site may have; links are not followed."""
        found, folders = {}, [""] if self.folder.exists() else []
        for folder in folders:
            with os.scandir(f"{self._home}/{folder}") as listed:
                for entry in listed:
                    name = folder + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if folder or name in _FOLDERS:
                            folders.append(f"{name}/")
                    else:
                        status = entry.stat(follow_symlinks=False)
                        found[name] = status.st_size, int(status.st_mtime)
        return found

    def read_records(self) -> dict[str, PartRecord]:
        """Return the records of the last build by part; none if they cannot be read."""
        try:
            content = (self.folder / _RECORDS).read_bytes()
            return msgspec.json.decode(content, type=dict[str, PartRecord])
        except (FileNotFoundError, ValueError):
            return {}

    def write_records(self, records: dict[str, PartRecord]) -> None:
        """Write the records for the next build. They stay true if the folder is copied."""
        self._replace(_RECORDS, msgspec.json.encode(records), int(time.time()))

    def write(self, file: str, document: Document) -> tuple[dict[str, Stamp], bool]:
        """Write a document in each coding where it differs.

        Return the files with their stamps, and whether the bytes of the document are new.

        The time of the files is that of the document, but never in the future. It stays if
        the bytes are as before. New bytes get a later time than the old ones, for clients
        that compare dates alone, and for web servers that make ETags of time and size.
        """
        self._make_folder(os.path.dirname(file))
        now = int(time.time())
        modified = (
            min(int(document.last_modified.timestamp()), now) if document.last_modified else now
        )
        before = self._read(file)
        if before:
            content, at = before
            modified = at if content == document.body else max(modified, at + 1)
        written = {}
        for coding, suffix in CODINGS.items():
            coded = document.body if not suffix else compress(document.body, coding)
            if before is None or self._read(file + suffix) != (coded, modified):
                self._replace(file + suffix, coded, modified)
            written[file + suffix] = len(coded), modified
        return written, before is None or before[0] != document.body

    def remove(self, files: Collection[str]) -> None:
        """Remove files, and the folders that they leave empty."""
        for file in files:
            os.unlink(f"{self._home}/{file}")
        for folder in sorted({os.path.dirname(file) for file in files}, reverse=True):
            # Folders that are not empty stay.
            with suppress(OSError):
                os.removedirs(f"{self._home}/{folder}")

    def _make_folder(self, folder: str) -> None:
        if folder not in self._ready:
            path = f"{self._home}/{folder}".rstrip("/")
            if os.path.realpath(path) != path:
                raise SiteError(f"{path} is behind a link that leads elsewhere; remove the link")
            os.makedirs(path, exist_ok=True)
            self._ready.add(folder)

    def _read(self, file: str) -> tuple[bytes, int] | None:
        """Return the content of a file and its time; None if there is no file."""
        try:
            with open(f"{self._home}/{file}", "rb") as stream:
                return stream.read(), int(os.fstat(stream.fileno()).st_mtime)
        except FileNotFoundError:
            return None

    def _replace(self, file: str, content: bytes, modified: int) -> None:
        """Write a file, and then move it to its name as a whole."""
        made = f"{self._home}/.feeds-{os.getpid()}.tmp"
        with open(made, "wb") as stream:
            stream.write(content)
        os.utime(made, (modified, modified))
        os.replace(made, f"{self._home}/{file}")
