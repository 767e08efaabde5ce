"""The addresses of the site."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition

from cachetools import TTLCache, cached
from flask import Flask, Response, abort, jsonify, request

from feeds.formats import FORMATS, opensearch, opml, sitemap
from feeds.history import AnyArchive
from feeds.index import Health
from feeds.index.store import IndexUnavailable
from feeds.pages import BUILD, LISTS, embedding
from feeds.pages.assets import AT_TOP, assets
from feeds.periods import FREQUENCIES, Frequency
from feeds.publish import (
    ROBOTS,
    publish,
    publish_list,
    publish_opensearch,
    publish_robots,
    publish_sitemap,
)
from feeds.selection import Kind
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
#: The format of each file of a feed: its own name, and those that feed readers guess.
FILES = {form.file: form for form in FORMATS.values()}
FILES |= {guess: FORMATS[suffix] for guess, suffix in GUESSES.items()}
#: The parts of rules that match such a file, and the suffix of a format.
FILE = f"""<any("{'","'.join(FILES)}"):file>"""
SUFFIX = f"<any({','.join(FORMATS)}):suffix>"
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
        self,
        kind: Kind,
        slug: str = "",
        frequency: Frequency | None = None,
        file: str = "",
        suffix: str = "",
        **written: str,
    ) -> Response:
        """Return a feed of stories or of digests by its file, or an archive of it by its suffix.

        `written` names the archive: by its `year`, or by its `month` and perhaps a `cursor`.
        """
        form = FORMATS[suffix] if written else FILES[file]
        selection = self._site.select(kind, slug, archive=bool(written), frequency=frequency)
        archive: AnyArchive | None = None
        if "year" in written:
            archive = self._site.year(selection, **written)
        elif written:
            archive = self._site.archive(selection, **written)
        own_file = archive.file(suffix) if archive else form.file
        self._site.require_address(selection.address(own_file))
        made = publish(self._index, selection, form, self._site.base, archive)
        return self._site.respond(made or abort(404, "no such feed"))

    def subscriptions(self) -> Response:
        """Return the subscription list of all topics and providers."""
        refuse_unknown(request.args, ["format"])
        suffix = (values(request.args, "format") or [*FORMATS])[0]
        if suffix not in FORMATS:
            abort(400, f"unknown format, known are: {', '.join(FORMATS)}")
        query = "" if suffix == next(iter(FORMATS)) else f"?format={suffix}"
        self._site.require_address(f"/{opml.FILE}{query}")
        return self._site.respond(publish_list(self._index, FORMATS[suffix], self._site.base))

    def sitemap(self, part: int = 0) -> Response:
        """Return the addresses of the pages for search engines, or a part of them."""
        refuse_unknown(request.args, [])
        file = sitemap.file_of(part)
        self._site.require_address(f"/{file}")
        files = publish_sitemap(self._index, self._site.base)
        return self._site.respond(files.get(file) or abort(404, "no such sitemap"))

    def file(self, name: str) -> Response:
        """Return a file at the top of the site, which takes no parameters."""
        refuse_unknown(request.args, [])
        self._site.require_address(f"/{name}")
        if name == ROBOTS:
            made = publish_robots(self._site.base)
        elif name == opensearch.FILE:
            made = publish_opensearch(self._site.config, self._site.base)
        else:
            made = assets(self._site.config)[name]
        return self._site.respond(made)

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
    # Werkzeug would redirect between rules of one view whose defaults differ.
    app.url_map.redirect_defaults = False

    def add(rule: str, view: Callable[..., Response], **defaults: object) -> None:
        app.add_url_rule(rule, view_func=view, defaults=defaults)

    add("/healthz", feeds.health)
    add(f"/{opml.FILE}", feeds.subscriptions)
    add(f"/{sitemap.file_of()}", feeds.sitemap)
    add("/sitemap-<int:part>.xml", feeds.sitemap)
    for name in (ROBOTS, opensearch.FILE, *AT_TOP):
        add(f"/{name}", feeds.file, name=name)
    add("/static/<name>", pages.static)
    add(BUILD, pages.build)
    add(f"/{embedding.ENDPOINT}", pages.oembed)
    for kind, path in LISTS.items():
        add(path, pages.names, of=kind)
    for kind, path in PATHS.items():
        digests = path + DIGESTS
        # Files stand before periods: of rules that weigh the same, the first is taken.
        add(path + FILE, feeds.feed, kind=kind)
        add(digests + FILE, feeds.feed, kind=kind)
        add(path, pages.page, kind=kind)
        add(f"{path}archive/", pages.months, kind=kind)
        for archive in ARCHIVES:
            add(f"{path}archive/{archive}.{SUFFIX}", feeds.feed, kind=kind)
            add(f"{path}archive/{archive}/", pages.month, kind=kind)
        add(digests, pages.digests, kind=kind)
        add(f"{digests}archive/<year>.{SUFFIX}", feeds.feed, kind=kind)
        add(f"{digests}archive/<year>/", pages.digests, kind=kind)
        add(f"{digests}<period>/", pages.digest, kind=kind)
        add(path + embedding.FRAME, pages.embed, kind=kind)
