"""The one road from a selection to the bytes and validators of its feed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from feeds import document
from feeds.document import Feed, Links
from feeds.formats import Format
from feeds.index import Found, Index
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


def find_feed(
    catalogue: Index, selection: Selection, base: str, now: datetime
) -> tuple[Feed, Found] | None:
    """A selection's feed, and what the index says of it; None if it is not public."""
    found = catalogue.find(selection, now)
    if found is None:
        return None
    made = document.feed(
        selection, found.name, found.articles, config=catalogue.config, base=base, now=now
    )
    return made, found


def publish(
    catalogue: Index, selection: Selection, form: Format, base: str, now: datetime
) -> Published | None:
    """A selection's feed in a format; None if it is not public.

    The same index gives the same answer in every process and on every machine.
    """
    made = find_feed(catalogue, selection, base, now)
    if made is None:
        return None
    feed, found = made
    links = Links(canonical=feed.link + form.file)
    body = form.write(feed, links)
    return Published(
        body=body,
        content_type=f"{form.content_type}; charset=utf-8",
        etag=etag(body),
        # When files last changed the feed, or later, when an article came due;
        # never the newest entry's date alone, which a withdrawal sets back.
        modified=max(found.changed, feed.updated),
        due=found.due,
        link=f'<{links.canonical}>; rel="self", <{feed.link}>; rel="alternate"; type="text/html"',
    )


def etag(body: bytes) -> str:
    """The opaque part of a document's entity tag (RFC 9110 section 8.8.3)."""
    return hashlib.sha256(body).hexdigest()[:32]
