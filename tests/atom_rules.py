"""The rules of Atom documents: RFC 4287 by its schema, and what our feeds promise beyond it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lxml import etree

from feeds.formats.xml import HISTORY, MEDIA
from feeds.selection import EVERYTHING, Selection
from tests import xml_rules
from tests.support import BASE, NOW, Collection, publish_feed
from tests.xml_rules import ATOM, NAMES, names, read_xml, texts

__all__ = ["NAMES", "faults", "names", "publish_atom", "read_atom", "reread", "texts"]

_SCHEMA = xml_rules.read_schema("atom.rng")
_MEDIA_TYPE = "application/atom+xml"
#: A name for each rule, and an XPath expression for what breaks it.
_RULES = {
    "no feed document": "/a:entry",
    "not one author with an address": (
        "//a:feed[count(a:author/a:uri) != 1] | //a:entry[count(a:author/a:uri) != 1]"
        " | //a:author[not(a:uri)]"
    ),
    "a feed lacks an element": "/a:feed[not(a:subtitle and a:generator and a:icon and a:logo)]",
    "an entry lacks an element": "//a:entry[not(a:published and a:summary and a:content)]",
    "a link lacks an attribute": "//a:link[not(@rel and @type)]",
    "a category lacks an attribute": "//a:category[not(@scheme and @label)]",
    "a text that is not plain": "(//a:title | //a:subtitle | //a:summary)[@type]",
    "content that is not HTML": "//a:content[not(@type='html')]",
    "the alternate is no page": "//a:link[@rel='alternate'][@type != 'text/html']",
    "not one alternate link of the feed": "/a:feed[count(a:link[@rel='alternate']) != 1]",
    "not one alternate link of an entry": "//a:entry[count(a:link[@rel='alternate']) != 1]",
    "two via links": "//a:entry[count(a:link[@rel='via']) > 1]",
    "an unknown link of an entry": (
        "//a:entry/a:link[not(@rel='alternate' or @rel='via' or @rel='related')]"
    ),
}


def publish_atom(
    collection: Collection,
    selection: Selection = EVERYTHING,
    *,
    now: datetime = NOW,
    base: str = BASE,
) -> bytes:
    """Return the bytes of a feed's Atom document."""
    return publish_feed(collection, selection, base=base).body


def read_atom(body: bytes, now: datetime = NOW) -> etree._Element:
    """Return the root of an Atom document that breaks no rule."""
    broken = faults(body, now)
    assert not broken, broken
    return read_xml(body)


def reread(body: bytes) -> Any:
    """Return what the parser of a subscriber reads in a document, without any clean-up."""
    return xml_rules.reparse(body, _MEDIA_TYPE, "atom10")


def faults(body: bytes, now: datetime = NOW) -> list[str]:
    """Return every rule that a document breaks."""
    namespaces = {None: ATOM, "media": MEDIA, "fh": HISTORY}
    shared = xml_rules.faults(
        body, now, schema=_SCHEMA, namespaces=namespaces, media_type=_MEDIA_TYPE
    )
    return [*shared, *xml_rules.broken(read_xml(body), _RULES)]
