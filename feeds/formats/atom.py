"""Atom 1.0 (RFC 4287) with Media RSS and RFC 5005, by feedgen."""

from __future__ import annotations

from dataclasses import asdict

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.feed import Entry, Feed, Links
from feeds.formats.entries import cache_entries
from feeds.formats.xml import NAMESPACES, serialize, write_history, write_media

_END = b"</feed>"


def write(feed: Feed, links: Links) -> bytes:
    """Return a feed as an Atom document."""
    generator = FeedGenerator()
    generator.register_extension("feeds", _FeedExtension)
    generator.feeds.feed, generator.feeds.links = feed, links
    generator.id(feed.id)
    generator.title(feed.title)
    generator.subtitle(feed.subtitle)
    # feedgen 1.0.0 takes the present time unless `updated` is set.
    generator.updated(feed.updated)
    generator.author(name=feed.author.name, uri=feed.author.uri)
    generator.link(href=feed.link, rel="alternate", type="text/html")
    generator.link(href=links.canonical, rel="self", type="application/atom+xml")
    generator.generator("feeds")
    generator.icon(feed.icon)
    generator.logo(feed.logo)
    generator.language(feed.language)
    document: bytes = generator.atom_str()
    return b"".join((document.removesuffix(_END), *map(write_entry, feed.entries), _END))


@cache_entries
def write_entry(entry: Entry) -> bytes:
    """Return an entry as it stands in every feed that holds it."""
    item = FeedEntry()
    item.id(entry.id)
    item.title(entry.title)
    item.published(entry.published)
    item.updated(entry.updated)
    item.author(name=entry.author.name, uri=entry.author.uri)
    item.summary(entry.summary)
    item.content(entry.content, type="html")
    # One list: feedgen 1.0.0 takes quadratic time for one category at a time.
    item.category([asdict(category) for category in entry.categories])
    element = item.atom_entry()
    # feedgen 1.0.0 writes no attribute of an entry's link but its href.
    _link(element, "alternate", entry.link, type="text/html")
    if entry.via:
        _link(element, "via", entry.via, type="text/html")
    for related in entry.related:
        _link(element, "related", related.link, type="text/html", title=related.title)
    write_media(element, entry.image)
    return serialize(element, NAMESPACES)


class _FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    feed: Feed
    links: Links

    def extend_ns(self) -> dict[str, str]:
        return NAMESPACES

    def extend_atom(self, element: etree._Element) -> etree._Element:
        write_history(element, "link", "application/atom+xml", self.feed, self.links)
        return element


def _link(element: etree._Element, rel: str, href: str, **attributes: str) -> None:
    # A bare name, because feedgen 1.0.0 writes the xmlns of the root as a plain attribute.
    etree.SubElement(element, "link", {"rel": rel, "href": href} | attributes)
