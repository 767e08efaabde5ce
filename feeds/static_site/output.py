"""The files of a built site: written whole or not at all, touched only where they change."""

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
from feeds.pages import BUILD, embedding
from feeds.pages.render import STATIC
from feeds.publish import Published
from feeds.wire import compress

#: Made first, so that a folder that has it is one that sites are built into.
_LOCK = ".feeds.lock"
_NOTES = ".feeds.json"
_INDEX = "index.html"
#: How the files of a content coding end; the plain one is replaced last.
CODINGS = {"br": ".br", "gzip": ".gz", "identity": ""}

_FOLDERS = ("topics", "providers", "archive", "static")
_FIXED = [BUILD[1:], embedding.SCRIPT, opml.FILE, *(f"static/{p.name}" for p in STATIC.iterdir())]
_FORMAT = rf"\.(?:{'|'.join(FORMATS)})"
_MONTH = rf"[0-9]{{4}}-[0-9]{{2}}(?:/[0-9TZ]+-[0-9a-f]+)?(?:{_FORMAT}|/{_INDEX})"
_OURS = re.compile(
    rf"(?:(?:(?:topics|providers)/[^/]+/)?(?:{_INDEX}|embed|feed{_FORMAT}|archive/(?:{_INDEX}|{_MONTH}))"
    rf"|(?:topics|providers)/{_INDEX}|{'|'.join(map(re.escape, _FIXED))})(?:\.br|\.gz)?"
)

#: Bytes of a file, and its time as a Unix time.
Stamp = tuple[int, int]


class SiteError(ValueError):
    """A site that cannot be built; the text says why."""


class Note(msgspec.Struct, frozen=True, array_like=True):
    """The files of a part of a site, and the fingerprint of what they were made of."""

    fingerprint: str
    files: dict[str, Stamp]


def file_of(address: str) -> str:
    """The file of an address: its decoded path, as web servers decode it.

    Raises SiteError where no file below a folder can have it.
    """
    path = unquote(address, errors="strict").removeprefix("/")
    file = path + _INDEX if not path or path.endswith("/") else path
    for name in file.split("/"):
        # Of the longest, `.gz` makes another name.
        if name.startswith(".") or not name or "\0" in name or len(name.encode()) > 252:
            raise SiteError(f"{address} cannot be a file")
    # Both would be the list of names and a folder below it.
    if f"/{_INDEX}" in f"/{file}".removesuffix(f"/{_INDEX}"):
        raise SiteError(f"{address} cannot be a file, it lies below one")
    return file


def is_ours(file: str) -> bool:
    """Whether a file has the name of one that a site may have, now or in earlier days."""
    return _OURS.fullmatch(file) is not None


class Output:
    """The folder of a built site. A name is relative to it, with `/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home = os.path.realpath(folder)
        self._ready: set[str] = set()

    @contextmanager
    def locked(self) -> Iterator[dict[str, Stamp]]:
        """The files that are there, which no other build changes meanwhile.

        Raises SiteError if another build does, or if files have the names of a site's
        in a folder that no site was built into.
        """
        if not (self.folder / _LOCK).exists():
            strange = min(filter(is_ours, self._scan()), default=None)
            if strange:
                raise SiteError(
                    f"{self.folder} has files that no build wrote, such as {strange};"
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
        """The files in the folder, as far as a site has folders; no link is followed."""
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

    def read_notes(self) -> dict[str, Note]:
        """The notes of the last build by part; none if they cannot be read."""
        try:
            content = (self.folder / _NOTES).read_bytes()
            return msgspec.json.decode(content, type=dict[str, Note])
        except (FileNotFoundError, ValueError):
            return {}

    def write_notes(self, notes: dict[str, Note]) -> None:
        """Keep notes for the next build; they may be copied with the files."""
        self._replace(_NOTES, msgspec.json.encode(notes), int(time.time()))

    def write(self, file: str, published: Published) -> tuple[dict[str, Stamp], bool]:
        """Write a document and its codings, unless they are there; whether its bytes are new.

        The time of the files is that of the document, if that is not in the future. It
        stays where the bytes are as before. Other bytes have a later time than those
        before: a client that compares dates alone would lose them, and so would a web
        server whose ETags are made of time and size.
        """
        self._make_folder(os.path.dirname(file))
        now = int(time.time())
        modified = min(int(published.changed.timestamp()), now) if published.changed else now
        before = self._read(file)
        if before:
            content, at = before
            modified = at if content == published.body else max(modified, at + 1)
        written = {}
        for coding, suffix in CODINGS.items():
            coded = published.body if not suffix else compress(published.body, coding)
            if before is None or self._read(file + suffix) != (coded, modified):
                self._replace(file + suffix, coded, modified)
            written[file + suffix] = len(coded), modified
        return written, before is None or before[0] != published.body

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
        """The content of a file and its time."""
        try:
            with open(f"{self._home}/{file}", "rb") as stream:
                return stream.read(), int(os.fstat(stream.fileno()).st_mtime)
        except FileNotFoundError:
            return None

    def _replace(self, file: str, content: bytes, modified: int) -> None:
        """Put a whole file in the place of another, or of none."""
        made = f"{self._home}/.feeds-{os.getpid()}.tmp"
        with open(made, "wb") as stream:
            stream.write(content)
        os.utime(made, (modified, modified))
        os.replace(made, f"{self._home}/{file}")
