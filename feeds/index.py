"""The index of visible articles: derived from the files, and never the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Row,
    func,
    or_,
    select,
)

from feeds.article import Article
from feeds.config import Config
from feeds.database import Database
from feeds.selection import Kind, Selection, slugify
from feeds.tables import articles, entries, feeds, files, state

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Article).decode


@dataclass(frozen=True, kw_only=True)
class Found:
    """The newest articles of a selection, and when that answer changes."""

    articles: tuple[Article, ...]
    #: What the newest visible article calls the topic or provider.
    name: str
    #: When a change of files last changed the feed.
    changed: datetime
    #: When time alone changes it next: a due article or an announced update.
    due: datetime | None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A public feed in a list."""

    selection: Selection
    name: str
    #: Its visible articles.
    count: int
    #: When the newest of them was published; None without any.
    newest: datetime | None


@dataclass(frozen=True, kw_only=True)
class Health:
    """The state of the index; counts are of article files and visible articles."""

    articles: int
    visible: int
    faults: int
    synced: datetime


class Index(Database):
    """The articles that feeds are made of."""

    def __init__(self, url: str, config: Config) -> None:
        super().__init__(url)
        self.config = config

    def revision(self) -> int:
        """A number that grows with every change of what the public sees."""
        with self.reading() as connection:
            revision: int = connection.execute(select(state.c.revision)).scalar_one()
            return revision

    def find(self, selection: Selection, now: datetime) -> Found | None:
        """The newest visible articles of a selection, ties by id; None if not public."""
        second = int(now.timestamp())
        with self.reading() as connection:
            feed = connection.execute(
                select(feeds).where(feeds.c.kind == selection.kind, feeds.c.key == selection.key)
            ).first()
            if feed is None:
                return None
            rows = connection.execute(newest(feed.id, second, self.config.limit)).all()
            if feed.changed is None and not rows:
                return None
            due = connection.execute(
                select(func.min(entries.c.published)).where(
                    entries.c.feed == feed.id, entries.c.published > second
                )
            ).scalar()
        found = tuple(decode(row.document) for row in rows)
        coming = [a.updated for a in found if a.updated and a.updated > now]
        if due is not None:
            coming.append(_moment(due))
        return Found(
            articles=found,
            name=rows[0].label if rows else feed.name,
            changed=_moment(feed.changed or 0),
            due=min(coming, default=None),
        )

    def resolve(self, kind: Kind, slug: str, now: datetime) -> Selection | None:
        """The public selection that a slug means, or meant in earlier days."""
        with self.reading() as connection:
            for candidate in self._candidates(kind, slug):
                row = connection.execute(
                    select(feeds).where(feeds.c.kind == kind, candidate, _public(now))
                ).first()
                if row:
                    return Selection(kind=kind, key=row.key, slug=row.slug)
        return None

    def _candidates(self, kind: Kind, slug: str) -> Iterator[Any]:
        yield feeds.c.slug == slug
        names = self.config.topics if kind == "topic" else self.config.providers
        natural = slugify(kind, slug)
        yield feeds.c.slug == natural
        for key, name in names.items():
            if natural in (slugify(kind, old) for old in (key, *name.former)):
                yield feeds.c.key == key

    def listing(self, now: datetime) -> list[Listed]:
        """Every public feed: the site, then topics, then providers, by name."""
        second = int(now.timestamp())
        visible = (
            select(
                entries.c.feed, func.count().label("n"), func.max(entries.c.published).label("at")
            )
            .where(entries.c.published <= second)
            .group_by(entries.c.feed)
            .subquery()
        )
        label = (
            select(entries.c.label)
            .where(entries.c.feed == feeds.c.id, entries.c.published <= second)
            .order_by(entries.c.published.desc(), entries.c.article)
            .limit(1)
            .scalar_subquery()
        )
        statement = select(feeds, visible.c.n, visible.c.at, label.label("label")).outerjoin(
            visible, visible.c.feed == feeds.c.id
        )
        with self.reading() as connection:
            rows = connection.execute(statement.where(_public(now))).all()
        listed = [self._listed(row) for row in rows]
        kinds = ("site", "topic", "provider")
        return sorted(
            (item for item in listed if not self.config.name(item.selection).withdrawn),
            key=lambda i: (kinds.index(i.selection.kind), i.name.casefold(), i.selection.key),
        )

    def due(self, now: datetime) -> datetime | None:
        """When the next article of any feed comes due."""
        soonest = select(func.min(entries.c.published))
        with self.reading() as connection:
            second = connection.execute(
                soonest.where(entries.c.published > int(now.timestamp()))
            ).scalar()
        return None if second is None else _moment(second)

    def _listed(self, row: Row[Any]) -> Listed:
        selection = Selection(kind=row.kind, key=row.key, slug=row.slug)
        return Listed(
            selection=selection,
            name=self.config.name(selection).title or row.label or row.name,
            count=row.n or 0,
            newest=_moment(row.at) if row.at is not None else None,
        )

    def health(self, now: datetime) -> Health:
        """Counts, and when files were last compared. Raises IndexUnavailable."""
        with self.reading() as connection:
            synced = connection.execute(select(state.c.synced)).scalar_one()
            visible = select(func.count(func.distinct(entries.c.article)))
            return Health(
                articles=connection.execute(select(func.count()).select_from(files)).scalar_one(),
                visible=connection.execute(
                    visible.where(entries.c.published <= int(now.timestamp()))
                ).scalar_one(),
                faults=connection.execute(select(func.count(files.c.fault))).scalar_one(),
                synced=_moment(synced),
            )


def newest(feed: int, second: int, limit: int) -> Any:
    """The statement for a feed's newest articles at a Unix time: one range of one index."""
    return (
        select(articles.c.id, articles.c.digest, articles.c.document, entries.c.label)
        .join_from(entries, articles)
        .where(entries.c.feed == feed, entries.c.published <= second)
        .order_by(entries.c.published.desc(), entries.c.article)
        .limit(limit)
    )


def _public(now: datetime) -> Any:
    """Only what has or had a visible article exists in public."""
    seen = select(entries.c.feed).where(
        entries.c.feed == feeds.c.id, entries.c.published <= int(now.timestamp())
    )
    return or_(feeds.c.changed.is_not(None), seen.exists())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
