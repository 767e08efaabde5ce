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

from feeds.formats import FORMATS
from feeds.index import Index, pings
from feeds.index.store import IndexUnavailable
from feeds.periods import FREQUENCIES, Frequency
from feeds.selection import Selection
from feeds.text import clean_text

#: Seconds between searches for feeds that wait.
POLL_PAUSE = 0.2
#: Seconds from a poll of the index by every process until all of them surely answer with it.
SETTLE_PAUSE = 0.25
#: Seconds for one ping, from the lookup of the host to the end of the answer.
TIMEOUT = 30
#: Seconds until a hub that failed is tried again: the first time, and the maximum without
#: and with a Retry-After of the hub.
FIRST_PAUSE, MAX_PAUSE, MAX_RETRY_AFTER = 1, 3600, 86_400
#: A hub that answers with these, or from 500 on, may accept the same ping later.
_TEMPORARY = (408, 429)


def ping(index: Index, stop: Event, log: Callable[[str], None]) -> None:
    """Ping the hub after changes until `stop` is set; `log` gets a line for each new trouble.

    One of the processes that share the index does so. If it dies, another takes its place, and
    repeats the pings of the feed at which the first one was.
    """
    pinger = Pinger(index=index, log=log)
    while not stop.is_set():
        try:
            pause = min(pinger.step(), POLL_PAUSE) if index.acquire("ping") else 1
        except (OSError, IndexUnavailable):
            pause = 1  # the process that follows the folder reports the error
        stop.wait(pause)
    index.release()


def ping_once(index: Index, log: Callable[[str], None]) -> int | None:
    """Ping the hub for all feeds that wait, until it fails, and return how many still wait.

    Return None where another process pings.
    """
    if not index.acquire("ping"):
        return None
    # A static site has no other digests.
    pinger = Pinger(index=index, log=log, frequencies=index.config.digests)
    while not pinger.failures and (pause := pinger.step()) < math.inf:
        time.sleep(pause)
    index.release()
    return pings.count(index)


@dataclass(kw_only=True)
class Pinger:
    """Sends one ping at a time, for each format of each feed that waits."""

    index: Index
    log: Callable[[str], None]
    #: The digests that are pinged.
    frequencies: tuple[Frequency, ...] = FREQUENCIES
    #: Returns seconds, as time.monotonic does.
    clock: Callable[[], float] = time.monotonic
    #: How often the hub has failed in a row.
    failures: int = 0
    #: When the next ping may be sent, by this clock.
    _next: float = 0.0
    #: The status, or curl's error number, that was logged last; 0 after a success.
    _reported: int = 0
    #: The last change, as a Unix time, that every process has seen.
    _seen_by_all: int = 0
    #: The change and the address of each ping that was sent for the longest waiting feed.
    _sent: set[tuple[int, str]] = field(default_factory=set)

    def step(self) -> float:
        """Send what can be sent now for one feed.

        Return the seconds until the next step, or inf if no feed waits.
        """
        if (pause := self._next - self.clock()) > 0:
            return pause
        waiting = pings.longest_waiting(self.index)
        if waiting is None:
            return math.inf
        selection, config = waiting.selection, self.index.config
        if config.settings_of(Selection(kind=selection.kind, key=selection.key)).withdrawn:
            pings.mark(self.index, waiting)
            return 0
        # A hub fetches the feed at once, and a process may still answer with the old one.
        is_seen_by_all = waiting.changed <= self._seen_by_all
        # A new index in place of a deleted one may have earlier times, if a clock was set back.
        is_other_index = waiting.latest < self._seen_by_all
        if is_other_index or not is_seen_by_all:
            self._seen_by_all = waiting.latest
            polls = config.index_polls_per_second
            pause = SETTLE_PAUSE + (1 / polls if polls else 0)
            self._next = self.clock() + pause
            return pause
        files = [form.file for form in FORMATS.values()]
        known = (None, *self.frequencies)
        documents = [s for s in waiting.selections if s.frequency in known]
        for address in (s.address(file) for s in documents for file in files):
            sent = waiting.changed, address
            if sent not in self._sent:
                if not self._send(config.base_url + address):
                    return 0
                self._sent.add(sent)
        self._sent.clear()
        pings.mark(self.index, waiting)
        return 0

    def _send(self, topic: str) -> bool:
        """Ping the hub for a document, and return False if that is to be tried again."""
        try:
            status, retry_after = self._post(topic)
        except pycurl.error as error:
            number, reason = error.args  # type: ignore[misc]  # two, unless options are wrong
            self._wait(number, f"cannot be reached, {clean_text(reason)[:80]}", 0)
            return False
        if status >= 500 or status in _TEMPORARY:
            self._wait(status, f"answers {status}", retry_after)
            return False
        self.failures = self._reported = 0
        if not 200 <= status < 300:
            self._report(status, f"answers {status} to {topic}, and is not asked again")
        return True

    def _post(self, topic: str) -> tuple[int, int]:
        """Return the status of the hub's answer, and the seconds of its Retry-After, or 0."""
        config, curl = self.index.config, pycurl.Curl()
        # WebSub (section 7) leaves the parameters to the hub: some read hub.topic, some
        # hub.url. A hub in PHP would read the last of several topics alone.
        params = {"hub.mode": "publish", "hub.topic": topic, "hub.url": topic}
        curl.setopt(pycurl.URL, config.hub)
        curl.setopt(pycurl.POSTFIELDS, urlencode(params))
        curl.setopt(pycurl.USERAGENT, f"feeds ({config.base_url}/)")
        curl.setopt(pycurl.TIMEOUT_MS, round(1000 * TIMEOUT))
        # Only the main thread of a process may use signals.
        curl.setopt(pycurl.NOSIGNAL, 1)
        # The body is dropped: this function only returns how many bytes it got.
        curl.setopt(pycurl.WRITEFUNCTION, len)
        curl.perform()
        return curl.getinfo(pycurl.RESPONSE_CODE), curl.getinfo(pycurl.RETRY_AFTER)

    def _wait(self, number: int, trouble: str, retry_after: float) -> None:
        """Wait after a failure of the hub, longer after each failure in a row."""
        self._report(number, f"{trouble}; trying again")
        pause = min(FIRST_PAUSE * 2.0**self.failures, MAX_PAUSE) * random.uniform(0.5, 1)
        self._next = self.clock() + min(max(pause, retry_after), MAX_RETRY_AFTER)
        self.failures = min(self.failures + 1, 30)

    def _report(self, number: int, trouble: str) -> None:
        """Log a trouble unless it is the last one, by number: curl's texts contain durations."""
        if number != self._reported:
            self.log(f"the hub {self.index.config.hub} {trouble}")
        self._reported = number
