"""RSS 2.0 with content:encoded, Dublin Core, Media RSS and RFC 5005, by feedgen."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.feed import Entry, Feed, Links
from feeds.formats.entries import kept
from feeds.formats.xml import (
    ATOM,
    NAMESPACES,
    archive_links,
    inner,
    write_history,
    write_media,
)

DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
_NAMESPACES = NAMESPACES | {"dc": DUBLIN_CORE}
_END = b"</channel></rss>"


def write(feed: Feed, links: Links) -> bytes:
    """The feed as an RSS document."""
    generator = FeedGenerator()
    generator.register_extension("feeds", _ChannelExtension, _ItemExtension, atom=False)
    generator.feeds.feed, generator.feeds.links = feed, links
    generator.title(feed.title)
    generator.description(_html(feed.subtitle))
    # feedgen 1.0.0: the last link given becomes the channel's.
    generator.link(href=links.canonical, rel="self", type="application/rss+xml")
    generator.link(href=feed.link, rel="alternate")
    generator.generator("feeds")
    generator.language(feed.language)
    # feedgen 1.0.0 starts it at the clock, and writes it through the process's locale.
    generator._FeedGenerator__rss_lastBuildDate = None
    document: bytes = generator.rss_str()
    return b"".join((document.removesuffix(_END), *map(write_entry, feed.entries), _END))


@kept
def write_entry(entry: Entry) -> bytes:
    """An item as it stands in every feed that holds it."""
    # feedgen 1.0.0 declares the last two by itself.
    return inner(_item(entry).rss_entry(), _NAMESPACES | {"atom": ATOM, "content": CONTENT})


def _item(entry: Entry) -> Any:
    item = FeedEntry()
    item.register_extension("feeds", _ItemExtension, atom=False)
    item.feeds.entry = entry
    item.guid(entry.id, permalink=False)
    item.title(entry.title)
    item.link(href=entry.link)
    # feedgen writes it before the content, for some readers take the later of both for
    # the content.
    item.description(_html(entry.summary))
    item.content(entry.content)
    # One list: feedgen 1.0.0 takes quadratic time for one at a time.
    item.category(
        [{"term": c.term, "scheme": c.scheme, "label": c.label} for c in entry.categories]
    )
    return item


class _ChannelExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    feed: Feed
    links: Links

    def extend_ns(self) -> dict[str, str]:
        return _NAMESPACES

    def extend_rss(self, root: etree._Element) -> etree._Element:
        channel = root[0]
        etree.SubElement(channel, "lastBuildDate").text = _date(self.feed.updated)
        if self.links.hub:
            # feedgen 1.0.0 writes no atom:link but that to itself.
            attributes = {"rel": "hub", "href": self.links.hub}
            etree.SubElement(channel, f"{{{ATOM}}}link", attributes)
        for rel, href in archive_links(self.links):
            attributes = {"rel": rel, "href": href, "type": "application/rss+xml"}
            etree.SubElement(channel, f"{{{ATOM}}}link", attributes)
        write_history(channel, self.feed)
        return root


class _ItemExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    entry: Entry

    def extend_rss(self, item: etree._Element) -> etree._Element:
        entry = self.entry
        # RSS's own author must be a mail address, and feedgen 1.0.0 drops any other.
        etree.SubElement(item, f"{{{DUBLIN_CORE}}}creator").text = entry.author.name
        etree.SubElement(item, "pubDate").text = _date(entry.published)
        if entry.updated != entry.published:
            etree.SubElement(item, f"{{{ATOM}}}updated").text = entry.updated.isoformat()
        write_media(item, entry.image)
        return item


def _html(text: str) -> str:
    """Text as a description says it, which every reader takes for HTML; titles are plain."""
    return escape(text, quote=False)


def _date(moment: datetime) -> str:
    """RFC 822 with a year of four digits, in English whatever the locale."""
    return format_datetime(moment, usegmt=True)
