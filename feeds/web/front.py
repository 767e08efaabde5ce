"""Answers what has not changed from finished bytes, before Flask routes the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from feeds.config import Config
from feeds.web.limit import Limit
from feeds.web.memory import Kept, Memory
from feeds.web.tally import Tally, is_conditional

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Where the application leaves the document that it answered with.
KEPT = "feeds.kept"
#: Bytes of the bodies that stand ready.
READY = 32 << 20
_OVERHEAD = 4 << 10
_OF_BODIES = frozenset(("Content-Type", "Content-Length", "Content-Encoding"))

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer, as the application gave it: a 200, and the 304 to whoever has it."""

    headers: Headers
    body: list[bytes]
    not_modified: Headers
    tag: str
    date: str | None
    #: The tally's counts of those who have no copy and get the 200, and of the 304.
    whole: list[int]
    same: list[int]


class Front:
    """WSGI middleware: what the application has answered once, it answers by itself.

    The headers are the application's own, so that both say the same. All that is not
    plain goes to the application: other methods, a tag or a date that is not the
    document's own, and what time alone changes before caches forget it. What stands
    ready is forgotten as a whole when the index changes, or when it is too much.
    """

    def __init__(
        self,
        app: WSGIApplication,
        memory: Memory,
        config: Config,
        limit: Limit,
        tally: Tally,
    ) -> None:
        #: What stands behind it.
        self.app = app
        self._memory = memory
        self._config = config
        self._limit = limit
        self._tally = tally
        self._address = address_of(config)
        self._forget()

    def _forget(self) -> None:
        self._revision = self._memory.last
        self._ready: dict[tuple[object, str | None], Ready] = {}
        self._size = 0
        self._due = float("inf")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Every line counts here: a server without it answers in some 15 microseconds.
        memory = self._memory
        if time.monotonic() >= memory.next_look or memory.last is not self._revision:
            self._look()
        try:
            address = self._address(environ), environ.get("HTTP_ACCEPT_ENCODING")
        except KeyError:  # HTTP/1.0 needs no host
            return self._ask(None, environ, start_response)
        ready, method = self._ready.get(address), environ["REQUEST_METHOD"]
        if ready is None or (method != "GET" and method != "HEAD"):
            return self._ask(address, environ, start_response)
        if "HTTP_IF_NONE_MATCH" in environ:
            is_fresh = environ["HTTP_IF_NONE_MATCH"] == ready.tag
        elif "HTTP_IF_MODIFIED_SINCE" in environ:
            is_fresh = environ["HTTP_IF_MODIFIED_SINCE"] == ready.date
        elif not self._limit.most or self._limit.allows(environ):
            ready.whole[0] += 1
            start_response("200 OK", ready.headers[:])
            return ready.body if method == "GET" else []
        else:
            # The application says for how long.
            return self._ask(None, environ, start_response)
        if not is_fresh:
            return self._ask(address, environ, start_response)
        ready.same[0] += 1
        start_response("304 NOT MODIFIED", ready.not_modified[:])
        return []

    def _look(self, anew: bool = False) -> None:
        """Forget all if the index has changed, or time will soon change something."""
        if self._memory.look(anew) != self._revision or time.time() >= self._due:
            self._forget()

    def _ask(
        self,
        address: tuple[object, str | None] | None,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Let the application answer, and remember how; without an address, only count."""
        if conditional := is_conditional(environ):
            # It may have a newer answer, of another process, and must not get an older one.
            self._look(anew=True)
        # Before the application asks the index: what is forgotten meanwhile stays so.
        known, revision = self._ready, self._revision

        def started(status: str, headers: Headers, *more: Any) -> Any:
            self._tally.count(environ, status, conditional)[0] += 1
            kept: Kept | None = environ.get(KEPT)
            is_whole = status.startswith("200") and environ["REQUEST_METHOD"] == "GET"
            is_current = kept and revision and kept.is_of(revision)
            is_new = address and is_whole and is_current and address not in known
            if address and kept and is_new and self._lasts(kept):
                known[address] = self._made(kept, headers, environ)
            return start_response(status, headers, *more)

        return self.app(environ, started)

    def _lasts(self, kept: Kept) -> bool:
        """Whether time changes neither the document nor for how long caches may keep it."""
        if kept.published.due is None:
            return True
        until = kept.published.due.timestamp() - self._config.max_age - 1
        if until <= time.time():
            return False
        self._due = min(self._due, until)
        return True

    def _made(self, kept: Kept, headers: Headers, environ: WSGIEnvironment) -> Ready:
        body = kept.coded(dict(headers).get("Content-Encoding", "identity"))
        # Clients make up as many addresses and Accept-Encoding fields as they like, and as long.
        told = ("PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT_ENCODING")
        self._size += len(body) + sum(len(environ.get(name, "")) for name in told) + _OVERHEAD
        if self._size > READY:
            self._forget()
        return Ready(
            headers=headers[:],
            body=[body],
            not_modified=[(name, value) for name, value in headers if name not in _OF_BODIES],
            tag=kept.tag,
            date=kept.date,
            whole=self._tally.count(environ, "200", False),
            same=self._tally.count(environ, "304", True),
        )


def address_of(config: Config) -> Callable[[WSGIEnvironment], object]:
    """What tells a request's document from others: the host too, where it is in documents."""
    asked = ("PATH_INFO", "QUERY_STRING")
    base = () if config.base_url else ("HTTP_HOST", "wsgi.url_scheme", "SCRIPT_NAME")
    return itemgetter(*asked, *base)
