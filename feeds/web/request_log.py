"""The lines of the log about requests, and the ids of requests."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from feeds.logs import LOGGER
from feeds.setting_types import Network
from feeds.web.client import Clients
from feeds.web.kinds import route_of

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ID = "X-Request-Id"
_ENVIRON_KEY = "feeds.request_id"
_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """Logs requests, without anything that identifies the client."""

    def __init__(self, proxies: tuple[Network, ...]) -> None:
        self._clients = Clients(proxies)

    def id_of(self, environ: WSGIEnvironment) -> str:
        """Return the id of a request: the one that a proxy gave it, or a new one."""
        if _ENVIRON_KEY not in environ:
            sent = environ.get("HTTP_X_REQUEST_ID", "")
            is_valid = self._clients.peer(environ).is_proxy and _VALID_ID.fullmatch(sent)
            environ[_ENVIRON_KEY] = sent if is_valid else uuid4().hex
        request_id: str = environ[_ENVIRON_KEY]
        return request_id

    def fail(self, environ: WSGIEnvironment, error: OptExcInfo) -> None:
        """Log a request at which the application failed, with its path to find the cause."""
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
        """Log a request that was answered."""
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
        line = " ".join(f"{name}={value}" for name, value in fields.items())
        LOGGER.info(line, extra={"fields": fields})


class AccessLog:
    """WSGI middleware that logs each answer."""

    def __init__(self, app: WSGIApplication, log: RequestLog) -> None:
        self._app = app
        self._log = log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        # Before the cache copies the environment, so that an error's answer has this id too.
        self._log.id_of(environ)

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            # The body is complete by now, and only has to be sent.
            self._log.answer(environ, status, headers, time.perf_counter() - began)
            return start_response(status, headers, *more)

        return self._app(environ, started)
