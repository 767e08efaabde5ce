"""A cache of responses, each of which is valid until the index changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from feeds.index import Index
from feeds.index.store import IndexUnavailable
from feeds.index.sync import advance, utc_now
from feeds.web.cached_response import Address, CachedResponse, Version
from feeds.web.limit import Limit
from feeds.web.request_log import RequestLog
from feeds.web.responses import add_common_headers, coding_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Bytes of responses that a process keeps.
MAX_CACHE_SIZE = 64 << 20
#: Seconds for which a request waits for a new version before it gets the previous one. A
#: feed takes much less. The lists of a huge site take a second, during which they must not
#: block all threads.
MAX_WAIT = 0.25
#: Seconds between attempts to apply what time has changed.
_ATTEMPT_PAUSE = 1.0


class _Response(Response):
    """A response of the application."""

    # Werkzeug 3.1 would give the type `text/plain` to one without a type, such as a 204.
    default_mimetype = None


class ResponseCache:
    """WSGI middleware that answers conditional requests, and most others, by itself.

    The application behind it makes whole documents. Each is kept by its address until the
    index changes, and even then it is sent while a new one cannot be made. The index is
    polled at most `index_polls_per_second` times a second, and also whenever a client may
    have a newer version from another process.
    """

    def __init__(self, app: WSGIApplication, index: Index, log: RequestLog) -> None:
        self._app = app
        self._index = index
        self._log = log
        self._limit = Limit(index.config)
        polls = index.config.index_polls_per_second
        self._pause = 1 / polls if polls else 0.0
        self._next_poll = self._next_advance = 0.0
        self._version = Version(0, True)
        self._lock = Lock()
        self._responses: dict[Address, CachedResponse] = {}
        self._size = 0
        self._making: dict[tuple[Address, Version], Future[CachedResponse | None]] = {}
        # Without the setting `base_url`, documents contain the host of the request.
        of_host = () if index.config.base_url else ("HTTP_HOST", "wsgi.url_scheme", "SCRIPT_NAME")
        self._names = ("PATH_INFO", "QUERY_STRING", *of_host)
        self._address = itemgetter(*self._names)
        #: Gets the seconds that each document took to make.
        self.observe_render: Callable[[float], None] = lambda seconds: None

    def respond(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; this is a WSGI application."""
        # Every line counts here: a cached response takes some 15 microseconds in all.
        if time.monotonic() >= self._next_poll:
            self._poll()
        try:
            address: Address = self._address(environ)
        except KeyError:  # HTTP/1.0 needs no host, and empty variables may be absent (PEP 3333)
            address = tuple(map(environ.get, self._names))
        # As `_find` does it, without the time that a call takes.
        cached = self._responses.get(address)
        if cached and cached.version is not self._version:
            cached = None
        method, tag = environ["REQUEST_METHOD"], environ.get("HTTP_IF_NONE_MATCH")
        conditional = tag is not None or "HTTP_IF_MODIFIED_SINCE" in environ
        made: CachedResponse | Response
        client_has_it = False
        if method not in ("GET", "HEAD"):
            made = _Response.from_app(self._app, environ, buffered=True)
        elif not conditional:
            if self._limit.allows(environ):
                made = cached or self._renew(address, environ, conditional=False)
            else:
                made = self._refuse(environ)
        elif cached and (tag == cached.tag or cached.client_has_it(environ)):
            made, client_has_it = cached, True
        else:
            made, client_has_it = self._revalidate(address, environ)
        if not isinstance(made, CachedResponse):
            return made(environ, start_response)
        # The headers are copied because a server may change its list (PEP 3333).
        if client_has_it:
            start_response("304 NOT MODIFIED", made.not_modified[:])
            return []
        coding = coding_of(environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers, body = made.coded.get(coding) or made.encode(coding)
        start_response("200 OK", headers[:])
        return body if method == "GET" else []

    def _refuse(self, environ: WSGIEnvironment) -> Response:
        return add_common_headers(self._limit.refusal(), environ, self._log)

    def _find(self, address: Address) -> CachedResponse | None:
        cached = self._responses.get(address)
        return cached if cached and cached.version is self._version else None

    def _revalidate(
        self, address: Address, environ: WSGIEnvironment
    ) -> tuple[CachedResponse | Response, bool]:
        """Return the response to validators that match no cached one, and whether they match it."""
        # The client may have a newer version from another process.
        self._poll()
        # A 304 transfers nothing: a conditional request counts only if its answer is a 200.
        if not self._limit.allows(environ, conditional=True, count=0):
            return self._refuse(environ), False
        made = self._renew(address, environ, conditional=True)
        client_has_it = isinstance(made, CachedResponse) and made.client_has_it(environ)
        if not client_has_it:
            self._limit.allows(environ, conditional=True)
        return made, client_has_it

    def _renew(
        self, address: Address, environ: WSGIEnvironment, conditional: bool
    ) -> CachedResponse | Response:
        """Return the document at an address, which one thread makes for all requests."""
        # The version is read first: if the index changes meanwhile, the document is made again.
        key = address, self._version
        mine: Future[CachedResponse | None] = Future()
        making = self._making.setdefault(key, mine)
        if making is mine:
            made: CachedResponse | Response | None = None
            try:
                made = self._find(address) or self._make(*key, environ)
                return made
            finally:
                del self._making[key]
                mine.set_result(made if isinstance(made, CachedResponse) else None)
        old = self._responses.get(address)
        # A client with validators that do not match may have a newer version than the old one.
        is_enough = old and (not conditional or old.client_has_it(environ))
        try:
            found = making.result(MAX_WAIT if is_enough else None)
        except TimeoutError:
            found = old
        # An error is not shared: it has a request's id, and the next attempt may succeed.
        return found or self._make(*key, environ)

    def _make(
        self, address: Address, version: Version, environ: WSGIEnvironment
    ) -> CachedResponse | Response:
        """Return the application's response to a GET; cache it if it is a document with an ETag."""
        began = time.monotonic()
        response = _Response.from_app(self._app, environ | {"REQUEST_METHOD": "GET"}, buffered=True)
        old = self._responses.get(address)
        if response.status_code == 503 and old:
            return old
        if response.status_code != 200 or "ETag" not in response.headers:
            return response
        self.observe_render(time.monotonic() - began)
        made = CachedResponse(response, version, address)
        self._keep(address, made)
        return made

    def _keep(self, address: Address, made: CachedResponse) -> None:
        """Cache a response, and drop the oldest ones until all fit into MAX_CACHE_SIZE."""
        with self._lock:
            if self._find(address) or made.size > MAX_CACHE_SIZE:
                return
            self._forget(address)
            self._responses[address] = made
            self._size += made.size
            while self._size > MAX_CACHE_SIZE:
                self._forget(next(iter(self._responses)))

    def _forget(self, address: Address) -> None:
        if old := self._responses.pop(address, None):
            self._size -= old.size

    def _poll(self) -> None:
        """Read the version of the index, after applying what time has changed."""
        now = time.monotonic()
        # First of all, so that other threads do not poll too.
        self._next_poll = now + self._pause
        with suppress(IndexUnavailable):
            status = self._index.status()
            is_due = status.next_change is not None and status.next_change <= time.time()
            if is_due and now >= self._next_advance:
                self._next_advance = now + _ATTEMPT_PAUSE
                # Another process may be writing, or the disk may be read-only.
                with suppress(IndexUnavailable):
                    advance(self._index, utc_now())
                    status = self._index.status()
            version = Version(status.revision, status.changed <= time.time())
            with self._lock:
                # An equal version is not replaced, because responses are compared with it by
                # identity. So a response from before a change is never valid after it.
                if version != self._version:
                    self._version = version
