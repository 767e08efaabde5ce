"""Every page and feed of a site as files, for a web server that runs no code."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from feeds.config import Config
from feeds.index.snapshot import Snapshot
from feeds.pages import Pages
from feeds.processes import end_with_parent
from feeds.static_site.output import CODINGS, Note, Output, SiteError, Stamp, file_of, is_ours
from feeds.static_site.parts import Part, documents, find_parts

#: Parts that a process takes at a time, and fewer of which are not worth another process.
_TOGETHER, _FEW = 32, 100

#: The name of a part, its note, and how many of its documents are new.
_Made = tuple[str, Note, int]


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a build did; counts are of documents, each with its codings."""

    #: Those whose bytes are new.
    written: int
    unchanged: int
    removed: int
    #: Feeds that cannot be files, each with the reason.
    refused: tuple[str, ...]


class _Builder:
    """What a process needs to make parts of a site."""

    def __init__(self, index: Snapshot, output: Output, revision: int | None = None) -> None:
        self._pages = Pages(index=index, base=index.config.base_url)
        self._output = output
        self.revision = index.status().revision
        # The index may have changed since the parts were found; then the next build
        # makes them again.
        self._is_current = revision in (None, self.revision)

    def make(self, part: Part) -> _Made:
        """Write the files of a part."""
        files: dict[str, Stamp] = {}
        new = 0
        for address, published in documents(part, self._pages):
            if published:
                written, is_new = self._output.write(file_of(address), published)
                files |= written
                new += is_new
        return part.name, Note(part.fingerprint if self._is_current else "", files), new


def build(
    url: str,
    config: Config,
    folder: Path,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Make the files of a folder those of the site, as the index at a URL has it.

    What did not change is not made again, files that the site no longer has are
    removed, and a curator's own files stay. Whatever ends it early leaves whole files,
    and the next build does the rest. Raises SiteError, IndexUnavailable, or OSError
    where the folder cannot be written.
    """
    output = Output(folder)
    with output.locked() as found, closing(Snapshot(url, config)) as index:
        builder = _Builder(index, output)
        parts, refused = find_parts(index)
        before = output.read_notes()
        notes = {
            part.name: note
            for part in parts
            if (note := before.get(part.name))
            and note.fingerprint == part.fingerprint
            and note.files.items() <= found.items()
        }
        due = [part for part in parts if part.name not in notes]
        written = 0
        if notes != before:
            # What is about to change must not pass for made where this build is stopped.
            output.write_notes(notes)
        progress(0, len(due))
        try:
            with _results(builder, due, (url, config, folder, builder.revision), jobs) as results:
                for done, (name, note, new) in enumerate(results, 1):
                    notes[name] = note
                    written += new
                    progress(done, len(due))
        finally:
            if due:
                output.write_notes(notes)
        files = set[str]().union(*(note.files for note in notes.values()))
        # What else is in the folder is the curator's.
        gone = [file for file in found.keys() - files if is_ours(file)]
        output.remove(gone)
    return Built(
        written=written,
        unchanged=len(files) // len(CODINGS) - written,
        removed=sum(not file.endswith((".br", ".gz")) for file in gone),
        refused=refused,
    )


@contextmanager
def _results(
    builder: _Builder, parts: list[Part], starting: tuple[str, Config, Path, int], jobs: int
) -> Iterator[Iterator[_Made]]:
    """What becomes of the parts, as it comes, from as many processes as are worth it."""
    if jobs == 1 or len(parts) < _FEW:
        yield map(builder.make, parts)
        return
    # A forked process would share the connections to the index.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, starting)
    try:
        yield pool.map(_make, parts, chunksize=_TOGETHER)
    except BrokenProcessPool as error:
        raise SiteError("a process that was writing files died, build again") from error
    finally:
        pool.shutdown(cancel_futures=True)


#: That of a worker process.
_builder: list[_Builder] = []


def _start(url: str, config: Config, folder: Path, revision: int) -> None:
    """Make this process a worker."""
    # Ctrl-C reaches every process; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    _builder[:] = [_Builder(Snapshot(url, config), Output(folder), revision)]


def _make(part: Part) -> _Made:
    return _builder[0].make(part)
