"""Warnings of what looks like a mistake in an article file that can be read."""

from __future__ import annotations

import re

from yaml import ScalarNode

from feeds.articles.fields import Fields
from feeds.articles.front_matter import line_of, yaml_type

#: What looks like the beginning of a tag.
_TAG = re.compile(r"<[A-Za-z][\w-]{,20}")


def find_warnings(fields: Fields, summary: str) -> list[tuple[int, str]]:
    """Return the warnings of a front matter that was read, with their lines and in their order.

    `summary` is what became of the excerpt.
    """
    found = fields.misspelled("published", "removed")
    published, excerpt = fields.node("published"), fields.node("excerpt")
    if published and yaml_type(published) != "bool":
        problem = "'published' is not true or false, so the article is not published"
        found.append((line_of(published), problem))
    tags = _TAG.findall(excerpt.value) if isinstance(excerpt, ScalarNode) else []
    if excerpt and (shown := next((tag for tag in tags if tag in summary), "")):
        problem = f"'excerpt' shows {shown!r} as words, remove it if it is markup"
        found.append((line_of(excerpt), problem))
    return sorted(found)
