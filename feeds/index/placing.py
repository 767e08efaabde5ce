"""Putting changed articles into the feeds that hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.engine import Connection

from feeds import document, index
from feeds.articles import Article
from feeds.config import Config
from feeds.index import tables
from feeds.index.dating import NOTHING, Dating, Key
from feeds.selection import EVERYTHING, Selection, domain_key, fold, short_hash

# Before any update: an announced one is compared apart, by whether it has come.
_EVER = datetime(1, 1, 1, tzinfo=UTC)
# SQLite takes at most 32,766 variables in one statement.
_BATCH = 10_000


def memberships(article: Article, config: Config) -> list[tuple[Selection, str, int]]:
    """Each feed an article is meant for, what it calls it, and that feed's threshold."""
    meant = [(EVERYTHING, "")]
    meant += [(Selection(kind="topic", key=fold(topic)), topic) for topic in article.topics]
    domain = domain_key(article.provider.domain)
    meant.append((Selection(kind="provider", key=domain), article.provider.name))
    return [(selection, label, config.threshold(selection)) for selection, label in meant]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What became of a change; `touched` counts feeds that look different."""

    touched: int = 0
    #: Whether the public may see a difference anywhere.
    visible: bool = False
    #: Whether quality or heat of an article changed that looks as before.
    ranked: bool = False


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """An article with what the index keeps of it."""

    article: Article
    id: str
    digest: bytes
    #: What the article calls each feed that it is in.
    labels: dict[Key, str]
    #: The topics and providers whose threshold it misses, though not every one's.
    missed: list[Key]


@dataclass
class Placing:
    """One change of the index; `refresh` where settings changed, so that all is placed again."""

    connection: Connection
    config: Config
    clock: Callable[[], datetime]
    refresh: bool
    feeds: dict[Key, Row[Any]] = field(default_factory=dict)
    _soon: datetime = field(init=False)

    def place(self, outcome: dict[str, Article | None]) -> Placed:
        """Apply what became of each stem: its article, or None where it left."""
        dating = Dating(self.connection, self.config, self.clock, self.refresh)
        # What comes due meanwhile counts as if it were.
        self._soon = dating.now + timedelta(hours=1)
        if self.refresh:
            kept = self.connection.execute(select(tables.articles)).all()
            outcome = {**{row.stem: index.decode(row.document) for row in kept}, **outcome}
        self._load_feeds()
        stored = {row.stem: row for row in self._among(tables.articles, "stem", outcome)}
        leaving = [row for stem, row in stored.items() if outcome[stem] is None]
        placed = [self._placed(article) for article in outcome.values() if article]
        inside = self._inside([row.id for row in stored.values()])
        moving = [p for p in placed if self.refresh or self._moves(p, stored, inside)]
        still = {p.article.stem for p in placed} - {p.article.stem for p in moving}
        ranked = self._note_unseen([p for p in placed if p.article.stem in still], stored)
        visible = bool(leaving or moving or self.refresh)
        if not (visible or ranked):
            return Placed()
        leaving += [stored[p.article.stem] for p in moving if p.article.stem in stored]
        affected = {feed for row in leaving for feed in inside.get(row.id, ())}
        affected |= {self.feeds[k].id for p in moving for k in p.labels if k in self.feeds}
        affected |= {feed for id in ranked for feed in inside[id]}
        if self.refresh:
            affected = {row.id for row in self.feeds.values()}
        before = {feed: dating.look(feed) for feed in affected}
        known = {row.id for row in self.feeds.values()}
        self._replace(leaving, moving)
        founded = {row.id for row in self.feeds.values()} - known
        heads = before | dict.fromkeys(founded, NOTHING)
        due = {p.id for p in placed if self._is_due(p)}
        seen = any(p.id in due and p.labels for p in moving) or not due.isdisjoint(ranked)
        seen |= any(inside.get(row.id) and self._was_due(row) for row in leaving)
        touched = dating.date(self.feeds, heads, seen=seen or self.refresh)
        return Placed(touched=touched, visible=visible, ranked=bool(ranked))

    def _load_feeds(self) -> None:
        rows = self.connection.execute(select(tables.feeds))
        self.feeds = {(row.kind, row.key): row for row in rows}

    def _among(self, table: Any, column: str, values: Iterable[str]) -> Iterator[Row[Any]]:
        wanted = list(values)
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            yield from self.connection.execute(select(table).where(table.c[column].in_(batch)))

    def _placed(self, article: Article) -> _Placed:
        seen = document.entry(article, config=self.config, base="", now=_EVER)
        meant = memberships(article, self.config)
        labels = {(s.kind, s.key): label for s, label, least in meant if article.quality >= least}
        missed = [(s.kind, s.key) for s, _, least in meant if article.quality < least]
        names = [Selection(kind=kind, key=key) for kind, key in labels]
        if not all(self.config.name(name).withdrawn for name in names):
            labels["type", fold(article.type)] = article.type
        return _Placed(
            article=article,
            id=self.config.entry_id(article.stem).hex,
            digest=hashlib.blake2b(index.encode(seen), digest_size=16).digest(),
            labels=labels,
            missed=missed if labels else [],
        )

    def _inside(self, ids: list[str]) -> dict[str, set[int]]:
        """The feeds that articles are in."""
        inside: dict[str, set[int]] = {id: set() for id in ids}
        for row in self._among(tables.entries, "article", ids):
            inside[row.article].add(row.feed)
        return inside

    def _moves(
        self, placed: _Placed, stored: dict[str, Row[Any]], inside: dict[str, set[int]]
    ) -> bool:
        """Whether a subscriber of any feed could see the difference."""
        row = stored.get(placed.article.stem)
        if row is None:
            return bool(placed.labels)
        feeds = {self.feeds[key].id if key in self.feeds else None for key in placed.labels}
        if row.digest != placed.digest or inside[row.id] != feeds:
            return True
        return index.decode(row.document).updated != placed.article.updated

    def _note_unseen(self, placed: list[_Placed], stored: dict[str, Row[Any]]) -> list[str]:
        """Keep what no plain feed shows; the ids of those whose quality or heat changed."""
        changes = [
            {"old": p.id, "document": encoded}
            for p in placed
            if p.article.stem in stored
            and (encoded := index.encode(p.article)) != stored[p.article.stem].document
        ]
        if changes:
            statement = update(tables.articles).where(tables.articles.c.id == bindparam("old"))
            self.connection.execute(statement.values(document=bindparam("document")), changes)
        self._insert(tables.articles, [_row(p) for p in placed if p.article.stem not in stored])
        ranks: list[dict[str, Any]] = [
            {"old": p.id, "quality": p.article.quality, "heat": p.article.heat}
            for p in placed
            if p.labels and _rank(p.article) != _rank(index.decode(stored[p.article.stem].document))
        ]
        if ranks:
            entries = update(tables.entries).where(tables.entries.c.article == bindparam("old"))
            new: dict[str, Any] = {name: bindparam(name) for name in ("quality", "heat")}
            self.connection.execute(entries.values(new), ranks)
        return [rank["old"] for rank in ranks]

    def _replace(self, leaving: list[Row[Any]], moving: list[_Placed]) -> None:
        if leaving:
            ids = [{"old": row.id} for row in leaving]
            inside = (tables.entries.c.article, tables.missed.c.article)
            for column in (*inside, tables.articles.c.id):
                statement = delete(column.table).where(column == bindparam("old"))
                self.connection.execute(statement, ids)
        self._found_feeds(moving)
        self._insert(tables.articles, [_row(p) for p in moving])
        rows = [
            {
                "article": p.id,
                "feed": self.feeds[key].id,
                "published": int(p.article.published.timestamp()),
                "label": label,
                "quality": p.article.quality,
                "heat": p.article.heat,
            }
            for p in moving
            for key, label in p.labels.items()
        ]
        self._insert(tables.entries, rows)
        rows = [
            {"article": p.id, "kind": kind, "key": key} for p in moving for kind, key in p.missed
        ]
        self._insert(tables.missed, rows)

    def _insert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(table.insert(), rows)

    def _found_feeds(self, moving: list[_Placed]) -> None:
        """Make the feeds that are named for the first time, and give each its slug."""
        names: dict[Key, str] = {("site", ""): ""}
        for p in moving:
            names.update(p.labels)
        fresh = sorted(names.keys() - self.feeds.keys())
        new = [
            {"kind": kind, "key": key, "slug": "", "name": names[kind, key]} for kind, key in fresh
        ]
        self._insert(tables.feeds, new)
        if new:
            self._load_feeds()
        if new or self.refresh:
            self._assign_slugs({key for p in moving if self._is_due(p) for key in p.labels})

    def _is_due(self, placed: _Placed) -> bool:
        return placed.article.published <= self._soon

    def _was_due(self, row: Row[Any]) -> bool:
        return index.decode(row.document).published <= self._soon

    def _shown(self) -> set[int]:
        """The feeds that the public ever saw, by the entries of before."""
        due = tables.entries.c.published <= int(self._soon.timestamp())
        rows = self.connection.execute(select(tables.entries.c.feed).where(due).distinct())
        known = {row.id for row in self.feeds.values() if row.changed is not None}
        return known | {row.feed for row in rows}

    def _assign_slugs(self, showing: set[Key]) -> None:
        """No two feeds share a slug: whoever comes later gets a suffix, and keeps it."""
        shown = self._shown()
        wanted = {key: "" if key[0] == "site" else self.config.slug(*key) for key in self.feeds}
        # First the curator's word, then what subscribers know, then code-point order.
        # What nobody knows must not show in the suffix of another.
        order = sorted(
            self.feeds,
            key=lambda k: (
                not self.config.name(Selection(kind=k[0], key=k[1])).slug,
                k not in showing and self.feeds[k].id not in shown,
                self.feeds[k].slug != wanted[k],
                k,
            ),
        )
        taken: set[Key] = set()
        changes = []
        for kind, key in order:
            slug = wanted[kind, key]
            if (kind, slug) in taken:
                slug = f"{slug}-{short_hash(key)}"
            taken.add((kind, slug))
            if slug != self.feeds[kind, key].slug:
                changes.append({"old": self.feeds[kind, key].id, "slug": slug})
        if changes:
            statement = update(tables.feeds).where(tables.feeds.c.id == bindparam("old"))
            self.connection.execute(statement.values(slug=bindparam("slug")), changes)


def _rank(article: Article) -> tuple[int, int | None]:
    return article.quality, article.heat


def _row(placed: _Placed) -> dict[str, Any]:
    return {
        "id": placed.id,
        "stem": placed.article.stem,
        "digest": placed.digest,
        "document": index.encode(placed.article),
    }
