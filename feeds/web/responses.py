"""Responses over HTTP: conditional, coded and cached as RFC 9110 and 9111 say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.http import http_date, parse_accept_header, parse_date, parse_etags

from feeds.publish import Published
from feeds.web.request_log import ID, RequestLog
from feeds.wire import CORS, SECURITY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Apache's mod_deflate and its like write the coding into the tag.
_CODING_SUFFIX = re.compile(r"-(gzip|br|zstd)$")
_CODINGS = ("br", "gzip", "identity")


def settle(response: Response, environ: WSGIEnvironment, log: RequestLog) -> Response:
    """Add the headers of every response, errors included."""
    response.headers.update(CORS)
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if response.status_code == 204:
        del response.headers["Content-Type"]
    if response.status_code >= 400:
        response.headers[ID] = log.id_of(environ)
    return response


def respond(published: Published, max_age: int) -> Response:
    """A whole document, for the response cache to answer with (RFC 9111)."""
    response = Response(published.body, content_type=published.content_type)
    response.headers["ETag"] = f'W/"{published.etag}"'
    # A date of the future would be a lie; until then the ETag tells the version.
    if published.changed and published.changed <= datetime.now(UTC):
        response.headers["Last-Modified"] = http_date(published.changed)
    if published.link:
        response.headers["Link"] = published.link
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={max_age}"
    return response


# Few, for clients may send long ones.
@lru_cache(100)
def coding_of(accepted: str) -> str:
    """The content coding that an Accept-Encoding field likes best (RFC 9110 section 12.5.3)."""
    # `best_match` prefers the first of those that the client likes as much.
    return parse_accept_header(accepted).best_match(_CODINGS) or "identity"


def matches(field: str, tag: str) -> bool:
    """Whether an If-None-Match field names a weak tag (RFC 9110 section 13.1.2)."""
    tags = parse_etags(field)
    # Werkzeug 3.1 reads the empty tag `""` as None.
    named = {_CODING_SUFFIX.sub("", name or "") for name in tags.as_set(include_weak=True)}
    return tags.star_tag or tag.removeprefix('W/"').removesuffix('"') in named


def is_since(field: str, last_modified: str | None) -> bool:
    """Whether an If-Modified-Since field says that a version is known (section 13.1.3)."""
    if last_modified is None or field == last_modified:
        return last_modified is not None
    since, modified = _moment(field), parse_date(last_modified)
    if since is None or modified is None:
        return False
    # A date of the future cannot be one of ours.
    return modified <= since <= datetime.now(UTC)


def _moment(date: str) -> datetime | None:
    try:
        return parse_date(date)
    except OverflowError:  # of a year beyond all years, which Werkzeug 3.1 lets through
        return None


def plain(status: int, text: str) -> Response:
    """A short plain answer."""
    return Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")


def moved(location: str) -> Response:
    """A permanent redirect; not Flask's, whose body is HTML even at a feed's address."""
    response = plain(301, f"Moved to {location}")
    response.headers["Location"] = location
    return response


def too_many(most: int, seconds: int) -> Response:
    """The answer to a client that is past the limit of requests a minute."""
    response = plain(429, f"429 Too Many Requests: at most {most} a minute, wait")
    # RFC 9110 section 10.2.3: a whole number of seconds.
    response.headers["Retry-After"] = str(seconds)
    return response
