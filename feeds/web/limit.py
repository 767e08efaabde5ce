"""A limit on how much one client transfers."""

from __future__ import annotations

import math
import time

from flask import Flask, Response, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from feeds.web.responses import plain


def limit_rate(app: Flask, most: int) -> None:
    """Answer 429 to a client past so many transfers a minute; 0 for no limit.

    A 304 and a preflight transfer nothing: they are neither counted nor refused, so
    a reader that asks with validators is never turned away, whoever shares its address.
    """
    if not most:
        return
    limiter = FixedWindowRateLimiter(MemoryStorage())
    item = RateLimitItemPerMinute(most)

    def count(response: Response) -> Response:
        client = request.remote_addr or ""
        if response.status_code in (204, 304) or limiter.hit(item, client):
            return response
        reset, _ = limiter.get_window_stats(item, client)
        refusal = plain(429, f"429 Too Many Requests: at most {most} a minute, wait")
        # RFC 9110 section 10.2.3: a whole number of seconds.
        refusal.headers["Retry-After"] = str(max(1, math.ceil(reset - time.time())))
        return refusal

    app.after_request(count)
