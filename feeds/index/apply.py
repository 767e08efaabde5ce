"""Write a plan into the index, with a new time of change for the feeds that look different."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row, func, select, tuple_, update
from sqlalchemy.engine import Connection

from feeds.config import Config
from feeds.index import digests, query
from feeds.index.plan import ArticleRow, EntryRow, Plan
from feeds.index.rows import delete_in, insert, select_in, update_by_id
from feeds.index.schema import articles, entries, feeds, meta
from feeds.index.text_search import assign_rowids, delete_texts, insert_texts, mark_of
from feeds.indexed import SITE, FeedKey, decode, memberships
from feeds.periods import Period
from feeds.selection import Kind, Selection, short_hash


def apply(
    connection: Connection, config: Config, plan: Plan, now: int, *, settings_changed: bool = False
) -> int:
    """Write a plan at a Unix time, and return how many feeds look different.

    With `settings_changed`, every feed is compared, and gets its name and its slug again.
    """
    ids = _write_rows(connection, plan, {SITE} if settings_changed else set())
    state = connection.execute(select(meta)).one()
    # Later than every change before it, because some clients compare dates alone.
    at = max(now, state.changed + 1)
    touched = {} if settings_changed else {ids[key]: old for key, old in plan.touched.items()}
    today = digests.start_of("daily", now, config)
    # A clock that is set back ends no period again, but another time zone moves all of them.
    old_today = today if settings_changed else state.today
    new_today = max(old_today, today)
    values: dict[str, Any] = {"today": new_today}
    changed_feeds = 0
    if plan.touched or settings_changed:
        ids_of_touched = None if settings_changed else [*touched]
        changed_feeds = _date_feeds(connection, config, ids_of_touched, at)
        types = {entry.type for row in plan.inserted for entry in row.entries if entry.shown}
        known = msgspec.json.decode(state.types, type=list[str])
        values["types"] = msgspec.json.encode(sorted({*known, *types} - {""})).decode()
    days = old_today, new_today
    has_new = digests.mark_digests_changed(connection, config, touched, days, at)
    if plan.touched or settings_changed or has_new:
        values["changed"] = at
    if "changed" in values or plan.ranked:
        values["revision"] = state.revision + 1
    values["next_change"] = _next_change(connection, config, new_today)
    connection.execute(update(meta).values(values))
    return changed_feeds


def _write_rows(connection: Connection, plan: Plan, further: set[FeedKey]) -> dict[FeedKey, int]:
    """Write the rows of articles, and return the ids of their feeds and of `further` ones."""
    delete_texts(connection, plan.deleted)
    delete_in(connection, entries.c.article, plan.deleted)
    delete_in(connection, articles.c.id, plan.deleted)
    # In the order of the tables' keys, which takes the least time.
    inserted = sorted(plan.inserted, key=lambda row: row.id)
    published = {row.id: entry.published for row in inserted for entry in row.entries}
    rowids = assign_rowids(connection, published)
    rows = ({**row._asdict(), "text_rowid": rowids.get(row.id)} for row in inserted)
    insert(connection, articles, rows)
    named = {entry.feed for row in inserted for entry in row.entries}
    ids = _feed_ids(connection, named | plan.touched.keys() | further)
    insert(
        connection,
        entries,
        (
            {**entry._asdict(), "feed": ids[entry.feed], "article": row.id}
            for row in inserted
            for entry in row.entries
        ),
    )
    texts = {
        rowids[row.id]: (plan.terms[row.id], [mark_of(ids[e.feed], e.shown) for e in row.entries])
        for row in inserted
        if row.entries
    }
    insert_texts(connection, texts)
    return ids


def _next_change(connection: Connection, config: Config, today: int) -> int:
    """Return when time changes something next: at an article's time, or at the end of the day."""
    soonest = connection.execute(select(func.min(articles.c.next_change))).scalar_one()
    day = Period.of("daily", datetime.fromtimestamp(today, UTC), config.zone)
    midnight = int(day.end.timestamp())
    return min(soonest or midnight, midnight)


def load_articles(connection: Connection, stems: Iterable[str] | None) -> dict[str, ArticleRow]:
    """Return the rows of the articles with these stems, by stem; None stands for all."""
    columns = articles.c["id", "stem", "entry_hash", "encoded", "next_change"]
    rows = list(select_in(connection, select(*columns), articles.c.stem, stems))
    inside: dict[str, set[EntryRow]] = {row.id: set() for row in rows}
    values = entries.c["article", "shown", "published", "quality", "heat", "type"]
    joined = select(feeds.c.kind, feeds.c.key, *values).join(feeds)
    for kind, key, id, *rest in select_in(connection, joined, entries.c.article, inside):
        inside[id].add(EntryRow((kind, key), *rest))
    return {r.stem: ArticleRow(**r._mapping, entries=frozenset(inside[r.id])) for r in rows}


def _feed_ids(connection: Connection, keys: Iterable[FeedKey]) -> dict[FeedKey, int]:
    """Return the id of each feed; feeds without a row get one."""
    wanted = sorted(keys)
    found = _find_ids(connection, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        new = {"slug": "", "name": "", "head": b""}
        insert(connection, feeds, ({"kind": kind, "key": key, **new} for kind, key in missing))
        found |= _find_ids(connection, missing)
    return found


def _find_ids(connection: Connection, keys: list[FeedKey]) -> dict[FeedKey, int]:
    """Return the ids of the feeds that have rows."""
    rows = select_in(connection, select(feeds), tuple_(feeds.c.kind, feeds.c.key), keys)
    return {(row.kind, row.key): row.id for row in rows}


def _date_feeds(connection: Connection, config: Config, ids: list[int] | None, at: int) -> int:
    """Set `changed` of the feeds that look different, and count them; None stands for all feeds."""
    changes: dict[int, dict[str, Any]] = {}
    has_new = False
    for row in list(select_in(connection, select(feeds), feeds.c.id, ids)):
        head, name = _read_head(connection, config, row)
        is_new = row.changed is None
        if head == row.head or (is_new and name is None and row.kind != "site"):
            continue
        changes[row.id] = {"head": head, "name": name or row.name, "changed": at}
        has_new |= is_new
    update_by_id(connection, feeds, changes)
    if has_new or ids is None:
        _assign_slugs(connection, config)
    return len(changes)


def _read_head(connection: Connection, config: Config, feed: Row[Any]) -> tuple[bytes, str | None]:
    """Return a hash of what the current document of a feed shows, and the feed's name.

    The name is the one that the newest article gives it, or None without articles.
    """
    limit = config.limit
    statement = (
        select(entries.c.article, articles.c.entry_hash)
        .join(articles)
        .where(entries.c.feed == feed.id, entries.c.shown)
        .order_by(*query.NEWEST_FIRST)
        .limit(limit + 1)
    )
    rows = connection.execute(statement).all()
    name = None
    if rows:
        newest = select(articles.c.encoded).where(articles.c.id == rows[0].article)
        article = decode(connection.execute(newest).scalar_one())
        names = {(m.selection.kind, m.selection.key): m.name for m in memberships(article, config)}
        name = names[feed.kind, feed.key]
    hashed = hashlib.blake2b(config.fingerprint().encode(), digest_size=16)
    shown = [tuple(row) for row in rows[:limit]]
    hashed.update(repr((shown, len(rows) > limit, name or feed.name)).encode())
    return hashed.digest(), name


def _assign_slugs(connection: Connection, config: Config) -> None:
    """Give each public feed a slug of its own.

    Where two want the same slug, the later one gets a suffix, and keeps it. A feed that is
    not public has no slug, so that no suffix of another feed shows that it exists.
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
        """Slugs of the settings come first, then those that are in use, then older feeds."""
        is_set = bool(config.settings_of(Selection(kind=key[0], key=key[1])).slug)
        row = rows[key]
        return not is_set, not row.slug, row.slug != wanted[key], row.first or 0, key

    taken: set[tuple[Kind, str]] = set()
    changes: dict[int, dict[str, Any]] = {}
    for kind, key in sorted(rows, key=order):
        slug = wanted[kind, key]
        if (kind, slug) in taken:
            slug = f"{slug}-{short_hash(key)}"
        taken.add((kind, slug))
        if slug != rows[kind, key].slug:
            changes[rows[kind, key].id] = {"slug": slug}
    update_by_id(connection, feeds, changes)
