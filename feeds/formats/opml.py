"""OPML 2.0 subscription lists (http://opml.org/spec2.opml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lxml import etree

FILE = "feeds.opml"
CONTENT_TYPE = "text/x-opml"


#: The name of a feed, its address, and that of its page.
Subscription = tuple[str, str, str]


def write(title: str, groups: Mapping[str, Iterable[Subscription]]) -> bytes:
    """Return a subscription list. Each group of feeds with a name has an outline of its own."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for name, subscriptions in groups.items():
        # The W3C validator demands a type where there is a title, and a group has no type.
        group = etree.SubElement(body, "outline", text=name) if name else body
        for feed, address, page in subscriptions:
            attributes = {
                "text": feed,
                "title": feed,
                # For Atom feeds too, because readers know no other type.
                "type": "rss",
                "xmlUrl": address,
                "htmlUrl": page,
            }
            etree.SubElement(group, "outline", attributes)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
