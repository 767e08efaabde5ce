"""All pages and feeds of a site as files, for a web server that runs no application."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from feeds.config import Config
from feeds.index.snapshot import Snapshot
from feeds.pages import Pages
from feeds.processes import spread
from feeds.static_site.output import CODINGS, Output, PartRecord, SiteError, Stamp, file_of, is_ours
from feeds.static_site.parts import Part, documents, find_parts

#: Fewer parts are not worth the start of a process.
_MIN_PARTS = 100

#: The name of a part, its record, and how many of its documents are new.
_Result = tuple[str, PartRecord, int]


@dataclass(frozen=True, kw_only=True)
class Built:
    """The result of a build; counts are of documents, each with its codings."""

    #: Documents whose bytes are new.
    written: int
    unchanged: int
    removed: int
    #: Feeds that cannot be files, each with the reason.
    refused: tuple[str, ...]


class _PartWriter:
    """Writes parts of a site, in one process."""

    def __init__(self, index: Snapshot, output: Output, revision: int | None = None) -> None:
        self._pages = Pages(index=index, base=index.config.base_url, is_served=False)
        self._output = output
        self.revision = index.status().revision
        # If the index has changed since the parts were found, the next build makes this
        # process's parts again.
        self._is_current = revision in (None, self.revision)

    def write(self, part: Part) -> _Result:
        """Write the files of a part, and return its result."""
        files: dict[str, Stamp] = {}
        new = 0
        for address, document in documents(part, self._pages):
            if document:
                written, is_new = self._output.write(file_of(address), document)
                files |= written
                new += is_new
        return part.name, PartRecord(part.fingerprint if self._is_current else "", files), new


def build(
    url: str,
    config: Config,
    folder: Path,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Write the site into a folder, as the index at a URL has it.

    It makes only what changed, removes files that the site no longer has, and keeps files
    with other names. A build that ends early leaves whole files, and the next one does the
    rest. Raises SiteError, IndexUnavailable, or OSError if the folder cannot be written.
    """
    output = Output(folder)
    with output.locked() as found, closing(Snapshot(url, config)) as index:
        writer = _PartWriter(index, output)
        found_parts, refused = find_parts(index)
        parts = {part.name: part for part in found_parts}
        before = output.read_records()
        records = {
            name: record
            for name, part in parts.items()
            if (record := before.get(name))
            and record.fingerprint == part.fingerprint
            and record.files.items() <= found.items()
        }
        to_make = [part for name, part in parts.items() if name not in records]
        written = 0
        if records != before:
            # If this build is stopped, the next one must not take the old records for true.
            output.write_records(records)
        progress(0, len(to_make))
        _writer[:] = [writer]
        prepare = partial(_prepare, url, config, folder, writer.revision)
        results = spread(_write, to_make, jobs, min_items=_MIN_PARTS, prepare=prepare)
        try:
            with closing(results):
                for done, (name, record, new) in enumerate(results, 1):
                    records[name] = record
                    written += new
                    progress(done, len(to_make))
        except ChildProcessError as error:
            raise SiteError("a process that was writing files died, build again") from error
        finally:
            if to_make:
                output.write_records(records)
        files = set[str]().union(*(record.files for record in records.values()))
        # Files with other names are the curator's.
        gone = [file for file in found.keys() - files if is_ours(file)]
        output.remove(gone)
    return Built(
        written=written,
        unchanged=len(files) // len(CODINGS) - written,
        removed=sum(not file.endswith((".br", ".gz")) for file in gone),
        refused=refused,
    )


#: The writer of this process.
_writer: list[_PartWriter] = []


def _prepare(url: str, config: Config, folder: Path, revision: int) -> None:
    """Prepare a worker process."""
    _writer[:] = [_PartWriter(Snapshot(url, config), Output(folder), revision)]


def _write(part: Part) -> _Result:
    return _writer[0].write(part)
