"""Brings the index up to the files of a folder, and to the time."""

from __future__ import annotations

from collections.abc import Callable, Set
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from feeds.articles import ArticleError, stem_of
from feeds.config import Config
from feeds.index import Index
from feeds.index.apply import apply, load_articles
from feeds.index.changes import Changes
from feeds.index.indexed import IndexedArticle, decode, index_article
from feeds.index.plan import ArticleRow, plan
from feeds.index.reading import FileResult, read_file
from feeds.index.rows import delete_in, insert
from feeds.index.schema import articles, files, meta
from feeds.index.store import IndexDamaged
from feeds.processes import spread

#: A file changed this recently, in nanoseconds, may change again within the clock's grain.
GRAIN = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a sync found; counts are of article files."""

    added: int
    changed: int
    removed: int
    #: Of the files that were scanned.
    unchanged: int
    #: Every file at fault, and every folder that cannot be read, by path.
    faults: tuple[ArticleError, ...]
    #: How many feeds look different to their subscribers.
    touched: int
    #: Whether all that can change a file changes it under its own name.
    direct: bool


def utc_now() -> datetime:
    """The time, for whatever takes it as an argument."""
    return datetime.now(UTC)


def advance(index: Index, now: datetime) -> int:
    """Bring in what time has changed; how many feeds look different.

    An article comes due, or an announced update does. Nothing is written, and no lock
    waited for, before `next_change`. Raises IndexUnavailable, also where another
    process is writing: that one does it.
    """
    second = int(now.timestamp())
    next_change = index.status().next_change
    if next_change is None or next_change > second:
        return 0
    with index.write_transaction(wait=False) as connection:
        due = select(articles.c.stem).where(articles.c.next_change <= second)
        before = load_articles(connection, connection.execute(due).scalars().all())
        after = {stem: _again(row, index.config) for stem, row in before.items()}
        return apply(connection, index.config, plan(before, after, second), second, anew=False)


def _again(row: ArticleRow, config: Config) -> IndexedArticle:
    return index_article(decode(row.document), config)


def sync(
    index: Index,
    directory: Path,
    now: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    jobs: int = 1,
    changed_paths: Set[str] | None = None,
) -> Report:
    """Bring the index up to a folder's files.

    Many files are read by `jobs` processes. Where nothing changed since the last sync
    but the files and folders with `changed_paths`, relative to the folder, and that
    sync's report was `direct`, the others are not scanned if that can be. Files of
    `changed_paths` are read in any case, all others if their size or time is not as
    before.

    A file with a plain line `published: false` is read no further: `feeds check` tells
    what else is wrong with it.

    A second sync waits for the first. Whatever ends it early leaves the index as it was;
    a damaged one is made anew.
    Raises OSError if the folder cannot be read or a process dies, IndexUnavailable if
    the index cannot be written.
    """
    try:
        return _sync(index, directory, now, progress, jobs, changed_paths)
    except IndexDamaged:
        return _sync(index, directory, now, progress, jobs, changed_paths)


def _sync(
    index: Index,
    directory: Path,
    now: datetime,
    progress: Callable[[int, int], None],
    jobs: int,
    changed_paths: Set[str] | None,
) -> Report:
    with index.write_transaction() as connection:
        run = _Sync(connection, index.config, directory, now, changed_paths or frozenset())
        if changed_paths is None or not run.changes.scan_changed():
            run.changes.scan_all()
        run.read(jobs, progress)
        return run.finish()


@dataclass
class _Sync:
    connection: Connection
    config: Config
    directory: Path
    now: datetime
    changed_paths: Set[str]
    changes: Changes = field(init=False)
    #: What became of each stem: its article, or None where it left.
    outcome: dict[str, IndexedArticle | None] = field(default_factory=dict)
    added: int = 0
    changed: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fingerprint = self.config.fingerprint()
        self.meta = self.connection.execute(select(meta)).one()
        self.anew = self.meta.fingerprint != self.fingerprint
        self.changes = Changes(self.connection, self.directory, self.anew, self.changed_paths)

    def read(self, jobs: int, progress: Callable[[int, int], None]) -> None:
        """Read what changed."""
        self.outcome = dict.fromkeys(self.changes.gone)
        paths = self.changes.to_read
        asked = [(path, b"" if self.anew else self._digest(path)) for path in paths]
        work = partial(read_file, self.directory, self.config)
        with closing(spread(work, asked, jobs)) as answers:
            for done, ((path, known), result) in enumerate(zip(asked, answers, strict=True), 1):
                self._take(path, result, is_known=result.digest == known != b"")
                progress(done, len(asked))
        for path, owner in sorted(self.changes.refused.items()):
            problem = f"has the same name as {owner}, rename one of them"
            self._record(path, FileResult(b"", problem, 1))

    def _digest(self, path: str) -> bytes:
        known = self.changes.known.get(path)
        return known.digest if known else b""

    def _take(self, path: str, result: FileResult, is_known: bool) -> None:
        if is_known:
            row = self.changes.known[path]
            result = result._replace(fault=row.fault, line=row.line)
        elif result.article or result.withheld:
            self.outcome[stem_of(path)] = result.article
        self._record(path, result)

    def _record(self, path: str, result: FileResult) -> None:
        """Note a file; without a digest, or if just changed, it is read again next time."""
        known: Any = self.changes.known.get(path)
        size, mtime = self.changes.stamps.get(path) or (known.size, known.mtime)
        settled = result.digest and mtime < self.now.timestamp() * 1e9 - GRAIN
        row = {
            "path": path,
            "stem": stem_of(path),
            "size": size,
            "mtime": mtime if settled else -1,
            "digest": result.digest,
            "line": result.line,
            "fault": result.fault,
        }
        if known is None:
            self.added += 1
        elif known.digest != result.digest:
            self.changed += 1
        if not known or any(getattr(known, name) != value for name, value in row.items()):
            self.rows.append(row)

    def finish(self) -> Report:
        """Write what was read."""
        replaced = [row["path"] for row in self.rows if row["path"] in self.changes.known]
        delete_in(self.connection, files.c.path, [*self.changes.missing, *replaced])
        insert(self.connection, files, self.rows)
        second = int(self.now.timestamp())
        after = self.outcome
        before = load_articles(self.connection, None if self.anew else after)
        if self.anew:
            unread = (row for stem, row in before.items() if stem not in after)
            after = {**{row.stem: _again(row, self.config) for row in unread}, **after}
        values: dict[str, Any] = {"synced": second, "fingerprint": self.fingerprint}
        if not self.meta.fingerprint:
            # What a process keeps of an earlier index must not pass for this one.
            values["revision"] = max(self.meta.revision + 1, int(self.now.timestamp() * 1e6))
        self.connection.execute(update(meta).values(values))
        planned = plan(before, after, second)
        touched = apply(self.connection, self.config, planned, second, anew=self.anew)
        listing = self.changes.listing
        scanned = len(listing.files) + len(self.changes.hidden)
        return Report(
            added=self.added,
            changed=self.changed,
            removed=len(self.changes.missing),
            unchanged=scanned - self.added - self.changed,
            faults=self._faults(),
            touched=touched,
            direct=not (listing.faults or listing.links),
        )

    def _faults(self) -> tuple[ArticleError, ...]:
        faulty = select(files).where(files.c.fault.is_not(None))
        faults = [
            ArticleError(row.path, row.line, row.fault) for row in self.connection.execute(faulty)
        ]
        faults += [
            ArticleError(path, 1, fault) for path, fault in self.changes.listing.faults.items()
        ]
        return tuple(sorted(faults, key=lambda fault: fault.path))
