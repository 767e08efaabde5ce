"""Keeping an index up to a folder that people save files in."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Set
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import watchfiles
from watchfiles import Change

# What watchfiles 1.3 raises where a changed name is no UTF-8; it exports it nowhere else.
from watchfiles._rust_notify import WatchfilesRustInternalError

from feeds.index import Index
from feeds.index.database import IndexUnavailable
from feeds.index.report import Report
from feeds.index.sync import sync
from feeds.processes import PROCESSORS

#: Milliseconds without a change after which those before it are synced: a save is several.
STEP = 5
#: Seconds after which the folder is compared even if nothing was noticed: network
#: file systems notice nothing, and what happened as the watch began is lost to it.
FIRST_LOOK = 1
NEXT_LOOK = 30


#: Takes a line for people, and how much it matters, by logging's levels.
Tell = Callable[[int, str], None]


def watch(
    catalogue: Index,
    directory: Path,
    stop: Event,
    tell: Tell,
    faults: Iterable[str] = (),
    timed: Callable[[float], None] = lambda seconds: None,
) -> None:
    """Sync on every change until `stop` is set; `tell` gets a line for what matters.

    `timed` gets the seconds that each sync took. Each fault is told once; `faults` were
    told before. So is what stops the work, until it goes on. Nothing ends the watch:
    while the folder or the index cannot be read, it tries again every second, and what
    was published stays up. Of several machines one follows the folder, and each of the
    others tries every second to take its place.
    """
    teller = Teller(tell, faults)

    def look(named: Set[str] | None) -> Report:
        began = time.monotonic()
        report = sync(catalogue, directory, _utc_now, jobs=PROCESSORS, named=named)
        timed(time.monotonic() - began)
        teller.tell(report)
        return report

    while not stop.is_set():
        try:
            if catalogue.leads():
                _follow(catalogue, directory, stop, look, teller.recover)
            else:
                stop.wait(1)
        except IndexUnavailable as error:
            teller.fail(f"{error}; trying again every second")
            stop.wait(1)
        except (OSError, UnicodeError, WatchfilesRustInternalError) as error:
            reason = getattr(error, "strerror", None) or error
            teller.fail(f"{directory} cannot be watched, {reason}; trying again every second")
            stop.wait(1)
    catalogue.resign()


def _follow(
    catalogue: Index,
    directory: Path,
    stop: Event,
    look: Callable[[Set[str] | None], Report],
    works: Callable[[], None],
) -> None:
    """Sync until the folder is replaced by another one, which a watch cannot follow, or may be."""
    watched = directory.stat()
    # Where the system has no watch left to give, this is done again every second.
    report = look(None)
    next_look, untold = time.monotonic() + FIRST_LOOK, False
    for changes in watchfiles.watch(
        directory,
        watch_filter=_is_of_interest,
        stop_event=stop,
        debounce=200,
        step=STEP,
        rust_timeout=1000 * FIRST_LOOK,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        works()
        if untold and not changes:
            return
        untold = False
        replaced = not os.path.samestat(directory.stat(), watched)
        # A new folder often gets the number of the one that was deleted.
        replaced |= any(c == Change.deleted and Path(path) == directory for c, path in changes)
        named = {os.path.relpath(path, directory) for _, path in changes}
        if named:
            catalogue.leads()  # no longer, if it raises
            report = look(named if report.direct else None)
        is_due = time.monotonic() >= next_look
        if replaced or is_due or not catalogue.is_readable():
            catalogue.leads()
            report = look(None)
            next_look = time.monotonic() + NEXT_LOOK
            # If nothing tells of it yet: on a disk mounted again, the watch is of the old.
            untold = bool(report.added or report.changed or report.removed)
        if replaced:
            return


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _is_of_interest(_: Change, path: str) -> bool:
    return "/.git/" not in path


class Teller:
    """Turns syncs into lines for people."""

    def __init__(self, tell: Tell, faults: Iterable[str] = ()) -> None:
        self._tell = tell
        self._faults = set(faults)
        self._trouble = ""

    def fail(self, trouble: str) -> None:
        """What keeps the index from following the folder, if it is news."""
        if trouble != self._trouble:
            self._tell(logging.WARNING, trouble)
        self._trouble = trouble

    def recover(self) -> None:
        """Have the next trouble told, though it be the same as the last."""
        self._trouble = ""

    def tell(self, report: Report) -> None:
        """Each new fault, and a line of counts if any file changed."""
        faults = [str(fault) for fault in report.faults]
        for fault in faults:
            if fault not in self._faults:
                self._tell(logging.WARNING, fault)
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
            self._tell(logging.INFO, f"{', '.join(counts)}: {report.touched} feeds changed")
