"""Pages for people, frames for other sites, and oEmbed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NoReturn
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from flask import Response, abort, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.urls import iri_to_uri

from feeds.pages import BUILD, LISTS, Pages, embedding
from feeds.pages.embedding import STORIES, THEMES, Look
from feeds.pages.render import STATIC
from feeds.publish import Published, etag
from feeds.selection import EVERYTHING, Kind, Selection
from feeds.web.parameters import PARAMETERS, number, refuse, refuse_many, refuse_unknown, values
from feeds.web.responses import plain
from feeds.web.site import Site

#: Letters of a name that somebody looks for.
LONGEST = 100
#: A frame is for every site, and loads nothing but pictures and what is ours.
FRAME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src https:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors *"
)


class PageRoutes:
    """What browsers show."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def page(self, kind: Kind, slug: str = "") -> Response:
        """The page of a selection; that of everything shows what the site publishes."""

        def make(pages: Pages) -> Published | None:
            if kind == "site" and "find" in request.args:
                return self._index(pages)
            selection = self._site.select(kind, slug, pages.now)
            self._site.require(selection.address())
            return pages.index() if selection == EVERYTHING else pages.stories(selection)

        return self._answer(make)

    def _index(self, pages: Pages) -> Published | None:
        refuse_unknown(request.args, ["find"])
        find = self._find()
        if not find:
            self._site.require("/")
        return pages.index(find)

    def names(self, of: Kind) -> Response:
        """All topics or all providers, or those that are called so."""

        def make(pages: Pages) -> Published | None:
            refuse_unknown(request.args, ["find", "page"])
            page = number(request.args, "page", 1, 10**6) or 1
            find = self._find()
            chosen = {"find": find, "page": str(page) if page > 1 else ""}
            query = urlencode({name: value for name, value in chosen.items() if value})
            self._site.require(LISTS[of] + (f"?{query}" if query else ""))
            return pages.names(of, find, page)

        return self._answer(make)

    def month(self, kind: Kind, month: str, place: str = "", slug: str = "") -> Response:
        """The stories of a month."""

        def make(pages: Pages) -> Published | None:
            selection = self._site.select(kind, slug, pages.now, archive=True)
            part = self._site.part(month, place, pages.now)
            self._site.require(selection.address(part.page))
            return pages.stories(selection, part)

        return self._answer(make)

    def months(self, kind: Kind, slug: str = "") -> Response:
        """The months that have stories."""

        def make(pages: Pages) -> Published | None:
            selection = self._site.select(kind, slug, pages.now, archive=True)
            self._site.require(selection.address("archive/"))
            return pages.months(selection)

        return self._answer(make)

    def build(self) -> Response:
        """The builder."""

        def make(pages: Pages) -> Published | None:
            refuse_unknown(request.args, PARAMETERS)
            refuse_many(request.args)
            arguments = MultiDict(
                (name, pages.slug(name, value)) for name, value in request.args.items(multi=True)
            )
            selection = self._site.named("site", "", pages.now, arguments)
            self._site.require(selection.address_in(BUILD))
            return pages.build(selection)

        return self._answer(make)

    def embed(self, kind: Kind, slug: str = "") -> Response:
        """A frame."""

        def make(pages: Pages) -> Published | None:
            selection = self._site.select(
                kind, slug, pages.now, beside=["theme", "images"], usual=STORIES
            )
            theme = _one_of("theme", THEMES)
            look = Look(theme=theme, images=_one_of("images", ("1", "0")) == "1")
            self._site.require(selection.address("embed", **look.parameters))
            return pages.embed(selection, look)

        response = self._answer(make)
        response.headers["Content-Security-Policy"] = FRAME_POLICY
        return response

    def element(self) -> Response:
        """The script of the custom element."""

        def make(now: datetime) -> Published:
            refuse_unknown(request.args, [])
            self._site.require(f"/{embedding.SCRIPT}")
            body = (STATIC / embedding.SCRIPT).read_bytes()
            return _published(body, "text/javascript; charset=utf-8")

        return self._site.answer(make)

    def oembed(self) -> Response:
        """The embedding of a page (oEmbed 1.0)."""

        def make(now: datetime) -> Published:
            refuse_unknown(request.args, ["url", "maxwidth", "maxheight", "format"])
            if (values(request.args, "format") or ["json"]) != ["json"]:
                abort(plain(501, "501 Not Implemented: the format is json"))
            address = values(request.args, "url")
            if len(address) != 1:
                refuse("url must name one page of this site")
            pages = self._pages(now)
            selection = self._selection_at(address[0], now)
            title = pages.title(selection) or _unknown()
            body = embedding.oembed(
                selection,
                title,
                pages.base,
                self._site.config.title,
                age=self._site.config.max_age,
                most_wide=number(request.args, "maxwidth", 1, 10**5),
                most_high=number(request.args, "maxheight", 1, 10**5),
            )
            # A story that comes may bring another name.
            due = self._site.catalogue.due(now)
            return _published(body, "application/json; charset=utf-8", due)

        return self._site.answer(make)

    def _selection_at(self, address: str, now: datetime) -> Selection:
        """The selection of a page, a feed or a frame of this site."""
        home = urlsplit(self._site.base)
        try:
            parts = urlsplit(iri_to_uri(address))
        except ValueError:
            _unknown()
        ours = parts.netloc.lower() == home.netloc.lower() and parts.scheme in ("http", "https")
        path = parts.path if parts.path != home.path else home.path + "/"
        if not ours or not path.startswith(home.path + "/"):
            _unknown()
        router = current_app.url_map.bind(home.netloc)
        try:
            _, arguments = router.match(unquote(path.removeprefix(home.path)), method="GET")
            if "kind" not in arguments or "month" in arguments:
                _unknown()
            chosen = MultiDict(
                (name, value) for name, value in parse_qsl(parts.query) if name in PARAMETERS
            )
            kind, slug = arguments["kind"], arguments.get("slug", "")
            return self._site.named(kind, slug, now, chosen)
        except HTTPException:
            _unknown()

    def _find(self) -> str:
        find = " ".join(values(request.args, "find"))
        if len(find) > LONGEST:
            refuse(f"find is longer than {LONGEST} letters")
        return find

    def _pages(self, now: datetime) -> Pages:
        return Pages(catalogue=self._site.catalogue, base=self._site.base, now=now)

    def _answer(self, make: Callable[[Pages], Published | None]) -> Response:
        def made(now: datetime) -> Published:
            return make(self._pages(now)) or abort(plain(404, "404 Not Found: no such page"))

        return self._site.answer(made)


def _published(body: bytes, content_type: str, due: datetime | None = None) -> Published:
    return Published(body=body, content_type=content_type, etag=etag(body), modified=None, due=due)


def _one_of(name: str, known: tuple[str, ...]) -> str:
    """What a parameter says, by default the first that it may say."""
    (said, *more) = values(request.args, name) or [known[0]]
    if said not in known or more:
        refuse(f"{name} must be one of {', '.join(known)}")
    return said


def _unknown() -> NoReturn:
    abort(plain(404, "404 Not Found: url names no page of this site"))
