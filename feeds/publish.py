"""The one road from a selection to the bytes and validators of its feed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from feeds.feed import Feed, Links, make_feed
from feeds.formats import Format, opml
from feeds.history import Archive, Neighbours
from feeds.index import Index
from feeds.index.query import Found
from feeds.index.survey import listing
from feeds.selection import Selection


@dataclass(frozen=True, kw_only=True)
class Published:
    """A document as it goes over the wire, before any content coding."""

    body: bytes
    content_type: str
    #: Weak, of the uncompressed bytes: one strong tag over several content
    #: codings would be wrong (RFC 9110 section 8.8.3).
    etag: str
    #: When it last changed, or at the latest did; whole seconds in UTC. It may lie some
    #: seconds in the future. None where nothing records it.
    changed: datetime | None
    #: The Link header (RFC 8288).
    link: str = ""
    #: The archive that the document names as the one before it.
    previous: Archive | None = None


def find_feed(
    index: Index,
    selection: Selection,
    base: str,
    archive: Archive | None = None,
    most: int | None = None,
) -> tuple[Feed, Found] | None:
    """A selection's feed, and what the index found for it; None if it is not public.

    `most` is how many entries a page has, which the feed may have more of.
    """
    found = index.find(selection, archive, most)
    if found is None:
        return None
    made = make_feed(selection, found.names, found.articles, config=index.config, base=base)
    return replace(made, complete=found.complete, archive=archive is not None), found


def publish(
    index: Index, selection: Selection, form: Format, base: str, archive: Archive | None = None
) -> Published | None:
    """A selection's feed in a format, or an archive of it; None if it is not public.

    The same index gives the same answer in every process and on every machine.
    """
    return next(iter(publish_formats(index, selection, [form], base, archive)), None)


def publish_formats(
    index: Index,
    selection: Selection,
    forms: Iterable[Format],
    base: str,
    archive: Archive | None = None,
) -> list[Published]:
    """As `publish`, in several formats; empty if the selection is not public."""
    made = find_feed(index, selection, base, archive)
    if made is None:
        return []
    feed, found = made
    published = []
    for form in forms:
        links = _links(selection, form, base, archive, found.beside)
        # Those alone are pinged, and an archive seldom changes.
        if selection == selection.plain and archive is None and index.config.hub:
            links = replace(links, hub=index.config.hub)
        body = form.write(feed, links)
        published.append(
            Published(
                body=body,
                content_type=f"{form.content_type}; charset=utf-8",
                etag=etag(body),
                changed=None if selection.is_ranked else found.changed,
                link=_header(links, feed.link),
                previous=found.beside.previous,
            )
        )
    return published


def _header(links: Links, page: str) -> str:
    """The Link header: as in the document, for clients that read no document (WebSub section 4)."""
    hub = f'<{links.hub}>; rel="hub", ' if links.hub else ""
    return f'<{links.canonical}>; rel="self", {hub}<{page}>; rel="alternate"; type="text/html"'


def _links(
    selection: Selection, form: Format, base: str, archive: Archive | None, beside: Neighbours
) -> Links:
    def address(part: Archive | None) -> str | None:
        if part is None:
            return None
        return base + selection.whole.address(part.file(form.suffix))

    return Links(
        canonical=address(archive) or base + selection.address(form.file),
        current=base + selection.whole.address(form.file) if archive else None,
        prev_archive=address(beside.previous),
        next_archive=address(beside.following),
    )


def publish_list(index: Index, form: Format, base: str) -> Published:
    """The subscription list of the site and all topics and providers, as feeds of one format."""
    listed = listing(index)
    groups = {
        name: [
            opml.Subscription(
                title=item.name or index.config.title,
                feed=base + item.selection.address(form.file),
                page=base + item.selection.address(),
            )
            for item in listed
            if item.selection.kind == kind
        ]
        for kind, name in (("site", ""), ("topic", "Topics"), ("provider", "Providers"))
    }
    body = opml.write(index.config.title, groups)
    return Published(
        body=body,
        content_type=f"{opml.CONTENT_TYPE}; charset=utf-8",
        etag=etag(body),
        changed=index.changed(),
    )


def etag(body: bytes) -> str:
    """The opaque part of a document's entity tag (RFC 9110 section 8.8.3)."""
    return hashlib.sha256(body).hexdigest()[:32]
