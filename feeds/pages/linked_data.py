"""The list of stories on a page for search engines (https://schema.org/CollectionPage)."""

from __future__ import annotations

from feeds.config import Config
from feeds.feed import Feed


def linked_data(
    feed: Feed, name: str, description: str, base: str, address: str, config: Config
) -> dict[str, object]:
    """Return the JSON-LD of a page that shows the entries of a feed, in their order."""
    items = [
        {"@type": "ListItem", "position": position, "url": entry.link, "name": entry.title}
        for position, entry in enumerate(feed.entries, 1)
    ]
    return {
        "@context": "https://schema.org",
        "@type": "CollectionPage",
        "name": name,
        "description": description,
        "url": base + address,
        "inLanguage": config.language,
        "isPartOf": {"@type": "WebSite", "name": config.title, "url": f"{base}/"},
        "mainEntity": {
            "@type": "ItemList",
            "numberOfItems": len(items),
            "itemListElement": items,
        },
    }
