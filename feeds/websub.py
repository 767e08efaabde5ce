"""Pings to a hub for the feeds that have changed (W3C WebSub section 7)."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from urllib.parse import urlencode

import pycurl

from feeds.formats import FORMATS, Format
from feeds.index import Index, pings
from feeds.index.pings import Waiting
from feeds.index.store import IndexUnavailable
from feeds.selection import Selection
from feeds.text import text

#: Seconds between looks for feeds that wait.
POLL = 0.2
#: Seconds from a change until every process has surely seen it, besides its own pause.
SETTLE = 0.25
#: Seconds that a ping takes at most, from finding the host to the end of the answer.
TIMEOUT = 30
#: Seconds until a hub that failed is tried again: the first time, at most, and at most
#: where the hub's Retry-After asks for more.
FIRST_PAUSE, MAX_PAUSE, MAX_RETRY_AFTER = 1, 3600, 86_400
#: Statuses of hubs that may take the same ping later, besides all from 500 on.
_TEMPORARY = (408, 429)


def ping(index: Index, stop: Event, log: Callable[[str], None]) -> None:
    """Ping the hub after changes until `stop` is set; `log` gets a line for what matters.

    Of all processes that share the index one does, and another where that dies. What
    was sent when it died is sent again.
    """
    pinger = Pinger(index=index, log=log)
    while not stop.is_set():
        try:
            pause = min(pinger.step(), POLL) if index.pings() else 1
        except (OSError, IndexUnavailable):
            pause = 1  # the process that follows the folder reports it
        stop.wait(pause)
    index.resign()


def ping_once(index: Index, log: Callable[[str], None]) -> int | None:
    """Ping the hub for all feeds that wait, until it fails; how many still wait.

    None where another process does that.
    """
    if not index.pings():
        return None
    pinger = Pinger(index=index, log=log)
    while not pinger.failures and (pause := pinger.step()) < math.inf:
        time.sleep(pause)
    index.resign()
    return pings.count(index)


@dataclass(kw_only=True)
class Pinger:
    """Sends one ping at a time: for each feed that waits, one in each of its formats."""

    index: Index
    log: Callable[[str], None]
    #: Seconds, as time.monotonic counts them.
    clock: Callable[[], float] = time.monotonic
    #: How often the hub has failed in a row.
    failures: int = 0
    #: When the next ping may be sent, on this clock.
    _next: float = 0.0
    #: The status, or curl's number of the error, that was reported last; 0 for a success.
    _reported: int = 0
    #: The last change, in Unix time, that every process has seen.
    _settled: int = 0
    #: The addresses that were pinged for the feed that has waited longest.
    _sent: set[tuple[int, str]] = field(default_factory=set)

    def step(self) -> float:
        """Do what is next; in how many seconds there may be more, inf if no feed waits."""
        if (pause := self._next - self.clock()) > 0:
            return pause
        waiting = pings.first(self.index)
        if waiting is None:
            return math.inf
        selection, config = waiting.selection, self.index.config
        if config.name(Selection(kind=selection.kind, key=selection.key)).withdrawn:
            pings.mark(self.index, waiting)
            return 0
        if not waiting.changed <= self._settled <= waiting.latest:
            # A hub that came sooner would be given what was there before.
            self._settled = waiting.latest
            polls = config.index_polls_per_second
            pause = SETTLE + (1 / polls if polls else 0)
            self._next = self.clock() + pause
            return pause
        for form in FORMATS.values():
            sent = waiting.changed, selection.address(form.file)
            if sent not in self._sent:
                if not self._send(waiting, form):
                    return 0
                self._sent.add(sent)
        self._sent.clear()
        pings.mark(self.index, waiting)
        return 0

    def _send(self, waiting: Waiting, form: Format) -> bool:
        """Ping the hub for a feed; False where that is to be tried again."""
        topic = self.index.config.base_url + waiting.selection.address(form.file)
        try:
            status, retry_after = self._post(topic)
        except pycurl.error as error:
            number, reason = error.args  # type: ignore[misc]  # all but errors in arguments have two
            self._wait(number, f"cannot be reached, {text(reason)[:80]}", 0)
            return False
        if status >= 500 or status in _TEMPORARY:
            self._wait(status, f"answers {status}", retry_after)
            return False
        self.failures = self._reported = 0
        if not 200 <= status < 300:
            self._report(status, f"answers {status} to {topic}, and is not asked again")
        return True

    def _post(self, topic: str) -> tuple[int, int]:
        """The status of the hub's answer, and the seconds that its Retry-After says, or 0."""
        config, curl = self.index.config, pycurl.Curl()
        # WebSub leaves the parameters to the hub: some read hub.topic, some hub.url.
        # One topic at a time, for of several a hub in PHP reads the last.
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

    def _wait(self, number: int, trouble: str, retry_after: float) -> None:
        """Leave a hub that failed alone, for longer the more often it has."""
        self._report(number, f"{trouble}; trying again")
        pause = min(FIRST_PAUSE * 2.0**self.failures, MAX_PAUSE) * random.uniform(0.5, 1)
        self._next = self.clock() + min(max(pause, retry_after), MAX_RETRY_AFTER)
        self.failures = min(self.failures + 1, 30)

    def _report(self, number: int, trouble: str) -> None:
        """Report a trouble once, by its number: curl's texts say how long it took."""
        if number != self._reported:
            self.log(f"the hub {self.index.config.hub} {trouble}")
        self._reported = number
