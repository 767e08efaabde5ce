"""XML feeds, as strictly as the W3C feed validator reads what Atom and RSS share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import dropwhile

from lxml import etree

from feeds.formats.xml import HISTORY, MEDIA
from tests.html_rules import Html

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
NAMES = {"a": ATOM, "c": CONTENT, "d": DUBLIN_CORE, "h": HISTORY, "m": MEDIA}

MANY = 10**6
#: What either format may hold of Media RSS and of RFC 5005.
CHILDREN = {"media:content": {"media:title": (0, 1)}}
ATTRIBUTES = {
    "media:content": {"url": True, "medium": True, "width": False, "height": False},
    "media:thumbnail": {"url": True, "width": False, "height": False},
    "media:title": {"type": True},
}
PICTURES = {"media:content": (0, 1), "media:thumbnail": (0, 1)}
HISTORIES = {"fh:complete": (0, 1), "fh:archive": (0, 1)}
_NEIGHBOURS = {"current", "next-archive", "prev-archive"}
_CHARS = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
# RFC 3986 section 3; the W3C validator's patterns are looser.
WEB = re.compile(
    rf"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?(?:/{_CHARS})?"
    rf"(?:\?(?:{_CHARS}\??)*)?(?:#(?:{_CHARS}\??)*)?"
)
UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
# XML allows C1 and U+FFFD, the W3C validator does not.
BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def read_xml(body: bytes) -> etree._Element:
    """The root of a document, nothing but the document read."""
    return etree.fromstring(body, _PARSER)


def texts(root: etree._Element, path: str) -> list[str]:
    """The text of each element, or the value of each attribute, at a path."""
    found = root.xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return [(item.text or "") if isinstance(item, etree._Element) else str(item) for item in found]


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """What a format's elements may hold."""

    #: The root's namespaces by prefix, and no other.
    namespaces: Mapping[str | None, str]
    #: Element, its children, how many of each.
    children: Mapping[str, Mapping[str, tuple[int, int]]]
    #: Element, its attributes, whether each must be there.
    attributes: Mapping[str, Mapping[str, bool]]
    #: Elements without text of their own.
    empty: Collection[str]
    #: Elements whose text is a web address.
    addresses: Collection[str]
    #: The element that holds an entry's HTML, the only one with outer white space.
    content: str
    #: Of an article; the last elements of all.
    entry: str

    def name(self, element: etree._Element) -> str:
        """An element's name as our documents write it."""
        return self._short(str(element.tag))

    def _short(self, tag: str) -> str:
        namespace, _, local = tag.rpartition("}")
        prefixes = {uri: f"{prefix}:" if prefix else "" for prefix, uri in self.namespaces.items()}
        prefixes["http://www.w3.org/XML/1998/namespace"] = "xml:"
        if namespace:
            return prefixes.get(namespace.removeprefix("{"), "?") + local
        return f"?{local}" if None in self.namespaces else local

    def faults(self, root: etree._Element) -> Iterator[str]:
        """Every rule that the document breaks, whatever its elements mean."""
        if dict(root.nsmap) != self.namespaces:
            yield "wrong namespaces"
        for element in root.iter():
            yield from self._children(element)
            yield from self._attributes(element)
            yield from self._text(element)
            yield from self._addresses(element)
            yield from self._characters(element)

    def order(self, channel: etree._Element) -> Iterator[str]:
        """Faults of a feed whose entries do not stand last."""
        names = map(self.name, channel)
        after = dropwhile(lambda name: name != self.entry, names)
        yield from (f"{name} after an {self.entry}" for name in after if name != self.entry)

    def _children(self, element: etree._Element) -> Iterator[str]:
        name = self.name(element)
        allowed = self.children.get(name, {})
        counts = Counter(self.name(child) for child in element)
        yield from (f"{name} may not hold {child}" for child in counts if child not in allowed)
        for child, (least, most) in allowed.items():
            if not least <= counts[child] <= most:
                yield f"{name} has {counts[child]} of {child}"

    def _attributes(self, element: etree._Element) -> Iterator[str]:
        name = self.name(element)
        allowed = self.attributes.get(name, {})
        # An attribute without a namespace is short already.
        values = {
            self._short(str(key)).removeprefix("?"): str(value)
            for key, value in element.attrib.items()
        }
        yield from (f"{name} may not have {key}" for key in values if key not in allowed)
        missing = (key for key, needed in allowed.items() if needed and key not in values)
        yield from (f"{name} lacks {key}" for key in missing)
        blank = (key for key, value in values.items() if not value.strip())
        yield from (f"{name} has a blank {key}" for key in blank)

    def _text(self, element: etree._Element) -> Iterator[str]:
        name = self.name(element)
        text = (element.text or "").strip()
        if name in self.empty:
            if text:
                yield f"text in {name}"
        elif not text:
            yield f"{name} is blank"
        elif name != self.content and text != element.text:
            yield f"white space around {name}"
        if (element.tail or "").strip():
            yield f"text after {name}"

    def _addresses(self, element: etree._Element) -> Iterator[str]:
        keys = ("href", "url", "scheme", "domain", "uri")
        values = [str(element.get(key)) for key in keys if key in element.attrib]
        if self.name(element) in self.addresses:
            values.append(element.text or "")
        yield from (f"{value} is no web address" for value in values if not WEB.fullmatch(value))

    def _characters(self, element: etree._Element) -> Iterator[str]:
        if not isinstance(element.tag, str):
            yield "a comment or an instruction"
        for text in (element.text or "", element.tail or "", *map(str, element.attrib.values())):
            if found := BAD.search(text):
                yield f"{self.name(element)} holds U+{ord(found[0]):04X}"


def ids(found: list[str]) -> Iterator[str]:
    """Faults of the ids of a feed and its entries."""
    yield from (f"the id {id} stands twice" for id, count in Counter(found).items() if count > 1)
    yield from (f"the id {id} is no UUID" for id in found if not UUID.fullmatch(id))


def moments(found: list[datetime], now: datetime) -> Iterator[str]:
    """Faults of dates that cannot be."""
    yield from (f"the date {moment} is implausible" for moment in found if moment < _EARLIEST)
    yield from (f"the date {moment} has not come" for moment in found if moment > now)


def history(channel: etree._Element, rels: Counter[str]) -> Iterator[str]:
    """Faults of a feed's place in its history (RFC 5005); `rels` are of Atom's links."""
    if rels.keys() - _NEIGHBOURS - {"self"} or any(count > 1 for count in rels.values()):
        yield "links beside self and one of each neighbour"
    complete, archive = texts(channel, "h:complete"), texts(channel, "h:archive")
    if complete and (archive or rels.keys() & _NEIGHBOURS):
        yield "a complete feed with a history"
    if archive and not rels["current"]:
        yield "an archive without its current feed"


def media(entry: etree._Element, content: str) -> Iterator[str]:
    """Faults of an entry's pictures; `content` is its HTML."""
    pictures = Html(content).values("img", "src")
    if texts(entry, "m:content/@url | m:thumbnail/@url") != pictures[:1] * 2:
        yield "the pictures differ"
    for size in texts(entry, "m:*/@width | m:*/@height"):
        if not re.fullmatch(r"[1-9]\d*", size):
            yield f"the size {size}"
    if set(texts(entry, "m:*/@medium")) - {"image"} or set(texts(entry, "m:*//@type")) - {"plain"}:
        yield "an unknown kind of medium or title"
