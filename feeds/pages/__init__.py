"""Pages for people, and frames for other sites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from feeds.digest import digest_title
from feeds.feed import Feed, make_entry, make_feed
from feeds.history import Archive, Month, YearArchive
from feeds.index import Index
from feeds.index.found import Found
from feeds.index.survey import ListedFeed, by_size, find_names, months, public_feeds
from feeds.pages.builder import make_builder
from feeds.pages.embedding import DEFAULT_STORIES, FRAME, EmbedOptions
from feeds.pages.render import render, root_of
from feeds.pages.suggestions import suggestions
from feeds.periods import Period
from feeds.publish import Document, find_feed
from feeds.search import search_text
from feeds.selection import EVERYTHING, Kind, Selection

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

    def home(self, find: str = "") -> Document | None:
        """Return the index page; with `find`, it lists the topics and providers of that name."""
        named = {kind: by_size(find_names(self.listed, kind, find)) for kind in LISTS}
        shown = MAX_FOUND if find else MAX_LARGEST
        has_builder = self.is_served and not find
        return self._page_of(
            EVERYTHING,
            "index.html",
            "/",
            MAX_NEWEST,
            find=find,
            lists=[(kind, LISTS[kind], len(named[kind]), named[kind][:shown]) for kind in LISTS],
            builder=make_builder(self.index, EVERYTHING, self.listed) if has_builder else None,
        )

    def names(self, kind: Kind, find: str = "", number: int = 1) -> Document | None:
        """Return a page of all topics or providers, by name; None beyond the last page."""
        named = find_names(self.listed, kind, find)
        # A built site has no addresses with parameters, so its list is one page.
        most = MAX_NAMES if self.is_served else max(1, len(named))
        pages = max(1, -(-len(named) // most))
        if number > pages:
            return None
        return self._page_of(
            EVERYTHING,
            "names.html",
            LISTS[kind] + (f"?page={number}" if number > 1 else ""),
            kind=kind,
            find=find,
            count=len(named),
            items=named[(number - 1) * most : number * most],
            number=number,
            pages=pages,
        )

    def stories(self, selection: Selection, archive: Archive | None = None) -> Document | None:
        """Return the page of the newest stories of a selection, or of those of a month.

        None if the selection is not public, or has no stories before or none after the month.
        """
        limit = selection.limit or self.index.config.limit
        most = MAX_STORIES if archive else min(limit, MAX_STORIES)
        made = find_feed(self.index, selection, self.base, archive, most)
        if made is None:
            return None
        feed, found = made
        if archive and _is_beyond(archive, feed, found):
            return None
        finds_nothing = selection.search and not (archive or feed.entries)
        return self._page(
            selection,
            "stories.html",
            selection.address(archive.page if archive else ""),
            feed,
            found,
            part=archive,
            suggested=self.links(suggestions(self.index, selection)) if finds_nothing else [],
        )

    def months(self, selection: Selection) -> Document | None:
        """Return the page of the months that have stories; None if the selection is not public."""
        years: dict[int, list[Month]] = {}
        for month in months(self.index, selection):
            years.setdefault(month.year, []).append(month)
        address = selection.address("archive/")
        return self._page_of(selection, "months.html", address, years=years)

    def digests(self, selection: Selection, archive: YearArchive | None = None) -> Document | None:
        """Return the list of the newest digests, or of the older ones of a year.

        None if the selection is not public, or has no older ones of that year.
        """
        made = find_feed(self.index, selection, self.base, archive)
        if made is None or (archive and not made[1].digests):
            return None
        feed, found = made
        return self._page(
            selection,
            "digests.html",
            selection.address(archive.page if archive else ""),
            # The page has no stories.
            replace(feed, entries=()),
            found,
            year=archive and archive.year,
            digests=found.digests,
        )

    def digest(self, selection: Selection, period: Period) -> Document | None:
        """Return the page of a digest; None if it is not over or has no stories."""
        found = self.index.find(selection, period)
        if found is None or not found.digests:
            return None
        [digest] = found.digests
        config, base = self.index.config, self.base
        stories = [make_entry(article, config=config, base=base) for article in digest.articles]
        return self._page(
            selection,
            "digest.html",
            selection.address(f"{period.name}/"),
            make_feed(selection, found.names, stories, config=config, base=base),
            found,
            digest_title=digest_title(selection, found.names, period, config),
        )

    def build(
        self, selection: Selection, refused: Sequence[tuple[str, str]] = ()
    ) -> Document | None:
        """Return the page of the builder, with a selection and with what the form refused."""
        form = make_builder(self.index, selection, self.listed, refused)
        return self._page_of(selection, "build.html", selection.address_in(BUILD), builder=form)

    def embed(self, selection: Selection, options: EmbedOptions) -> Document | None:
        """Return a frame with the newest stories; None if the selection is not public."""
        address = selection.address(FRAME, **options.parameters)
        most = selection.limit or DEFAULT_STORIES
        return self._page_of(selection, "embed.html", address, most, options=options)

    @cached_property
    def listed(self) -> list[ListedFeed]:
        """Every public feed."""
        return public_feeds(self.index)

    def title(self, selection: Selection) -> str | None:
        """Return the title of the page of a selection; None if it is not public."""
        made = find_feed(self.index, selection, self.base, most=1)
        return made and made[0].title

    def links(self, selections: Iterable[Selection]) -> list[tuple[str, str]]:
        """Return the addresses of some pages, and what they are called."""
        return [(s.address(), self._heading(self.title(s) or s.slug)) for s in selections]

    def _heading(self, title: str) -> str:
        # The header of the page has the name of the site.
        return title.removesuffix(f" · {self.index.config.title}")

    def _page_of(
        self, selection: Selection, template: str, address: str, most: int = 1, **context: object
    ) -> Document | None:
        """Return a page with at most so many stories; None if the selection is not public."""
        made = find_feed(self.index, selection, self.base, most=most)
        return made and self._page(selection, template, address, *made, **context)

    def _page(
        self,
        selection: Selection,
        template: str,
        address: str,
        feed: Feed,
        found: Found,
        /,
        **context: object,
    ) -> Document:
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
            neighbours=found.neighbours,
            searched=search_text(selection.search),
            **context,
        )
        return Document(
            body=body,
            content_type="text/html; charset=utf-8",
            # A page also shows other feeds, so it changes with the whole site.
            last_modified=None if selection.is_ranked else self.index.changed(),
            previous=found.neighbours.previous,
        )


def _is_beyond(archive: Archive, feed: Feed, found: Found) -> bool:
    """Tell whether a whole month has no stories and is not between two months that have some."""
    neighbours = found.neighbours.previous, found.neighbours.following
    return not archive.before and not feed.entries and None in neighbours
