"""Telling a hub which feeds have changed (W3C WebSub)."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from urllib.parse import urlencode

import pycurl

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
#: Seconds that a ping takes at most, from finding the host to the end of the answer.
TIMEOUT = 30
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
    #: Seconds, as time.monotonic counts them.
    clock: Callable[[], float] = time.monotonic
    #: How often the hub has failed in a row.
    failures: int = 0
    #: When it is told more, on this clock.
    _next: float = 0.0
    #: The status, or curl's number of the error, that was told last; 0 for a success.
    _trouble: int = 0
    #: The highest number that the processes have seen the change of.
    _settled: int = 0
    #: What the hub has been told of the feed that has waited longest.
    _sent: set[tuple[int, str]] = field(default_factory=set)

    def step(self) -> float:
        """Do what is next; in how many seconds there may be more, inf if nothing waits."""
        queue_due(self.catalogue, datetime.now(UTC))
        if (pause := self._next - self.clock()) > 0:
            return pause
        waiting = outbox.first(self.catalogue, self.catalogue.config.hub)
        if waiting is None:
            return math.inf
        if not waiting.id <= self._settled <= waiting.last:
            # A hub that came sooner would be given what was there before.
            self._settled = waiting.last
            checks = self.catalogue.config.checks_per_second
            pause = SETTLE + (1 / checks if checks else 0)
            self._next = self.clock() + pause
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
        try:
            status, retry_after = self._post(topic)
        except pycurl.error as error:
            number, reason = error.args  # type: ignore[misc]  # all but errors in arguments have two
            self._wait(number, f"cannot be reached, {clean.text(reason)[:80]}", 0)
            return False
        if status >= 500 or status in _LATER:
            self._wait(status, f"answers {status}", retry_after)
            return False
        self.failures = self._trouble = 0
        if not 200 <= status < 300:
            self._tell(status, f"answers {status} to {topic}, and is not asked again")
        return True

    def _post(self, topic: str) -> tuple[int, int]:
        """The status of the hub's answer, and the seconds that its Retry-After says, or 0."""
        config, curl = self.catalogue.config, pycurl.Curl()
        # WebSub leaves the words to the hub: some read the one, some the other. One
        # topic at a time, for of several a hub in PHP reads the last.
        params = {"hub.mode": "publish", "hub.topic": topic, "hub.url": topic}
        curl.setopt(pycurl.URL, config.hub)
        curl.setopt(pycurl.POSTFIELDS, urlencode(params))
        curl.setopt(pycurl.USERAGENT, f"feeds ({config.base_url}/)")
        curl.setopt(pycurl.TIMEOUT_MS, round(1000 * TIMEOUT))
        # Only the main thread of a process may use signals.
        curl.setopt(pycurl.NOSIGNAL, 1)
        # It takes the body, by telling how much of it there was.
        curl.setopt(pycurl.WRITEFUNCTION, len)
        curl.perform()
        return curl.getinfo(pycurl.RESPONSE_CODE), curl.getinfo(pycurl.RETRY_AFTER)

    def _wait(self, number: int, trouble: str, least: float) -> None:
        """Leave a hub that failed alone, the longer the oftener it has."""
        self._tell(number, f"{trouble}; trying again")
        pause = min(FIRST * 2.0**self.failures, MOST) * random.uniform(0.5, 1)
        self._next = self.clock() + min(max(pause, least), LONGEST)
        self.failures = min(self.failures + 1, 30)

    def _tell(self, number: int, trouble: str) -> None:
        """Tell of a trouble once, by its number: curl's texts say how long it took."""
        if number != self._trouble:
            self.tell(f"the hub {self.catalogue.config.hub} {trouble}")
        self._trouble = number
