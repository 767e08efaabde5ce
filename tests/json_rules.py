"""JSON Feeds, read as strictly as JSON Feed 1.1, and what its schema cannot say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from feeds.selection import EVERYTHING, Selection
from tests import xml_rules
from tests.html_rules import Html
from tests.support import BASE, NOW, Collection, publish_feed
from tests.xml_rules import SCHEMAS

_SCHEMA = json.loads((SCHEMAS / "json_feed.schema.json").read_bytes())
Draft202012Validator.check_schema(_SCHEMA)
_VALIDATOR = Draft202012Validator(_SCHEMA)
# The curator's own; who could read them could tell what an article nearly missed.
_PRIVATE = {"quality", "heat", "secured"}


def publish_json(
    collection: Collection,
    selection: Selection = EVERYTHING,
    *,
    now: datetime = NOW,
    base: str = BASE,
) -> bytes:
    """The bytes of a feed's JSON Feed."""
    return publish_feed(collection, selection, "json", base=base).body


def read_json(body: bytes, now: datetime = NOW) -> dict[str, Any]:
    """A JSON Feed that breaks no rule."""
    broken = faults(body, now)
    assert not broken, broken
    feed: dict[str, Any] = json.loads(body)
    return feed


def faults(body: bytes, now: datetime = NOW) -> list[str]:
    """Every rule that a document breaks."""
    repeated: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(name for name, _ in pairs)
        repeated.extend(f"{name} stands twice" for name, count in counts.items() if count > 1)
        return dict(pairs)

    # Strictly UTF-8 without a byte order mark (RFC 8259 section 8.1).
    feed = json.loads(body.decode("utf-8"), object_pairs_hook=members)
    found = [f"{_path(error)}: {error.message}" for error in _VALIDATOR.iter_errors(feed)]
    found += [*repeated, *_members("$", feed)]
    # What the schema refuses may have any shape.
    return found or [*_feed(feed, now)]


def _path(error: ValidationError) -> str:
    """Where it is, in the same words in every version of jsonschema."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return "$" + "".join(parts)


def _members(path: str, value: object) -> Iterator[str]:
    """Faults of any member, however deep."""
    if isinstance(value, str) and (bad := xml_rules.BAD.search(value)):
        yield f"{path} holds U+{ord(bad[0]):04X}"
    if isinstance(value, dict):
        yield from (f"{path} tells {name}" for name in value.keys() & _PRIVATE)
        for name, member in value.items():
            yield from _members(f"{path}.{name}", member)
    if isinstance(value, list):
        for number, member in enumerate(value):
            yield from _members(f"{path}[{number}]", member)


def _feed(feed: dict[str, Any], now: datetime) -> Iterator[str]:
    items = feed["items"]
    yield from xml_rules.ids([item["id"] for item in items])
    if feed.get("next_url") == feed["feed_url"]:
        yield "the next page is this one"
    if not feed["feed_url"].startswith(feed["home_page_url"].partition("?")[0]):
        yield "the feed is not below its page"
    moments = [_moment(item[key]) for item in items for key in ("date_published", "date_modified")]
    yield from xml_rules.moments(moments, now)
    for item in items:
        yield from _item(item)


def _item(item: dict[str, Any]) -> Iterator[str]:
    content = Html(item["content_html"])
    yield from content.faults()
    if [item[name] for name in ("image",) if name in item] != content.values("img", "src")[:1]:
        yield "the image is not the first picture of the content"
    if item["date_modified"] < item["date_published"]:
        yield "modified before it was published"


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
