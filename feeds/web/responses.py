"""Responses over HTTP: conditional, coded and cached as RFC 9110 and 9111 say."""

from __future__ import annotations

import math
import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Response, request
from werkzeug.datastructures import Headers
from werkzeug.http import parse_accept_header, parse_date, parse_etags

from feeds.publish import Published
from feeds.web.memory import Kept

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Apache's mod_deflate and its like write the coding into the tag.
_CODING_SUFFIX = re.compile(r"-(gzip|br|zstd)$")
_CODINGS = ("br", "gzip", "identity")

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link",
}
PREFLIGHT = {
    "Allow": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "A-IM, If-Modified-Since, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


class _NotModified(Response):
    """A 304, with the Last-Modified that Werkzeug 3.1 takes out as it sends one."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        headers = super().get_wsgi_headers(environ)
        if "Last-Modified" in self.headers:
            headers["Last-Modified"] = self.headers["Last-Modified"]
        return headers


def respond(kept: Kept, now: datetime, max_age: int) -> Response:
    """A document as the request wants it: 200 in some coding, or 304 without a body."""
    published = kept.published
    if is_fresh(published, now):
        response: Response = _NotModified(status=304)
        # A default of Flask's; a 304 describes no body.
        del response.headers["Content-Type"]
    else:
        coding = coding_of(request.headers.get("Accept-Encoding", ""))
        response = Response(kept.coded(coding), content_type=published.content_type)
        if coding != "identity":
            response.headers["Content-Encoding"] = coding
    # A 304 repeats them all (RFC 9110 section 15.4.5): NetNewsWire and FreshRSS
    # overwrite what they stored.
    response.headers["ETag"] = kept.tag
    if kept.date:
        response.headers["Last-Modified"] = kept.date
    if published.link:
        response.headers["Link"] = published.link
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={lifetime(published, now, max_age)}"
    return response


@lru_cache(1_000)
def coding_of(accepted: str) -> str:
    """The content coding that an Accept-Encoding field likes best (RFC 9110 section 12.5.3)."""
    # `best_match` prefers the first of those that the client likes as much.
    return parse_accept_header(accepted).best_match(_CODINGS) or "identity"


def is_fresh(published: Published, now: datetime) -> bool:
    """Whether the request's preconditions say that its copy is current."""
    if "If-None-Match" in request.headers:
        # If-Modified-Since is ignored then (RFC 9110 section 13.1.3).
        tags = parse_etags(request.headers["If-None-Match"])
        # Werkzeug 3.1 reads the empty tag `""` as None.
        known = {_CODING_SUFFIX.sub("", tag or "") for tag in tags.as_set(include_weak=True)}
        return tags.star_tag or published.etag in known
    since = _moment(request.headers.get("If-Modified-Since"))
    if since is None or published.modified is None:
        return False
    # A date of the future cannot be one of ours.
    return published.modified <= since <= now


def _moment(date: str | None) -> datetime | None:
    try:
        return parse_date(date)
    except OverflowError:  # of a year beyond all years, which Werkzeug 3.1 lets through
        return None


def lifetime(published: Published, now: datetime, max_age: int) -> int:
    """Seconds for which the document stays true: less where an article comes due."""
    if published.due is None:
        return max_age
    return max(1, min(max_age, math.ceil((published.due - now).total_seconds())))


def plain(status: int, text: str) -> Response:
    """A short plain answer."""
    return Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")


def moved(location: str) -> Response:
    """A permanent redirect; not Flask's, whose body is HTML even at a feed's address."""
    response = plain(301, f"Moved to {location}")
    response.headers["Location"] = location
    return response
