"""Bring the index up to date with the files of a folder, and with the time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Set
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from feeds.articles import ArticleError, stem_of
from feeds.config import Config
from feeds.index import Index
from feeds.index.apply import apply, load_articles
from feeds.index.changes import Changes
from feeds.index.plan import ArticleRow, plan
from feeds.index.rows import delete_in, insert
from feeds.index.schema import articles, files, meta
from feeds.index.store import IndexDamaged
from feeds.indexed import FileResult, IndexedArticle, decode, index_article, read_file
from feeds.processes import spread

#: Nanoseconds after which a second change of a file has surely a later time than the first.
MIN_AGE = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of a sync; counts are of article files."""

    added: int
    changed: int
    removed: int
    #: Of the files that were scanned.
    unchanged: int
    #: The faults of files, and of folders that cannot be read, in the order of their paths.
    faults: tuple[ArticleError, ...]
    #: Those of the files that were read.
    warnings: tuple[ArticleError, ...]
    #: The files that were added, changed or removed. If some of them changed what the public
    #: sees, only those are listed.
    paths: tuple[str, ...]
    #: How many feeds look different to their subscribers.
    changed_feeds: int
    #: Whether the next sync may be given `changed_paths`: no file is a link, and every folder
    #: could be read, so each change of a file is reported under the file's own path.
    can_sync_paths: bool


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def advance(index: Index, now: datetime) -> int:
    """Apply what time has changed, and return how many feeds look different.

    The time of an article comes, or that of an announced update. Before `next_change`
    nothing is written, and no lock is taken. Raises IndexUnavailable, also where another
    process is writing: that process or the next call applies it.
    """
    second = int(now.timestamp())
    next_change = index.status().next_change
    if next_change is None or next_change > second:
        return 0
    with index.write_transaction(wait=False) as connection:
        due = select(articles.c.stem).where(articles.c.next_change <= second)
        before = load_articles(connection, connection.execute(due).scalars().all())
        planned = plan(before, _index_again(before, index.config), second)
        return apply(connection, index.config, planned, second)


def _index_again(rows: Mapping[str, ArticleRow], config: Config) -> dict[str, IndexedArticle]:
    """Return stored articles as the settings have them now."""
    return {stem: index_article(decode(row.encoded), config) for stem, row in rows.items()}


def sync(
    index: Index,
    directory: Path,
    now: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    jobs: int = 1,
    changed_paths: Set[str] | None = None,
) -> Report:
    """Bring the index up to date with the files of a folder.

    Many files are read by `jobs` processes. A file is read if its size or its time is
    not as before. `changed_paths` are the files and folders that changed since the last
    sync, relative to the folder. They may be given where that sync's report was `can_sync_paths`.
    These files are read in any case, and the others are scanned only where that is needed.

    A file with a plain line `published: false` is not parsed: `feeds check` finds what
    else is wrong with it.

    A second sync waits for the first. A sync that ends early leaves the index as it was.
    A damaged index is made anew. Raises OSError if the folder cannot be read or a process
    dies, IndexUnavailable if the index cannot be written.
    """

    def run() -> Report:
        with index.write_transaction() as connection:
            state = _Sync(connection, index.config, directory, now)
            state.changes.scan(changed_paths)
            state.read(jobs, progress)
            return state.finish()

    try:
        return run()
    except IndexDamaged:
        return run()


class _Sync:
    """One sync, in its write transaction."""

    def __init__(
        self, connection: Connection, config: Config, directory: Path, now: datetime
    ) -> None:
        self.connection, self.config, self.directory, self.now = connection, config, directory, now
        self.meta = connection.execute(select(meta)).one()
        # True also for an empty index, which no settings made.
        self.settings_changed = self.meta.fingerprint != config.fingerprint()
        self.changes = Changes(connection, directory, self.settings_changed)
        #: The article of each stem that was read, or None where the index is to have none.
        self.outcome: dict[str, IndexedArticle | None] = {}
        self.added = 0
        #: The files that were added or changed.
        self.paths: list[str] = []
        self.warnings: list[ArticleError] = []

    def read(self, jobs: int, progress: Callable[[int, int], None]) -> None:
        """Read the files that changed, and write their rows."""
        changes = self.changes
        self.outcome = dict.fromkeys(changes.deleted_stems)
        replaced = changes.known.keys() & {*changes.to_read, *changes.duplicates}
        delete_in(self.connection, files.c.path, [*changes.deleted_files, *replaced])
        # The rows are written while files are still read, because there may be many.
        with closing(self._read_rows(jobs, progress)) as rows:
            insert(self.connection, files, rows)

    def _read_rows(
        self, jobs: int, progress: Callable[[int, int], None]
    ) -> Generator[dict[str, Any], None, None]:
        known = {} if self.settings_changed else self.changes.known
        paths = self.changes.to_read
        to_read = [(path, known[path].content_hash if path in known else b"") for path in paths]
        work = partial(read_file, self.directory, self.config)
        with closing(spread(work, to_read, jobs)) as results:
            for done, ((path, known_hash), result) in enumerate(
                zip(to_read, results, strict=True), 1
            ):
                if result.content_hash == known_hash != b"":
                    row = known[path]
                    result = result._replace(fault=row.fault, line=row.line)
                elif result.article or result.withheld:
                    self.outcome[stem_of(path)] = result.article
                self.warnings += result.warnings
                yield self._record(path, result)
                progress(done, len(to_read))
        for path, owner in sorted(self.changes.duplicates.items()):
            problem = f"has the same name as {owner}, rename one of them"
            yield self._record(path, FileResult(b"", problem, 1))

    def _record(self, path: str, result: FileResult) -> dict[str, Any]:
        """Count a file if it was added or changed, and return its row.

        A file that was just changed, or that could not be read, is read again next time.
        """
        known: Any = self.changes.known.get(path)
        if known is None or known.content_hash != result.content_hash:
            self.paths.append(path)
            self.added += known is None
        size, mtime = self.changes.stamps.get(path) or (known.size, known.mtime)
        is_old_enough = result.content_hash and mtime < self.now.timestamp() * 1e9 - MIN_AGE
        return {
            "path": path,
            "stem": stem_of(path),
            "size": size,
            "mtime": mtime if is_old_enough else -1,
            "content_hash": result.content_hash,
            "line": result.line,
            "fault": result.fault,
        }

    def finish(self) -> Report:
        """Write the articles that were read, and return the report."""
        second = int(self.now.timestamp())
        after = self.outcome
        before = load_articles(self.connection, None if self.settings_changed else after)
        if self.settings_changed:
            unread = {stem: row for stem, row in before.items() if stem not in after}
            after = {**_index_again(unread, self.config), **after}
        values: dict[str, Any] = {"synced": second, "fingerprint": self.config.fingerprint()}
        if not self.meta.fingerprint:
            # A document that a process cached from a deleted index must not seem current.
            values["revision"] = max(self.meta.revision + 1, int(self.now.timestamp() * 1e6))
        self.connection.execute(update(meta).values(values))
        planned = plan(before, after, second)
        changed_feeds = apply(
            self.connection, self.config, planned, second, settings_changed=self.settings_changed
        )
        listing = self.changes.listing
        scanned = len(listing.files) + len(self.changes.unreadable_files)
        paths = sorted([*self.paths, *self.changes.deleted_files])
        visible = [path for path in paths if stem_of(path) in planned.visibly_changed]
        return Report(
            added=self.added,
            changed=len(self.paths) - self.added,
            removed=len(self.changes.deleted_files),
            unchanged=scanned - len(self.paths),
            faults=self._faults(),
            warnings=tuple(self.warnings),
            paths=tuple(visible or paths),
            changed_feeds=changed_feeds,
            can_sync_paths=not (listing.faults or listing.links),
        )

    def _faults(self) -> tuple[ArticleError, ...]:
        columns = files.c.path, files.c.line, files.c.fault
        rows = self.connection.execute(select(*columns).where(files.c.fault.is_not(None)))
        of_folders = self.changes.listing.faults.items()
        faults = [*rows, *((path, 1, fault) for path, fault in of_folders)]
        return tuple(ArticleError(*fault) for fault in sorted(faults, key=itemgetter(0)))
