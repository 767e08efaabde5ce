"""The statements that find articles, each built once: building costs more than running."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)

from feeds.index.tables import articles, entries, feeds, missed, state

#: A limit that is none.
ALL = 1 << 60
#: Articles that are sorted rather than all others gone through.
FEW = 2_000
#: Statements of each sort that are kept, and those kept compiled: whoever asks decides on
#: their forms, and one of many feeds takes a megabyte.
_KEPT, STATEMENTS = 64, 100

_second: ColumnElement[int] = bindparam("second")
_quality: ColumnElement[int] = bindparam("quality")
_visible = entries.c.published <= _second


class Shape(NamedTuple):
    """Which conditions narrow a feed; what they say are parameters."""

    #: How many feeds each group has, of each of which an article must be in one.
    groups: tuple[int, ...]
    #: How many names are excluded, and how many feeds they have.
    exclude: int
    out: int
    quality: bool
    heat: bool


#: A feed as it is.
PLAIN = Shape(groups=(), exclude=0, out=0, quality=False, heat=False)


def public(second: int | None = None) -> Any:
    """Only what has or had a visible article exists in public."""
    mine = entries.c.feed == feeds.c.id
    visible = _visible if second is None else entries.c.published <= second
    return or_(feeds.c.changed.is_not(None), select(entries.c.feed).where(mine, visible).exists())


REVISION = select(state.c.revision, state.c.ranked)


@lru_cache(_KEPT)
def public_by(column: str) -> Select[Any]:
    """The key and slug of the public feed of `kind` whose `column` is `value`, at `second`."""
    meant = (feeds.c.kind == bindparam("kind"), feeds.c[column] == bindparam("value"))
    return select(feeds.c.key, feeds.c.slug).where(*meant, public())


@lru_cache(_KEPT)
def named(count: int) -> Select[Any]:
    """The public feeds of the numbered pairs `kind` and `key`, at `second`.

    Its newest article names a feed, `latest`; one without any keeps the name that it had.
    """
    newest = [
        select(column)
        .where(entries.c.feed == feeds.c.id, _visible)
        .order_by(entries.c.published.desc(), entries.c.article)
        .limit(1)
        .scalar_subquery()
        for column in (entries.c.label, entries.c.published)
    ]
    names = (func.coalesce(newest[0], feeds.c.name).label("name"), newest[1].label("latest"))
    columns = (feeds.c.id, feeds.c.kind, feeds.c.key, feeds.c.changed, *names)
    return select(*columns).where(_names(feeds, count), public())


@lru_cache(_KEPT)
def renamed(count: int) -> CompoundSelect[Any]:
    """When after `second` an article comes that calls each `feed` other than its `name`."""
    published, label = entries.c.published, entries.c.label
    return _each(
        count,
        lambda feed: select(func.min(published).label("at")).where(
            entries.c.feed == bindparam(feed),
            published > _second,
            label != bindparam(feed.replace("feed", "name")),
        ),
    )


@lru_cache(_KEPT)
def newest(
    shape: Shape = PLAIN,
    part: Literal["all", "rest"] = "all",
    documents: bool = True,
    few: bool = False,
    feed: str = "feed",
) -> Select[Any]:
    """The newest `limit` articles of `feed` published between `above` and `below`.

    With `rest`, only what comes after the article `after` of the time `at`. With `few`,
    those of the chosen quality are gone through and sorted, instead of all in order.
    """
    entry = (entries.c.article.label("id"), entries.c.published, entries.c.quality, entries.c.label)
    statement = select(*entry)
    if documents:
        document = (articles.c.digest, articles.c.document)
        statement = select(*entry, *document).join_from(entries, articles)
    # What is added keeps a database from going through the index of times.
    published = entries.c.published + literal(0) if few else entries.c.published
    conditions = [*_within(published, feed), *_narrowed(shape)]
    if part == "rest":
        at: ColumnElement[int] = bindparam("at")
        later = entries.c.article > bindparam("after")
        conditions += [entries.c.published <= at, or_(entries.c.published < at, later)]
    return (
        statement.where(*conditions)
        .order_by(published.desc(), entries.c.article)
        .limit(bindparam("limit"))
    )


@lru_cache(_KEPT)
def newest_of_each(
    count: int, shape: Shape, part: Literal["all", "rest"], few: bool
) -> CompoundSelect[Any]:
    """The newest `limit` articles of each of the numbered feeds, without documents."""
    return _each(count, lambda feed: newest(shape, part, False, few, feed))


@lru_cache(_KEPT)
def count(feeds: int, quality: bool) -> Select[Any]:
    """How many articles the numbered feeds have, or those of `quality`; `most` at the most."""
    some = select(entries.c.article).where(entries.c.feed.in_(_numbered("feed", feeds)))
    if quality:
        some = some.where(entries.c.quality >= _quality)
    return select(func.count()).select_from(some.limit(bindparam("most")).subquery())


@lru_cache(_KEPT)
def documents(count: int) -> Select[Any]:
    """The documents of so many articles, the numbered `id`."""
    ids = _numbered("id", count)
    return select(articles.c.id, articles.c.document).where(articles.c.id.in_(ids))


@lru_cache(_KEPT)
def edges(count: int, shape: Shape, earliest: bool) -> CompoundSelect[Any]:
    """When each feed's first or last article between `above` and `below` is published."""
    column, narrowed = entries.c.published, _narrowed(shape)
    order = column.asc() if earliest else column.desc()
    statement = select(column).order_by(order).limit(1)
    return _each(count, lambda feed: statement.where(*_within(column, feed), *narrowed))


def _each(count: int, make: Callable[[str], Select[Any]]) -> CompoundSelect[Any]:
    """One statement for all of the numbered feeds: a round trip costs more than it does."""
    parts = [make(f"feed{number}").subquery() for number in range(count)]
    return union_all(*(select(part) for part in parts))


def _numbered(name: str, count: int) -> list[Any]:
    # Not `expanding`: that compiles a part of the statement at each execution.
    return [bindparam(f"{name}{number}") for number in range(count)]


def _names(table: Any, count: int) -> ColumnElement[bool]:
    pairs = zip(_numbered("kind", count), _numbered("key", count), strict=True)
    return or_(*(and_(table.c.kind == kind, table.c.key == key) for kind, key in pairs))


def _within(published: ColumnElement[int], feed: str) -> list[ColumnElement[bool]]:
    mine = entries.c.feed == bindparam(feed)
    return [mine, published > bindparam("above"), published < bindparam("below")]


def _narrowed(shape: Shape) -> list[ColumnElement[bool]]:
    """What an article must be besides being in a feed."""
    article, other = entries.c.article, entries.alias()
    inside = select(other.c.article).where(other.c.article == article)
    conditions: list[ColumnElement[bool]] = [
        inside.where(other.c.feed.in_(_numbered(f"group{number}_", size))).exists()
        for number, size in enumerate(shape.groups)
    ]
    if shape.exclude:
        below = select(missed.c.article).where(missed.c.article == article)
        conditions.append(~below.where(_names(missed, shape.exclude)).exists())
    if shape.out:
        conditions.append(~inside.where(other.c.feed.in_(_numbered("out", shape.out))).exists())
    if shape.quality:
        conditions.append(entries.c.quality >= _quality)
    if shape.heat:
        conditions.append(entries.c.heat >= bindparam("heat"))
    return conditions
