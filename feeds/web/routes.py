"""The addresses of the site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import unquote

from flask import Flask, Response, abort, jsonify, render_template, request
from werkzeug.urls import iri_to_uri

from feeds import history
from feeds.database import IndexUnavailable
from feeds.fields import EARLIEST
from feeds.formats import FORMATS, Format, opml
from feeds.history import Archive, Month, Place
from feeds.index import Index
from feeds.publish import Published, etag, find_feed, publish, publish_list
from feeds.selection import EVERYTHING, Kind, Selection
from feeds.survey import listing
from feeds.titles import titles
from feeds.web.memory import Memory
from feeds.web.parameters import Choosing, known_parameters, refuse, refuse_unknown, values
from feeds.web.responses import moved, plain, respond

#: Where the feeds of a kind lie.
PATHS: dict[Kind, str] = {
    "site": "/",
    "topic": "/topics/<slug>/",
    "provider": "/providers/<slug>/",
}
#: Files that readers guess, and the format meant.
GUESSES = dict.fromkeys(("atom.xml", "feed.xml", "feed", "feed/"), "atom") | {"rss.xml": "rss"}
#: Before the first month that an article can be of, a walk through the history ends.
_FIRST = Month.of(EARLIEST).plus(-1)


class Site:
    """What every request needs."""

    def __init__(self, catalogue: Index) -> None:
        self.catalogue = catalogue
        self.config = catalogue.config
        self.memory = Memory(catalogue.revision)

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
        return respond(kept, now, self.config.max_age)

    def select(self, kind: Kind, slug: str, now: datetime, archive: bool = False) -> Selection:
        """The selection that this request names; what names none is answered otherwise."""
        refuse_unknown(
            request.args, [*known_parameters(kind, archive), *(["before"] if archive else [])]
        )
        choosing = Choosing(self.catalogue, now, self.base)
        base = EVERYTHING if kind == "site" else choosing.name(kind, slug)
        return choosing.selection(base, request.args)

    def require(self, address: str) -> None:
        """Answer 301 to any spelling of an address but its own."""
        path, _, query = address.partition("?")
        if request.path != unquote(path) or request.query_string.decode() != query:
            abort(moved(self.base + address))

    def feed(self, form: Format, kind: Kind, slug: str = "") -> Response:
        """A feed in a format."""

        def make(now: datetime) -> Published:
            selection = self.select(kind, slug, now)
            self.require(selection.address(form.file))
            return self._publish(selection, form, now)

        return self.answer(make)

    def archive(self, form: Format, kind: Kind, month: str, slug: str = "") -> Response:
        """A month of a feed's history in a format."""

        def make(now: datetime) -> Published:
            selection = self.select(kind, slug, now, archive=True)
            part = self._part(month, now)
            self.require(selection.address(part.file(form.suffix), **part.parameters))
            return self._publish(selection, form, now, part)

        return self.answer(make)

    def _part(self, month: str, now: datetime) -> Archive:
        read = Month.read(month)
        if read is None or not _FIRST <= read <= Month.of(now).plus(1):
            abort(plain(404, "404 Not Found: no such month, write it as 2020-05"))
        written = values(request.args, "before")
        place = Place.read(written[0]) if written else None
        if written and (place is None or Month.of(place.moment) != read):
            refuse("before is not a place in this month, follow the links of the feed")
        return Archive(month=read, before=place)

    def _publish(
        self, selection: Selection, form: Format, now: datetime, part: Archive | None = None
    ) -> Published:
        made = publish(self.catalogue, selection, form, self.base, now, part)
        return made or abort(plain(404, "404 Not Found: no such feed"))

    def page(self, kind: Kind, slug: str = "") -> Response:
        """The page of a selection, for people; that of everything lists all feeds."""

        def make(now: datetime) -> Published:
            selection = self.select(kind, slug, now)
            self.require(selection.address())
            if selection == EVERYTHING:
                return self._index(now)
            made = find_feed(self.catalogue, selection, self.base, now)
            feed, found = made or abort(plain(404, "404 Not Found: no such feed"))
            context = {"feed": feed, "selection": selection}
            return _html("feed.html", found.due, selection.is_ranked, site=self, **context)

        return self.answer(make)

    def _index(self, now: datetime) -> Published:
        listed = listing(self.catalogue, now)
        title, subtitle = titles(EVERYTHING, {}, self.config)
        return _html(
            "index.html",
            self.catalogue.due(now),
            title=title,
            subtitle=subtitle,
            topics=[item for item in listed if item.selection.kind == "topic"],
            providers=[item for item in listed if item.selection.kind == "provider"],
            selection=EVERYTHING,
            site=self,
        )

    def formats(self, selection: Selection) -> list[tuple[Format, str]]:
        """Each format with the address of a selection's feed in it."""
        return [(form, self.base + selection.address(form.file)) for form in FORMATS.values()]

    def subscriptions(self) -> Response:
        """The subscription list of all topics and providers."""

        def make(now: datetime) -> Published:
            refuse_unknown(request.args, ["format"])
            suffix = (values(request.args, "format") or [*FORMATS])[0]
            if suffix not in FORMATS:
                refuse(f"unknown format, known are: {', '.join(FORMATS)}")
            query = "" if suffix == next(iter(FORMATS)) else f"?format={suffix}"
            self.require(f"/{opml.FILE}{query}")
            return publish_list(self.catalogue, FORMATS[suffix], self.base, now)

        return self.answer(make)

    def health(self) -> Response:
        """Counts of article files, visible articles and faults; 503 without an index."""
        try:
            health = self.catalogue.health(datetime.now(UTC))
        except IndexUnavailable:
            response = jsonify(status="the index cannot be read")
            response.status_code = 503
        else:
            response = jsonify(
                status="ok",
                articles=health.articles,
                visible=health.visible,
                faults=health.faults,
                last_sync=health.synced.isoformat(),
            )
        response.headers["Cache-Control"] = "no-store"
        return response


def add_routes(app: Flask, site: Site) -> None:
    """Every address of the site."""
    app.add_url_rule("/healthz", "health", site.health)
    app.add_url_rule(f"/{opml.FILE}", "subscriptions", site.subscriptions)
    for kind, path in PATHS.items():
        of_kind = {"kind": kind}
        app.add_url_rule(path, f"{kind}-page", site.page, defaults=of_kind)
        for name, form in FORMATS.items():
            defaults = of_kind | {"form": form}
            app.add_url_rule(path + form.file, f"{kind}-{name}", site.feed, defaults=defaults)
            rule = path + history.FILE.format(month="<month>", suffix=name)
            app.add_url_rule(rule, f"{kind}-{name}-archive", site.archive, defaults=defaults)
        for guess, name in GUESSES.items():
            defaults = of_kind | {"form": FORMATS[name]}
            app.add_url_rule(path + guess, f"{kind}-{guess}", site.feed, defaults=defaults)


def _html(
    template: str, due: datetime | None, ranked: bool = False, **context: object
) -> Published:
    body = render_template(template, **context).encode()
    return Published(
        body=body,
        content_type="text/html; charset=utf-8",
        etag=etag(body),
        modified=None,
        due=due,
        ranked=ranked,
    )
