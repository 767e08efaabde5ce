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

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.engine import Connection

from feeds.articles import ArticleError, stem_of
from feeds.articles.folder import File, Listing, collector_off, list_files, look_at
from feeds.config import Config
from feeds.index import Index, tables
from feeds.index.database import IndexDamaged
from feeds.index.placing import Placing
from feeds.index.report import Report
from feeds.index.rows import BATCH, among, insert
from feeds.placement import Placement
from feeds.processes import spread
from feeds.reading import Read, read_file

#: A file changed this recently may change again within the clock's grain.
GRAIN = 2_000_000_000
#: Names of files that changed; where there are more, a look at all files is faster.
MANY = 500
#: So many articles do not go at once: the folder's disk is not there.
ALL = 10
#: Names the folder itself in a fault.
EMPTY = "."


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
    the others are not looked at if that can be.

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
        run = _Sync(connection, catalogue.config, directory, clock)
        if named is None or not run.look_at(named):
            run.look_at_all()
        run.read(jobs, progress)
        return run.finish()


@dataclass
class _Sync:
    connection: Connection
    config: Config
    directory: Path
    clock: Callable[[], datetime]
    now: datetime = field(init=False)
    listing: Listing = field(init=False)
    #: The size and time of files that changed.
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: What the index holds of all files that share a stem with one of them.
    known: dict[str, Row[Any]] = field(default_factory=dict)
    #: The files to read, by path.
    due: list[str] = field(default_factory=list)
    #: Files whose name is another's, and that one.
    refused: dict[str, str] = field(default_factory=dict)
    #: Files that are no more, and files of which that is not known.
    missing: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    #: What became of each stem: where its article belongs, or None where it left.
    outcome: dict[str, Placement | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.clock()
        # Both the settings and the code that reads articles made the index what it is.
        self.fingerprint = f"{tables.VERSION} {self.config.fingerprint()}"
        self.before = self.connection.execute(select(tables.state)).one()
        self.refresh = self.before.fingerprint != self.fingerprint

    def look_at_all(self) -> None:
        """Compare every file with the index."""
        files = tables.files.c
        with collector_off():
            self.listing = list_files(self.directory)
            rows = self.connection.execute(select(files.path, files.size, files.mtime))
            # As the driver has them, which takes half the time.
            known = rows.cursor.fetchall() if rows.cursor else []
            lost = self._compare(known)
        faults = self.listing.faults
        if len(lost) >= ALL and not self.listing.files and not faults:
            stay = "which stay up; mount the disk, or leave one file"
            faults[EMPTY] = f"empty where {len(lost)} articles were, {stay}"
        # Below a folder that cannot be read: nothing says that they are gone.
        self.hidden = {p for p in lost if any(f == EMPTY or p.startswith(f"{f}/") for f in faults)}
        self._decide(lost - self.hidden, is_new=not known)

    def look_at(self, named: Set[str]) -> bool:
        """Compare the files that have, or had, one of some names; whether that is enough."""
        listing = None if self.refresh or len(named) > MANY else look_at(self.directory, named)
        if listing is None or any(map(self._was_folder, named - set(listing.paths))):
            return False
        known = self._sharing({stem_of(path) for path in named})
        others = look_at(self.directory, known.keys() - named)
        if others is None:
            return False
        listing.files.extend(others.files)
        self.listing = listing
        lost = self._compare((row.path, row.size, row.mtime) for row in known.values())
        if lost and not listing.files and self._holds_only(len(lost)):
            return False
        self._decide(lost)
        return True

    def _holds_only(self, count: int) -> bool:
        """Whether the index knows no more files than that."""
        some = select(tables.files.c.path).limit(count + 1)
        return len(self.connection.execute(some).all()) <= count

    def _compare(self, known: Iterable[File]) -> set[str]:
        """Find the files that are not as the index knows them; those that it lost."""
        seen = set(self.listing.files)
        different = seen.symmetric_difference(known)
        changed = seen if self.refresh else different & seen
        self.stamps = {path: (size, mtime) for path, size, mtime in changed}
        return {path for path, _, _ in different - seen} - self.stamps.keys()

    def _was_folder(self, path: str) -> bool:
        """Whether the index knows files below a path."""
        known = tables.files.c.path
        below = select(known).where(known > f"{path}/", known < f"{path}0").limit(1)
        return self.connection.execute(below).first() is not None

    def _sharing(self, stems: Iterable[str]) -> dict[str, Row[Any]]:
        rows = among(self.connection, tables.files, "stem", stems)
        return {row.path: row for row in rows}

    def _decide(self, missing: set[str], is_new: bool = False) -> None:
        """Decide what to read, and which file owns a name that several have."""
        sharing: dict[str, set[str]] = {stem_of(path): set() for path in missing}
        for path in self.stamps:
            sharing.setdefault(stem_of(path), set()).add(path)
        if not is_new:
            self.known = self._sharing(sharing)
        for path in self.known.keys() - missing:
            sharing[self.known[path].stem].add(path)
        for stem, paths in sharing.items():
            owner = min(paths & self.hidden or paths, default=None)
            if owner is None:
                self.outcome[stem] = None
                continue
            if owner in self.stamps:
                self.due.append(owner)
            if len(paths) > 1:
                self.refused.update(dict.fromkeys(paths - self.hidden - {owner}, owner))
        self.due.sort()
        self.missing = missing

    def read(self, jobs: int, progress: Callable[[int, int], None]) -> None:
        """Read what changed."""
        asked = [(path, b"" if self.refresh else self._digest(path)) for path in self.due]
        work = partial(read_file, self.directory, self.config)
        with closing(spread(work, asked, jobs)) as answers:
            for done, ((path, known), read) in enumerate(zip(asked, answers, strict=True), 1):
                self._take(path, read, is_known=read.digest == known != b"")
                progress(done, len(asked))
        for path, owner in sorted(self.refused.items()):
            self._record(path, Read(b"", f"has the same name as {owner}, rename one of them", 1))

    def _digest(self, path: str) -> bytes:
        known = self.known.get(path)
        return known.digest if known else b""

    def _take(self, path: str, read: Read, is_known: bool) -> None:
        if is_known:
            row = self.known[path]
            read = read._replace(fault=row.fault, line=row.line)
        elif read.placement or read.withheld:
            self.outcome[stem_of(path)] = read.placement
        self._record(path, read)

    def _record(self, path: str, read: Read) -> None:
        """Remember a file; without a digest, or if just changed, it is read again next time."""
        known: Any = self.known.get(path)
        size, mtime = self.stamps.get(path) or (known.size, known.mtime)
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
        self._delete_files(self.missing)
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
        looked_at = len(self.listing.files) + len(self.hidden)
        return Report(
            added=self.counts["added"],
            changed=self.counts["changed"],
            removed=len(self.missing),
            unchanged=looked_at - self.counts["added"] - self.counts["changed"],
            faults=self._faults(),
            touched=placed.touched,
            direct=not (self.listing.faults or self.listing.links),
        )

    def _faults(self) -> tuple[ArticleError, ...]:
        faulty = select(tables.files).where(tables.files.c.fault.is_not(None))
        rows = self.connection.execute(faulty)
        faults = [ArticleError(row.path, row.line, row.fault) for row in rows]
        faults += [ArticleError(path, 1, fault) for path, fault in self.listing.faults.items()]
        return tuple(sorted(faults, key=lambda fault: fault.path))

    def _write_files(self) -> None:
        self._delete_files(row["path"] for row in self.rows if row["path"] in self.known)
        insert(self.connection, tables.files, self.rows)
        self.rows = []

    def _delete_files(self, paths: Iterable[str]) -> None:
        gone = [{"old": path} for path in paths]
        if gone:
            statement = delete(tables.files).where(tables.files.c.path == bindparam("old"))
            self.connection.execute(statement, gone)
