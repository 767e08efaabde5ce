"""The files of a folder that differ from their rows in the index."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from feeds.articles import stem_of
from feeds.articles.folder import File, Listing, list_files, scan_paths
from feeds.index import schema
from feeds.index.rows import select_in

#: Where more files changed, a scan of all files is faster.
MAX_CHANGED_PATHS = 500
#: If at least this many files are absent and none is left, the disk of the folder is taken to
#: be not mounted.
MIN_ABSENT_AT_ONCE = 10


@dataclass
class Changes:
    """The files that changed, and those that were deleted."""

    connection: Connection
    directory: Path
    #: Then every file counts as changed.
    settings_changed: bool
    listing: Listing = field(default_factory=Listing)
    reported: Set[str] = frozenset()
    #: The size and time of the files that changed.
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: The rows of all files that share a stem with one that changed or was deleted.
    known: dict[str, Row[Any]] = field(default_factory=dict)
    #: The paths of the files to read.
    to_read: list[str] = field(default_factory=list)
    #: Files whose stem belongs to another file, and that other file.
    duplicates: dict[str, str] = field(default_factory=dict)
    deleted_files: set[str] = field(default_factory=set)
    #: Files that were not listed but may still exist: their folder cannot be read, or the disk
    #: is not mounted.
    unreadable_files: set[str] = field(default_factory=set)
    #: The stems that no file has any more.
    deleted_stems: set[str] = field(default_factory=set)

    def scan(self, changed_paths: Set[str] | None) -> None:
        """Compare the files and folders that were reported as changed with the index.

        Each such file is read. None stands for all files, of which those are read that differ.
        """
        self.reported = changed_paths or frozenset()
        if changed_paths is None or not self._scan_changed():
            self._scan_all()

    def _scan_all(self) -> None:
        """Compare every file with the index."""
        files = schema.files.c
        self.listing = list_files(self.directory)
        rows = self.connection.execute(select(files.path, files.size, files.mtime))
        # The driver's own rows take half the time.
        absent = self._compare(rows.cursor.fetchall() if rows.cursor else [])
        faults = self.listing.faults
        # A folder that cannot be read does not say that its files were deleted.
        unreadable = {path for path in absent if any(path.startswith(f"{f}/") for f in faults)}
        if len(absent) >= MIN_ABSENT_AT_ONCE and not self.listing.files and absent != unreadable:
            stay = "which stay up; mount the disk, or leave one file"
            faults["."] = f"empty where {len(absent)} articles were, {stay}"
            unreadable = absent
        self.unreadable_files = unreadable
        self._decide(absent - unreadable)

    def _scan_changed(self) -> bool:
        """Compare the reported paths and all files of the same stems with the index.

        Return False, having decided nothing, where only a scan of all files can tell.
        """
        changed = self.reported
        if self.settings_changed or len(changed) > MAX_CHANGED_PATHS:
            return False
        listing = scan_paths(self.directory, changed)
        if listing is None or any(map(self._was_folder, changed - set(listing.paths))):
            return False
        known = self._sharing({stem_of(path) for path in changed})
        others = scan_paths(self.directory, known.keys() - changed)
        if others is None:
            return False
        listing.files.extend(others.files)
        self.listing = listing
        absent = self._compare((row.path, row.size, row.mtime) for row in known.values())
        if len(absent) >= MIN_ABSENT_AT_ONCE and not listing.files:
            return False
        self._decide(absent)
        return True

    def _compare(self, known: Iterable[File]) -> set[str]:
        """Find the listed files that changed, and return the known files that are not listed."""
        listed = set(self.listing.files)
        # In one step, because two differences of sets take 1.4 times as long.
        different = listed.symmetric_difference(known)
        changed = listed if self.settings_changed else different & listed
        if self.reported:
            # A file may change and keep its size and its time.
            changed |= {file for file in listed if file[0] in self.reported}
        self.stamps = {path: (size, mtime) for path, size, mtime in changed}
        return {path for path, _, _ in different - listed} - self.stamps.keys()

    def _was_folder(self, path: str) -> bool:
        """Return whether the index has files below a path."""
        known = schema.files.c.path
        # "0" is the character after "/".
        below = select(known).where(known > f"{path}/", known < f"{path}0").limit(1)
        return self.connection.execute(below).first() is not None

    def _sharing(self, stems: Iterable[str]) -> dict[str, Row[Any]]:
        """Return the rows of the files with these stems, by path."""
        rows = select_in(self.connection, select(schema.files), schema.files.c.stem, stems)
        return {row.path: row for row in rows}

    def _decide(self, deleted: set[str]) -> None:
        """Decide what to read, and which file owns a stem that several files have."""
        sharing: dict[str, set[str]] = {stem_of(path): set() for path in deleted}
        for path in self.stamps:
            sharing.setdefault(stem_of(path), set()).add(path)
        self.known = self._sharing(sharing)
        for path in self.known.keys() - deleted:
            sharing[self.known[path].stem].add(path)
        for stem, paths in sharing.items():
            owner = min(paths & self.unreadable_files or paths, default=None)
            if owner is None:
                self.deleted_stems.add(stem)
                continue
            if owner in self.stamps:
                self.to_read.append(owner)
            if len(paths) > 1:
                others = paths - self.unreadable_files - {owner}
                self.duplicates.update(dict.fromkeys(others, owner))
        self.to_read.sort()
        self.deleted_files = deleted
