"""Why an article is in the feeds that it is in, or in none."""

from __future__ import annotations

from datetime import datetime

from feeds.articles import Article, ArticleError, ParseResult
from feeds.index import Index
from feeds.index.indexed import memberships
from feeds.index.survey import listing


def explain(
    index: Index, stem: str, reading: ParseResult, fault: ArticleError | None, now: datetime
) -> list[str]:
    """Lines for the curator, of an index that is up to the file.

    `fault` is what the index holds against the file, if anything.
    """
    shown = _shown_in(index, stem)
    lines = [f"in {index.config.base_url}{path}" for path in shown]
    if fault:
        if lines:
            lines = [f"{line} (its last good version)" for line in lines]
        reason = reading.withheld or f"faulty at line {fault.line}: {fault.problem}"
        return [*lines, reason if lines else f"in no feed: {reason}"]
    if reading.withheld or reading.article is None:
        return [f"in no feed: {reading.withheld}"]
    if reading.article.published > now:
        return [f"in no feed yet: due on {reading.article.published:%Y-%m-%d %H:%M} UTC"]
    return lines or [f"in no feed: {_obstacle(index, reading.article)}"]


def _shown_in(index: Index, stem: str) -> list[str]:
    """The pages of all feeds that show an article now."""
    shown = []
    for item in listing(index):
        found = index.find(item.selection)
        if found and any(article.stem == stem for article in found.articles):
            shown.append(item.selection.path)
    return shown


def _obstacle(index: Index, article: Article) -> str:
    config = index.config
    meant = memberships(article, config)
    lowest = min(least for selection, _, least in meant if not config.name(selection).withdrawn)
    if article.quality < lowest:
        return f"quality {article.quality} below {lowest}"
    return f"older than the {config.limit} newest articles of each"
