"""A limit on how much one client transfers."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.web.client import Clients

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
        if not self.most:
            return True
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
