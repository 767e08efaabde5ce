"""Atom 1.0 (RFC 4287) with Media RSS, by feedgen."""

from __future__ import annotations

from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.document import Entry, Feed

# The final slash belongs to the name (Media RSS 1.5.1).
MEDIA = "http://search.yahoo.com/mrss/"


def write(feed: Feed, self_link: str) -> bytes:
    """The feed as an Atom document, UTF-8; `self_link` is its own address."""
    generator = FeedGenerator()
    generator.register_extension("feeds", _FeedExtension, _EntryExtension, rss=False)
    generator.id(feed.id)
    generator.title(feed.title)
    generator.subtitle(feed.subtitle)
    # feedgen 1.0.0 starts `updated` at the clock.
    generator.updated(feed.updated)
    generator.author(name=feed.author.name, uri=feed.author.uri)
    generator.link(href=feed.link, rel="alternate", type="text/html")
    generator.link(href=self_link, rel="self", type="application/atom+xml")
    generator.generator("feeds")
    generator.icon(feed.icon)
    generator.language(feed.language)
    for entry in feed.entries:
        # feedgen 1.0.0 prepends entries by default.
        _add(generator.add_entry(order="append"), entry)
    document: bytes = generator.atom_str()
    return document


def _add(item: Any, entry: Entry) -> None:
    item.feeds.entry = entry
    item.id(entry.id)
    item.title(entry.title)
    item.published(entry.published)
    item.updated(entry.updated)
    item.author(name=entry.author.name, uri=entry.author.uri)
    item.link(href=entry.link, rel="alternate")
    item.summary(entry.summary)
    item.content(entry.content, type="html")
    # One list: feedgen 1.0.0 takes quadratic time for one at a time.
    item.category(
        [{"term": c.term, "scheme": c.scheme, "label": c.label} for c in entry.categories]
    )


class _FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    def extend_ns(self) -> dict[str, str]:
        return {"media": MEDIA}


class _EntryExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    entry: Entry

    def extend_atom(self, element: etree._Element) -> etree._Element:
        # Bare names: feedgen 1.0.0 writes the root's xmlns as a plain attribute.
        for link in element.findall("link"):
            element.remove(link)
        # feedgen 1.0.0 writes no more of an entry's links than their href.
        _link(element, "alternate", self.entry.link, type="text/html")
        if self.entry.via:
            _link(element, "via", self.entry.via, type="text/html")
        for related in self.entry.related:
            _link(element, "related", related.link, type="text/html", title=related.title)
        if self.entry.image:
            _media(element, self.entry)
        return element


def _link(element: etree._Element, rel: str, href: str, **attributes: str) -> None:
    etree.SubElement(element, "link", {"rel": rel, "href": href} | attributes)


def _media(element: etree._Element, entry: Entry) -> None:
    # feedgen's own media extension refuses integer sizes and makes a group of one.
    image = entry.image
    assert image is not None
    sizes = {
        name: str(size) for name, size in (("width", image.width), ("height", image.height)) if size
    }
    content = etree.SubElement(
        element, f"{{{MEDIA}}}content", {"url": image.url, "medium": "image"} | sizes
    )
    if image.title:
        etree.SubElement(content, f"{{{MEDIA}}}title", type="plain").text = image.title
    etree.SubElement(element, f"{{{MEDIA}}}thumbnail", {"url": image.url} | sizes)
