"""One comparison of a folder of articles with the index, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Set
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.engine import Connection

from feeds.articles import ArticleError, stem_of
from feeds.config import Config
from feeds.index import Index, tables
from feeds.index.comparing import Comparison
from feeds.index.database import IndexDamaged
from feeds.index.placing import Placing
from feeds.index.report import Report
from feeds.index.rows import BATCH, insert
from feeds.placement import Placement
from feeds.processes import spread
from feeds.reading import Read, read_file

#: A file changed this recently may change again within the clock's grain.
GRAIN = 2_000_000_000


def sync(
    catalogue: Index,
    directory: Path,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    jobs: int = 1,
    named: Set[str] | None = None,
) -> Report:
    """Bring the index up to a folder's files.

    `clock` tells the time in UTC, as the sync goes on. Many files are read by `jobs`
    processes. Where nothing changed since the last sync but the files and folders that
    `named` has the paths of, relative to the folder, and that one's report was `direct`,
    the others are not looked at if that can be. Files of `named` are read in any case, all
    others if their size or time is not as before.

    A file with a plain line `published: false` is read no further: `feeds check` tells
    what else is wrong with it.

    A second sync waits for the first. Whatever ends it early leaves the index as it was;
    a damaged one is made anew.
    Raises OSError if the folder cannot be read or a process dies, IndexUnavailable if
    the index cannot be written.
    """
    try:
        return _sync(catalogue, directory, clock, progress, jobs, named)
    except IndexDamaged:
        return _sync(catalogue, directory, clock, progress, jobs, named)


def _sync(
    catalogue: Index,
    directory: Path,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None],
    jobs: int,
    named: Set[str] | None,
) -> Report:
    with catalogue.writing() as connection:
        run = _Sync(connection, catalogue.config, directory, clock, named or frozenset())
        if named is None or not run.found.scan_changed():
            run.found.scan_all()
        run.read(jobs, progress)
        return run.finish()


@dataclass
class _Sync:
    connection: Connection
    config: Config
    directory: Path
    clock: Callable[[], datetime]
    named: Set[str]
    now: datetime = field(init=False)
    found: Comparison = field(init=False)
    #: What became of each stem: where its article belongs, or None where it left.
    outcome: dict[str, Placement | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.clock()
        # Where the code that reads articles is another, the index was made anew, without one.
        self.fingerprint = self.config.fingerprint()
        self.before = self.connection.execute(select(tables.state)).one()
        self.refresh = self.before.fingerprint != self.fingerprint
        self.found = Comparison(self.connection, self.directory, self.refresh, self.named)

    def read(self, jobs: int, progress: Callable[[int, int], None]) -> None:
        """Read what changed."""
        self.outcome = dict.fromkeys(self.found.gone)
        asked = [(path, b"" if self.refresh else self._digest(path)) for path in self.found.to_read]
        work = partial(read_file, self.directory, self.config)
        with closing(spread(work, asked, jobs)) as answers:
            for done, ((path, known), read) in enumerate(zip(asked, answers, strict=True), 1):
                self._take(path, read, is_known=read.digest == known != b"")
                progress(done, len(asked))
        for path, owner in sorted(self.found.refused.items()):
            self._record(path, Read(b"", f"has the same name as {owner}, rename one of them", 1))

    def _digest(self, path: str) -> bytes:
        known = self.found.known.get(path)
        return known.digest if known else b""

    def _take(self, path: str, read: Read, is_known: bool) -> None:
        if is_known:
            row = self.found.known[path]
            read = read._replace(fault=row.fault, line=row.line)
        elif read.placement or read.withheld:
            self.outcome[stem_of(path)] = read.placement
        self._record(path, read)

    def _record(self, path: str, read: Read) -> None:
        """Remember a file; without a digest, or if just changed, it is read again next time."""
        known: Any = self.found.known.get(path)
        size, mtime = self.found.stamps.get(path) or (known.size, known.mtime)
        settled = read.digest and mtime < self.now.timestamp() * 1e9 - GRAIN
        row = {
            "path": path,
            "stem": stem_of(path),
            "size": size,
            "mtime": mtime if settled else -1,
            "digest": read.digest,
            "line": read.line,
            "fault": read.fault,
        }
        if known is None:
            self.counts["added"] += 1
        elif known.digest != read.digest:
            self.counts["changed"] += 1
        if not known or any(getattr(known, name) != value for name, value in row.items()):
            self.rows.append(row)
            if len(self.rows) >= BATCH:
                self._write_files()

    def finish(self) -> Report:
        """Write what was read, and date the feeds that subscribers see changed."""
        self._write_files()
        self._delete_files(self.found.missing)
        placing = Placing(self.connection, self.config, self.clock, self.refresh)
        placed = placing.place(self.outcome)
        state = tables.state.c
        grown = int(placed.visible)
        if not self.before.fingerprint:
            # What was kept of an earlier index must not pass for this one.
            grown = max(1, int(self.now.timestamp() * 1e6) - self.before.revision)
        values = {
            "synced": int(self.now.timestamp()),
            "fingerprint": self.fingerprint,
            "revision": state.revision + grown,
            "ranked": state.ranked + int(placed.ranked),
        }
        self.connection.execute(update(tables.state).values(values))
        looked_at = len(self.found.listing.files) + len(self.found.hidden)
        return Report(
            added=self.counts["added"],
            changed=self.counts["changed"],
            removed=len(self.found.missing),
            unchanged=looked_at - self.counts["added"] - self.counts["changed"],
            faults=self._faults(),
            touched=placed.touched,
            direct=not (self.found.listing.faults or self.found.listing.links),
        )

    def _faults(self) -> tuple[ArticleError, ...]:
        faulty = select(tables.files).where(tables.files.c.fault.is_not(None))
        rows = self.connection.execute(faulty)
        faults = [ArticleError(row.path, row.line, row.fault) for row in rows]
        faults += [
            ArticleError(path, 1, fault) for path, fault in self.found.listing.faults.items()
        ]
        return tuple(sorted(faults, key=lambda fault: fault.path))

    def _write_files(self) -> None:
        self._delete_files(row["path"] for row in self.rows if row["path"] in self.found.known)
        insert(self.connection, tables.files, self.rows)
        self.rows = []

    def _delete_files(self, paths: Iterable[str]) -> None:
        gone = [{"old": path} for path in paths]
        if gone:
            statement = delete(tables.files).where(tables.files.c.path == bindparam("old"))
            self.connection.execute(statement, gone)
