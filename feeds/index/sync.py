"""One comparison of a folder of articles with the index, in one transaction."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.engine import Connection

from feeds.articles import Article, ArticleError, parse_article
from feeds.articles.folder import File, Listing, list_files, read_bytes
from feeds.config import Config
from feeds.index import Index, tables
from feeds.index.database import IndexDamaged
from feeds.index.placing import Placing

#: A file changed this recently may change again within the clock's grain.
GRAIN = 2_000_000_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a sync found; counts are of article files."""

    added: int
    changed: int
    removed: int
    unchanged: int
    #: Every file at fault, and every folder that cannot be read, by path.
    faults: tuple[ArticleError, ...]
    #: How many feeds look different to their subscribers.
    touched: int


def sync(
    catalogue: Index,
    directory: Path,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Bring the index up to a folder's files.

    `clock` tells the time in UTC, as the sync goes on. A second sync waits for the
    first. Whatever ends it early leaves the index as it was; a damaged one is made anew.
    Raises OSError if the folder cannot be read, IndexUnavailable if the index cannot be
    written.
    """
    try:
        return _sync(catalogue, directory, clock, progress)
    except IndexDamaged:
        return _sync(catalogue, directory, clock, progress)


def _sync(
    catalogue: Index,
    directory: Path,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> Report:
    with catalogue.writing() as connection:
        listing = list_files(directory)
        run = _Sync(connection, catalogue.config, directory, clock)
        run.read(listing, progress)
        return run.finish()


@dataclass
class _Sync:
    connection: Connection
    config: Config
    directory: Path
    clock: Callable[[], datetime]
    now: datetime = field(init=False)
    known: dict[str, Any] = field(init=False)
    rows: list[dict[str, Any]] = field(default_factory=list)
    stale: set[str] = field(default_factory=set)
    #: What became of each stem: its article, or None where it left.
    outcome: dict[str, Article | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unlisted: list[ArticleError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.clock()
        rows = self.connection.execute(select(tables.files))
        self.known = {row.path: row for row in rows}
        # Both the settings and the code that reads articles made the index what it is.
        self.fingerprint = f"{tables.VERSION} {self.config.fingerprint()}"
        before = self.connection.execute(select(tables.state.c.fingerprint)).scalar_one()
        self.is_known = bool(before)
        self.refresh = before != self.fingerprint

    def read(self, listing: Listing, progress: Callable[[int, int], None]) -> None:
        """Read what changed."""
        owners: dict[str, str] = {}
        for path in self._hidden(listing):
            owners.setdefault(self.known[path].stem, path)
            self.stale.discard(path)
        for done, file in enumerate(listing.files, 1):
            owner = owners.setdefault(file.stem, file.path)
            if owner == file.path:
                self._read(file)
            else:
                self._refuse(file, owner)
            progress(done, len(listing.files))
        self.unlisted = [ArticleError(path, 1, fault) for path, fault in listing.faults.items()]
        gone = {row.stem for row in self.known.values()} - owners.keys()
        self.outcome.update(dict.fromkeys(gone))

    def _hidden(self, listing: Listing) -> list[str]:
        """Known files below unreadable folders: nothing says that they are gone."""
        present = {file.path for file in listing.files}
        missing = self.known.keys() - present
        hidden = {p for p in missing if any(p.startswith(f + "/") for f in listing.faults)}
        self.stale = missing - hidden
        self.counts["removed"] = len(self.stale)
        self.counts["unchanged"] += len(hidden)
        return sorted(hidden)

    def _read(self, file: File) -> None:
        known = self.known.get(file.path)
        if known and not self.refresh and (known.size, known.mtime) == (file.size, file.mtime):
            self.counts["unchanged"] += 1
            return
        try:
            raw = read_bytes(self.directory, file)
        except OSError as error:
            problem = f"cannot be read, {error.strerror or error}"
            self._record(file, b"", ArticleError(file.path, 1, problem))
            return
        digest = hashlib.sha256(raw).digest()
        if known and not self.refresh and known.digest == digest:
            fault = known.fault and ArticleError(file.path, known.line, known.fault)
            self._record(file, digest, fault)
            return
        reading = parse_article(raw, file.path)
        self._record(file, digest, reading.faults[0] if reading.faults else None)
        if reading.withheld:
            self.outcome[file.stem] = None
        elif reading.article:
            self.outcome[file.stem] = reading.article

    def _refuse(self, file: File, owner: str) -> None:
        problem = f"has the same name as {owner}, rename one of them"
        self._record(file, b"", ArticleError(file.path, 1, problem))

    def _record(self, file: File, digest: bytes, fault: ArticleError | None) -> None:
        """Remember a file; without a digest, or if just changed, it is read again next time."""
        settled = digest and file.mtime < self.now.timestamp() * 1e9 - GRAIN
        row = {
            "path": file.path,
            "stem": file.stem,
            "size": file.size,
            "mtime": file.mtime if settled else -1,
            "digest": digest,
            "line": fault.line if fault else None,
            "fault": fault.problem if fault else None,
        }
        known = self.known.get(file.path)
        kind = "added" if not known else "unchanged" if known.digest == digest else "changed"
        self.counts[kind] += 1
        if not known or any(getattr(known, name) != value for name, value in row.items()):
            self.rows.append(row)

    def finish(self) -> Report:
        """Write what was read, and date the feeds that subscribers see changed."""
        self._write_files()
        placing = Placing(self.connection, self.config, self.clock, self.refresh)
        placed = placing.place(self.outcome)
        state = tables.state.c
        second = int(self.now.timestamp())
        # What was kept of an earlier index must not pass for this one.
        grown = int(placed.visible) if self.is_known else int(self.now.timestamp() * 1e6)
        values = {
            "synced": second,
            "fingerprint": self.fingerprint,
            "revision": state.revision + grown,
            "ranked": state.ranked + int(placed.ranked),
        }
        self.connection.execute(update(tables.state).values(values))
        faulty = select(tables.files).where(tables.files.c.fault.is_not(None))
        rows = self.connection.execute(faulty)
        faults = [ArticleError(row.path, row.line, row.fault) for row in rows] + self.unlisted
        return Report(
            added=self.counts["added"],
            changed=self.counts["changed"],
            removed=self.counts["removed"],
            unchanged=self.counts["unchanged"],
            faults=tuple(sorted(faults, key=lambda fault: fault.path)),
            touched=placed.touched,
        )

    def _write_files(self) -> None:
        gone = [{"old": path} for path in self.stale]
        gone += [{"old": row["path"]} for row in self.rows if row["path"] in self.known]
        if gone:
            statement = delete(tables.files).where(tables.files.c.path == bindparam("old"))
            self.connection.execute(statement, gone)
        if self.rows:
            self.connection.execute(tables.files.insert(), self.rows)
