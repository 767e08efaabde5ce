"""The files of a built site: written whole or not at all, touched only where they change."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import msgspec

from feeds.index import Revision
from feeds.publish import Published
from feeds.web.memory import Kept

MANIFEST = ".feeds.json"
_LOCK = ".feeds.lock"
_INDEX = "index.html"
#: How the files of a content coding end; the plain one comes last, and so vouches for them.
CODINGS = {".br": "br", ".gz": "gzip", "": "identity"}


class SiteError(ValueError):
    """A site that cannot be built; the text says why."""


class Written(msgspec.Struct, frozen=True, array_like=True):
    """A file and its codings as they were written."""

    #: SHA-256 of the plain bytes, in hexadecimal digits.
    digest: str
    #: Unix time.
    modified: int
    #: Bytes, in the order of CODINGS.
    sizes: tuple[int, int, int]


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Files that are made together, and what they were made of."""

    fingerprint: str
    files: dict[str, Written]


class Manifest(msgspec.Struct, kw_only=True):
    """What a build wrote, by the name of its part.

    It may be copied with the files: nothing in it tells of what is to come.
    """

    parts: dict[str, Part] = {}
    #: Files that no part has any more.
    gone: set[str] = set()

    @property
    def files(self) -> set[str]:
        """Every file of every part."""
        return {file for part in self.parts.values() for file in part.files}


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


@dataclass(frozen=True, kw_only=True)
class Output:
    """A folder that a site is written to."""

    folder: Path
    _ready: set[str] = field(default_factory=set)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other builds out, and clear away what an interrupted one left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SiteError(f"another build writes to {self.folder}") from error
            for left in self.folder.glob(".feeds-*.tmp"):
                left.unlink()
            yield

    def read(self) -> Manifest:
        """What the last build wrote; nothing where that cannot be told."""
        try:
            return msgspec.json.decode((self.folder / MANIFEST).read_bytes(), type=Manifest)
        except (FileNotFoundError, msgspec.DecodeError):
            return Manifest()

    def note(self, manifest: Manifest) -> None:
        """Record what was written."""
        self._replace(MANIFEST, msgspec.json.encode(manifest, order="deterministic"), None)

    def is_intact(self, files: dict[str, Written]) -> bool:
        """Whether the files are there, of the size and the time that were noted."""
        folder = str(self.folder)
        for file, written in files.items():
            path, modified = f"{folder}/{file}", written.modified
            for suffix, size in zip(CODINGS, written.sizes, strict=True):
                try:
                    found = os.stat(path + suffix)
                except OSError:
                    return False
                if found.st_size != size or int(found.st_mtime) != modified:
                    return False
        return True

    def write(self, file: str, published: Published) -> tuple[Written, bool]:
        """Write a document and its codings, unless they are there; whether its bytes are new.

        The time of the files is its Last-Modified. Where the bytes are as before, that
        stays too: nothing changed since. Other bytes get a time at least a second later,
        of which web servers make ETags.
        """
        self._make_folder(file)
        target, kept = self.folder / file, Kept(published, Revision(0, 0))
        modified = int(published.modified.timestamp()) if published.modified else 0
        before = target.read_bytes() if target.is_file() else None
        if before is not None:
            at = int(target.stat().st_mtime)
            modified = at if before == published.body else max(modified, at + 1)
        codings = {suffix: kept.coded(coding) for suffix, coding in CODINGS.items()}
        digest = hashlib.sha256(published.body).hexdigest()
        sizes = [len(coded) for coded in codings.values()]
        written = Written(digest, modified, (sizes[0], sizes[1], sizes[2]))
        if before != published.body or not self.is_intact({file: written}):
            for suffix, coded in codings.items():
                self._replace(file + suffix, coded, modified)
        return written, before != published.body

    def prune(self, files: Iterable[str]) -> int:
        """Remove files that a build wrote, and the folders that they leave empty; how many."""
        removed = 0
        for file in files:
            target = self.folder / file
            self._require_inside(os.path.dirname(target))
            for suffix in CODINGS:
                Path(f"{target}{suffix}").unlink(missing_ok=True)
            removed += 1
            for parent in list(Path(file).parents)[:-1]:
                try:
                    (self.folder / parent).rmdir()
                except OSError:
                    break
        return removed

    def _make_folder(self, file: str) -> None:
        folder = os.path.dirname(self.folder / file)
        if folder not in self._ready:
            self._require_inside(folder)
            os.makedirs(folder, exist_ok=True)
            self._ready.add(folder)

    def _require_inside(self, folder: str) -> None:
        """No link in the folder leads out of it."""
        real, home = os.path.realpath(folder), os.path.realpath(self.folder)
        if os.path.commonpath([real, home]) != home:
            raise SiteError(f"{folder} is a link that leads out of {self.folder}")

    def _replace(self, file: str, content: bytes, modified: int | None) -> None:
        """Put a whole file in the place of another, or of none."""
        made = f"{self.folder}/.feeds-{os.getpid()}.tmp"
        with open(made, "wb") as stream:
            stream.write(content)
        if modified is not None:
            os.utime(made, (modified, modified))
        os.replace(made, f"{self.folder}/{file}")
