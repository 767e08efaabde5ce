"""Answers what has not changed from memory, before Flask routes the request."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from feeds.config import Config
from feeds.web.memory import Kept, Memory
from feeds.web.responses import coding_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Where the application leaves the document that it answered with.
KEPT = "feeds.kept"


class Front:
    """WSGI middleware: what the application has answered once, it answers by itself.

    With the application's own headers, so that both say the same. All that is not plain
    goes to the application: other methods, a tag or a date that is not the document's
    own, and what time alone changes before caches forget it.
    """

    def __init__(self, app: WSGIApplication, memory: Memory, config: Config) -> None:
        #: What stands behind it.
        self.app = app
        self._memory = memory
        self._config = config

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.app(environ, start_response)
        address = address_of(environ, self._config)
        kept = self._memory.find(address)
        coding = coding_of(environ.get("HTTP_ACCEPT_ENCODING", ""))
        if kept is None or coding not in kept.headers or self._comes_due(kept):
            return self._learn(address, coding, environ, start_response)
        if "HTTP_IF_NONE_MATCH" in environ:
            is_fresh = environ["HTTP_IF_NONE_MATCH"] == kept.tag
        elif "HTTP_IF_MODIFIED_SINCE" in environ:
            is_fresh = environ["HTTP_IF_MODIFIED_SINCE"] == kept.date
        elif self._config.rate_limit:
            # The application counts what it transfers.
            is_fresh = False
        else:
            start_response("200 OK", kept.headers[coding][:])
            return [kept.coded(coding)] if environ["REQUEST_METHOD"] == "GET" else []
        if not is_fresh:
            return self.app(environ, start_response)
        start_response("304 NOT MODIFIED", kept.not_modified[:])
        return []

    def _comes_due(self, kept: Kept) -> bool:
        return kept.due is not None and kept.due <= time.time() + self._config.max_age

    def _learn(
        self,
        address: str,
        coding: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Let the application answer, and remember with which headers."""

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = environ.get(KEPT)
            if kept and status.startswith("200") and environ["REQUEST_METHOD"] == "GET":
                kept.headers[coding] = headers[:]
                self._memory.keep(address, kept)
            return start_response(status, headers, *more)

        return self.app(environ, started)


def address_of(environ: WSGIEnvironment, config: Config) -> str:
    """What a request asks for: with the host, where documents depend on it."""
    asked: str = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
    if config.base_url:
        return asked
    host, root = environ.get("HTTP_HOST", ""), environ.get("SCRIPT_NAME", "")
    return f"{environ['wsgi.url_scheme']}://{host}{root}{asked}"
