"""Atom documents, read as strictly as RFC 4287 and the W3C feed validator read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import feedparser
from lxml import etree

from feeds.formats.xml import HISTORY, MEDIA
from feeds.selection import EVERYTHING, Selection
from tests import xml_rules
from tests.html_rules import Html
from tests.support import BASE, NOW, Collection, publish_feed
from tests.xml_rules import ATOM, MANY, NAMES, Grammar, read_xml, texts

__all__ = ["NAMES", "faults", "name_of", "publish_atom", "read_atom", "reread", "texts"]

# No document type, no style sheet.
_PROLOGUE = b"<?xml version='1.0' encoding='UTF-8'?>\n<feed "
# RFC 4287 sections 4.1.1, 4.1.2 and 3.2, and what we promise beyond them.
_GRAMMAR = Grammar(
    namespaces={None: ATOM, "media": MEDIA, "fh": HISTORY},
    children={
        "feed": {
            **dict.fromkeys(("id", "title", "subtitle", "updated", "author"), (1, 1)),
            **{"generator": (1, 1), "icon": (1, 1), "link": (2, 5), "entry": (0, MANY)},
            **xml_rules.HISTORIES,
        },
        "entry": {
            **dict.fromkeys(("id", "title", "updated", "published", "author"), (1, 1)),
            **{"summary": (1, 1), "content": (1, 1), "link": (1, MANY), "category": (0, MANY)},
            **xml_rules.PICTURES,
        },
        "author": {"name": (1, 1), "uri": (1, 1)},
        **xml_rules.CHILDREN,
    },
    attributes={
        "feed": {"xml:lang": True},
        "link": {"rel": True, "href": True, "type": True, "title": False},
        "content": {"type": True},
        "category": {"term": True, "scheme": True, "label": True},
        **xml_rules.ATTRIBUTES,
    },
    empty=(
        *("feed", "entry", "author", "link", "category", "fh:complete", "fh:archive"),
        *("media:content", "media:thumbnail"),
    ),
    addresses=("icon", "uri"),
    content="content",
    entry="entry",
)
# RFC 4287 section 3.3: RFC 3339 with a capital T and Z.
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")

name_of = _GRAMMAR.name


def publish_atom(
    collection: Collection,
    selection: Selection = EVERYTHING,
    *,
    now: datetime = NOW,
    base: str = BASE,
) -> bytes:
    """The bytes of a feed's Atom document."""
    return publish_feed(collection, selection, base=base).body


def read_atom(body: bytes, now: datetime = NOW) -> etree._Element:
    """The root of an Atom document that breaks no rule."""
    broken = faults(body, now)
    assert not broken, broken
    return read_xml(body)


def reread(body: bytes) -> Any:
    """What a subscriber's parser makes of a document, as it stands."""
    headers = {"content-type": "application/atom+xml; charset=utf-8"}
    options = {"sanitize_html": False, "resolve_relative_uris": False}
    parsed = feedparser.parse(body, response_headers=headers, **options)
    assert (parsed.bozo, parsed.version) == (False, "atom10")
    return parsed


def faults(body: bytes, now: datetime = NOW) -> list[str]:
    """Every rule that a document breaks."""
    root = read_xml(body)
    found = [] if body.startswith(_PROLOGUE) else ["not plain UTF-8 XML"]
    found += [*_GRAMMAR.faults(root), *_GRAMMAR.order(root), *_document(root)]
    found += [*_dates(root, now), *_links(root)]
    for entry in root.iterfind("a:entry", NAMES):
        content = "".join(texts(entry, "a:content"))
        found += [*xml_rules.media(entry, content), *Html(content).faults()]
    return found


def _document(root: etree._Element) -> Iterator[str]:
    if name_of(root) != "feed":
        yield "wrong root"
    yield from xml_rules.ids(texts(root, "//a:id"))
    if not xml_rules.LANGUAGE.fullmatch("".join(texts(root, "@xml:lang"))):
        yield "no language (BCP 47)"
    if any("," in term for term in texts(root, "//a:category/@term | //a:category/@label")):
        yield "a comma in a category"
    if set(texts(root, "//a:content/@type")) - {"html"}:
        yield "content that is not HTML"


def _dates(root: etree._Element, now: datetime) -> Iterator[str]:
    written = texts(root, "//a:updated | //a:published")
    yield from (f"the date {date}" for date in written if not _DATE.fullmatch(date))
    moments = [datetime.fromisoformat(date) for date in written if _DATE.fullmatch(date)]
    yield from xml_rules.moments(moments, now)
    for entry in root.iterfind("a:entry", NAMES):
        if texts(entry, "a:updated") < texts(entry, "a:published"):
            yield "updated before it was published"


def _links(root: etree._Element) -> Iterator[str]:
    rels = Counter(texts(root, "a:link/@rel"))
    if (rels["self"], rels.pop("alternate", 0)) != (1, 1):
        yield "not one self and one alternate link"
    yield from xml_rules.history(root, rels)
    for entry in root.iterfind("a:entry", NAMES):
        rels = Counter(texts(entry, "a:link/@rel"))
        if (
            rels["alternate"] != 1
            or rels["via"] > 1
            or rels.keys() - {"alternate", "via", "related"}
        ):
            yield "not one alternate link, at most one via, and else related ones"
    if set(texts(root, "//a:link[@rel='alternate']/@type")) - {"text/html"}:
        yield "the alternate is no page"
    if set(texts(root, "a:link[@rel!='alternate']/@type")) - {"application/atom+xml"}:
        yield "a link that is no feed"
