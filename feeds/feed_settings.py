"""The settings of topics and providers."""

from __future__ import annotations

from typing import Annotated

import yaml
from msgspec import Meta, Struct

from feeds.selection import MAX_RANK, Kind, domain_key, fold, slugify
from feeds.settings import compose, naming, read_fields, read_pairs
from feeds.text import clean_text

Text = Annotated[str, clean_text]
Quality = Annotated[int, Meta(ge=-MAX_RANK, le=MAX_RANK)]


class FeedSettings(Struct, frozen=True, kw_only=True):
    """The settings of one topic or provider."""

    slug: Text = ""
    title: Text = ""
    description: Text = ""
    min_quality: Annotated[Quality | None, "Instead of the site's."] = None
    former: Annotated[tuple[str, ...], clean_text, "Earlier slugs: each answers 301 for ever."] = ()
    withdrawn: Annotated[bool, "Taken away on purpose: its feeds answer 410."] = False


def read_feed_settings(kind: Kind, node: yaml.Node) -> dict[str, FeedSettings]:
    """Return the settings of topics or providers, by key."""
    # An environment variable holds the map as YAML text.
    written = compose(node.value) if isinstance(node, yaml.ScalarNode) else node
    settings: dict[str, FeedSettings] = {}
    for name, value in read_pairs(written):
        key = domain_key(name.value) if kind == "provider" else fold(name.value)
        with naming(name):
            if key in settings:
                raise ValueError("stands twice, keep one")
            settings[key] = FeedSettings(**read_fields(FeedSettings, read_pairs(value)))
            slug = settings[key].slug
            if slug and slug != slugify(kind, slug):
                raise ValueError(f"the slug is {slug!r}, write {slugify(kind, slug)!r}")
    # Sorted, because the order of names must not change the fingerprint.
    return dict(sorted(settings.items()))
