"""A limit on the responses that one client transfers."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from flask import Response

from feeds.config import Config
from feeds.web.client import Clients
from feeds.web.responses import plain

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Transfers a minute of a client on another machine, without the setting `rate_limit`.
DEFAULT_LIMIT = 600
#: Clients that are counted at a time. They take some 15 MB.
MAX_CLIENTS = 100_000
#: Seconds after which all counts begin anew.
_WINDOW = 60.0


class Limit:
    """Counts the transfers of each client in a minute, in this process.

    A cached response takes some 15 microseconds. The library `limits` would take 2.4 of
    them, and this takes 0.3. One transfer may be missed where threads count at the same time.
    """

    def __init__(self, config: Config) -> None:
        default = 0 if config.proxies else DEFAULT_LIMIT
        # Transfers a minute; 0 for no limit.
        self._most = default if config.rate_limit is None else config.rate_limit
        # By default, loopback clients are exempt: the operator, or a proxy that the settings
        # do not name and that asks for all clients.
        self._exempts_local = config.rate_limit is None
        clients = Clients(config.proxies)
        # Without proxies each peer is a client itself, and `of` would only take longer.
        self._client = clients.of if config.proxies else clients.peer
        self._counts: dict[str, int] = {}
        self._end = 0.0

    def allows(self, environ: WSGIEnvironment, conditional: bool = False, count: int = 1) -> bool:
        """Return whether this request's client may have one more response, and count it.

        Conditional requests have a count of their own, which other clients of the same
        address cannot use up. A `count` of 0 counts nothing.
        """
        if not self._most:
            return True
        client = self._client(environ)
        if self._exempts_local and client.is_local:
            return True
        now = time.monotonic()
        if now >= self._end or len(self._counts) > MAX_CLIENTS:
            # A limit for each address does not stop a client with so many addresses.
            self._counts, self._end = {}, now + _WINDOW
        name = f"{client.name}?" if conditional else client.name
        counted = self._counts[name] = self._counts.get(name, 0) + count
        return counted - count < self._most

    def refusal(self) -> Response:
        """Return the response to a client that may have none, with the seconds to wait."""
        response = plain(429, f"429 Too Many Requests: at most {self._most} a minute, wait")
        # RFC 9110 section 10.2.3: a whole number of seconds.
        response.headers["Retry-After"] = str(max(1, math.ceil(self._end - time.monotonic())))
        return response
