"""Telling a hub which feeds have changed (W3C WebSub)."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from feeds.articles import clean
from feeds.formats import FORMATS, Format
from feeds.index import Index, outbox
from feeds.index.coming import queue_due
from feeds.index.database import IndexUnavailable
from feeds.index.outbox import Waiting

#: Seconds between looks at what waits.
POLL = 0.2
#: Seconds from a change until every process has surely seen it, besides its own pause.
SETTLE = 0.25
#: Seconds for which a hub may be silent.
TIMEOUT = 10
#: Seconds until a hub that failed is tried again: at first, at most, and if it says so.
FIRST, MOST, LONGEST = 1, 3600, 86_400
#: Answers of hubs that may take the same ping later, besides all from 500 on.
_LATER = (408, 429)


def push(catalogue: Index, stop: Event, tell: Callable[[str], None]) -> None:
    """Tell the hub of changes until `stop` is set; `tell` gets a line for what matters.

    Of all processes that share the index one does, and another where that dies. What
    was sent when it died is sent again.
    """
    pusher = Pusher(catalogue=catalogue, tell=tell)
    while not stop.is_set():
        try:
            pause = min(pusher.step(), POLL) if catalogue.pushes() else 1
        except (OSError, IndexUnavailable):
            pause = 1  # who follows the folder tells
        stop.wait(pause)
    catalogue.resign()


def push_once(catalogue: Index, tell: Callable[[str], None]) -> int | None:
    """Tell the hub of all that waits, until it fails; how many feeds still wait.

    None where another process does that.
    """
    if not catalogue.pushes():
        return None
    pusher = Pusher(catalogue=catalogue, tell=tell)
    while not pusher.failures and (pause := pusher.step()) < math.inf:
        time.sleep(pause)
    catalogue.resign()
    return outbox.count(catalogue, catalogue.config.hub)


@dataclass(kw_only=True)
class Pusher:
    """Sends what waits, one ping at a time: each feed in each of its formats."""

    catalogue: Index
    tell: Callable[[str], None]
    #: How often the hub has failed in a row.
    failures: int = 0
    #: When it is told more, on the monotonic clock.
    _next: float = 0.0
    #: What was told of it last.
    _trouble: str = ""
    #: The highest number that the processes have seen the change of.
    _settled: int = 0
    #: What the hub has been told of the feed that has waited longest.
    _sent: set[tuple[int, str]] = field(default_factory=set)

    def step(self) -> float:
        """Do what is next; in how many seconds there may be more, inf if nothing waits."""
        queue_due(self.catalogue, datetime.now(UTC))
        if (pause := self._next - time.monotonic()) > 0:
            return pause
        waiting = outbox.first(self.catalogue, self.catalogue.config.hub)
        if waiting is None:
            return math.inf
        if not waiting.id <= self._settled <= waiting.last:
            # A hub that came sooner would be given what was there before.
            self._settled = waiting.last
            checks = self.catalogue.config.checks_per_second
            pause = SETTLE + (1 / checks if checks else 0)
            self._next = time.monotonic() + pause
            return pause
        for form in FORMATS.values():
            ping = waiting.id, form.suffix
            if ping not in self._sent:
                if not self._send(waiting, form):
                    return 0
                self._sent.add(ping)
        self._sent.clear()
        outbox.remove(self.catalogue, waiting)
        return 0

    def _send(self, waiting: Waiting, form: Format) -> bool:
        """Ping the hub; whether there is nothing more to be said of it."""
        config = self.catalogue.config
        topic = config.base_url + waiting.selection.address(form.file)
        # WebSub leaves the words to the hub: some read the one, some the other. One
        # topic at a time, for of several a hub in PHP reads the last.
        asked = {"hub.mode": "publish", "hub.topic": topic, "hub.url": topic}
        body = urlencode(asked).encode("ascii")
        headers = {"User-Agent": f"feeds ({config.base_url}/)"}
        try:
            with _OPENER.open(Request(config.hub, body, headers), timeout=TIMEOUT):
                pass
        except HTTPError as error:
            error.close()
            trouble = f"answers {error.code} {_line(error.reason)}"
            if error.code < 500 and error.code not in _LATER:
                self._tell(f"{trouble} to {topic}, and is not asked again")
                self.failures = 0
                return True
            self._wait(trouble, _retry_after(error.headers))
        except (OSError, ValueError, HTTPException) as error:  # ValueError: of no possible host
            # urllib wraps some of them.
            reason = getattr(error, "reason", error)
            said = _line(getattr(reason, "strerror", None) or reason)
            self._wait(f"cannot be reached, {said}", 0)
        else:
            self.failures, self._trouble = 0, ""
            return True
        return False

    def _wait(self, trouble: str, least: float) -> None:
        """Leave a hub that failed alone, the longer the oftener it has."""
        self._tell(f"{trouble}; trying again")
        pause = min(FIRST * 2.0**self.failures, MOST) * random.uniform(0.5, 1)
        self._next = time.monotonic() + min(max(pause, least), LONGEST)
        self.failures = min(self.failures + 1, 30)

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self.tell(f"the hub {self.catalogue.config.hub} {trouble}")
        self._trouble = trouble


class _Staying(HTTPRedirectHandler):
    """Follows no redirect: urllib would make a GET of the ping."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(_Staying)


def _line(said: object) -> str:
    """What somebody else said, for a line of the log."""
    return clean.text(str(said))[:80]


def _retry_after(headers: Message) -> float:
    """Seconds until the hub wants to be asked again (RFC 9110 section 10.2.3), 0 if not said."""
    said = headers.get("Retry-After", "")
    if said.isdecimal():
        return float(said)
    try:
        return parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, OverflowError):  # of a year beyond all years
        return 0
