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


def inner(element: etree._Element, namespaces: dict[str, str]) -> bytes:
    """An element as it is written inside a root that declares the namespaces."""
    root = etree.Element("root", nsmap=namespaces)
    root.append(element)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return written[written.index(b">") + 1 : -len(b"</root>")]


def write_history(element: etree._Element, feed: Feed) -> None:
    """Say whether the document is the whole feed, or an archive (RFC 5005)."""
    if feed.complete:
        etree.SubElement(element, f"{{{HISTORY}}}complete")
    if feed.archive:
        etree.SubElement(element, f"{{{HISTORY}}}archive")


def archive_links(links: Links) -> list[tuple[str, str]]:
    """The relations and addresses of the neighbours that there are."""
    found = (
        ("current", links.current),
        ("prev-archive", links.prev_archive),
        ("next-archive", links.next_archive),
    )
    return [(rel, href) for rel, href in found if href]


def write_media(element: etree._Element, image: Image | None) -> None:
    """The picture in Media RSS: the same URL as in the content, unknown sizes left out."""
    if image is None:
        return
    sizes = {
        name: str(size) for name, size in (("width", image.width), ("height", image.height)) if size
    }
    content = etree.SubElement(
        element, f"{{{MEDIA}}}content", {"url": image.url, "medium": "image"} | sizes
    )
    if image.title:
        etree.SubElement(content, f"{{{MEDIA}}}title", type="plain").text = image.title
    etree.SubElement(element, f"{{{MEDIA}}}thumbnail", {"url": image.url} | sizes)
