"""The addresses of the site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from flask import Flask, Response, abort, jsonify, render_template, request
from werkzeug.urls import iri_to_uri

from feeds.database import IndexUnavailable
from feeds.document import titles
from feeds.formats import FORMATS, Format
from feeds.index import Index
from feeds.publish import Published, etag, find_feed, publish
from feeds.selection import EVERYTHING, Kind, Selection, slugify
from feeds.web.memory import Memory
from feeds.web.responses import moved, plain, respond

#: What other sites add to links they share; a feed's address has no use for it.
TRACKING = frozenset({"fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "ref"})


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
        _refuse_unknown_parameters()
        address = self.base + request.full_path
        kept = self.memory.answer(address, now, lambda: make(now))
        return respond(kept, now, self.config.max_age)

    def select(self, kind: Kind, slug: str, file: str, now: datetime) -> Selection:
        """The selection of this request; anything but its one address answers otherwise."""
        selection = EVERYTHING if kind == "site" else self.catalogue.resolve(kind, slug, now)
        if self._is_withdrawn(kind, slug, selection):
            abort(plain(410, "410 Gone: this feed was taken away on purpose"))
        if selection is None:
            abort(plain(404, f"404 Not Found: no such {kind}, {self.base}/ lists them all"))
        if request.path != unquote(selection.path) + file or request.query_string:
            abort(moved(self.base + selection.path + file))
        return selection

    def _is_withdrawn(self, kind: Kind, slug: str, selection: Selection | None) -> bool:
        if selection:
            return self.config.name(selection).withdrawn
        names = {"topic": self.config.topics, "provider": self.config.providers}.get(kind, {})
        asked = slugify(kind, slug)
        return any(
            asked in (slugify(kind, known) for known in (key, name.slug, *name.former))
            for key, name in names.items()
            if name.withdrawn
        )

    def feed(self, form: Format, kind: Kind, slug: str = "") -> Response:
        """A feed in a format."""

        def make(now: datetime) -> Published:
            selection = self.select(kind, slug, form.file, now)
            made = publish(self.catalogue, selection, form, self.base, now)
            return made or abort(plain(404, "404 Not Found: no such feed"))

        return self.answer(make)

    def page(self, kind: Kind, slug: str = "") -> Response:
        """The page of a topic or provider, for people."""

        def make(now: datetime) -> Published:
            selection = self.select(kind, slug, "", now)
            made = find_feed(self.catalogue, selection, self.base, now)
            feed, found = made or abort(plain(404, "404 Not Found: no such feed"))
            return _html("feed.html", found.due, feed=feed, formats=FORMATS.values(), site=self)

        return self.answer(make)

    def index(self) -> Response:
        """The page of the whole site: every topic and provider with its feed."""

        def make(now: datetime) -> Published:
            self.select("site", "", "", now)
            listed = self.catalogue.listing(now)
            title, subtitle = titles(EVERYTHING, "", self.config)
            return _html(
                "index.html",
                self.catalogue.due(now),
                title=title,
                subtitle=subtitle,
                topics=[item for item in listed if item.selection.kind == "topic"],
                providers=[item for item in listed if item.selection.kind == "provider"],
                formats=FORMATS.values(),
                site=self,
            )

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
    app.add_url_rule("/", "index", site.index)
    app.add_url_rule("/healthz", "health", site.health)
    kinds: tuple[Kind, ...] = ("topic", "provider")
    for kind in kinds:
        rule = f"/{kind}s/<slug>/"
        app.add_url_rule(rule, f"{kind}-page", site.page, defaults={"kind": kind})
    for name, form in FORMATS.items():
        for kind in ("site", *kinds):
            rule = f"/{form.file}" if kind == "site" else f"/{kind}s/<slug>/{form.file}"
            defaults = {"form": form, "kind": kind}
            app.add_url_rule(rule, f"{kind}-{name}", site.feed, defaults=defaults)


def _html(template: str, due: datetime | None, **context: object) -> Published:
    body = render_template(template, **context).encode()
    return Published(
        body=body,
        content_type="text/html; charset=utf-8",
        etag=etag(body),
        modified=None,
        due=due,
    )


def _refuse_unknown_parameters() -> None:
    """Tracking parameters are dropped by a redirect, all others refused by name."""
    for name in request.args:
        if name not in TRACKING and not name.startswith("utm_"):
            abort(
                plain(400, f"400 Bad Request: unknown parameter {quote(name)[:80]}, none is known")
            )
