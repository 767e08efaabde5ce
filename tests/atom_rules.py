"""Atom documents, read as strictly as RFC 4287 and the W3C feed validator read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import dropwhile
from typing import Any

import feedparser
from lxml import etree

from feeds.formats.xml import HISTORY, MEDIA
from feeds.selection import EVERYTHING, Selection
from tests.html_rules import Html
from tests.support import BASE, NOW, Collection, publish_feed

ATOM = "http://www.w3.org/2005/Atom"
NAMES = {"a": ATOM, "m": MEDIA}

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
# No document type, no style sheet.
_PROLOGUE = b"<?xml version='1.0' encoding='UTF-8'?>\n<feed "
_XML = "http://www.w3.org/XML/1998/namespace"
_PREFIXES = {ATOM: "", MEDIA: "media:", HISTORY: "fh:", _XML: "xml:"}
_MANY = 10**6
# Element, its children, how many of each: RFC 4287 sections 4.1.1, 4.1.2 and 3.2,
# and what we promise beyond them.
_CHILDREN = {
    "feed": {
        **dict.fromkeys(("id", "title", "subtitle", "updated", "author", "generator"), (1, 1)),
        **{"icon": (1, 1), "link": (2, 2), "entry": (0, _MANY)},
    },
    "entry": {
        **dict.fromkeys(("id", "title", "updated", "published", "author"), (1, 1)),
        **{"summary": (1, 1), "content": (1, 1), "link": (1, _MANY), "category": (0, _MANY)},
        **{"media:content": (0, 1), "media:thumbnail": (0, 1)},
    },
    "author": {"name": (1, 1), "uri": (1, 1)},
    "media:content": {"media:title": (0, 1)},
}
_EMPTY = ("link", "category", "media:thumbnail")
# Element, its attributes, whether each must be there.
_ATTRIBUTES = {
    "feed": {"xml:lang": True},
    "link": {"rel": True, "href": True, "type": True, "title": False},
    "content": {"type": True},
    "category": {"term": True, "scheme": True, "label": True},
    "media:content": {"url": True, "medium": True, "width": False, "height": False},
    "media:thumbnail": {"url": True, "width": False, "height": False},
    "media:title": {"type": True},
}
_CHARS = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
# RFC 3986 section 3; the W3C validator's patterns are looser.
_WEB = re.compile(
    rf"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?(?:/{_CHARS})?"
    rf"(?:\?(?:{_CHARS}\??)*)?(?:#(?:{_CHARS}\??)*)?"
)
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# RFC 4287 section 3.3: RFC 3339 with a capital T and Z.
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
# XML allows C1 and U+FFFD, the W3C validator does not.
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")


def publish_atom(
    collection: Collection,
    selection: Selection = EVERYTHING,
    *,
    now: datetime = NOW,
    base: str = BASE,
) -> bytes:
    """The bytes of a feed's Atom document."""
    return publish_feed(collection, selection, now=now, base=base).body


def read_atom(body: bytes, now: datetime = NOW) -> etree._Element:
    """The root of an Atom document that breaks no rule."""
    broken = faults(body, now)
    assert not broken, broken
    return etree.fromstring(body, _PARSER)


def reread(body: bytes) -> Any:
    """What a subscriber's parser makes of a document, as it stands."""
    headers = {"content-type": "application/atom+xml; charset=utf-8"}
    options = {"sanitize_html": False, "resolve_relative_uris": False}
    parsed = feedparser.parse(body, response_headers=headers, **options)
    assert (parsed.bozo, parsed.version) == (False, "atom10")
    return parsed


def in_quotes(text: str) -> str:
    """Text as it stands between double quotes in YAML."""
    return "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)


def faults(body: bytes, now: datetime = NOW) -> list[str]:
    """Every rule that a document breaks."""
    root = etree.fromstring(body, _PARSER)
    found = [] if body.startswith(_PROLOGUE) else ["not plain UTF-8 XML"]
    found += [*_document(root), *_characters(root), *_dates(root, now), *_links(root)]
    for element in root.iter():
        found += [*_children(element), *_attributes(element), *_text(element), *_uris(element)]
    for entry in root.iterfind("a:entry", NAMES):
        found += [*_media(entry), *_content(entry)]
    return found


def name_of(element: etree._Element) -> str:
    """An element's name as our documents write it."""
    return _short(str(element.tag))


def texts(root: etree._Element, path: str) -> list[str]:
    """The text of each element, or the value of each attribute, at a path."""
    found = root.xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return [(item.text or "") if isinstance(item, etree._Element) else str(item) for item in found]


def _short(name: str) -> str:
    namespace, _, local = name.rpartition("}")
    return _PREFIXES.get(namespace.removeprefix("{"), "?") + local


def _document(root: etree._Element) -> Iterator[str]:
    if name_of(root) != "feed" or root.nsmap != {None: ATOM, "media": MEDIA, "fh": HISTORY}:
        yield "wrong root or namespaces"
    after = dropwhile(lambda child: name_of(child) != "entry", root)
    yield from (f"{name_of(c)} after an entry" for c in after if name_of(c) != "entry")
    ids = texts(root, "//a:id")
    yield from (f"the id {id} stands twice" for id, count in Counter(ids).items() if count > 1)
    yield from (f"the id {id} is no UUID" for id in ids if not _UUID.fullmatch(id))
    if not _LANGUAGE.fullmatch("".join(texts(root, "@xml:lang"))):
        yield "no language (BCP 47)"


def _characters(root: etree._Element) -> Iterator[str]:
    for element in root.iter():
        if not isinstance(element.tag, str):
            yield "a comment or an instruction"
        for text in (element.text or "", element.tail or "", *map(str, element.attrib.values())):
            if found := _BAD.search(text):
                yield f"{name_of(element)} holds U+{ord(found[0]):04X}"


def _dates(root: etree._Element, now: datetime) -> Iterator[str]:
    written = texts(root, "//a:updated | //a:published")
    yield from (f"the date {date}" for date in written if not _DATE.fullmatch(date))
    moments = [datetime.fromisoformat(date) for date in written if _DATE.fullmatch(date)]
    early = datetime(1990, 1, 1, tzinfo=UTC)
    yield from (f"the date {moment} is implausible" for moment in moments if moment < early)
    yield from (f"the date {moment} has not come" for moment in moments if moment > now)
    for entry in root.iterfind("a:entry", NAMES):
        if texts(entry, "a:updated") < texts(entry, "a:published"):
            yield "updated before it was published"


def _links(root: etree._Element) -> Iterator[str]:
    if sorted(texts(root, "a:link/@rel")) != ["alternate", "self"]:
        yield "not one self and one alternate link"
    for entry in root.iterfind("a:entry", NAMES):
        rels = Counter(texts(entry, "a:link/@rel"))
        if (
            rels["alternate"] != 1
            or rels["via"] > 1
            or rels.keys() - {"alternate", "via", "related"}
        ):
            yield "not one alternate link, at most one via, and else related ones"
    for kind in texts(root, "//a:link[@rel='alternate']/@type"):
        if kind != "text/html":
            yield "the alternate is no page"
    if texts(root, "a:link[@rel='self']/@type") != ["application/atom+xml"]:
        yield "the self link is no feed"


def _children(element: etree._Element) -> Iterator[str]:
    name = name_of(element)
    allowed = _CHILDREN.get(name, {})
    counts = Counter(name_of(child) for child in element)
    yield from (f"{name} may not hold {child}" for child in counts if child not in allowed)
    for child, (least, most) in allowed.items():
        if not least <= counts[child] <= most:
            yield f"{name} has {counts[child]} of {child}"


def _attributes(element: etree._Element) -> Iterator[str]:
    name = name_of(element)
    allowed = _ATTRIBUTES.get(name, {})
    values = {_short(str(key)): str(value) for key, value in element.attrib.items()}
    # An attribute without a namespace is short already.
    values = {key.removeprefix("?"): value for key, value in values.items()}
    yield from (f"{name} may not have {key}" for key in values if key not in allowed)
    missing = (key for key, needed in allowed.items() if needed and key not in values)
    yield from (f"{name} lacks {key}" for key in missing)
    yield from (f"{name} has a blank {key}" for key, value in values.items() if not value.strip())
    if "," in values.get("term", ""):
        yield "a comma in a term"


def _text(element: etree._Element) -> Iterator[str]:
    name = name_of(element)
    text = (element.text or "").strip()
    if name in _CHILDREN or name in _EMPTY:
        if text:
            yield f"text in {name}"
    elif not text:
        yield f"{name} is blank"
    elif name != "content" and text != element.text:
        yield f"white space around {name}"
    if (element.tail or "").strip():
        yield f"text after {name}"


def _uris(element: etree._Element) -> Iterator[str]:
    values = [str(element.get(key)) for key in ("href", "url", "scheme") if key in element.attrib]
    if name_of(element) in ("icon", "uri"):
        values.append(element.text or "")
    yield from (f"{value} is no web address" for value in values if not _WEB.fullmatch(value))


def _media(entry: etree._Element) -> Iterator[str]:
    pictures = Html("".join(texts(entry, "a:content"))).values("img", "src")
    urls = texts(entry, "m:content/@url | m:thumbnail/@url")
    if urls and urls != pictures[:1] * 2:
        yield "the pictures differ"
    for size in texts(entry, "m:*/@width | m:*/@height"):
        if not re.fullmatch(r"[1-9]\d*", size):
            yield f"the size {size}"
    if set(texts(entry, "m:*/@medium")) - {"image"} or set(texts(entry, "m:*//@type")) - {"plain"}:
        yield "an unknown kind of medium or title"


def _content(entry: etree._Element) -> Iterator[str]:
    if texts(entry, "a:content/@type") != ["html"]:
        yield "content that is not HTML"
    yield from Html("".join(texts(entry, "a:content"))).faults()
