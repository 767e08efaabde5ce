"""The documents of a selection, each with its bytes and validators."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from feeds.config import Config
from feeds.digest import digest_entry
from feeds.feed import Feed, Links, make_entry, make_feed
from feeds.formats import Format, opensearch, opml, sitemap
from feeds.history import AnyArchive, Archive, Neighbours
from feeds.index import Index
from feeds.index.found import Found
from feeds.index.survey import months, public_feeds
from feeds.selection import EVERYTHING, Selection
from feeds.translations import translations

#: The file that search engines read first, at the top of the site.
ROBOTS = "robots.txt"


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document as it is sent, before any content coding."""

    body: bytes
    content_type: str
    #: When the document last changed, or a later time; whole seconds in UTC. It may be some
    #: seconds in the future. None where nothing records it.
    last_modified: datetime | None = None
    #: The Link header (RFC 8288).
    link: str = ""
    #: The archive to which the document links as the one before it.
    previous: AnyArchive | None = None

    @cached_property
    def etag(self) -> str:
        """The opaque part of its entity tag (RFC 9110 section 8.8.3).

        The tag is sent as a weak one, because several content codings share it.
        """
        return hashlib.sha256(self.body).hexdigest()[:32]


def find_feed(
    index: Index,
    selection: Selection,
    base: str,
    archive: AnyArchive | None = None,
    most: int | None = None,
) -> tuple[Feed, Found] | None:
    """Return a selection's feed, and what the index found for it; None if it is not public.

    `most` limits the entries for a page. A document of an archive has all of its month.
    """
    found = index.find(selection, archive, most)
    if found is None:
        return None
    config = index.config
    entries = [make_entry(article, config=config, base=base) for article in found.articles]
    entries += [
        digest_entry(selection, found.names, digest, config=config, base=base)
        for digest in found.digests
    ]
    made = make_feed(selection, found.names, entries, config=config, base=base)
    return replace(made, complete=found.complete, archive=archive is not None), found


def publish(
    index: Index, selection: Selection, form: Format, base: str, archive: AnyArchive | None = None
) -> Document | None:
    """Return a selection's feed in a format, or an archive of it; None if it is not public.

    The same index gives the same document in every process and on every machine.
    """
    return next(iter(publish_formats(index, selection, [form], base, archive)), None)


def publish_formats(
    index: Index,
    selection: Selection,
    forms: Iterable[Format],
    base: str,
    archive: AnyArchive | None = None,
) -> list[Document]:
    """Return what `publish` returns, in several formats; empty if it is not public."""
    made = find_feed(index, selection, base, archive)
    if made is None:
        return []
    feed, found = made
    published = []
    for form in forms:
        links = _links(selection, form, base, archive, found.neighbours)
        # The hub is pinged for these documents only.
        if not selection.has_choices and archive is None and index.config.hub:
            links = replace(links, hub=index.config.hub)
        body = form.write(feed, links)
        published.append(
            Document(
                body=body,
                content_type=f"{form.content_type}; charset=utf-8",
                last_modified=None if selection.is_ranked else found.changed,
                link=_header(links, feed.link),
                previous=found.neighbours.previous,
            )
        )
    return published


def _header(links: Links, page: str) -> str:
    """Return the Link header, with links that the document has too (WebSub section 4)."""
    hub = f'<{links.hub}>; rel="hub", ' if links.hub else ""
    return f'<{links.canonical}>; rel="self", {hub}<{page}>; rel="alternate"; type="text/html"'


def _links(
    selection: Selection,
    form: Format,
    base: str,
    archive: AnyArchive | None,
    neighbours: Neighbours,
) -> Links:
    def address(part: AnyArchive | None) -> str | None:
        if part is None:
            return None
        return base + selection.whole.address(part.file(form.suffix))

    return Links(
        canonical=address(archive) or base + selection.address(form.file),
        current=base + selection.whole.address(form.file) if archive else None,
        prev_archive=address(neighbours.previous),
        next_archive=address(neighbours.following),
    )


def publish_list(index: Index, form: Format, base: str) -> Document:
    """Return the subscription list of the site, all topics and all providers, in one format."""
    listed = public_feeds(index)
    _ = translations(index.config.language).gettext
    groups = {
        name: [
            (
                item.name or index.config.title,
                base + item.selection.address(form.file),
                base + item.selection.address(),
            )
            for item in listed
            if item.selection.kind == kind
        ]
        for kind, name in (("site", ""), ("topic", _("Topics")), ("provider", _("Providers")))
    }
    body = opml.write(index.config.title, groups)
    return Document(
        body=body,
        content_type=f"{opml.CONTENT_TYPE}; charset=utf-8",
        last_modified=index.changed(),
    )


def publish_sitemap(index: Index, base: str) -> dict[str, Document]:
    """Return the files of the sitemap by name: the pages of feeds with stories, and of months.

    Months are those of the whole site, because each story is in one of them.
    """
    pages = [
        (base + item.selection.address(), item.newest)
        for item in public_feeds(index)
        if item.count or item.selection == EVERYTHING
    ]
    pages += [
        (base + EVERYTHING.address(Archive(month=month).page), newest)
        for month, newest in months(index, EVERYTHING).items()
    ]
    return {
        file: Document(
            body=body,
            content_type=f"{sitemap.CONTENT_TYPE}; charset=utf-8",
            last_modified=index.changed(),
        )
        for file, body in sitemap.write(pages, base).items()
    }


def publish_robots(base: str) -> Document:
    """Return the file that leads search engines to the sitemap (RFC 9309)."""
    body = f"User-agent: *\nDisallow:\n\nSitemap: {base}/{sitemap.file_of()}\n".encode()
    return Document(body=body, content_type="text/plain; charset=utf-8")


def publish_opensearch(config: Config, base: str) -> Document:
    """Return the file by which browsers offer to search the site."""
    description = translations(config.language).gettext("Search %(site)s") % {"site": config.title}
    body = opensearch.write(config.title, description, config.language, base)
    return Document(
        body=body,
        content_type=f"{opensearch.CONTENT_TYPE}; charset=utf-8",
    )
