"""Keep an index up to date with a folder, in which people save files, and with the time."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from pathlib import Path
from threading import Event

import watchfiles
from watchfiles import Change

# watchfiles 1.3 raises it where a changed name is not UTF-8, and exports it only here.
from watchfiles._rust_notify import WatchfilesRustInternalError

from feeds.index import Index
from feeds.index.store import IndexUnavailable
from feeds.index.sync import Report, advance, sync, utc_now
from feeds.processes import PROCESSORS
from feeds.text import counted

#: Milliseconds without a change after which a sync begins: one save makes several changes.
QUIET_TIME = 5
#: Milliseconds between attempts to apply what time has changed.
ADVANCE_PAUSE = 200
#: Seconds until the first scan of the folder, and between later ones. Network file systems
#: report no changes, and a change is not reported that came while the watch began.
FIRST_SCAN_PAUSE = 1
SCAN_PAUSE = 30
#: Files that a line of the log names; further ones are only counted.
MAX_NAMED_FILES = 3

#: Writes a line to the log, with one of logging's levels.
Log = Callable[[int, str], None]


def follow(
    index: Index,
    directory: Path,
    stop: Event,
    log: Log,
    faults: Iterable[str] = (),
    observe_sync: Callable[[float], None] = lambda seconds: None,
) -> None:
    """Sync on every change until `stop` is set.

    `log` gets the counts of each sync that changed something, and each fault once; `faults`
    were reported before. `observe_sync` gets the seconds that each sync took.

    While the folder or the index cannot be read, this is logged once and tried again every
    second, and what was published stays up. One process of all machines follows the folder,
    and the others try every second to take its place.
    """
    reporter = SyncReporter(log, faults)

    def run(changed_paths: Set[str] | None) -> Report:
        index.acquire("follow")  # raises if another process may have the role now
        began = time.monotonic()
        report = sync(index, directory, utc_now(), jobs=PROCESSORS, changed_paths=changed_paths)
        observe_sync(time.monotonic() - began)
        reporter.report(report)
        return report

    while not stop.is_set():
        try:
            if index.acquire("follow"):
                _follow(index, directory, stop, run, reporter.recover)
                continue
        except IndexUnavailable as error:
            reporter.fail(f"{error}; trying again every second")
        except (OSError, UnicodeError, WatchfilesRustInternalError) as error:
            reason = getattr(error, "strerror", None) or error
            reporter.fail(f"{directory} cannot be watched, {reason}; trying again every second")
        stop.wait(1)
    index.release()


def _follow(
    index: Index,
    directory: Path,
    stop: Event,
    run: Callable[[Set[str] | None], Report],
    recover: Callable[[], None],
) -> None:
    """Sync until the folder may have been replaced by another, which this watch cannot see.

    `recover` is called at the start of each round of the watch.
    """
    watched = directory.stat()
    # Where the system refuses a watch, `follow` calls this again, and so scans, every second.
    report = run(None)
    next_scan = time.monotonic() + FIRST_SCAN_PAUSE
    watch_missed_changes = False
    for changes in watchfiles.watch(
        directory,
        watch_filter=lambda change, path: "/.git/" not in path,
        stop_event=stop,
        debounce=200,
        step=QUIET_TIME,
        rust_timeout=ADVANCE_PAUSE,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        recover()
        if watch_missed_changes and not changes:
            return
        watch_missed_changes = False
        is_replaced = _is_replaced(directory, watched, changes)
        changed_paths = {os.path.relpath(path, directory) for _, path in changes}
        if changed_paths:
            report = run(changed_paths if report.can_sync_paths else None)
        if is_replaced or time.monotonic() >= next_scan or not index.is_readable():
            report = run(None)
            next_scan = time.monotonic() + SCAN_PAUSE
            # If the watch does not report these changes next, it is of another folder: of the
            # old disk, where a disk was mounted again.
            watch_missed_changes = bool(report.paths)
        # Either another process is writing, and applies it, or the next sync reports the error.
        with suppress(IndexUnavailable):
            advance(index, utc_now())
        if is_replaced:
            return


def _is_replaced(
    directory: Path, watched: os.stat_result, changes: Iterable[tuple[Change, str]]
) -> bool:
    """Return whether another folder is in the place of the one that is watched."""
    is_other = not os.path.samestat(directory.stat(), watched)
    # A new folder often gets the inode number of the one that was deleted.
    return is_other or any(c == Change.deleted and Path(path) == directory for c, path in changes)


class SyncReporter:
    """Writes the results of syncs to the log."""

    def __init__(self, log: Log, faults: Iterable[str] = ()) -> None:
        self._log = log
        self._faults = set(faults)
        self._trouble = ""

    def fail(self, trouble: str) -> None:
        """Report what keeps the index from following the folder, unless it was reported last."""
        if trouble != self._trouble:
            self._log(logging.WARNING, trouble)
        self._trouble = trouble

    def recover(self) -> None:
        """Forget the last trouble, so that the same one is reported again."""
        self._trouble = ""

    def report(self, report: Report) -> None:
        """Report each new fault, the warnings, and which files changed how many feeds."""
        faults = [str(fault) for fault in report.faults]
        for fault in faults:
            if fault not in self._faults:
                self._log(logging.WARNING, fault)
        self._faults = set(faults)
        for warning in report.warnings:
            self._log(logging.WARNING, str(warning))
        if report.paths:
            names = ", ".join(report.paths[:MAX_NAMED_FILES])
            more = len(report.paths) - MAX_NAMED_FILES
            if more > 0:
                names += f" and {counted(more, 'more file')}"
            self._log(logging.INFO, f"{names}: {counted(report.changed_feeds, 'feed')} changed")
