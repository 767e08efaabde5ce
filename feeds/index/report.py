"""What a sync says it did."""

from __future__ import annotations

from dataclasses import dataclass

from feeds.articles import ArticleError


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a sync found; counts are of article files."""

    added: int
    changed: int
    removed: int
    #: Of the files that were looked at.
    unchanged: int
    #: Every file at fault, and every folder that cannot be read, by path.
    faults: tuple[ArticleError, ...]
    #: How many feeds look different to their subscribers.
    touched: int
    #: Whether all that can change a file changes it under its own name.
    direct: bool
