"""A document as the response cache keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from werkzeug.wrappers import Response

from feeds.web.responses import is_since, matches
from feeds.wire import compress

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Bytes that a cached response takes besides its body and its headers.
_OVERHEAD = 4 << 10

Headers = list[tuple[str, str]]
#: The WSGI variables that a document depends on; None for those that the server leaves out.
Address = tuple[str | None, ...]


class Version(NamedTuple):
    """The version of the index; when it changes, responses are made anew."""

    revision: int
    #: Whether the time of the last change has come, and so may be sent as Last-Modified.
    is_dated: bool


class CachedResponse:
    """A response of the application with its content codings, and the headers of its 304."""

    def __init__(self, response: Response, version: Version, address: Address) -> None:
        self.version = version
        self._body = response.get_data()
        del response.headers["Content-Length"]
        self._headers = response.headers.to_wsgi_list()
        #: The most bytes it can take. Each compressed body takes less than half of the plain
        #: one, and clients may send long addresses.
        self.size = 2 * len(self._body) + len(str((address, self._headers))) + _OVERHEAD
        #: The headers and the body in each content coding that was asked for.
        self.coded: dict[str, tuple[Headers, list[bytes]]] = {}
        #: The ETag and Last-Modified fields (RFC 9110 sections 8.8.3 and 8.8.2).
        self.tag = response.headers["ETag"]
        self.last_modified = response.headers.get("Last-Modified")
        # A 304 repeats all headers that are not of the body (RFC 9110 section 15.4.5):
        # NetNewsWire and FreshRSS replace their stored headers by those of a 304.
        del response.headers["Content-Type"]
        self.not_modified = response.headers.to_wsgi_list()

    def encode(self, coding: str) -> tuple[Headers, list[bytes]]:
        """Add a content coding to `coded`: `br`, `gzip` or `identity`."""
        body, headers = self._body, self._headers[:]
        if coding != "identity":
            body = compress(body, coding)
            headers.append(("Content-Encoding", coding))
        headers.append(("Content-Length", str(len(body))))
        self.coded[coding] = headers, [body]
        return self.coded[coding]

    def client_has_it(self, environ: WSGIEnvironment) -> bool:
        """Return whether a request's validators say that the client has this version."""
        tags = environ.get("HTTP_IF_NONE_MATCH")
        # If-Modified-Since is ignored beside it (RFC 9110 section 13.1.3).
        if tags is not None:
            return matches(tags, self.tag)
        return is_since(environ["HTTP_IF_MODIFIED_SINCE"], self.last_modified)
