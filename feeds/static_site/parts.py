"""The parts of a static site, and what tells whether they changed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import select

import feeds
from feeds.config import Config
from feeds.history import Month
from feeds.index import tables
from feeds.index.survey import listing
from feeds.pages import ENTRIES, NEWEST
from feeds.pages.embedding import STORIES
from feeds.selection import Selection
from feeds.static_site.output import SiteError, file_of
from feeds.static_site.snapshot import Snapshot

#: What the bytes of documents depend on besides the index, the settings and our code.
_LIBRARIES = ("brotli", "feedgen", "jinja2", "lxml", "msgspec")
_CODE = (".py", ".html", ".js", ".css", ".svg")
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is made together: one of these for a part of the site."""

    name: str
    #: Changes with whatever the files show.
    fingerprint: str
    #: None for the pages that show what else there is.
    selection: Selection | None
    #: None for what is current.
    month: Month | None = None
    #: Whether the selection has a history in documents.
    is_long: bool = False
    #: Whether the month has no articles, and only documents lead to it.
    is_gap: bool = False


@dataclass
class _Holding:
    """What a feed holds, the newest first."""

    count: int = 0
    #: What the articles of each month look like; months since year 0.
    months: dict[int, Any] = field(default_factory=lambda: defaultdict(hashlib.blake2b))
    #: The months of the current documents.
    head: set[int] = field(default_factory=set)


def find_tasks(snapshot: Snapshot, now: datetime) -> tuple[list[Task], tuple[str, ...]]:
    """The parts of the site, those of a month beside each other.

    What no file can be named as is told beside them, each with the reason.
    """
    code = _code(snapshot.config)
    holdings = _holdings(snapshot, now)
    with snapshot.reading() as connection:
        rows = {(row.kind, row.key): row for row in connection.execute(select(tables.feeds))}
    made: list[Task] = []
    looks, refused = [], []
    for item in listing(snapshot, now):
        row = rows[item.selection.kind, item.selection.key]
        holding = holdings.get(row.id, _Holding())
        looks.append((item.selection.path, item.name, item.count))
        try:
            file_of(item.selection.path)
        except SiteError as error:
            refused.append(str(error))
            continue
        made += _tasks(item.selection, item.name, holding, snapshot.config.limit, code)
    made.sort(key=lambda task: (str(task.month or ""), task.name))
    everything = _digest(code, looks, [task.fingerprint for task in made])
    return [Task(name="", fingerprint=everything, selection=None), *made], tuple(refused)


def _tasks(
    selection: Selection, name: str, holding: _Holding, limit: int, code: str
) -> Iterator[Task]:
    path, is_long = selection.path, holding.count > limit
    digests = {number: made.digest() for number, made in holding.months.items()}
    months = [*digests]
    head = [digests[number] for number in months if number in holding.head]
    known = (code, path, name, is_long)
    current = Task(
        name=path,
        fingerprint=_digest(known, months, head),
        selection=selection,
        is_long=is_long,
    )
    yield current
    for at, number in enumerate(months):
        beside = months[max(at - 1, 0) : at + 2]
        yield _month_task(current, number, _digest(known, beside, digests[number]))
    if is_long:
        for number in sorted({n + step for n in months for step in (-1, 1)} - {*months}):
            older = max((n for n in months if n < number), default=0)
            newer = min((n for n in months if n > number), default=0)
            mark = _digest(known, older, newer)
            yield _month_task(current, number, mark, is_gap=True)


def _month_task(current: Task, number: int, mark: str, is_gap: bool = False) -> Task:
    month = Month(year=number // 12, month=number % 12 + 1)
    return replace(
        current,
        name=f"{current.name}{month}",
        fingerprint=mark,
        month=month,
        is_gap=is_gap,
    )


def _holdings(snapshot: Snapshot, now: datetime) -> dict[int, _Holding]:
    """What each feed holds, by its number."""
    documents = select(tables.articles.c.id, tables.articles.c.document)
    c = tables.entries.c
    entries = (
        select(c.feed, c.published, c.article, c.label)
        .where(c.published <= int(now.timestamp()))
        .order_by(c.feed, c.published.desc(), c.article)
    )
    later = tables.coming.c.at > int(now.timestamp())
    announced = select(tables.coming.c.article).where(later).distinct()
    most = max(snapshot.config.limit, ENTRIES, NEWEST, STORIES)
    found: dict[int, _Holding] = defaultdict(_Holding)
    with snapshot.reading() as connection:
        digests = {
            id: hashlib.blake2b(document, digest_size=16).digest()
            for id, document in connection.execute(documents).all()
        }
        # Of what is public, the announced updates, which its document has already.
        for id in connection.execute(announced).scalars():
            digests[id] += b"announced"
        for feed, published, article, label in connection.execute(entries).all():
            holding, number = found[feed], _number(published // _DAY)
            holding.months[number].update(digests[article] + label.encode())
            # One more than is shown tells whether there are older ones.
            if holding.count <= most:
                holding.head.add(number)
            holding.count += 1
    return found


@cache
def _number(day: int) -> int:
    moment = datetime.fromtimestamp(day * _DAY, UTC)
    return moment.year * 12 + moment.month - 1


def _code(config: Config) -> str:
    """Changes with the settings, our code and the libraries that bytes depend on."""
    root = Path(feeds.__file__).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in _CODE)
    ours = [(str(p.relative_to(root)), hashlib.sha256(p.read_bytes()).digest()) for p in files]
    return _digest(config.fingerprint(), ours, [version(name) for name in _LIBRARIES])


def _digest(*seen: object) -> str:
    return hashlib.blake2b(repr(seen).encode(), digest_size=16).hexdigest()
