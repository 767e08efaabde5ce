"""The parts of an address: its selection, its archive, and its one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import unquote

from flask import Response, abort, request
from werkzeug.urls import iri_to_uri

from feeds.articles.fields import EARLIEST
from feeds.history import Archive, Cursor, Month, YearArchive
from feeds.index import Index
from feeds.periods import Frequency, Period
from feeds.publish import Published
from feeds.selection import EVERYTHING, Kind, Selection
from feeds.web.errors import Missing
from feeds.web.parameters import (
    Arguments,
    SelectionParser,
    keep_known,
    known_parameters,
    refuse_unknown,
)
from feeds.web.responses import moved, respond

#: The month before the earliest that an article can have: walks through the history end there.
_FIRST_MONTH = Month.of(EARLIEST).plus(-1)


class Site:
    """Finds what the address of a request names, and aborts if it names nothing."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.config = index.config

    @property
    def base(self) -> str:
        """The site's address without a final slash."""
        # Werkzeug decodes `xn--` hosts to Unicode, which no header can carry.
        return self.config.base_url or iri_to_uri(request.root_url).rstrip("/")

    def select(
        self,
        kind: Kind,
        slug: str,
        *,
        archive: bool = False,
        further: Iterable[str] = (),
        usual: int | None = None,
        frequency: Frequency | None = None,
    ) -> Selection:
        """Return the selection of this request, or abort with the answer to give instead.

        `further` are other parameters that the address takes. `usual` is the number of
        entries without a limit.
        """
        refuse_unknown(request.args, [*known_parameters(kind, archive, frequency), *further])
        return self.named(kind, slug, request.args, usual, frequency)

    def select_page(
        self, kind: Kind, slug: str, *, archive: bool = False, frequency: Frequency | None = None
    ) -> Selection:
        """Return the selection of a page, which ignores unknown parameters, or abort."""
        known = known_parameters(kind, archive, frequency)
        return self.named(kind, slug, keep_known(request.args, known), frequency=frequency)

    def named(
        self,
        kind: Kind,
        slug: str,
        arguments: Arguments,
        usual: int | None = None,
        frequency: Frequency | None = None,
    ) -> Selection:
        """Return the selection of a path and a query, or abort."""
        parser = SelectionParser(self.index, self.base)
        base = EVERYTHING if kind == "site" else parser.name(kind, slug)
        return parser.selection(base, arguments, usual or self.config.limit, frequency)

    def is_known(self, parameter: str, value: str) -> bool:
        """Return whether a value of `topic`, `provider` or `exclude` names something public."""
        return SelectionParser(self.index, self.base).is_known(parameter, value)

    def require(self, address: str) -> None:
        """Abort with a 301 if the request's address is another spelling of this one."""
        path, _, query = address.partition("?")
        if request.path != unquote(path) or request.query_string.decode() != query:
            abort(moved(self.base + address))

    def archive(self, selection: Selection, month: str, cursor: str) -> Archive:
        """Return the archive of a selection that an address names, or abort with 404."""
        read = Month.read(month)
        if read is None or not _FIRST_MONTH <= read <= Month.of(datetime.now(UTC)).plus(1):
            raise Missing("no such month, write it as 2020-05", history=selection)
        before = Cursor.read(cursor) if cursor else None
        if cursor and (before is None or Month.of(before.published) != read):
            problem = "no such part of a month, follow the feed's links"
            raise Missing(problem, history=selection)
        return Archive(month=read, before=before)

    def year(self, selection: Selection, written: str) -> YearArchive:
        """Return the archive of a selection's digests that an address names, or abort with 404."""
        latest = datetime.now(UTC).year + 1
        if not re.fullmatch("[0-9]{4}", written) or not _FIRST_MONTH.year <= int(written) <= latest:
            raise Missing("no such year, write it as 2020", history=selection)
        return YearArchive(year=int(written))

    def period(self, frequency: Frequency, selection: Selection, written: str) -> Period:
        """Return the period that an address names, or abort with 404."""
        found = Period.read(frequency, written, self.config.zone)
        # A database has no numbers for the articles of much earlier times.
        if found and found.start >= _FIRST_MONTH.start:
            return found
        example = {"daily": "2020-05-18", "weekly": "2020-W21", "monthly": "2020-05"}[frequency]
        raise Missing(f"no such period, write it as {example}", history=selection)

    def respond(self, published: Published) -> Response:
        """Return the response for a document."""
        return respond(published, self.config.max_age)
