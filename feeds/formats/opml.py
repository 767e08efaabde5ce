"""OPML 2.0 subscription lists (http://opml.org/spec2.opml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

FILE = "feeds.opml"
CONTENT_TYPE = "text/x-opml"


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A feed in a subscription list: its name, its address and its page's."""

    title: str
    feed: str
    page: str


def write(title: str, groups: Mapping[str, Iterable[Subscription]]) -> bytes:
    """The subscription list, an outline for each group of feeds; none for that without a name."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for name, subscriptions in groups.items():
        # Without a title: the W3C validator asks a type of what has one, and a group has none.
        group = etree.SubElement(body, "outline", text=name) if name else body
        for subscription in subscriptions:
            attributes = {
                "text": subscription.title,
                "title": subscription.title,
                # Also of an Atom feed: readers know no other.
                "type": "rss",
                "xmlUrl": subscription.feed,
                "htmlUrl": subscription.page,
            }
            etree.SubElement(group, "outline", attributes)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
