"""Keeping an index up to a folder that people save files in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import watchfiles

from feeds.articles import ArticleError
from feeds.index import Index
from feeds.index.database import IndexUnavailable
from feeds.index.sync import Report, sync

#: Seconds after which the folder is compared even if nothing was noticed: network
#: file systems notice nothing, and what happened as the watch began is lost to it.
FIRST_LOOK = 1
NEXT_LOOK = 30


def watch(
    catalogue: Index,
    directory: Path,
    stop: Event,
    tell: Callable[[str], None],
    faults: Iterable[ArticleError] = (),
) -> None:
    """Sync on every change until `stop` is set; `tell` gets a line for what matters.

    Each fault is told once; `faults` were told before. Nothing ends the watch: while
    the folder or the index cannot be read, it tries again every second, and what was
    published stays up. Of several machines one follows the folder, and each of the
    others tries every second to take its place.
    """
    teller = Teller(tell, faults)
    trouble = ""
    while not stop.is_set():
        try:
            if catalogue.leads():
                _follow(catalogue, directory, stop, teller)
            else:
                stop.wait(1)
        except (OSError, IndexUnavailable) as error:
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"{directory} cannot be watched, {error.strerror or error}"
            if reason != trouble:
                tell(f"{reason}; trying again every second")
            trouble = reason
            stop.wait(1)
        else:
            trouble = ""
    catalogue.resign()


def _follow(catalogue: Index, directory: Path, stop: Event, teller: Teller) -> None:
    """Sync until the folder is replaced by another one, which a watch cannot follow."""
    watched = directory.stat().st_ino
    # Where the system has no watch left to give, this is done again every second.
    teller.tell(sync(catalogue, directory, lambda: datetime.now(UTC)))
    next_look = time.monotonic() + FIRST_LOOK
    for changes in watchfiles.watch(
        directory,
        stop_event=stop,
        debounce=200,
        step=20,
        rust_timeout=1000 * FIRST_LOOK,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        replaced = directory.stat().st_ino != watched
        is_due = time.monotonic() >= next_look
        if changes or replaced or is_due or not catalogue.is_readable():
            catalogue.leads()  # no longer, if it raises
            report = sync(catalogue, directory, lambda: datetime.now(UTC))
            next_look = time.monotonic() + NEXT_LOOK
            teller.tell(report)
        if replaced:
            return


class Teller:
    """Turns syncs into lines for people."""

    def __init__(self, tell: Callable[[str], None], faults: Iterable[ArticleError] = ()) -> None:
        self._tell = tell
        self._faults = {str(fault) for fault in faults}

    def tell(self, report: Report) -> None:
        """Each new fault, and a line of counts if any file changed."""
        faults = [str(fault) for fault in report.faults]
        for fault in faults:
            if fault not in self._faults:
                self._tell(fault)
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
            self._tell(f"{', '.join(counts)}: {report.touched} feeds changed")
