"""Lines in the log on requests, and the id that finds them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from feeds.logs import LOGGER, log
from feeds.web.client import Clients
from feeds.web.counter import route_of

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ID = "X-Request-Id"
_KNOWN = "feeds.request_id"
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """Says in the log what a request was, and nothing of who asked."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def id_of(self, environ: WSGIEnvironment) -> str:
        """The request's id: a proxy's, or a new one."""
        if _KNOWN not in environ:
            sent = environ.get("HTTP_X_REQUEST_ID", "")
            is_sane = self._clients.peer(environ).is_proxy and _SANE.fullmatch(sent)
            environ[_KNOWN] = sent if is_sane else uuid4().hex
        known: str = environ[_KNOWN]
        return known

    def fail(self, environ: WSGIEnvironment, error: OptExcInfo) -> None:
        """A request at which the application failed; the path is there, for it is needed."""
        fields = {
            "request": self.id_of(environ),
            "method": environ["REQUEST_METHOD"],
            "path": quote(environ.get("PATH_INFO", ""), encoding="latin-1"),
        }
        line = f"failed at {fields['method']} {fields['path']}, request {fields['request']}"
        LOGGER.error(line, exc_info=error, extra={"fields": fields})

    def answer(
        self, environ: WSGIEnvironment, status: str, headers: list[tuple[str, str]], seconds: float
    ) -> None:
        """A request that was answered."""
        route = route_of(environ)
        has_body = environ["REQUEST_METHOD"] != "HEAD" and status[:3] not in ("204", "304")
        fields = {
            "method": environ["REQUEST_METHOD"],
            "kind": route.kind,
            "format": route.format,
            "status": int(status[:3]),
            "bytes": int(dict(headers).get("Content-Length", 0)) if has_body else 0,
            "ms": round(1000 * seconds, 2),
            "request": self.id_of(environ),
        }
        log(logging.INFO, " ".join(f"{name}={value}" for name, value in fields.items()), **fields)


class AccessLog:
    """WSGI middleware that has each answer logged."""

    def __init__(self, app: WSGIApplication, log: RequestLog) -> None:
        self._app = app
        self._log = log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        # Before the request is copied on its way, so that the answer has this id too.
        self._log.id_of(environ)
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            answered[:] = [(status, headers)]
            return start_response(status, headers, *more)

        body = self._app(environ, started)
        # Bodies are made by now: only their sending is left.
        for status, headers in answered:
            self._log.answer(environ, status, headers, time.perf_counter() - began)
        return body
