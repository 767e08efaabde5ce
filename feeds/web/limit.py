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

    A 304 transfers nothing and is never counted, so a reader that asks with
    validators is never turned away for its own polling.
    """
    if not most:
        return
    limiter = FixedWindowRateLimiter(MemoryStorage())
    item = RateLimitItemPerMinute(most)

    def refuse() -> Response | None:
        client = request.remote_addr or ""
        if limiter.test(item, client):
            return None
        reset, _ = limiter.get_window_stats(item, client)
        response = plain(429, f"429 Too Many Requests: at most {most} a minute, wait")
        # RFC 9110 section 10.2.3: a whole number of seconds.
        response.headers["Retry-After"] = str(max(1, math.ceil(reset - time.time())))
        return response

    def count(response: Response) -> Response:
        if response.status_code not in (304, 429):
            limiter.hit(item, request.remote_addr or "")
        return response

    app.before_request(refuse)
    app.after_request(count)
