"""A limit on how much one client transfers."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from feeds.config import Config
from feeds.web.client import Clients
from feeds.web.responses import plain
from feeds.web.tally import is_conditional

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Transfers a minute of a client on another machine, where the settings say nothing.
USUAL = 600
#: Clients that are counted at a time: some 15 MB.
MOST_CLIENTS = 100_000
_WINDOW = 60.0


class Limit:
    """Counts what each client transfers in a minute, in this process.

    A whole answer takes some 15 microseconds, of which the `limits` library would
    take 2.4, and this 0.3. Threads that count at once may miss one.
    """

    def __init__(self, config: Config) -> None:
        usual = 0 if config.proxies else USUAL
        #: Transfers a minute; 0 for no limit.
        self.most = usual if config.rate_limit is None else config.rate_limit
        # Nobody is a stranger on this machine; and a proxy on it, which the settings
        # do not name, asks for everybody.
        self._spares_local = config.rate_limit is None
        clients = Clients(config.proxies)
        self._client = clients.of if config.proxies else clients.peer
        self._counts: dict[str, int] = {}
        self._end = 0.0

    def allows(self, environ: WSGIEnvironment, conditional: bool = False, count: int = 1) -> bool:
        """Whether this request's client may have one more, which is counted.

        What changed for clients that send validators counts apart: others of the same
        address must not use that up. A `count` of 0 only asks.
        """
        client = self._client(environ)
        if self._spares_local and client.is_local:
            return True
        now = time.monotonic()
        if now >= self._end or len(self._counts) > MOST_CLIENTS:
            # Whoever has so many addresses is not held up by a limit on each.
            self._counts, self._end = {}, now + _WINDOW
        name = f"{client.name}?" if conditional else client.name
        counted = self._counts[name] = self._counts.get(name, 0) + count
        return counted - count < self.most

    @property
    def wait(self) -> int:
        """Seconds until all are counted anew."""
        return max(1, math.ceil(self._end - time.monotonic()))


def limit_rate(app: Flask, limit: Limit) -> None:
    """Answer 429 to a client that is past the limit, before anything is made for it.

    A 304 and a preflight transfer nothing, and are not counted. Whether a request with
    validators gets a 304 is known only when its answer is made, so it counts after that;
    past the limit, its client gets the 304s that stand ready, and no others.
    """

    def refuse() -> Response | None:
        conditional = is_conditional(request.environ)
        if limit.allows(request.environ, conditional, count=0 if conditional else 1):
            return None
        refusal = plain(429, f"429 Too Many Requests: at most {limit.most} a minute, wait")
        # RFC 9110 section 10.2.3: a whole number of seconds.
        refusal.headers["Retry-After"] = str(limit.wait)
        return refusal

    def count(response: Response) -> Response:
        if response.status_code != 304 and is_conditional(request.environ):
            limit.allows(request.environ, conditional=True)
        return response

    if limit.most:
        app.before_request(refuse)
        app.after_request(count)
