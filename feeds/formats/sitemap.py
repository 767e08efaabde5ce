"""Sitemaps, which tell search engines the pages of a site (https://www.sitemaps.org/protocol.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from lxml import etree

CONTENT_TYPE = "application/xml"
#: The protocol allows 50,000, but a file of so many takes long to write.
MAX_ADDRESSES = 10_000
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

#: An address, and when its page last changed, if that is known.
Page = tuple[str, datetime | None]


def file_of(part: int = 0) -> str:
    """Return the name of the sitemap, or of a part of it; parts count from one."""
    return f"sitemap-{part}.xml" if part else "sitemap.xml"


def write(pages: Sequence[Page], base: str, max_urls: int = MAX_ADDRESSES) -> dict[str, bytes]:
    """Return the files of a sitemap by name: one, or an index and parts of `max_urls` pages.

    `base` is the site's address without a final slash.
    """
    parts = [pages[start : start + max_urls] for start in range(0, len(pages), max_urls)]
    if len(parts) <= 1:
        return {file_of(): _write("urlset", "url", pages)}
    files = {file_of(number): _write("urlset", "url", part) for number, part in enumerate(parts, 1)}
    index: list[Page] = [(f"{base}/{file}", None) for file in files]
    return {file_of(): _write("sitemapindex", "sitemap", index)} | files


def _write(root: str, item: str, pages: Iterable[Page]) -> bytes:
    made = etree.Element(root, xmlns=_NAMESPACE)
    for address, changed in pages:
        element = etree.SubElement(made, item)
        etree.SubElement(element, "loc").text = address
        if changed:
            etree.SubElement(element, "lastmod").text = changed.isoformat()
    return etree.tostring(made, encoding="UTF-8", xml_declaration=True)
