"""Writes a plan into the index, and dates the feeds that look different for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, bindparam, func, select, tuple_, update
from sqlalchemy.engine import Connection

from feeds.config import Config
from feeds.index import query
from feeds.index.indexed import FeedKey, decode, memberships
from feeds.index.plan import ArticleRow, EntryRow, Plan
from feeds.index.rows import delete_in, insert, select_in
from feeds.index.schema import articles, entries, feeds, meta
from feeds.selection import Kind, Selection, short_hash

SITE: FeedKey = ("site", "")
#: Pairs in one statement.
_PAIRS = 500


class Head(NamedTuple):
    """What the current document of a feed shows, and the feed's name."""

    digest: bytes
    name: str
    is_empty: bool


def apply(connection: Connection, config: Config, plan: Plan, now: int, *, anew: bool) -> int:
    """Write a plan at a Unix time; how many feeds look different.

    With `anew`, the settings changed: every feed is compared, and named again.
    """
    delete_in(connection, entries.c.article, plan.deleted)
    delete_in(connection, articles.c.id, plan.deleted)
    # In the order of the tables' keys, which takes the least time.
    inserted = sorted(plan.inserted, key=lambda row: row.id)
    insert(connection, articles, map(_article, inserted))
    touched = {feed for row in inserted for feed in (entry.feed for entry in row.entries)}
    touched |= plan.touched | ({SITE} if anew else set())
    ids = _feed_ids(connection, touched)
    rows = ((ids[entry.feed], row.id, entry) for row in inserted for entry in row.entries)
    insert(connection, entries, (_entry(*row) for row in rows))
    changed = 0
    if plan.touched or plan.ranked or anew:
        connection.execute(update(meta).values(revision=meta.c.revision + 1))
    if plan.touched or anew:
        state = connection.execute(select(meta)).one()
        # Later than every change before it, for some clients compare dates alone.
        at = max(now, state.changed + 1)
        wanted = None if anew else [ids[key] for key in plan.touched]
        changed = _date_feeds(connection, config, wanted, at)
        types = {entry.type for row in inserted for entry in row.entries if entry.shown}
        known = msgspec.json.decode(state.types, type=list[str])
        new = {
            "changed": at,
            "types": msgspec.json.encode(sorted({*known, *types} - {""})).decode(),
        }
        connection.execute(update(meta).values(new))
    soonest = select(func.min(articles.c.next_change)).scalar_subquery()
    connection.execute(update(meta).values(next_change=soonest))
    return changed


def load_articles(connection: Connection, stems: Iterable[str] | None) -> dict[str, ArticleRow]:
    """The rows of articles, by stem; those of all without a choice."""
    chosen = select(articles)
    if stems is None:
        rows = connection.execute(chosen).all()
    else:
        rows = list(select_in(connection, chosen, articles.c.stem, stems))
    inside: dict[str, set[EntryRow]] = {row.id: set() for row in rows}
    named = select(entries, feeds.c.kind, feeds.c.key).join(feeds)
    for row in select_in(connection, named, entries.c.article, inside):
        values = row.published, row.quality, row.heat, row.type
        inside[row.article].add(EntryRow((row.kind, row.key), row.shown, *values))
    return {
        row.stem: ArticleRow(
            row.id, row.stem, row.digest, row.document, row.next_change, frozenset(inside[row.id])
        )
        for row in rows
    }


def _article(row: ArticleRow) -> dict[str, Any]:
    values = row._asdict()
    del values["entries"]
    return values


def _entry(feed: int, article: str, entry: EntryRow) -> dict[str, Any]:
    return {**entry._asdict(), "feed": feed, "article": article}


def _feed_ids(connection: Connection, keys: Iterable[FeedKey]) -> dict[FeedKey, int]:
    """The number of each feed; those that are named for the first time are made."""
    wanted = sorted(keys)
    found = _find_ids(connection, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        new = {"slug": "", "name": "", "head": b""}
        insert(connection, feeds, ({"kind": kind, "key": key, **new} for kind, key in missing))
        found |= _find_ids(connection, missing)
    return found


def _find_ids(connection: Connection, keys: list[FeedKey]) -> dict[FeedKey, int]:
    pair = tuple_(feeds.c.kind, feeds.c.key)
    statement = select(feeds.c.kind, feeds.c.key, feeds.c.id)
    return {
        (row.kind, row.key): row.id
        for start in range(0, len(keys), _PAIRS)
        for row in connection.execute(statement.where(pair.in_(keys[start : start + _PAIRS])))
    }


def _date_feeds(connection: Connection, config: Config, ids: list[int] | None, at: int) -> int:
    """Date the feeds, of some or of all, that look different from before; how many."""
    chosen = select(feeds)
    if ids is None:
        rows = connection.execute(chosen).all()
    else:
        rows = list(select_in(connection, chosen, feeds.c.id, ids))  # type: ignore[arg-type]
    changes, new = [], []
    for row in rows:
        head = _read_head(connection, config, row)
        is_new = row.changed is None
        if head.digest == row.head or (is_new and head.is_empty and row.kind != "site"):
            continue
        name = head.name or row.name
        changes.append({"value": row.id, "head": head.digest, "name": name, "changed": at})
        if is_new:
            new.append(row.id)
    if changes:
        columns = ("head", "name", "changed")
        statement = update(feeds).where(feeds.c.id == bindparam("value"))
        values: dict[str, Any] = {column: bindparam(column) for column in columns}
        connection.execute(statement.values(values), changes)
    if new or ids is None:
        _assign_slugs(connection, config)
    return len(changes)


def _read_head(connection: Connection, config: Config, feed: Row[Any]) -> Head:
    limit = config.limit
    statement = (
        select(entries.c.article, articles.c.digest)
        .join(articles)
        .where(entries.c.feed == feed.id, entries.c.shown)
        .order_by(*query.NEWEST_FIRST)
        .limit(limit + 1)
    )
    rows = connection.execute(statement).all()
    name = ""
    if rows:
        newest = select(articles.c.document).where(articles.c.id == rows[0].article)
        article = decode(connection.execute(newest).scalar_one())
        labels = {(s.kind, s.key): label for s, label, _ in memberships(article, config)}
        name = labels[feed.kind, feed.key]
    hashed = hashlib.blake2b(config.fingerprint().encode(), digest_size=16)
    shown = [tuple(row) for row in rows[:limit]]
    hashed.update(repr((shown, len(rows) > limit, name or feed.name)).encode())
    return Head(hashed.digest(), name, not rows)


def _assign_slugs(connection: Connection, config: Config) -> None:
    """No two public feeds share a slug: whoever comes later gets a suffix, and keeps it.

    What is not public has none, so that it does not show in the suffix of another.
    """
    first = (
        select(func.min(entries.c.published))
        .where(entries.c.feed == feeds.c.id, entries.c.shown)
        .scalar_subquery()
    )
    public = select(feeds, first.label("first")).where(query.PUBLIC, feeds.c.kind != "site")
    rows = {(row.kind, row.key): row for row in connection.execute(public)}
    wanted = {key: config.slug(*key) for key in rows}

    def order(key: FeedKey) -> tuple[Any, ...]:
        """First what the settings say, then what subscribers know, then the older feed."""
        is_set = bool(config.name(Selection(kind=key[0], key=key[1])).slug)
        row = rows[key]
        return not is_set, not row.slug, row.slug != wanted[key], row.first or 0, key

    taken: set[tuple[Kind, str]] = set()
    changes = []
    for kind, key in sorted(rows, key=order):
        slug = wanted[kind, key]
        if (kind, slug) in taken:
            slug = f"{slug}-{short_hash(key)}"
        taken.add((kind, slug))
        if slug != rows[kind, key].slug:
            changes.append({"value": rows[kind, key].id, "slug": slug})
    if changes:
        statement = update(feeds).where(feeds.c.id == bindparam("value"))
        connection.execute(statement.values(slug=bindparam("slug")), changes)
