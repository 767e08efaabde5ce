"""Every page and feed of a site as files, for a web server that runs no code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from feeds.config import Config
from feeds.formats import FORMATS, opml
from feeds.history import Archive
from feeds.pages import BUILD, LISTS, Pages, embedding
from feeds.pages.embedding import Look
from feeds.pages.render import STATIC
from feeds.publish import Published, etag, publish, publish_list
from feeds.selection import EVERYTHING, Selection
from feeds.static_site.output import Manifest, Output, Part, file_of
from feeds.static_site.parts import Task, find_tasks
from feeds.static_site.snapshot import Snapshot

#: Tasks that a process takes at a time, and fewer of which are not worth another process.
_TOGETHER, _FEW = 32, 100

#: Addresses, and what is there.
Documents = Iterable[tuple[str, Published | None]]
#: A task's name, its files and how many of them are new.
_Made = tuple[str, Part, int]


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a build did; counts are of documents, each with its codings."""

    #: Those whose bytes are new.
    written: int
    unchanged: int
    removed: int
    #: Gone from the site, but not from the folder.
    left: int
    #: What cannot be a file, each with the reason.
    refused: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Maker:
    """What a process needs to make parts of a site."""

    snapshot: Snapshot
    pages: Pages
    output: Output

    @classmethod
    def start(cls, url: str, config: Config, now: datetime, folder: Path) -> _Maker:
        snapshot = Snapshot(url, config)
        pages = Pages(catalogue=snapshot, base=config.base_url, now=now)
        return cls(snapshot=snapshot, pages=pages, output=Output(folder=folder))

    def make(self, task: Task) -> _Made:
        """Write the files of a task."""
        files, new = {}, 0
        for address, published in documents(task, self.snapshot, self.pages):
            # Another process may see a later index, in which it is gone.
            if published:
                file = file_of(address)
                files[file], fresh = self.output.write(file, published)
                new += fresh
        return task.name, Part(task.fingerprint, files), new


#: That of a worker process.
_maker: list[_Maker] = []


def _start(url: str, config: Config, now: datetime, folder: Path) -> None:
    _maker[:] = [_Maker.start(url, config, now, folder)]


def _make(task: Task) -> _Made:
    return _maker[0].make(task)


def build(
    url: str,
    config: Config,
    now: datetime,
    folder: Path,
    *,
    prune: bool = False,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Bring a folder up to the index at a URL; what did not change is not made again.

    Whatever ends it early leaves whole files, and the next build does the rest. Raises
    SiteError, IndexUnavailable, or OSError where the folder cannot be written.
    """
    maker = _Maker.start(url, config, now, folder)
    try:
        with maker.output.locked():
            return _build(maker, (url, config, now, folder), prune, jobs, progress)
    finally:
        maker.snapshot.close()


def _build(
    maker: _Maker,
    starting: tuple[str, Config, datetime, Path],
    prune: bool,
    jobs: int,
    progress: Callable[[int, int], None],
) -> Built:
    output, now = maker.output, maker.pages.now
    tasks, refused = find_tasks(maker.snapshot, now)
    before = output.read()
    due = [task for task in tasks if not _is_made(task, before, output)]
    after, written = Manifest(parts={**before.parts}), 0
    try:
        with _results(maker, due, starting, jobs) as results:
            for done, (name, part, new) in enumerate(results, 1):
                after.parts[name] = part
                written += new
                progress(done, len(due))
        after.parts = {task.name: after.parts[task.name] for task in tasks}
    finally:
        after.gone = (before.gone | before.files) - after.files
        output.note(after)
    removed = 0
    if prune:
        removed = output.prune(after.gone)
        after.gone = set()
        output.note(after)
    return Built(
        written=written,
        unchanged=len(after.files) - written,
        removed=removed,
        left=len(after.gone),
        refused=refused,
    )


def _is_made(task: Task, before: Manifest, output: Output) -> bool:
    part = before.parts.get(task.name)
    if part is None or part.fingerprint != task.fingerprint:
        return False
    return output.is_intact(part.files)


@contextmanager
def _results(
    maker: _Maker,
    tasks: list[Task],
    starting: tuple[str, Config, datetime, Path],
    jobs: int,
) -> Iterator[Iterator[_Made]]:
    """What becomes of the tasks, as it comes, from as many processes as are worth it."""
    if jobs == 1 or len(tasks) < _FEW:
        yield map(maker.make, tasks)
        return
    # A forked process would share the connections to the index.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, starting)
    try:
        yield pool.map(_make, tasks, chunksize=_TOGETHER)
    finally:
        pool.shutdown(cancel_futures=True)


def documents(task: Task, snapshot: Snapshot, pages: Pages) -> Documents:
    """The addresses of a task, and what is there."""
    selection, month = task.selection, task.month
    if selection is None:
        yield from _surveys(snapshot, pages)
    elif month is None:
        yield from _current(snapshot, pages, selection)
    else:
        part = Archive(month=month)
        if not task.is_gap:
            yield from _stories(snapshot, pages, selection, part)
        if task.is_long:
            yield from _feeds(pages, selection, part)


def _surveys(snapshot: Snapshot, pages: Pages) -> Documents:
    yield "/", pages.index()
    yield from _older(snapshot, pages, EVERYTHING)
    for kind, path in LISTS.items():
        yield path, pages.names(kind)
    yield BUILD, pages.build(EVERYTHING)
    form = next(iter(FORMATS.values()))
    yield f"/{opml.FILE}", publish_list(pages.catalogue, form, pages.base, pages.now)
    yield f"/{embedding.SCRIPT}", _asset(STATIC / embedding.SCRIPT)
    for asset in sorted(STATIC.iterdir()):
        yield f"/static/{asset.name}", _asset(asset)


def _asset(path: Path) -> Published:
    body, at = path.read_bytes(), datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    return Published(body=body, content_type="", etag=etag(body), modified=at, due=None)


def _current(snapshot: Snapshot, pages: Pages, selection: Selection) -> Documents:
    if selection != EVERYTHING:
        yield from _stories(snapshot, pages, selection)
    yield selection.address("embed"), pages.embed(selection, Look())
    yield selection.address("archive/"), pages.months(selection)
    yield from _feeds(pages, selection, None)
    if snapshot.last and (part := snapshot.last.beside.previous):
        yield from _feeds(pages, selection, part)


def _feeds(pages: Pages, selection: Selection, part: Archive | None) -> Documents:
    for form in FORMATS.values():
        address = selection.address(part.file(form.suffix) if part else form.file)
        yield address, publish(pages.catalogue, selection, form, pages.base, pages.now, part)


def _stories(
    snapshot: Snapshot, pages: Pages, selection: Selection, part: Archive | None = None
) -> Documents:
    """A page and those that "Older" leads to, as far as the month goes."""
    yield selection.address(part.page if part else ""), pages.stories(selection, part)
    yield from _older(snapshot, pages, selection)


def _older(snapshot: Snapshot, pages: Pages, selection: Selection) -> Documents:
    """What "Older" leads to from the page made last."""
    while snapshot.last and (part := snapshot.last.beside.previous) and part.before:
        yield selection.address(part.page), pages.stories(selection, part)
