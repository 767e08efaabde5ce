"""Decide what a change of articles changes in the index, without a database.

    before = the rows of some articles, by stem
    after  = the articles as their files are now, or None where they left
    plan   = the rows to write and to delete, and the feeds that may look different

Time is a change like any other: an article whose time has not come has no entries, and
is planned again when it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from feeds.indexed import FeedKey, IndexedArticle


class EntryRow(NamedTuple):
    """An article in a feed that it names, as in the table `entries`."""

    feed: FeedKey
    shown: bool
    published: int
    quality: int
    heat: int | None
    type: str


class ArticleRow(NamedTuple):
    """An article as in the table `articles`, with its entries."""

    id: str
    stem: str
    #: The article's `entry_hash`, and after it the time of its last update that has come.
    entry_hash: bytes
    encoded: bytes
    next_change: int | None
    entries: frozenset[EntryRow]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The rows to write, and what may look different then."""

    #: The ids of the articles whose rows and entries are deleted first.
    deleted: list[str] = field(default_factory=list)
    #: The articles that are inserted after that.
    inserted: list[ArticleRow] = field(default_factory=list)
    #: Their terms, by id.
    terms: dict[str, str] = field(default_factory=dict)
    #: The feeds in which subscribers may see a difference, and when the oldest article that
    #: differs there was published.
    touched: dict[FeedKey, int] = field(default_factory=dict)
    #: The stems of the articles with a change that the public can see.
    visibly_changed: set[str] = field(default_factory=set)
    #: The stems of other articles whose quality or heat changed, by which readers may choose.
    ranked: set[str] = field(default_factory=set)


def plan(
    before: Mapping[str, ArticleRow], after: Mapping[str, IndexedArticle | None], now: int
) -> Plan:
    """Plan a change of articles at a Unix time."""
    made = Plan()
    for stem, article in after.items():
        old = before.get(stem)
        new = as_of(article, now, old) if article else None
        if new == old:
            continue
        if old:
            made.deleted.append(old.id)
        if new and article:
            made.inserted.append(new)
            made.terms[new.id] = article.terms
        if _visible(old) != _visible(new):
            made.visibly_changed.add(stem)
            for entry in (e for row in (old, new) if row for e in row.entries if e.shown):
                oldest = made.touched.get(entry.feed, entry.published)
                made.touched[entry.feed] = min(oldest, entry.published)
        elif old and new and old.entries != new.entries:
            made.ranked.add(stem)
    return made


def _visible(row: ArticleRow | None) -> object:
    """Return all that feeds show of an article, except quality and heat; None if none shows it."""
    if row is None or not row.entries:
        return None
    return row.entry_hash, {(e.feed, e.shown, e.published, e.type) for e in row.entries}


def as_of(article: IndexedArticle, now: int, before: ArticleRow | None = None) -> ArticleRow:
    """Return the rows of an article at a Unix time; `before` are its rows so far.

    An article that was public with the same time stays public, even if the clock was set
    back to before that time.
    """
    was_public = before is not None and any(
        entry.published == article.published for entry in before.entries
    )
    has_come = article.published <= now or was_public
    updated, next_change = article.published, None
    if not has_come:
        next_change = article.published
    elif article.updated is not None and article.updated > now:
        next_change = article.updated
    if article.updated is not None and article.updated <= now:
        updated = article.updated
    ranks = (article.published, article.quality, article.heat, article.type)
    entries = (EntryRow(feed, shown, *ranks) for feed, shown in article.feeds.items())
    return ArticleRow(
        id=article.id,
        stem=article.stem,
        entry_hash=article.entry_hash + updated.to_bytes(8),
        encoded=article.encoded,
        next_change=next_change,
        entries=frozenset(entries if has_come else ()),
    )
