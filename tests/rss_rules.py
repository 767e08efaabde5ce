"""The rules of RSS documents: RSS 2.0, its Best Practices Profile, and what our feeds promise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape, unescape
from typing import Any

from lxml import etree

from feeds.formats.xml import HISTORY, MEDIA
from feeds.selection import EVERYTHING, Selection
from tests import xml_rules
from tests.support import BASE, NOW, Collection, publish_feed
from tests.xml_rules import ATOM, CONTENT, DUBLIN_CORE, names, read_xml, texts

__all__ = ["faults", "names", "publish_rss", "read_rss", "reread", "texts"]

_SCHEMA = xml_rules.read_schema("rss.rng")
_MEDIA_TYPE = "application/rss+xml"
_NAMESPACES: dict[str | None, str] = {
    **{"atom": ATOM, "content": CONTENT, "dc": DUBLIN_CORE},
    **{"fh": HISTORY, "media": MEDIA},
}
#: A name for each rule, and an XPath expression for what breaks it.
_RULES = {
    "an image of another channel": "//image[title != ../title or link != ../link]",
    "a category twice": "//item/category[. = preceding-sibling::category]",
}


def publish_rss(
    collection: Collection,
    selection: Selection = EVERYTHING,
    *,
    now: datetime = NOW,
    base: str = BASE,
) -> bytes:
    """Return the bytes of a feed's RSS document."""
    return publish_feed(collection, selection, "rss", base=base).body


def read_rss(body: bytes, now: datetime = NOW) -> etree._Element:
    """Return the channel of an RSS document that breaks no rule."""
    broken = faults(body, now)
    assert not broken, broken
    return read_xml(body)[0]


def reread(body: bytes) -> Any:
    """Return what the parser of a subscriber reads in a document, without any clean-up."""
    return xml_rules.reparse(body, _MEDIA_TYPE, "rss20")


def faults(body: bytes, now: datetime = NOW) -> list[str]:
    """Return every rule that a document breaks."""
    root = read_xml(body)
    shared = xml_rules.faults(
        body, now, schema=_SCHEMA, namespaces=_NAMESPACES, media_type=_MEDIA_TYPE
    )
    return [*shared, *xml_rules.broken(root, _RULES), *_descriptions(root), *_self_link(root)]


def _descriptions(root: etree._Element) -> Iterator[str]:
    # Readers show the description of a channel as HTML too, as they do for an item.
    for description in texts(root, "//description"):
        if escape(unescape(description), quote=False) != description:
            yield "a description that is not plain text in HTML"


def _self_link(root: etree._Element) -> Iterator[str]:
    # The self link of an archive is its own address; its current link is that of the feed.
    current = texts(root, "//channel/a:link[@rel='current']/@href")
    subscribed = current or texts(root, "//channel/a:link[@rel='self']/@href")
    pages = (link.partition("?") for link in texts(root, "//channel/link"))
    if subscribed != [f"{page}feed.rss{mark}{query}" for page, mark, query in pages]:
        yield "self is not the canonical address"
