"""The one road from a selection to the bytes and validators of its feed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from feeds import document
from feeds.document import Feed, Links
from feeds.formats import Format, opml
from feeds.history import Archive
from feeds.index import Found, Index
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
    #: Whole seconds, UTC; None where nothing records it.
    modified: datetime | None
    #: When time alone will change the document; None if it will not.
    due: datetime | None
    #: The Link header (RFC 8288).
    link: str = ""
    #: Whether quality or heat decide what it shows.
    ranked: bool = False


def find_feed(
    catalogue: Index,
    selection: Selection,
    base: str,
    now: datetime,
    archive: Archive | None = None,
    most: int | None = None,
) -> tuple[Feed, Found] | None:
    """A selection's feed, and what the index says of it; None if it is not public.

    `most` is how many entries a page has, which the feed may have more of.
    """
    found = catalogue.find(selection, now, archive, most)
    if found is None:
        return None
    made = document.feed(
        selection, found.names, found.articles, config=catalogue.config, base=base, now=now
    )
    return replace(made, complete=found.complete, archive=archive is not None), found


def publish(
    catalogue: Index,
    selection: Selection,
    form: Format,
    base: str,
    now: datetime,
    archive: Archive | None = None,
) -> Published | None:
    """A selection's feed in a format, or an archive of it; None if it is not public.

    The same index gives the same answer in every process and on every machine.
    """
    made = find_feed(catalogue, selection, base, now, archive)
    if made is None:
        return None
    feed, found = made
    links = _links(selection, form, base, archive, found)
    # Those alone are pinged, and an archive seldom changes.
    if selection == selection.plain and archive is None and catalogue.config.hub:
        links = replace(links, hub=catalogue.config.hub)
    body = form.write(feed, links)
    modified = changed(feed, found)
    if not found.exact:
        modified = catalogue.since(links.canonical, hashlib.sha256(body).digest(), modified)
    return Published(
        body=body,
        content_type=f"{form.content_type}; charset=utf-8",
        etag=etag(body),
        modified=modified,
        due=found.due,
        link=_header(links, feed.link),
        ranked=selection.is_ranked,
    )


def _header(links: Links, page: str) -> str:
    """The Link header: as in the document, for who reads no document (WebSub section 4)."""
    hub = f'<{links.hub}>; rel="hub", ' if links.hub else ""
    return f'<{links.canonical}>; rel="self", {hub}<{page}>; rel="alternate"; type="text/html"'


def changed(feed: Feed, found: Found) -> datetime:
    """When files last changed a feed, or later, when an article came due.

    Never the newest entry's date alone, which a withdrawal sets back.
    """
    return max(found.changed, feed.updated)


def _links(
    selection: Selection, form: Format, base: str, archive: Archive | None, found: Found
) -> Links:
    def address(part: Archive | None) -> str | None:
        if part is None:
            return None
        return base + selection.whole.address(part.file(form.suffix))

    return Links(
        canonical=address(archive) or base + selection.address(form.file),
        current=base + selection.whole.address(form.file) if archive else None,
        prev_archive=address(found.beside.previous),
        next_archive=address(found.beside.following),
    )


def publish_list(catalogue: Index, form: Format, base: str, now: datetime) -> Published:
    """The subscription list of the site and all topics and providers, as feeds of one format."""
    listed = listing(catalogue, now)
    groups = {
        name: [
            opml.Subscription(
                title=item.name or catalogue.config.title,
                feed=base + item.selection.address(form.file),
                page=base + item.selection.address(),
            )
            for item in listed
            if item.selection.kind == kind
        ]
        for kind, name in (("site", ""), ("topic", "Topics"), ("provider", "Providers"))
    }
    body = opml.write(catalogue.config.title, groups)
    address = f"{base}/{opml.FILE}?format={form.suffix}"
    at = catalogue.changed(now)
    return Published(
        body=body,
        content_type=f"{opml.CONTENT_TYPE}; charset=utf-8",
        etag=etag(body),
        modified=catalogue.since(address, hashlib.sha256(body).digest(), at),
        due=catalogue.due(now),
    )


def etag(body: bytes) -> str:
    """The opaque part of a document's entity tag (RFC 9110 section 8.8.3)."""
    return hashlib.sha256(body).hexdigest()[:32]
