"""RSS 2.0 with content:encoded, Dublin Core, Media RSS and RFC 5005, by feedgen."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from email.utils import format_datetime
from html import escape

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.feed import Entry, Feed, Links
from feeds.formats.entries import cache_entries
from feeds.formats.xml import ATOM, NAMESPACES, serialize, write_history, write_media

DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
_NAMESPACES = NAMESPACES | {"dc": DUBLIN_CORE}
_END = b"</channel></rss>"


def write(feed: Feed, links: Links) -> bytes:
    """Return a feed as an RSS document."""
    generator = FeedGenerator()
    generator.register_extension("feeds", _ChannelExtension)
    generator.feeds.feed, generator.feeds.links = feed, links
    generator.title(feed.title)
    generator.description(_html(feed.subtitle))
    # The alternate link comes last: feedgen 1.0.0 takes the last one for the channel's <link>.
    generator.link(href=links.canonical, rel="self", type="application/rss+xml")
    generator.link(href=feed.link, rel="alternate")
    # feedgen writes it as the image, with the title and link of the channel.
    generator.logo(feed.logo)
    generator.generator("feeds")
    generator.language(feed.language)
    # feedgen 1.0.0 sets it to the present time, and writes it in the locale of the process.
    generator._FeedGenerator__rss_lastBuildDate = None
    document: bytes = generator.rss_str()
    return b"".join((document.removesuffix(_END), *map(write_entry, feed.entries), _END))


@cache_entries
def write_entry(entry: Entry) -> bytes:
    """Return an item as it stands in every feed that holds it."""
    item = FeedEntry()
    item.guid(entry.id, permalink=False)
    item.title(entry.title)
    item.link(href=entry.link)
    # feedgen writes the description before the content. Some readers show the later of the two.
    item.description(_html(entry.summary))
    item.content(entry.content)
    # One list: feedgen 1.0.0 takes quadratic time for one category at a time.
    item.category([asdict(category) for category in entry.categories])
    element = item.rss_entry()
    # RSS's own author must be a mail address, and feedgen 1.0.0 drops any other.
    etree.SubElement(element, f"{{{DUBLIN_CORE}}}creator").text = entry.author.name
    etree.SubElement(element, "pubDate").text = _date(entry.published)
    if entry.updated != entry.published:
        etree.SubElement(element, f"{{{ATOM}}}updated").text = entry.updated.isoformat()
    write_media(element, entry.image)
    # feedgen 1.0.0 declares the namespaces `atom` and `content` by itself.
    return serialize(element, _NAMESPACES | {"atom": ATOM, "content": CONTENT})


class _ChannelExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    feed: Feed
    links: Links

    def extend_ns(self) -> dict[str, str]:
        return _NAMESPACES

    def extend_rss(self, root: etree._Element) -> etree._Element:
        channel = root[0]
        etree.SubElement(channel, "lastBuildDate").text = _date(self.feed.updated)
        # A plain link is the page of the channel, and all others are Atom's.
        write_history(channel, f"{{{ATOM}}}link", "application/rss+xml", self.feed, self.links)
        return root


def _html(text: str) -> str:
    """Return text as a description holds it, which readers take for HTML, unlike a title."""
    return escape(text, quote=False)


def _date(moment: datetime) -> str:
    """Return a date as in RFC 822, with a year of four digits, in English whatever the locale."""
    return format_datetime(moment, usegmt=True)
