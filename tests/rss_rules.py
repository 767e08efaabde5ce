"""RSS documents, read as strictly as RSS 2.0, its Best Practices Profile and the W3C validator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape, unescape
from typing import Any

import feedparser
from lxml import etree

from feeds.formats.xml import HISTORY, MEDIA
from feeds.selection import EVERYTHING, Selection
from tests import xml_rules
from tests.html_rules import Html
from tests.support import BASE, NOW, Collection, publish_feed
from tests.xml_rules import (
    ATOM,
    CONTENT,
    DUBLIN_CORE,
    MANY,
    Grammar,
    read_xml,
    texts,
)

# No document type, no style sheet.
_PROLOGUE = b"<?xml version='1.0' encoding='UTF-8'?>\n<rss "
_DOCS = "http://www.rssboard.org/rss-specification"
_GRAMMAR = Grammar(
    namespaces={
        **{"atom": ATOM, "content": CONTENT, "dc": DUBLIN_CORE},
        **{"fh": HISTORY, "media": MEDIA},
    },
    children={
        "rss": {"channel": (1, 1)},
        "channel": {
            **dict.fromkeys(("title", "link", "description", "docs", "generator"), (1, 1)),
            **{"language": (1, 1), "lastBuildDate": (1, 1)},
            **{"atom:link": (1, 4), "item": (0, MANY)},
            **xml_rules.HISTORIES,
        },
        "item": {
            **dict.fromkeys(("title", "link", "description", "content:encoded"), (1, 1)),
            **dict.fromkeys(("guid", "dc:creator", "pubDate"), (1, 1)),
            **{"atom:updated": (0, 1), "category": (0, MANY)},
            **xml_rules.PICTURES,
        },
        **xml_rules.CHILDREN,
    },
    attributes={
        "rss": {"version": True},
        "atom:link": {"rel": True, "href": True, "type": True},
        "guid": {"isPermaLink": True},
        "category": {"domain": True},
        **xml_rules.ATTRIBUTES,
    },
    empty=(
        *("rss", "channel", "item", "atom:link", "fh:complete", "fh:archive"),
        *("media:content", "media:thumbnail"),
    ),
    addresses=("link", "docs"),
    content="content:encoded",
    entry="item",
)
# RSS's dates are RFC 822's; four digits of the year, as its specification prefers.
_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_UPDATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")

name_of = _GRAMMAR.name


def publish_rss(
    collection: Collection,
    selection: Selection = EVERYTHING,
    *,
    now: datetime = NOW,
    base: str = BASE,
) -> bytes:
    """The bytes of a feed's RSS document."""
    return publish_feed(collection, selection, "rss", base=base).body


def read_rss(body: bytes, now: datetime = NOW) -> etree._Element:
    """The channel of an RSS document that breaks no rule."""
    broken = faults(body, now)
    assert not broken, broken
    return read_xml(body)[0]


def reread(body: bytes) -> Any:
    """What a subscriber's parser makes of a document, as it stands."""
    headers = {"content-type": "application/rss+xml; charset=utf-8"}
    options = {"sanitize_html": False, "resolve_relative_uris": False}
    parsed = feedparser.parse(body, response_headers=headers, **options)
    assert (parsed.bozo, parsed.version) == (False, "rss20")
    return parsed


def faults(body: bytes, now: datetime = NOW) -> list[str]:
    """Every rule that a document breaks."""
    root = read_xml(body)
    found = [] if body.startswith(_PROLOGUE) else ["not plain UTF-8 XML"]
    found += [*_GRAMMAR.faults(root), *_document(root)]
    for channel in root.iterfind("channel"):
        found += [*_GRAMMAR.order(channel), *_links(channel), *_dates(channel, now)]
    for item in root.iterfind("channel/item"):
        content = "".join(texts(item, "c:encoded"))
        found += [*_item(item), *xml_rules.media(item, content), *Html(content).faults()]
    return found


def _document(root: etree._Element) -> Iterator[str]:
    # HTML to every reader, the channel's as well as an item's.
    for description in texts(root, "//description"):
        if escape(unescape(description), quote=False) != description:
            yield "a description that is not plain text in HTML"
    if (name_of(root), root.get("version")) != ("rss", "2.0"):
        yield "not RSS 2.0"
    yield from xml_rules.ids(texts(root, "//guid"))
    if not xml_rules.LANGUAGE.fullmatch("".join(texts(root, "channel/language"))):
        yield "no language (BCP 47)"
    if texts(root, "channel/docs") != [_DOCS]:
        yield "the docs are not RSS's"


def _links(channel: etree._Element) -> Iterator[str]:
    rels = Counter(texts(channel, "a:link/@rel"))
    if rels["self"] != 1:
        yield "not one self link"
    yield from xml_rules.history(channel, rels)
    if set(texts(channel, "a:link/@type")) - {"application/rss+xml"}:
        yield "a link that is no feed"
    # An archive's own address is another, but it names its feed's.
    subscribed = f"a:link[@rel='{'current' if rels['current'] else 'self'}']/@href"
    pages = (link.partition("?") for link in texts(channel, "link"))
    if texts(channel, subscribed) != [
        f"{page}feed.rss{mark}{query}" for page, mark, query in pages
    ]:
        yield "self is not the canonical address"


def _dates(channel: etree._Element, now: datetime) -> Iterator[str]:
    built = list(_moments(texts(channel, "lastBuildDate")))
    items = list(_moments(texts(channel, "item/pubDate")))
    updates = texts(channel, "item/a:updated")
    written = texts(channel, "lastBuildDate | item/pubDate")
    yield from (f"the date {date}" for date in written if not list(_moments([date])))
    yield from (f"the date {date}" for date in updates if not _UPDATED.fullmatch(date))
    items += [datetime.fromisoformat(date) for date in updates if _UPDATED.fullmatch(date)]
    yield from xml_rules.moments(built + items, now)
    if built and max(items, default=built[0]) > built[0]:
        yield "an item later than the feed"
    for item in channel.iterfind("item"):
        updated = texts(item, "a:updated")
        published = [moment.isoformat() for moment in _moments(texts(item, "pubDate"))]
        if updated and updated <= published:
            yield "updated before it was published"


def _moments(written: list[str]) -> Iterator[datetime]:
    """Those that are dates, with the weekday that they say."""
    for date in written:
        if _DATE.fullmatch(date):
            try:
                moment = parsedate_to_datetime(date).astimezone(UTC)
            except ValueError:
                continue
            if format_datetime(moment, usegmt=True) == date:
                yield moment


def _item(item: etree._Element) -> Iterator[str]:
    names = [name_of(child) for child in item]
    bodies = [name for name in names if name in ("description", "content:encoded")]
    if bodies != sorted(bodies, reverse=True):
        # Some readers take the later of both for the content.
        yield "the description after the content"
    if texts(item, "guid/@isPermaLink") != ["false"]:
        yield "a guid for an address"
    if any("," in label for label in texts(item, "category")):
        yield "a comma in a category"
    if len(set(texts(item, "category"))) < len(texts(item, "category")):
        yield "a category twice"
