"""The rules that Atom and RSS documents share, as strict as the W3C feed validator."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import feedparser
from lxml import etree

from feeds.formats.xml import HISTORY, MEDIA
from tests.html_rules import Html

SCHEMAS = Path(__file__).parent / "schemas"
ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
#: The prefixes of the XPath expressions.
NAMES = {"a": ATOM, "c": CONTENT, "d": DUBLIN_CORE, "h": HISTORY, "m": MEDIA}

_FEED = "(/a:feed | /rss/channel)"
_ENTRIES = "(/a:feed/a:entry | /rss/channel/item)"
_ARCHIVES = "@rel='current' or @rel='prev-archive' or @rel='next-archive'"
#: A name for each rule, and an XPath expression for what breaks it.
_RULES = {
    "a comment or an instruction": "//comment() | //processing-instruction()",
    "an attribute of another namespace": "//@*[namespace-uri() != ''][name() != 'xml:lang']",
    "an empty attribute": "//@*[not(normalize-space())]",
    "an empty element": (
        "//*[not(node()[not(self::text()) or normalize-space()])]"
        "[not(self::a:link or self::a:category or self::h:* or self::m:*[@url])]"
    ),
    "content in an element that must be empty": (
        "(//a:link | //a:category | //h:* | //m:thumbnail)[node()]"
    ),
    # RFC 5005.
    "an unknown element of a history": (
        f"//h:*[not(self::h:complete or self::h:archive)] | {_ENTRIES}//h:* | //h:*[@*]"
    ),
    "a history twice": f"{_FEED}[count(h:complete) > 1 or count(h:archive) > 1]",
    "not one self link": f"{_FEED}[count(a:link[@rel='self']) != 1]",
    "an unknown link of a feed": (
        f"{_FEED}/a:link[not(@rel='self' or (@rel='alternate' and /a:feed) or {_ARCHIVES})]"
    ),
    "a link twice": f"{_FEED}/a:link[@rel = preceding-sibling::a:link/@rel]",
    "a complete feed with a history": f"{_FEED}[h:complete][h:archive or a:link[{_ARCHIVES}]]",
    "an archive without its current feed": f"{_FEED}[h:archive][not(a:link[@rel='current'])]",
    # Media RSS 1.5.1. The pictures themselves are compared with the content.
    "an unknown element of Media RSS": (
        "//m:*[not((self::m:content | self::m:thumbnail)[parent::a:entry or parent::item]"
        " or self::m:title[parent::m:content])] | //m:content[count(m:title) > 1]"
    ),
    "an unknown attribute of Media RSS": (
        "//m:*/@*[not(name()='url' or name()='width' or name()='height')]"
        "[not(name()='medium' and parent::m:content)][not(name()='type' and parent::m:title)]"
    ),
    "an unknown kind of medium or title": (
        "//m:content[not(@medium='image')] | //m:title[not(@type='plain')]"
    ),
    "a size that is no positive integer": (
        "(//m:*/@width | //m:*/@height)[translate(., '0123456789', '') or starts-with(., '0')]"
    ),
    "text in an element of Media RSS": "//m:content/text()",
    # FreshRSS splits a list of categories at its commas.
    "a comma in a category": (
        "(//a:category/@term | //a:category/@label | //category)[contains(., ',')]"
    ),
}
_RSS_DATES = "//lastBuildDate | //pubDate"
_ADDRESSES = (
    "//@href | //@url | //@scheme | //@domain | //@uri | //a:icon | //a:logo | //a:uri | //link"
    " | //url | //docs"
)

_CHARS = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
# RFC 3986 section 3; the W3C validator's patterns are looser.
_WEB = re.compile(
    rf"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?(?:/{_CHARS})?"
    rf"(?:\?(?:{_CHARS}\??)*)?(?:#(?:{_CHARS}\??)*)?"
)
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# BCP 47 has no language without letters, and no underscore.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
# XML allows C1 and U+FFFD, the W3C validator does not.
BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
# RFC 4287 section 3.3: RFC 3339 with a capital T and Z, here in whole seconds.
_ATOM_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def read_xml(body: bytes) -> etree._Element:
    """Return the root of a document. Nothing but the document is read."""
    return etree.fromstring(body, _PARSER)


def read_schema(name: str) -> etree.RelaxNG:
    """Return a RELAX NG schema of the folder `schemas`."""
    return etree.RelaxNG(etree.parse(SCHEMAS / name))


def texts(root: etree._Element, path: str) -> list[str]:
    """Return the text of each element, or the value of each attribute, at a path."""
    return [
        (item.text or "") if isinstance(item, etree._Element) else str(item)
        for item in _find(root, path)
    ]


def names(element: etree._Element) -> list[str]:
    """Return the names of an element's children as the document writes them."""
    return [
        f"{child.prefix}:{etree.QName(child).localname}"
        if child.prefix
        else etree.QName(child).localname
        for child in element
    ]


def reparse(body: bytes, media_type: str, version: str) -> Any:
    """Return what the parser of a subscriber reads in a document, without any clean-up."""
    headers = {"content-type": f"{media_type}; charset=utf-8"}
    options = {"sanitize_html": False, "resolve_relative_uris": False}
    parsed = feedparser.parse(body, response_headers=headers, **options)
    assert (parsed.bozo, parsed.version) == (False, version)
    return parsed


def broken(root: etree._Element, rules: Mapping[str, str]) -> Iterator[str]:
    """Return the names of the rules whose XPath expressions find something."""
    return (name for name, path in rules.items() if _find(root, path))


def faults(
    body: bytes,
    now: datetime,
    *,
    schema: etree.RelaxNG,
    namespaces: Mapping[str | None, str],
    media_type: str,
) -> list[str]:
    """Return every shared rule that a document breaks; `namespaces` are those of its root."""
    root = read_xml(body)
    found: list[str] = []
    # A document type or a style sheet would stand between the two.
    prologue = f"<?xml version='1.0' encoding='UTF-8'?>\n<{etree.QName(root).localname} "
    if not body.startswith(prologue.encode()):
        found.append("not plain UTF-8 XML")
    if not schema.validate(root):
        found.append(f"schema: {schema.error_log}")
    used = {etree.QName(element).namespace for element in root.iter("*")}
    if root.nsmap != namespaces or used - {*namespaces.values(), etree.QName(root).namespace}:
        found.append("wrong namespaces")
    if set(texts(root, f"{_FEED}/a:link[@rel!='alternate']/@type")) != {media_type}:
        found.append("a link that is no feed")
    if not _LANGUAGE.fullmatch("".join(texts(root, "/a:feed/@xml:lang | /rss/channel/language"))):
        found.append("no language (BCP 47)")
    found += [*broken(root, _RULES), *ids(texts(root, "//a:id | //guid"))]
    found += [*_characters(root), *_addresses(root), *_dates(root, now)]
    for entry in _find(root, _ENTRIES):
        content = "".join(texts(entry, "a:content | c:encoded"))
        found += [*_pictures(entry, content), *Html(content).faults()]
    return found


def ids(found: list[str]) -> Iterator[str]:
    """Return the faults of the ids of a feed and its entries."""
    yield from (f"the id {id} stands twice" for id, count in Counter(found).items() if count > 1)
    yield from (f"the id {id} is no UUID" for id in found if not _UUID.fullmatch(id))


def moments(found: list[datetime], now: datetime) -> Iterator[str]:
    """Return the faults of dates that cannot be."""
    yield from (f"the date {moment} is implausible" for moment in found if moment < _EARLIEST)
    yield from (f"the date {moment} has not come" for moment in found if moment > now)


def _find(root: etree._Element, path: str) -> list[Any]:
    found = root.xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return found


def _characters(root: etree._Element) -> Iterator[str]:
    for element in root.iter("*"):
        text = element.text or ""
        name = etree.QName(element).localname
        for part in (text, element.tail or "", *map(str, element.attrib.values())):
            if bad := BAD.search(part):
                yield f"{name} holds U+{ord(bad[0]):04X}"
        # The HTML of an entry alone may begin or end with white space.
        if not len(element) and text != text.strip() and name not in ("content", "encoded"):
            yield f"white space around {name}"


def _addresses(root: etree._Element) -> Iterator[str]:
    for address in texts(root, _ADDRESSES):
        if not _WEB.fullmatch(address):
            yield f"{address} is no web address"


def _dates(root: etree._Element, now: datetime) -> Iterator[str]:
    for kind, read in (("//a:updated | //a:published", _atom_date), (_RSS_DATES, _rss_date)):
        yield from (f"the date {text}" for text in texts(root, kind) if not read(text))

    def dates(element: etree._Element, atom: str, rss: str) -> list[datetime]:
        found = [*map(_atom_date, texts(element, atom)), *map(_rss_date, texts(element, rss))]
        return list(filter(None, found))

    built = dates(root, "/a:feed/a:updated", "/rss/channel/lastBuildDate")
    yield from moments(built, now)
    for entry in _find(root, _ENTRIES):
        published = dates(entry, "a:published", "pubDate")
        updated = dates(entry, "a:updated", "a:none")
        yield from moments(published + updated, now)
        if updated < published and updated:
            yield "updated before it was published"
        if built and max(published + updated, default=built[0]) > built[0]:
            yield "an entry later than the feed"


def _atom_date(text: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        if _ATOM_DATE.fullmatch(text):
            return datetime.fromisoformat(text)
    return None


def _rss_date(text: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        date = parsedate_to_datetime(text).astimezone(UTC)
        # The weekday must be right too, and nothing may be written in another way.
        return date if format_datetime(date, usegmt=True) == text else None
    return None


def _pictures(entry: etree._Element, content: str) -> Iterator[str]:
    first = Html(content).values("img", "src")[:1]
    if texts(entry, "m:content/@url | m:thumbnail/@url") != first * 2:
        yield "the pictures differ"
