"""Putting changed articles into the feeds that hold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update
from sqlalchemy.engine import Connection

from feeds.config import Config
from feeds.index import coming, tables
from feeds.index.dating import NOTHING, Dating, Head
from feeds.index.rows import BATCH, among, insert
from feeds.placement import Key, Placement, decode, place
from feeds.selection import Selection, short_hash


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What became of a change; `touched` counts feeds that look different."""

    touched: int = 0
    #: Whether the public may see a difference anywhere.
    visible: bool = False
    #: Whether quality or heat of an article changed that looks as before.
    ranked: bool = False


@dataclass
class Placing:
    """One change of the index; `refresh` where settings changed, so that all is placed again."""

    connection: Connection
    config: Config
    clock: Callable[[], datetime]
    refresh: bool
    feeds: dict[Key, Row[Any]] = field(default_factory=dict)
    _soon: datetime = field(init=False)

    def place(self, outcome: dict[str, Placement | None]) -> Placed:
        """Apply what became of each stem: its article, or None where it left."""
        dating = Dating(self.connection, self.config, self.clock, self.refresh)
        # What comes due meanwhile counts as if it were.
        self._soon = dating.now + timedelta(minutes=1)
        if self.refresh:
            kept = self.connection.execute(select(tables.articles))
            again = [row.document for row in kept if row.stem not in outcome]
            anew = (place(decode(document), self.config) for document in again)
            outcome = {**{p.stem: p for p in anew}, **outcome}
        if len(outcome) > BATCH:
            # Most that left were never there.
            stems = set(self.connection.execute(select(tables.articles.c.stem)).scalars())
            outcome = {stem: p for stem, p in outcome.items() if p or stem in stems}
        self._load_feeds()
        stored = {row.stem: row for row in among(self.connection, tables.articles, "stem", outcome)}
        leaving = [row for stem, row in stored.items() if outcome[stem] is None]
        placed = [placement for placement in outcome.values() if placement]
        inside = self._inside([row.id for row in stored.values()])
        moving = [p for p in placed if self.refresh or self._moves(p, stored, inside)]
        still = {p.stem for p in placed} - {p.stem for p in moving}
        ranked = self._note_unseen([p for p in placed if p.stem in still], stored)
        visible = bool(moving or self.refresh) or any(inside[row.id] for row in leaving)
        if not (visible or ranked or leaving):
            return Placed()
        leaving += [stored[p.stem] for p in moving if p.stem in stored]
        affected = {feed for row in leaving for feed in inside.get(row.id, ())}
        affected |= {self.feeds[k].id for p in moving for k in p.labels if k in self.feeds}
        unknown = {row.id for row in self.feeds.values() if row.changed is None} & affected
        affected |= {feed for id in ranked for feed in inside[id]}
        if self.refresh:
            affected = {row.id for row in self.feeds.values()}
        before = {feed: dating.look(feed) for feed in affected}
        known = {row.id for row in self.feeds.values()}
        self._replace(leaving, moving, dating.now)
        founded = {row.id for row in self.feeds.values()} - known
        if self.refresh or founded or unknown:
            self._assign_slugs(before)
        heads = before | dict.fromkeys(founded, NOTHING)
        due = {p.id for p in placed if self._is_due(p)}
        seen = any(p.id in due and p.labels for p in moving) or not due.isdisjoint(ranked)
        seen |= any(inside.get(row.id) and self._was_due(row) for row in leaving)
        touched = dating.date(self.feeds, heads, seen=seen or self.refresh)
        return Placed(touched=touched, visible=visible, ranked=bool(ranked))

    def _load_feeds(self) -> None:
        rows = self.connection.execute(select(tables.feeds))
        self.feeds = {(row.kind, row.key): row for row in rows}

    def _inside(self, ids: list[str]) -> dict[str, set[int]]:
        """The feeds that articles are in."""
        inside: dict[str, set[int]] = {id: set() for id in ids}
        for row in among(self.connection, tables.entries, "article", ids):
            inside[row.article].add(row.feed)
        return inside

    def _moves(
        self, placed: Placement, stored: dict[str, Row[Any]], inside: dict[str, set[int]]
    ) -> bool:
        """Whether a subscriber of any feed could see the difference."""
        row = stored.get(placed.stem)
        if row is None or not inside[row.id]:
            return bool(placed.labels)
        feeds = {self.feeds[key].id if key in self.feeds else None for key in placed.labels}
        if row.digest != placed.digest or inside[row.id] != feeds:
            return True
        return decode(row.document).updated != placed.updated

    def _note_unseen(self, placed: list[Placement], stored: dict[str, Row[Any]]) -> list[str]:
        """Keep what no plain feed shows; the ids of those whose quality or heat changed."""
        changes = [
            {"old": p.id, "document": p.document}
            for p in placed
            if p.stem in stored and p.document != stored[p.stem].document
        ]
        if changes:
            statement = update(tables.articles).where(tables.articles.c.id == bindparam("old"))
            self.connection.execute(statement.values(document=bindparam("document")), changes)
        insert(self.connection, tables.articles, [_row(p) for p in placed if p.stem not in stored])
        ranks: list[dict[str, Any]] = [
            {"old": p.id, "quality": p.quality, "heat": p.heat}
            for p in placed
            if p.labels and (p.quality, p.heat) != _rank(stored[p.stem])
        ]
        if ranks:
            entries = update(tables.entries).where(tables.entries.c.article == bindparam("old"))
            new: dict[str, Any] = {name: bindparam(name) for name in ("quality", "heat")}
            self.connection.execute(entries.values(new), ranks)
        return [rank["old"] for rank in ranks]

    def _replace(self, leaving: list[Row[Any]], moving: list[Placement], now: datetime) -> None:
        if leaving:
            ids = [{"old": row.id} for row in leaving]
            inside = (tables.entries.c.article, tables.missed.c.article, tables.coming.c.article)
            for column in (*inside, tables.articles.c.id):
                statement = delete(column.table).where(column == bindparam("old"))
                self.connection.execute(statement, ids)
        self._found_feeds(moving)
        # In the order of the tables' keys, which takes the least time.
        moving = sorted(moving, key=lambda p: p.id)
        insert(self.connection, tables.articles, (_row(p) for p in moving))
        rows: Iterable[dict[str, Any]] = (
            {
                "article": p.id,
                "feed": self.feeds[key].id,
                "published": p.published,
                "label": label,
                "quality": p.quality,
                "heat": p.heat,
            }
            for p in moving
            for key, label in p.labels.items()
        )
        insert(self.connection, tables.entries, rows)
        rows = (
            {"article": p.id, "kind": kind, "key": key} for p in moving for kind, key in p.missed
        )
        insert(self.connection, tables.missed, rows)
        insert(self.connection, tables.coming, coming.rows(moving, now))

    def _found_feeds(self, moving: list[Placement]) -> None:
        """Make the feeds that are named for the first time."""
        names: dict[Key, str] = {("site", ""): ""}
        for p in moving:
            names.update(p.labels)
        fresh = sorted(names.keys() - self.feeds.keys())
        new = [
            {"kind": kind, "key": key, "slug": "", "name": names[kind, key]} for kind, key in fresh
        ]
        insert(self.connection, tables.feeds, new)
        if new:
            self._load_feeds()

    def _is_due(self, placed: Placement) -> bool:
        return placed.published <= self._soon.timestamp()

    def _was_due(self, row: Row[Any]) -> bool:
        return decode(row.document).published <= self._soon

    def _since(self, before: Mapping[int, Head]) -> dict[Key, float]:
        """Since when the public knows each feed: 0 if it does, else when it will, if ever."""
        entry, soon = tables.entries.c, self._soon.timestamp()
        first = select(entry.feed, func.min(entry.published)).group_by(entry.feed)
        times = {feed: at for feed, at in self.connection.execute(first).all()}
        known = {id for id, head in before.items() if head.entries}
        known |= {row.id for row in self.feeds.values() if row.changed is not None}
        known |= {feed for feed, at in times.items() if at <= soon}
        return {
            key: 0 if row.id in known else times.get(row.id, math.inf)
            for key, row in self.feeds.items()
        }

    def _assign_slugs(self, before: Mapping[int, Head]) -> None:
        """No two feeds share a slug: whoever comes later gets a suffix, and keeps it."""
        since = self._since(before)
        wanted = {key: "" if key[0] == "site" else self.config.slug(*key) for key in self.feeds}
        # First the curator's word, then what subscribers know, then what they will know
        # first: what nobody knows yet must not show in the suffix of another.
        order = sorted(
            self.feeds,
            key=lambda k: (
                not self.config.name(Selection(kind=k[0], key=k[1])).slug,
                since[k],
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


def _rank(row: Row[Any]) -> tuple[int, int | None]:
    article = decode(row.document)
    return article.quality, article.heat


def _row(placed: Placement) -> dict[str, Any]:
    return {
        "id": placed.id,
        "stem": placed.stem,
        "digest": placed.digest,
        "document": placed.document,
    }
