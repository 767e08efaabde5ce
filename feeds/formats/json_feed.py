"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from typing import Any

import msgspec

from feeds.feed import Entry, Feed, Links, Person
from feeds.formats.entries import cache_entries

JSON_FEED_VERSION = "https://jsonfeed.org/version/1.1"


def write(feed: Feed, links: Links) -> bytes:
    """Return a feed as a JSON Feed. Members that the standard does not have stand in `_feeds`."""
    return msgspec.json.encode(
        _present(
            version=JSON_FEED_VERSION,
            title=feed.title,
            description=feed.subtitle,
            home_page_url=feed.link,
            feed_url=links.canonical,
            # The next page is the one with older entries.
            next_url=links.prev_archive,
            icon=feed.logo,
            favicon=feed.icon,
            authors=[_author(feed.author)],
            language=feed.language,
            hubs=[{"type": "WebSub", "url": links.hub}] if links.hub else None,
            items=[write_entry(entry) for entry in feed.entries],
        )
    )


@cache_entries
def write_entry(entry: Entry) -> msgspec.Raw:
    """Return an item as it stands in every feed that holds it."""
    item = _present(
        id=entry.id,
        url=entry.link,
        title=entry.title,
        content_html=entry.content,
        summary=entry.summary,
        image=entry.image and entry.image.url,
        date_published=entry.published,
        date_modified=entry.updated,
        authors=[_author(entry.author)],
        tags=[category.label for category in entry.categories],
        _feeds=_present(
            type=entry.type,
            provider=entry.domain,
            original_url=entry.via,
            amp_url=entry.amp,
            cdn_amp_url=entry.cdn_amp,
            related=[
                {"title": story.title, "url": story.link, "provider": story.provider}
                for story in entry.related
            ],
        ),
    )
    return msgspec.Raw(msgspec.json.encode(item))


def _author(person: Person) -> dict[str, str]:
    return {"name": person.name, "url": person.uri}


def _present(**members: Any) -> dict[str, Any]:
    """Return an object without the members that have no value."""
    return {name: value for name, value in members.items() if value is not None}
