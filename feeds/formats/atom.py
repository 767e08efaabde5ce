"""Atom 1.0 (RFC 4287) with Media RSS and RFC 5005, by feedgen."""

from __future__ import annotations

from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.feed import Entry, Feed, Links
from feeds.formats.entries import kept
from feeds.formats.xml import NAMESPACES, archive_links, inner, write_history, write_media

_END = b"</feed>"


def write(feed: Feed, links: Links) -> bytes:
    """The feed as an Atom document."""
    generator = FeedGenerator()
    generator.register_extension("feeds", _FeedExtension, _EntryExtension, rss=False)
    generator.feeds.feed, generator.feeds.links = feed, links
    generator.id(feed.id)
    generator.title(feed.title)
    generator.subtitle(feed.subtitle)
    # feedgen 1.0.0 starts `updated` at the clock.
    generator.updated(feed.updated)
    generator.author(name=feed.author.name, uri=feed.author.uri)
    generator.link(href=feed.link, rel="alternate", type="text/html")
    generator.link(href=links.canonical, rel="self", type="application/atom+xml")
    generator.generator("feeds")
    generator.icon(feed.icon)
    generator.language(feed.language)
    document: bytes = generator.atom_str()
    return b"".join((document.removesuffix(_END), *map(write_entry, feed.entries), _END))


@kept
def write_entry(entry: Entry) -> bytes:
    """An entry as it stands in every feed that holds it."""
    return inner(_item(entry).atom_entry(), NAMESPACES)


def _item(entry: Entry) -> Any:
    item = FeedEntry()
    item.register_extension("feeds", _EntryExtension, rss=False)
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
    return item


class _FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    feed: Feed
    links: Links

    def extend_ns(self) -> dict[str, str]:
        return NAMESPACES

    def extend_atom(self, element: etree._Element) -> etree._Element:
        if self.links.hub:
            _link(element, "hub", self.links.hub)
        # feedgen 1.0.0 refuses these relations.
        for rel, href in archive_links(self.links):
            _link(element, rel, href, type="application/atom+xml")
        write_history(element, self.feed)
        return element


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
        # feedgen's own media extension refuses integer sizes and makes a group of one.
        write_media(element, self.entry.image)
        return element


def _link(element: etree._Element, rel: str, href: str, **attributes: str) -> None:
    etree.SubElement(element, "link", {"rel": rel, "href": href} | attributes)
