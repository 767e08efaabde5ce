"""What the index wants to know of a file."""

from __future__ import annotations

import errno
import hashlib
import time
from pathlib import Path
from typing import NamedTuple

from feeds.articles import parse_article
from feeds.articles.folder import read_bytes
from feeds.articles.withheld import is_unpublished
from feeds.config import Config
from feeds.index.indexed import IndexedArticle, index_article

#: Seconds after each of which a file is read again that was just being saved.
_PAUSES = (0.01, 0.03)


class FileResult(NamedTuple):
    """What became of a file; it goes between processes."""

    #: Of its bytes; empty where it cannot be read.
    digest: bytes
    #: The first fault and its line.
    fault: str | None = None
    line: int | None = None
    #: Whether the curator's word keeps the article from the public.
    withheld: bool = False
    #: None where it is withheld or at fault.
    article: IndexedArticle | None = None


def read_file(directory: Path, config: Config, asked: tuple[str, bytes]) -> FileResult:
    """Read a file, its path below the folder, unless its digest is the one that is known.

    Of a file that plainly says that it is not published, no other fault is found.
    """
    path, known = asked
    try:
        raw = _read_bytes(directory, path)
    except OSError as error:
        return FileResult(b"", f"cannot be read, {error.strerror or error}", 1)
    digest = hashlib.sha256(raw).digest()
    if digest == known:
        return FileResult(digest)
    if is_unpublished(raw):
        return FileResult(digest, withheld=True)
    reading = parse_article(raw, path)
    if reading.faults:
        first = reading.faults[0]
        return FileResult(digest, first.problem, first.line, bool(reading.withheld))
    if reading.withheld or reading.article is None:
        return FileResult(digest, withheld=True)
    return FileResult(digest, article=index_article(reading.article, config))


def _read_bytes(directory: Path, path: str) -> bytes:
    for pause in _PAUSES:
        try:
            return read_bytes(directory, path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(pause)
    return read_bytes(directory, path)
