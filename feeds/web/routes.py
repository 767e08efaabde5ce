"""The addresses of the site."""

from __future__ import annotations

from threading import Condition

from cachetools import TTLCache, cached
from flask import Flask, Response, abort, jsonify, request

from feeds.formats import FORMATS, Format, opensearch, opml, sitemap
from feeds.history import AnyArchive
from feeds.index import Health
from feeds.index.store import IndexUnavailable
from feeds.pages import BUILD, LISTS, embedding
from feeds.pages.assets import AT_TOP
from feeds.periods import FREQUENCIES, Frequency
from feeds.publish import (
    ROBOTS,
    publish,
    publish_list,
    publish_opensearch,
    publish_robots,
    publish_sitemap,
)
from feeds.selection import Kind, Selection
from feeds.web.client import LOOPBACK, is_from
from feeds.web.page_routes import PageRoutes
from feeds.web.parameters import refuse_unknown, values
from feeds.web.site import Site
from feeds.wire import GUESSES

#: The path of the feeds of each kind.
PATHS: dict[Kind, str] = {
    "site": "/",
    "topic": "/topics/<slug>/",
    "provider": "/providers/<slug>/",
}
#: The path of the digests of each kind, below that of its feeds.
DIGESTS = f"<any({','.join(FREQUENCIES)}):frequency>/"
#: Seconds for which the counts of `/healthz` are kept.
MAX_HEALTH_AGE = 1.0
#: The paths of an archive: a month, and the entries of a month after a cursor.
ARCHIVES = ("<month>", "<month>/<cursor>")


class FeedRoutes:
    """Feeds, their history, the subscription list and the state of the site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._index = site.index
        # Counting many articles takes long, and any client may ask for it.
        kept: TTLCache[object, Health] = TTLCache(1, MAX_HEALTH_AGE)
        self._health = cached(kept, condition=Condition())(lambda: self._index.health())

    def feed(
        self, form: Format, kind: Kind, slug: str = "", frequency: Frequency | None = None
    ) -> Response:
        """Return a feed of stories or of digests in a format."""
        selection = self._site.select(kind, slug, frequency=frequency)
        self._site.require(selection.address(form.file))
        return self._publish(selection, form)

    def archive(
        self, form: Format, kind: Kind, month: str, cursor: str = "", slug: str = ""
    ) -> Response:
        """Return a month of a feed's history in a format."""
        selection = self._site.select(kind, slug, archive=True)
        archive = self._site.archive(selection, month, cursor)
        self._site.require(selection.address(archive.file(form.suffix)))
        return self._publish(selection, form, archive)

    def year(
        self, form: Format, kind: Kind, frequency: Frequency, year: str, slug: str = ""
    ) -> Response:
        """Return the older digests of a year in a format."""
        selection = self._site.select(kind, slug, archive=True, frequency=frequency)
        archive = self._site.year(selection, year)
        self._site.require(selection.address(archive.file(form.suffix)))
        return self._publish(selection, form, archive)

    def _publish(
        self, selection: Selection, form: Format, archive: AnyArchive | None = None
    ) -> Response:
        made = publish(self._index, selection, form, self._site.base, archive)
        return self._site.respond(made or abort(404, "no such feed"))

    def subscriptions(self) -> Response:
        """Return the subscription list of all topics and providers."""
        refuse_unknown(request.args, ["format"])
        suffix = (values(request.args, "format") or [*FORMATS])[0]
        if suffix not in FORMATS:
            abort(400, f"unknown format, known are: {', '.join(FORMATS)}")
        query = "" if suffix == next(iter(FORMATS)) else f"?format={suffix}"
        self._site.require(f"/{opml.FILE}{query}")
        return self._site.respond(publish_list(self._index, FORMATS[suffix], self._site.base))

    def sitemap(self, part: int = 0) -> Response:
        """Return the addresses of the pages for search engines, or a part of them."""
        refuse_unknown(request.args, [])
        file = sitemap.file_of(part)
        self._site.require(f"/{file}")
        files = publish_sitemap(self._index, self._site.base)
        return self._site.respond(files.get(file) or abort(404, "no such sitemap"))

    def robots(self) -> Response:
        """Return what search engines may read, which is everything."""
        refuse_unknown(request.args, [])
        self._site.require(f"/{ROBOTS}")
        return self._site.respond(publish_robots(self._site.base))

    def opensearch(self) -> Response:
        """Return how browsers search the site."""
        refuse_unknown(request.args, [])
        self._site.require(f"/{opensearch.FILE}")
        return self._site.respond(publish_opensearch(self._site.config, self._site.base))

    def health(self) -> Response:
        """Return 200 and counts if the index can be read, else 503.

        The counts of all files and of faults are only for loopback clients and for the
        networks in the setting `metrics`.
        """
        try:
            self._index.status()
            health = self._health()
        except IndexUnavailable:
            response = jsonify(status="the index cannot be read")
            response.status_code = 503
        else:
            kept = {"articles": health.articles, "faults": health.faults}
            if not is_from(request.environ, LOOPBACK + self._index.config.metrics):
                kept = {}
            last_sync = health.synced.isoformat()
            response = jsonify(status="ok", visible=health.visible, last_sync=last_sync, **kept)
        response.headers["Cache-Control"] = "no-store"
        return response


def add_routes(app: Flask, site: Site) -> None:
    """Add every address of the site to the application."""
    feeds, pages = FeedRoutes(site), PageRoutes(site)
    app.add_url_rule("/healthz", "health", feeds.health)
    app.add_url_rule(f"/{opml.FILE}", "subscriptions", feeds.subscriptions)
    app.add_url_rule(f"/{ROBOTS}", "robots", feeds.robots)
    app.add_url_rule(f"/{opensearch.FILE}", "opensearch", feeds.opensearch)
    app.add_url_rule(f"/{sitemap.file_of()}", "sitemap", feeds.sitemap)
    app.add_url_rule("/sitemap-<int:part>.xml", "sitemap", feeds.sitemap)
    app.add_url_rule(BUILD, "build", pages.build)
    app.add_url_rule("/static/<name>", "static", pages.static)
    for name in AT_TOP:
        app.add_url_rule(f"/{name}", name.replace(".", "-"), pages.file, defaults={"name": name})
    app.add_url_rule(f"/{embedding.ENDPOINT}", "oembed", pages.oembed)
    for kind, path in LISTS.items():
        app.add_url_rule(path, f"{kind}s", pages.names, defaults={"of": kind})
    for kind, path in PATHS.items():
        of_kind = {"kind": kind}
        app.add_url_rule(path, f"{kind}-page", pages.page, defaults=of_kind)
        app.add_url_rule(f"{path}archive/", f"{kind}-months", pages.months, defaults=of_kind)
        for archive in ARCHIVES:
            rule = f"{path}archive/{archive}/"
            app.add_url_rule(rule, f"{kind}-month", pages.month, defaults=of_kind)
        for below in ("", "archive/<year>/"):
            rule = f"{path}{DIGESTS}{below}"
            app.add_url_rule(rule, f"{kind}-digests", pages.digests, defaults=of_kind)
        rule = f"{path}{DIGESTS}<period>/"
        app.add_url_rule(rule, f"{kind}-digest", pages.digest, defaults=of_kind)
        app.add_url_rule(path + embedding.FRAME, f"{kind}-embed", pages.embed, defaults=of_kind)
        for name, form in FORMATS.items():
            defaults = of_kind | {"form": form}
            for at in (path, path + DIGESTS):
                app.add_url_rule(at + form.file, f"{kind}-{name}", feeds.feed, defaults=defaults)
            rule = f"{path}{DIGESTS}archive/<year>.{name}"
            app.add_url_rule(rule, f"{kind}-{name}-year", feeds.year, defaults=defaults)
            for archive in ARCHIVES:
                rule, end = f"{path}archive/{archive}.{name}", f"{kind}-{name}-archive"
                app.add_url_rule(rule, end, feeds.archive, defaults=defaults)
        for guess, name in GUESSES.items():
            defaults = of_kind | {"form": FORMATS[name]}
            # Of one endpoint, Werkzeug 3.1 answers one rule with a 308 to the other.
            endpoint = f"{kind}-guess-{guess}"
            for at in (path, path + DIGESTS):
                app.add_url_rule(at + guess, endpoint, feeds.feed, defaults=defaults)
