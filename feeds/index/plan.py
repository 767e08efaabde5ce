"""Decides what a change of articles changes in the index, without a database.

    before = the rows of some articles, by stem
    after  = the articles as their files say now, or None where they left
    plan   = the rows to write and to delete, and the feeds that may look different

Time is a change like any other: an article whose time has not come has no entries, and
is planned again when it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from feeds.index.indexed import FeedKey, IndexedArticle


class EntryRow(NamedTuple):
    """An article in a feed that it names, as in the table `entries`."""

    feed: FeedKey
    shown: bool
    published: int
    quality: int
    heat: int | None
    type: str


class ArticleRow(NamedTuple):
    """An article as in the table `articles`, and its entries."""

    id: str
    stem: str
    #: That of the article, and the time of its last update that has come.
    digest: bytes
    document: bytes
    next_change: int | None
    entries: frozenset[EntryRow]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be written."""

    #: The ids of articles whose rows and entries go.
    deleted: list[str] = field(default_factory=list)
    #: The articles that are inserted then.
    inserted: list[ArticleRow] = field(default_factory=list)
    #: The feeds in which the public may see a difference.
    touched: set[FeedKey] = field(default_factory=set)
    #: Whether quality or heat of a public article changed, by which readers may choose.
    ranked: bool = False


def plan(
    before: Mapping[str, ArticleRow], after: Mapping[str, IndexedArticle | None], now: int
) -> Plan:
    """Plan a change of articles at a Unix time."""
    made, ranked = Plan(), False
    for stem, article in after.items():
        old = before.get(stem)
        new = as_of(article, now, old) if article else None
        if new == old:
            continue
        if old:
            made.deleted.append(old.id)
        if new:
            made.inserted.append(new)
        if _seen(old) != _seen(new):
            made.touched.update(entry.feed for row in (old, new) if row for entry in row.entries)
        elif old and new and old.entries != new.entries:
            ranked = True
    return replace(made, ranked=ranked)


def _seen(row: ArticleRow | None) -> object:
    """What all but a choice by quality or heat depend on; None if that is nothing."""
    if row is None or not row.entries:
        return None
    return row.digest, {(e.feed, e.shown, e.published, e.type) for e in row.entries}


def as_of(article: IndexedArticle, now: int, before: ArticleRow | None = None) -> ArticleRow:
    """The rows of an article at a Unix time; `before` is what they were.

    An article that was public with the same time stays, for a clock that is set back
    takes it from nobody.
    """
    known = before is not None and any(e.published == article.published for e in before.entries)
    is_due = article.published <= now or known
    updated = article.updated
    has_updated = updated is not None and updated <= now
    next_change = None
    if not is_due:
        next_change = article.published
    elif updated is not None and not has_updated:
        next_change = updated
    told = updated if updated is not None and has_updated else article.published
    return ArticleRow(
        id=article.id,
        stem=article.stem,
        digest=article.digest + told.to_bytes(8),
        document=article.document,
        next_change=next_change,
        entries=frozenset(_entries(article)) if is_due else frozenset(),
    )


def _entries(article: IndexedArticle) -> list[EntryRow]:
    of_all = (article.published, article.quality, article.heat, article.type)
    return [EntryRow(feed, shown, *of_all) for feed, shown in article.feeds.items()]
