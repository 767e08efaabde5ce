"""What Atom and RSS documents share: pictures and history."""

from __future__ import annotations

from lxml import etree

from feeds.articles import Image
from feeds.feed import Feed, Links

ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"
# The final slash belongs to the name (Media RSS 1.5.1).
MEDIA = "http://search.yahoo.com/mrss/"

NAMESPACES = {"fh": HISTORY, "media": MEDIA}


def serialize(element: etree._Element, namespaces: dict[str, str]) -> bytes:
    """Return an element as it is written inside a root that declares the namespaces."""
    root = etree.Element("root", nsmap=namespaces)
    root.append(element)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return written[written.index(b">") + 1 : -len(b"</root>")]


def write_history(
    element: etree._Element, tag: str, content_type: str, feed: Feed, links: Links
) -> None:
    """Write links to the hub and to neighbours, and mark whole feeds and archives (RFC 5005).

    `tag` is the name of a link. feedgen 1.0.0 refuses these relations, or drops them from RSS.
    """
    if links.hub:
        etree.SubElement(element, tag, rel="hub", href=links.hub)
    for rel, href in (
        ("current", links.current),
        ("prev-archive", links.prev_archive),
        ("next-archive", links.next_archive),
    ):
        if href:
            etree.SubElement(element, tag, rel=rel, href=href, type=content_type)
    if feed.complete:
        etree.SubElement(element, f"{{{HISTORY}}}complete")
    if feed.archive:
        etree.SubElement(element, f"{{{HISTORY}}}archive")


def write_media(element: etree._Element, image: Image | None) -> None:
    """Write the picture in Media RSS: its URL as in the content, its sizes where they are known."""
    if image is None:
        return
    # feedgen's own media extension refuses sizes that are numbers, and makes a group of one.
    known = (("width", image.width), ("height", image.height))
    sizes = {name: str(size) for name, size in known if size}
    attributes = {"url": image.url, "medium": "image"} | sizes
    content = etree.SubElement(element, f"{{{MEDIA}}}content", attributes)
    if image.title:
        etree.SubElement(content, f"{{{MEDIA}}}title", type="plain").text = image.title
    etree.SubElement(element, f"{{{MEDIA}}}thumbnail", {"url": image.url} | sizes)
