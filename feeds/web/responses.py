"""The headers of responses: conditions, codings and caching (RFC 9110 and RFC 9111)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.http import parse_accept_header, parse_date, parse_etags

from feeds.web.request_log import ID, RequestLog
from feeds.wire import CORS, SECURITY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Apache's mod_deflate and other servers append the coding to the tag.
_CODING_SUFFIX = re.compile(r"-(gzip|br|zstd)$")
_CODINGS = ("br", "gzip", "identity")


def add_common_headers(response: Response, environ: WSGIEnvironment, log: RequestLog) -> Response:
    """Add the headers of every response, errors included."""
    response.headers.update(CORS)
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if response.status_code == 204:
        del response.headers["Content-Type"]
    if response.status_code >= 400:
        response.headers[ID] = log.id_of(environ)
    return response


# The cache is small because clients may send long fields.
@lru_cache(100)
def coding_of(accepted: str) -> str:
    """Return the content coding that an Accept-Encoding field prefers (RFC 9110, 12.5.3)."""
    # Where the client prefers several equally, `best_match` takes the first of _CODINGS.
    return parse_accept_header(accepted).best_match(_CODINGS) or "identity"


def matches(field: str, tag: str) -> bool:
    """Return whether an If-None-Match field has a weak tag (RFC 9110 section 13.1.2)."""
    tags = parse_etags(field)
    # Werkzeug 3.1 reads the empty tag `""` as None.
    named = {_CODING_SUFFIX.sub("", name or "") for name in tags.as_set(include_weak=True)}
    return tags.star_tag or tag.removeprefix('W/"').removesuffix('"') in named


def is_since(field: str, last_modified: str | None) -> bool:
    """Return whether a version is not newer than If-Modified-Since (RFC 9110, 13.1.3)."""
    if last_modified is None or field == last_modified:
        return last_modified is not None
    try:
        since, modified = parse_date(field), parse_date(last_modified)
    except OverflowError:  # Werkzeug 3.1 does not catch it where the year is too large
        return False
    # A date in the future cannot be one that this site sent.
    return bool(since and modified and modified <= since <= datetime.now(UTC))


def plain(status: int, text: str) -> Response:
    """Return a response of one line of text."""
    return Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")
