"""Pages for people, and frames for other sites."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlsplit

from feeds.feed import Feed
from feeds.history import AnyArchive, Archive
from feeds.index import Index
from feeds.index.found import Found
from feeds.index.survey import Listed, by_size, find_names, listing, months, qualities
from feeds.pages.builder import Builder, builder, parameter_values
from feeds.pages.embedding import FRAME, USUAL_STORIES, EmbedOptions
from feeds.pages.plot import plot
from feeds.pages.render import render, root_of
from feeds.pages.suggestions import suggestions
from feeds.publish import Published, find_feed
from feeds.search import search_text
from feeds.selection import EVERYTHING, MAX_SLUG_LENGTH, Kind, Selection, fold

#: Stories on a page, and on the index page.
MAX_STORIES, MAX_NEWEST = 15, 10
#: Topics or providers on the index page, the found ones there, and those on a page of a list.
MAX_LARGEST, MAX_FOUND, MAX_NAMES = 8, 40, 100
#: The path of the builder.
BUILD = "/build/"
#: The paths of the lists of names.
LISTS: dict[Kind, str] = {"topic": "/topics/", "provider": "/providers/"}


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The pages of a site; `base` is its address without a final slash."""

    index: Index
    base: str
    #: Whether the application serves them. Pages in files leave out what only it can answer:
    #: searches, the builder, oEmbed and frames with options.
    is_served: bool = True

    def home(self, find: str = "") -> Published | None:
        """Return the index page; with `find`, it lists the topics and providers of that name."""
        made = self._feed(EVERYTHING, most=MAX_NEWEST)
        if made is None:
            return None
        named = {kind: by_size(find_names(self._listed, kind, find)) for kind in LISTS}
        shown = MAX_FOUND if find else MAX_LARGEST
        return self._page(
            "index.html",
            "/",
            *made,
            find=find,
            lists=[(kind, LISTS[kind], len(named[kind]), named[kind][:shown]) for kind in LISTS],
            builder=self._builder(EVERYTHING) if self.is_served and not find else None,
        )

    def names(self, kind: Kind, find: str = "", number: int = 1) -> Published | None:
        """Return a page of all topics or providers, by name; None beyond the last page."""
        made = self._feed(EVERYTHING, most=1)
        named = find_names(self._listed, kind, find)
        # A built site has no addresses with parameters, so its list is one page.
        most = MAX_NAMES if self.is_served else max(1, len(named))
        pages = max(1, -(-len(named) // most))
        if made is None or number > pages:
            return None
        return self._page(
            "names.html",
            LISTS[kind] + (f"?page={number}" if number > 1 else ""),
            *made,
            kind=kind,
            find=find,
            count=len(named),
            items=named[(number - 1) * most : number * most],
            number=number,
            pages=pages,
        )

    def stories(self, selection: Selection, archive: Archive | None = None) -> Published | None:
        """Return the page of the newest stories of a selection, or of those of a month.

        None if the selection is not public, or has no stories before or none after the month.
        """
        limit = selection.limit or self.index.config.limit
        made = self._feed(
            selection, archive, min(limit, MAX_STORIES) if not archive else MAX_STORIES
        )
        if made is None or (archive and _is_beyond(archive, *made)):
            return None
        address = selection.address(archive.page if archive else "")
        finds_nothing = selection.words and not (archive or made[0].entries)
        return self._page(
            "stories.html",
            address,
            *made,
            selection=selection,
            part=archive,
            suggested=self._links(suggestions(self.index, selection)) if finds_nothing else [],
        )

    def months(self, selection: Selection) -> Published | None:
        """Return the page of the months that have stories; None if the selection is not public."""
        made = self._feed(selection, most=1)
        if made is None:
            return None
        found = months(self.index, selection)
        years = {year: [m for m in found if m.year == year] for year in {m.year: 0 for m in found}}
        return self._page(
            "months.html",
            selection.address("archive/"),
            *made,
            selection=selection,
            years=years,
        )

    def build(
        self, selection: Selection, refused: Iterable[tuple[str, str]] = ()
    ) -> Published | None:
        """Return the page of the builder, with a selection and with what the form refused."""
        made = self._feed(selection, most=1)
        if made is None:
            return None
        return self._page(
            "build.html",
            selection.address_in(BUILD),
            *made,
            selection=selection,
            builder=self._builder(selection, refused),
        )

    def embed(self, selection: Selection, options: EmbedOptions) -> Published | None:
        """Return a frame with the newest stories; None if the selection is not public."""
        made = self._feed(selection, most=selection.limit or USUAL_STORIES)
        if made is None:
            return None
        address = selection.address(FRAME, **options.parameters)
        return self._page("embed.html", address, *made, selection=selection, options=options)

    def error(
        self,
        code: int,
        path: str,
        problem: str,
        nearest: Iterable[Selection] = (),
        history: Selection | None = None,
        searched: str = "",
    ) -> bytes:
        """Return the HTML of an error at a path, with links to the nearest feeds.

        `searched` is a search that cannot be made.
        """
        below = urlsplit(self.base).path
        return render(
            "error.html",
            # WSGI decodes the path (PEP 3333): a slash in it may have been `%2F`, and `?` begins
            # no query. At the top of a host, a relative address cannot lead too far up.
            root=f"{below}/" if below else root_of(quote(path)),
            config=self.index.config,
            is_served=self.is_served,
            code=code,
            problem=problem,
            nearest=self._links(nearest),
            history=history,
            searched=searched,
        )

    def slug(self, parameter: str, written: str) -> str:
        """Return the value of a parameter that means the topic or provider of this name."""
        if len(written) > MAX_SLUG_LENGTH:
            return written
        return self._values.get((parameter, fold(written)), written)

    @cached_property
    def _values(self) -> dict[tuple[str, str], str]:
        return parameter_values(self._listed)

    @cached_property
    def _listed(self) -> list[Listed]:
        return listing(self.index)

    def title(self, selection: Selection) -> str | None:
        """Return the title of the page of a selection; None if it is not public."""
        made = self._feed(selection, most=1)
        return made and made[0].title

    def _links(self, selections: Iterable[Selection]) -> list[tuple[str, str]]:
        """Return the addresses of some pages, and what they are called."""
        return [(s.address(), self._heading(self.title(s) or s.slug)) for s in selections]

    def _heading(self, title: str) -> str:
        # The header of the page has the name of the site.
        return title.removesuffix(f" · {self.index.config.title}")

    def _builder(self, selection: Selection, refused: Iterable[tuple[str, str]] = ()) -> Builder:
        config = self.index.config
        everything = qualities(self.index, EVERYTHING)
        mine = qualities(self.index, selection)
        high = max((quality for quality, _ in everything.counts), default=0)
        drawn = plot(mine, config.least_quality(selection), selection.min_quality, high)
        types = self.index.types()
        return builder(selection, self._listed, types, mine, drawn, config.limit, refused)

    def _feed(
        self, selection: Selection, archive: AnyArchive | None = None, most: int | None = None
    ) -> tuple[Feed, Found] | None:
        return find_feed(self.index, selection, self.base, archive, most)

    def _page(
        self,
        template: str,
        address: str,
        feed: Feed,
        found: Found,
        *,
        selection: Selection = EVERYTHING,
        **context: object,
    ) -> Published:
        """Return a page about a feed; `address` is the path and query of the page."""
        config = self.index.config
        body = render(
            template,
            root=root_of(address),
            address=address,
            base=self.base,
            config=config,
            is_served=self.is_served,
            selection=selection,
            whole=selection.whole,
            feed=feed,
            heading=self._heading(feed.title),
            beside=found.beside,
            searched=search_text(selection.words),
            **context,
        )
        return Published(
            body=body,
            content_type="text/html; charset=utf-8",
            # A page also shows other feeds, so it changes with the whole site.
            changed=None if selection.is_ranked else self.index.changed(),
            previous=found.beside.previous,
        )


def _is_beyond(archive: Archive, feed: Feed, found: Found) -> bool:
    """Tell whether a whole month has no stories and is not between two months that have some."""
    beside = found.beside.previous, found.beside.following
    return not archive.before and not feed.entries and None in beside
