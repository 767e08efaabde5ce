"""What every request needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import unquote

from flask import Response, abort, request
from werkzeug.urls import iri_to_uri

from feeds.articles.fields import EARLIEST
from feeds.history import Archive, Cursor, Month
from feeds.index import Index
from feeds.publish import Published
from feeds.selection import EVERYTHING, Kind, Selection
from feeds.web.parameters import (
    Arguments,
    Choosing,
    known_parameters,
    refuse_unknown,
)
from feeds.web.responses import moved, plain, respond

#: Before the first month that an article can be of, a walk through the history ends.
_FIRST = Month.of(EARLIEST).plus(-1)


class Site:
    """What every request needs."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.config = index.config

    @property
    def base(self) -> str:
        """The site's address without a final slash."""
        # Werkzeug decodes `xn--` hosts, and no header can carry what comes of it.
        return self.config.base_url or iri_to_uri(request.root_url).rstrip("/")

    def select(
        self,
        kind: Kind,
        slug: str,
        *,
        archive: bool = False,
        beside: Iterable[str] = (),
        usual: int | None = None,
    ) -> Selection:
        """The selection that this request names; what names none is answered otherwise.

        `beside` are parameters that the address has besides, and `usual` is how many
        entries it has without a limit.
        """
        refuse_unknown(request.args, [*known_parameters(kind, archive), *beside])
        return self.named(kind, slug, request.args, usual)

    def named(
        self, kind: Kind, slug: str, arguments: Arguments, usual: int | None = None
    ) -> Selection:
        """The selection that a path and a query name."""
        choosing = Choosing(self.index, self.base)
        base = EVERYTHING if kind == "site" else choosing.name(kind, slug)
        return choosing.selection(base, arguments, usual or self.config.limit)

    def require(self, address: str) -> None:
        """Answer 301 to any spelling of an address but its own."""
        path, _, query = address.partition("?")
        if request.path != unquote(path) or request.query_string.decode() != query:
            abort(moved(self.base + address))

    def part(self, month: str, cursor: str) -> Archive:
        """The archive that an address names."""
        read = Month.read(month)
        if read is None or not _FIRST <= read <= Month.of(datetime.now(UTC)).plus(1):
            abort(plain(404, "404 Not Found: no such month, write it as 2020-05"))
        before = Cursor.read(cursor) if cursor else None
        if cursor and (before is None or Month.of(before.published) != read):
            abort(plain(404, "404 Not Found: no such part of a month, follow the feed's links"))
        return Archive(month=read, before=before)

    def respond(self, published: Published) -> Response:
        """A document as a response."""
        return respond(published, self.config.max_age)
