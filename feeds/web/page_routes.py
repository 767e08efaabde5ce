"""Pages for people, frames for other sites, and oEmbed."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from flask import Response, abort, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.urls import iri_to_uri

from feeds.pages import BUILD, LISTS, Pages, embedding
from feeds.pages.assets import assets
from feeds.pages.builder import values_of_names
from feeds.pages.embedding import DEFAULT_STORIES, FRAME, THEMES, EmbedOptions
from feeds.periods import FREQUENCIES, Frequency
from feeds.publish import Document
from feeds.search import search_fault
from feeds.selection import EVERYTHING, MAX_IN_DIGEST, MAX_LIMIT, Kind, Selection
from feeds.web.errors import Missing
from feeds.web.parameters import (
    PARAMETERS,
    keep_known,
    known_parameters,
    number,
    refuse_many,
    refuse_unknown,
    values,
)
from feeds.web.site import Site
from feeds.wire import FRAME_POLICY

#: Characters of the parameter `find`.
MAX_FIND_LENGTH = 100
#: Seconds for which caches keep a file under `/static/`.
MAX_STATIC_AGE = 86400


class PageRoutes:
    """Views of pages, of frames, and of the files that they need."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def page(self, kind: Kind, slug: str = "") -> Response:
        """Return the page of a selection; that of everything is the home page."""
        if kind == "site" and "find" in request.args:
            find = self._find()
            self._site.require_address("/" + _query(find=find))
            return self._respond(self._pages.home(find))
        selection = self._site.select_page(kind, slug)
        self._site.require_address(selection.address())
        pages = self._pages
        made = pages.home() if selection == EVERYTHING else pages.stories(selection)
        return self._respond(made)

    def names(self, of: Kind) -> Response:
        """Return the list of topics or providers, or of those that `find` names."""
        page = number(request.args, "page", 1, 10**6) or 1
        find = self._find()
        self._site.require_address(
            LISTS[of] + _query(find=find, page=str(page) if page > 1 else "")
        )
        return self._respond(self._pages.names(of, find, page))

    def month(self, kind: Kind, month: str, cursor: str = "", slug: str = "") -> Response:
        """Return the page of a month."""
        selection = self._site.select_page(kind, slug, archive=True)
        archive = self._site.archive(selection, month, cursor)
        self._site.require_address(selection.address(archive.page))
        made = self._pages.stories(selection, archive)
        if made is None:
            raise Missing("no stories of that month", history=selection)
        return self._respond(made)

    def months(self, kind: Kind, slug: str = "") -> Response:
        """Return the list of the months that have stories."""
        selection = self._site.select_page(kind, slug, archive=True)
        self._site.require_address(selection.address("archive/"))
        return self._respond(self._pages.months(selection))

    def digests(self, kind: Kind, frequency: Frequency, year: str = "", slug: str = "") -> Response:
        """Return the list of the newest digests, or of the older ones of a year."""
        selection = self._site.select_page(kind, slug, archive=bool(year), frequency=frequency)
        archive = self._site.year(selection, year) if year else None
        self._site.require_address(selection.address(archive.page if archive else ""))
        made = self._pages.digests(selection, archive)
        if made is None:
            raise Missing("no older digests of that year", history=selection)
        return self._respond(made)

    def digest(self, kind: Kind, frequency: Frequency, period: str, slug: str = "") -> Response:
        """Return the page of a digest."""
        selection = self._site.select_page(kind, slug, frequency=frequency)
        found = self._site.period(frequency, selection, period)
        self._site.require_address(selection.address(f"{found.name}/"))
        made = self._pages.digest(selection, found)
        if made is None:
            raise Missing("no digest of that period", history=selection)
        return self._respond(made)

    def build(self) -> Response:
        """Return the builder, with the selection of the query chosen in it."""
        chosen = keep_known(request.args, PARAMETERS)
        refuse_many(chosen)
        written = _one_of("frequency", FREQUENCIES, "")
        frequency = next((known for known in FREQUENCIES if known == written), None)
        if frequency and (number(chosen, "limit", 1, MAX_LIMIT) or 0) > MAX_IN_DIGEST:
            del chosen["limit"]  # that of a feed of stories, which the form had before
        pages = self._pages
        pairs = values_of_names(pages.listed, [*chosen.items(multi=True)])
        refused = [pair for pair in pairs if self._is_refused(*pair, pairs)]
        known = MultiDict(pair for pair in pairs if pair not in refused)
        selection = self._site.named("site", "", known, frequency=frequency)
        if refused:
            # The form says at its field what is wrong, and keeps the rest that was chosen.
            response = self._respond(pages.build(selection, refused))
            response.status_code = 400 if "q" in dict(refused) else 404
            response.headers["Cache-Control"] = "no-store"
            return response
        self._site.require_address(selection.address_in(BUILD))
        return self._respond(pages.build(selection))

    def _is_refused(self, name: str, value: str, pairs: list[tuple[str, str]]) -> bool:
        """Return whether the builder has no such choice, or has it chosen and excluded."""
        if name not in ("q", "topic", "provider", "exclude") or not value.strip():
            return False
        if name == "q":
            return search_fault(value.strip()) is not None
        is_both = name == "exclude" and {("topic", value), ("provider", value)} & {*pairs}
        return bool(is_both) or not self._site.is_public_name(name, value.strip())

    def embed(self, kind: Kind, slug: str = "") -> Response:
        """Return a frame."""
        refuse_unknown(request.args, [*known_parameters(kind), "theme", "images"])
        selection = self._site.named(kind, slug, request.args, DEFAULT_STORIES)
        # Frames that were pasted before they had this slash followed the visitor's system.
        usual = THEMES[0] if request.path.endswith("/") else "auto"
        options = EmbedOptions(
            theme=_one_of("theme", THEMES, usual), images=_one_of("images", ("1", "0"), "1") == "1"
        )
        self._site.require_address(selection.address(FRAME, **options.parameters))
        response = self._respond(self._pages.embed(selection, options))
        response.headers["Content-Security-Policy"] = FRAME_POLICY
        return response

    def static(self, name: str) -> Response:
        """Return a style sheet, a script or an icon, at an address that changes with its bytes."""
        asset = assets(self._site.config).get(name) or abort(404)
        # A page from before an upgrade asks for an earlier version.
        version = f"?v={asset.etag[:8]}" if request.query_string else ""
        self._site.require_address(f"/static/{name}{version}")
        response = self._respond(asset)
        response.headers["Cache-Control"] = f"public, max-age={MAX_STATIC_AGE}"
        return response

    def oembed(self) -> Response:
        """Return the embedding of a page (oEmbed 1.0)."""
        refuse_unknown(request.args, ["url", "maxwidth", "maxheight", "format"])
        if (values(request.args, "format") or ["json"]) != ["json"]:
            abort(501, "the format is json")
        address = values(request.args, "url")
        if len(address) != 1:
            abort(400, "url must name one page of this site")
        selection = self._selection_at(address[0])
        body = embedding.oembed(
            selection,
            self._pages.title(selection) or _unknown(),
            self._site.base,
            self._site.config.title,
            age=self._site.config.max_age,
            most_wide=number(request.args, "maxwidth", 1, 10**5),
            most_high=number(request.args, "maxheight", 1, 10**5),
        )
        return self._respond(Document(body=body, content_type="application/json; charset=utf-8"))

    def _selection_at(self, address: str) -> Selection:
        """Return the selection of a page, a feed or a frame of this site, or abort with 404."""
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
            if "kind" not in arguments or {"month", "frequency"} & arguments.keys():
                _unknown()
            chosen = keep_known(MultiDict(parse_qsl(parts.query)), PARAMETERS)
            return self._site.named(arguments["kind"], arguments.get("slug", ""), chosen)
        except HTTPException:
            _unknown()

    def _find(self) -> str:
        find = " ".join(values(request.args, "find"))
        if len(find) > MAX_FIND_LENGTH:
            abort(400, f"find is longer than {MAX_FIND_LENGTH} letters")
        return find

    @property
    def _pages(self) -> Pages:
        return Pages(index=self._site.index, base=self._site.base)

    def _respond(self, published: Document | None) -> Response:
        return self._site.respond(published or abort(404, "no such page"))


def _query(**chosen: str) -> str:
    """Return the query of a list of names, spelled as a browser spells that of the form."""
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"?{query}" if query else ""


def _one_of(name: str, known: tuple[str, ...], usual: str) -> str:
    """Return the value of a parameter, or the usual one. Answer 400 to any that is not known."""
    (value, *more) = values(request.args, name) or [usual]
    if value not in (*known, usual) or more:
        abort(400, f"{name} must be one of {', '.join(known)}")
    return value


def _unknown() -> NoReturn:
    abort(404, "url names no page of this site")
