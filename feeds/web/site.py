"""What every request needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import unquote

from flask import Response, abort, request
from werkzeug.urls import iri_to_uri

from feeds.articles.fields import EARLIEST
from feeds.history import Archive, Month, Place
from feeds.index import Index
from feeds.publish import Published
from feeds.selection import EVERYTHING, Kind, Selection
from feeds.web.front import KEPT
from feeds.web.memory import Memory
from feeds.web.parameters import (
    Arguments,
    Choosing,
    known_parameters,
    refuse,
    refuse_unknown,
)
from feeds.web.responses import moved, plain, respond

#: Before the first month that an article can be of, a walk through the history ends.
_FIRST = Month.of(EARLIEST).plus(-1)


class Site:
    """What every request needs."""

    def __init__(self, catalogue: Index) -> None:
        self.catalogue = catalogue
        self.config = catalogue.config
        self.memory = Memory(catalogue.revision, catalogue.config.checks_per_second)

    @property
    def base(self) -> str:
        """The site's address without a final slash."""
        # Werkzeug decodes `xn--` hosts, and no header can carry what comes of it.
        return self.config.base_url or iri_to_uri(request.root_url).rstrip("/")

    def answer(self, make: Callable[[datetime], Published]) -> Response:
        """Answer from memory, or with what `make` makes for this moment."""
        now = datetime.now(UTC)
        if not request.query_string.isascii():
            # Werkzeug 3.1 fails on bytes that are not UTF-8.
            refuse("the query has letters that are not percent-encoded (RFC 3986)")
        address = self.base + request.full_path
        kept = self.memory.answer(address, now, lambda: make(now))
        request.environ[KEPT] = kept
        return respond(kept, now, self.config.max_age)

    def select(
        self,
        kind: Kind,
        slug: str,
        now: datetime,
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
        return self.named(kind, slug, now, request.args, usual)

    def named(
        self, kind: Kind, slug: str, now: datetime, arguments: Arguments, usual: int | None = None
    ) -> Selection:
        """The selection that a path and a query name."""
        choosing = Choosing(self.catalogue, now, self.base)
        base = EVERYTHING if kind == "site" else choosing.name(kind, slug)
        return choosing.selection(base, arguments, usual or self.config.limit)

    def require(self, address: str) -> None:
        """Answer 301 to any spelling of an address but its own."""
        path, _, query = address.partition("?")
        if request.path != unquote(path) or request.query_string.decode() != query:
            abort(moved(self.base + address))

    def part(self, month: str, place: str, now: datetime) -> Archive:
        """The archive that an address names."""
        read = Month.read(month)
        if read is None or not _FIRST <= read <= Month.of(now).plus(1):
            abort(plain(404, "404 Not Found: no such month, write it as 2020-05"))
        before = Place.read(place) if place else None
        if place and (before is None or Month.of(before.moment) != read):
            abort(plain(404, "404 Not Found: no such part of a month, follow the feed's links"))
        return Archive(month=read, before=before)
