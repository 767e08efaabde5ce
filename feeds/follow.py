"""Keeps an index up to a folder that people save files in, and to the time."""

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

# What watchfiles 1.3 raises where a changed name is no UTF-8; it exports it nowhere else.
from watchfiles._rust_notify import WatchfilesRustInternalError

from feeds.index import Index
from feeds.index.store import IndexUnavailable
from feeds.index.sync import Report, advance, sync, utc_now
from feeds.processes import PROCESSORS

#: Milliseconds without a change after which those before it are synced: a save is several.
STEP = 5
#: Milliseconds between looks at the clock.
TICK = 200
#: Seconds after which the folder is scanned even if nothing was noticed: network file
#: systems notice nothing, and what happened as the watch began is lost to it.
FIRST_SCAN = 1
NEXT_SCAN = 30

#: Takes a line for people, and how much it matters, by logging's levels.
Log = Callable[[int, str], None]


def follow(
    index: Index,
    directory: Path,
    stop: Event,
    log: Log,
    faults: Iterable[str] = (),
    timed: Callable[[float], None] = lambda seconds: None,
) -> None:
    """Sync on every change until `stop` is set; `log` gets a line for what matters.

    `timed` gets the seconds that each sync took. Each fault is reported once; `faults`
    were reported before. So is what stops the work, until it goes on. Nothing ends the
    loop: while the folder or the index cannot be read, it tries again every second, and
    what was published stays up. Of several machines one follows the folder, and each of
    the others tries every second to take its place.
    """
    reporter = SyncReporter(log, faults)

    def run(changed_paths: Set[str] | None) -> Report:
        began = time.monotonic()
        report = sync(index, directory, utc_now(), jobs=PROCESSORS, changed_paths=changed_paths)
        timed(time.monotonic() - began)
        reporter.report(report)
        return report

    while not stop.is_set():
        try:
            if index.leads():
                _follow(index, directory, stop, run, reporter.recover)
            else:
                stop.wait(1)
        except IndexUnavailable as error:
            reporter.fail(f"{error}; trying again every second")
            stop.wait(1)
        except (OSError, UnicodeError, WatchfilesRustInternalError) as error:
            reason = getattr(error, "strerror", None) or error
            reporter.fail(f"{directory} cannot be watched, {reason}; trying again every second")
            stop.wait(1)
    index.resign()


def _follow(
    index: Index,
    directory: Path,
    stop: Event,
    run: Callable[[Set[str] | None], Report],
    works: Callable[[], None],
) -> None:
    """Sync until the folder is replaced by another one, which a watch cannot follow, or may be."""
    watched = directory.stat()
    # Where the system has no watch left to give, this is done again every second.
    report = run(None)
    next_scan, unnoticed = time.monotonic() + FIRST_SCAN, False
    for changes in watchfiles.watch(
        directory,
        watch_filter=_is_of_interest,
        stop_event=stop,
        debounce=200,
        step=STEP,
        rust_timeout=TICK,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        works()
        if unnoticed and not changes:
            return
        unnoticed = False
        replaced = not os.path.samestat(directory.stat(), watched)
        # A new folder often gets the number of the one that was deleted.
        replaced |= any(c == Change.deleted and Path(path) == directory for c, path in changes)
        changed_paths = {os.path.relpath(path, directory) for _, path in changes}
        if changed_paths:
            index.leads()  # no longer, if it raises
            report = run(changed_paths if report.direct else None)
        if replaced or time.monotonic() >= next_scan or not index.is_readable():
            index.leads()
            report = run(None)
            next_scan = time.monotonic() + NEXT_SCAN
            # If nothing notices it yet: on a disk mounted again, the watch is of the old.
            unnoticed = bool(report.added or report.changed or report.removed)
        # Another process that is writing does the same, and what is wrong else shows above.
        with suppress(IndexUnavailable):
            advance(index, utc_now())
        if replaced:
            return


def _is_of_interest(_: Change, path: str) -> bool:
    return "/.git/" not in path


class SyncReporter:
    """Turns syncs into lines for people."""

    def __init__(self, log: Log, faults: Iterable[str] = ()) -> None:
        self._log = log
        self._faults = set(faults)
        self._trouble = ""

    def fail(self, trouble: str) -> None:
        """Report what keeps the index from following the folder, if it is new."""
        if trouble != self._trouble:
            self._log(logging.WARNING, trouble)
        self._trouble = trouble

    def recover(self) -> None:
        """Have the next trouble reported, even if it is the same as the last."""
        self._trouble = ""

    def report(self, report: Report) -> None:
        """Report each new fault, and the counts if any file changed."""
        faults = [str(fault) for fault in report.faults]
        for fault in faults:
            if fault not in self._faults:
                self._log(logging.WARNING, fault)
        self._faults = set(faults)
        counts = [
            f"{count} {name}"
            for count, name in (
                (report.added, "added"),
                (report.changed, "changed"),
                (report.removed, "removed"),
            )
            if count
        ]
        if counts:
            self._log(logging.INFO, f"{', '.join(counts)}: {report.touched} feeds changed")
