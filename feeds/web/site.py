"""What the address of a request names: a selection, an archive of it, and the one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn
from urllib.parse import unquote

from flask import Response, abort, request
from werkzeug.http import http_date
from werkzeug.urls import iri_to_uri

from feeds.articles.fields import EARLIEST
from feeds.history import Archive, Cursor, Month, YearArchive
from feeds.index import Index
from feeds.index.survey import nearest
from feeds.periods import Frequency, Period
from feeds.publish import Document
from feeds.selection import (
    DEFAULT_IN_DIGEST,
    MAX_IN_DIGEST,
    MAX_LIMIT,
    MAX_RANK,
    MAX_SLUG_LENGTH,
    Kind,
    Selection,
    choose,
    slugify,
)
from feeds.web.errors import Missing
from feeds.web.parameters import (
    Arguments,
    keep_known,
    known_parameters,
    number,
    refuse_many,
    refuse_unknown,
    search,
    shown,
    values,
)
from feeds.web.responses import plain

#: The month before the earliest that an article can have: walks through the history end there.
_FIRST_MONTH = Month.of(EARLIEST).plus(-1)
#: Names that an error suggests.
MAX_NEAREST = 3


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
        self, kind: Kind, slug: str, *, archive: bool = False, frequency: Frequency | None = None
    ) -> Selection:
        """Return the selection of this request, or abort with the answer to give instead."""
        refuse_unknown(request.args, known_parameters(kind, archive, frequency))
        return self.named(kind, slug, request.args, frequency=frequency)

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
        default_limit: int | None = None,
        frequency: Frequency | None = None,
    ) -> Selection:
        """Return the selection of a path and a query, or abort.

        `default_limit` is the number of entries without a limit.
        """
        base = [] if kind == "site" else self._public(kind, [slug])
        refuse_many(arguments)
        default, most = default_limit or self.config.limit, MAX_LIMIT
        if frequency:
            default, most = DEFAULT_IN_DIGEST, MAX_IN_DIGEST
        topics = self._public("topic", values(arguments, "topic"))
        providers = self._public("provider", values(arguments, "provider"))
        limit = number(arguments, "limit", 1, most)
        wanted = number(arguments, "min_quality", -MAX_RANK, MAX_RANK)
        chosen = choose(
            topics + (base if kind == "topic" else []),
            providers + (base if kind == "provider" else []),
            [self._type(value) for value in values(arguments, "type")],
            [self._excluded(value) for value in values(arguments, "exclude")],
            search=search(arguments),
            min_heat=number(arguments, "min_heat", -MAX_RANK, MAX_RANK),
            limit=None if limit == default else limit,
            frequency=frequency,
        )
        if wanted is not None and wanted > self.config.least_quality(chosen):
            chosen = replace(chosen, min_quality=wanted)
        for both in chosen.exclude:
            if both in (*base, *topics, *providers):
                abort(400, f"{both.kind} {shown(both.slug)} is chosen and excluded")
        return chosen

    def is_public_name(self, parameter: str, value: str) -> bool:
        """Return whether a value of `topic`, `provider` or `exclude` names something public."""
        if parameter == "exclude":
            return any(self.index.resolve(kind, value) for kind in ("topic", "provider"))
        found = self.index.resolve("topic" if parameter == "topic" else "provider", value)
        return found is not None and not self.config.settings_of(found).withdrawn

    def _public(self, kind: Kind, slugs: list[str]) -> list[Selection]:
        """Return the public topics or providers of some slugs, without those withdrawn."""
        found = {slug: self.index.resolve(kind, slug) for slug in slugs}
        kept = {slug: s for slug, s in found.items() if not self._is_withdrawn(kind, slug, s)}
        if found and not kept:
            abort(410, "this feed was taken away on purpose")
        return [selection or self._not_found((kind,), slug) for slug, selection in kept.items()]

    def _is_withdrawn(self, kind: Kind, slug: str, selection: Selection | None) -> bool:
        if selection:
            return self.config.settings_of(selection).withdrawn
        if len(slug) > MAX_SLUG_LENGTH:
            return False
        natural = slugify(kind, slug)
        return any(
            natural in (slugify(kind, known) for known in (key, settings.slug, *settings.former))
            for key, settings in self.config.settings_by_key(kind).items()
            if settings.withdrawn
        )

    def _excluded(self, slug: str) -> Selection:
        # `Selection.exclude_value`: a provider's value has a dot, and no topic's has one.
        kinds: tuple[Kind, Kind] = ("provider", "topic") if "." in slug else ("topic", "provider")
        found = (self.index.resolve(kind, slug) for kind in kinds)
        return next(filter(None, found), None) or self._not_found(kinds, slug)

    def _type(self, slug: str) -> Selection:
        found = self.index.resolve("type", slug)
        known = ", ".join(self.index.types()) or "none"
        return found or abort(400, f"type {shown(slug)} is not known, known are: {known}")

    def _not_found(self, kinds: Iterable[Kind], slug: str) -> NoReturn:
        near = {found.slug: found for kind in kinds for found in nearest(self.index, kind, slug)}
        named = tuple(near.values())[:MAX_NEAREST]
        hint = f", nearest: {', '.join(found.slug for found in named)}" if named else ""
        problem = f"no such {' or '.join(sorted(kinds, reverse=True))}: {shown(slug)}"
        raise Missing(problem, f"{hint}; {self.base}/ lists them all", nearest=named)

    def require_address(self, address: str) -> None:
        """Abort with a 301 if the request's address is another spelling of this one."""
        path, _, query = address.partition("?")
        if request.path != unquote(path) or request.query_string.decode() != query:
            # Flask's own redirect has a body of HTML even for a feed.
            response = plain(301, f"Moved to {self.base}{address}")
            response.headers["Location"] = self.base + address
            abort(response)

    def archive(self, selection: Selection, month: str, cursor: str = "") -> Archive:
        """Return the archive of a selection that an address names, or abort with 404."""
        read = Month.read(month)
        if read is None or not _FIRST_MONTH <= read <= Month.of(datetime.now(UTC)).plus(1):
            raise Missing("no such month, write it as 2020-05", history=selection)
        before = Cursor.read(cursor) if cursor else None
        if cursor and (before is None or Month.of(before.published) != read):
            problem = "no such part of a month, follow the feed's links"
            raise Missing(problem, history=selection)
        return Archive(month=read, before=before)

    def year(self, selection: Selection, year: str) -> YearArchive:
        """Return the archive of a selection's digests that an address names, or abort with 404."""
        latest = datetime.now(UTC).year + 1
        if not re.fullmatch("[0-9]{4}", year) or not _FIRST_MONTH.year <= int(year) <= latest:
            raise Missing("no such year, write it as 2020", history=selection)
        return YearArchive(year=int(year))

    def period(self, frequency: Frequency, selection: Selection, written: str) -> Period:
        """Return the period that an address names, or abort with 404."""
        found = Period.read(frequency, written, self.config.zone)
        # A database has no numbers for the articles of much earlier times.
        if found and found.start >= _FIRST_MONTH.start:
            return found
        example = {"daily": "2020-05-18", "weekly": "2020-W21", "monthly": "2020-05"}[frequency]
        raise Missing(f"no such period, write it as {example}", history=selection)

    def respond(self, document: Document) -> Response:
        """Return the response for a document, as the response cache takes it (RFC 9111)."""
        response = Response(document.body, content_type=document.content_type)
        response.headers["ETag"] = f'W/"{document.etag}"'
        # A date in the future is not sent (RFC 9110 section 8.8.2.1). Until then there is the ETag.
        if document.last_modified and document.last_modified <= datetime.now(UTC):
            response.headers["Last-Modified"] = http_date(document.last_modified)
        if document.link:
            response.headers["Link"] = document.link
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = f"public, max-age={self.config.max_age}"
        return response
