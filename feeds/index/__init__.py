"""The index of articles, which is derived from the files and can be made again from them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from feeds.config import Config
from feeds.digest import Digest
from feeds.history import AnyArchive, Archive
from feeds.index import paging
from feeds.index.digests import DigestQuery
from feeds.index.found import Found, FoundArticle
from feeds.index.query import PUBLIC, Query
from feeds.index.rows import convert
from feeds.index.schema import VERSION, articles, entries, feeds, files, meta
from feeds.index.store import IndexUnavailable, Store
from feeds.periods import Period
from feeds.selection import MAX_SLUG_LENGTH, Kind, Selection, short_hash, slugify

#: Slugs that are compared with one that is not known, to name the nearest.
MAX_SLUGS = 2_000


class Status(NamedTuple):
    """The state that tells whether anything changed; times are Unix times."""

    #: Grows with every change that any document may show.
    revision: int
    #: The time of the last of these changes. It may lie some seconds in the future.
    changed: int
    #: When time alone changes something next; None before the first sync.
    next_change: int | None


@dataclass(frozen=True, kw_only=True)
class Health:
    """The state of the index; counts are of article files and public articles."""

    articles: int
    visible: int
    faults: int
    #: When files were last compared.
    synced: datetime
    #: When the newest public article was published; None without any.
    newest: datetime | None


class Index(Store):
    """The articles that feeds are made of."""

    def __init__(self, url: str | URL, config: Config) -> None:
        super().__init__(url)
        self.config = config

    def status(self) -> Status:
        """Return the state that tells whether anything changed."""
        with self.read_transaction() as connection:
            columns = meta.c.revision, meta.c.changed, meta.c.next_change
            return convert([connection.execute(select(*columns)).one()], Status)[0]

    def changed(self) -> datetime:
        """Return when anything public last changed."""
        return datetime.fromtimestamp(self.status().changed, UTC)

    def find(
        self,
        selection: Selection,
        part: AnyArchive | Period | None = None,
        most: int | None = None,
    ) -> Found | None:
        """Return the newest articles or digests of a selection, or those of a part of it.

        `part` is an archive, or the period of a digest. `most` articles take the place of the
        selection's limit. Return None if the selection is not public.
        """
        with self.read_transaction() as connection:
            query = Query(connection, selection)
            if not query.is_public:
                return None
            stories: list[FoundArticle] = []
            digests: list[Digest] = []
            if selection.frequency:
                digests, neighbours, complete = DigestQuery(query, self.config).find(part)
            elif isinstance(part, Archive):
                stories, neighbours, complete = paging.of_archive(query, part, most)
            else:
                limit = most or selection.limit or self.config.limit
                stories, neighbours, complete = paging.current(query, limit)
            changed = query.site_changed
            if selection == selection.plain and not part:
                changed = query.feeds[selection.kind, selection.key].changed
            return Found(
                articles=tuple(entry.article for entry in stories),
                digests=tuple(digests),
                names={key: row.name for key, row in query.feeds.items()},
                changed=datetime.fromtimestamp(changed, UTC),
                neighbours=neighbours,
                complete=complete,
            )

    def resolve(self, kind: Kind, slug: str) -> Selection | None:
        """Return the public selection that has a slug, or had it formerly."""
        if kind == "type":
            return self._resolve_type(slug)
        statement = select(feeds.c.key, feeds.c.slug).where(feeds.c.kind == kind, PUBLIC)
        with self.read_transaction() as connection:
            for column, value in self._candidates(kind, slug):
                row = connection.execute(statement.where(feeds.c[column] == value)).first()
                if row:
                    return Selection(kind=kind, key=row.key, slug=row.slug)
        return None

    def _candidates(self, kind: Kind, slug: str) -> Iterator[tuple[str, str]]:
        """Yield columns of `feeds` and their values, by which a slug is looked up in turn."""
        # PostgreSQL refuses a NUL even in a comparison, and no slug has a space.
        yield "slug", slug.replace("\0", " ")
        if len(slug) > MAX_SLUG_LENGTH:
            return
        natural = slugify(kind, slug)
        yield "slug", natural
        for key, settings in self.config.settings_by_key(kind).items():
            if natural in (slugify(kind, old) for old in (key, *settings.former)):
                yield "key", key

    def _resolve_type(self, written: str) -> Selection | None:
        if len(written) > MAX_SLUG_LENGTH:
            return None
        wanted = slugify("type", written)
        keys = (key for key in self.types() if slugify("type", key) == wanted)
        return next((Selection(kind="type", key=key, slug=wanted) for key in keys), None)

    def types(self) -> list[str]:
        """Return every type that a public article has or had, in order."""
        with self.read_transaction() as connection:
            types = connection.execute(select(meta.c.types)).scalar_one()
            return msgspec.json.decode(types, type=list[str])

    def slugs(self, kind: Kind, near: str = "") -> list[str]:
        """Return the slugs of public selections of a kind, in order, at most MAX_SLUGS.

        Where there are more, return those with the first letter of `near`.
        """
        statement = select(feeds.c.slug).where(feeds.c.kind == kind, PUBLIC).order_by(feeds.c.slug)
        with self.read_transaction() as connection:
            found = list(connection.execute(statement.limit(MAX_SLUGS + 1)).scalars())
            if len(found) > MAX_SLUGS:
                alike = statement.where(feeds.c.slug.startswith(near[:1], autoescape=True))
                found = list(connection.execute(alike.limit(MAX_SLUGS)).scalars())
        return found

    def health(self) -> Health:
        """Return counts, and when files were last compared.

        Raises IndexUnavailable, also for an index that another version of feeds made.
        """
        with self.read_transaction() as connection:
            row = connection.execute(select(meta.c.synced, meta.c.version)).one()
            if row.version != VERSION:
                raise IndexUnavailable(f"the index is of version {row.version}; run 'feeds index'")
            last = select(func.max(articles.c.text_rowid)).scalar_subquery()
            newest = select(entries.c.published).join(articles).where(articles.c.text_rowid == last)
            second = connection.execute(newest.limit(1)).scalar()
            count = select(func.count())
            public, faulty = articles.c.text_rowid.is_not(None), files.c.fault.is_not(None)
            return Health(
                articles=connection.execute(count.select_from(files)).scalar_one(),
                visible=connection.execute(count.where(public)).scalar_one(),
                faults=connection.execute(count.where(faulty)).scalar_one(),
                synced=datetime.fromtimestamp(row.synced, UTC),
                newest=None if second is None else datetime.fromtimestamp(second, UTC),
            )


def open_index(config: Config, instance: Path | None = None) -> Index:
    """Return the index of a site, by default one for each folder of articles in `instance`."""
    if config.database:
        return Index(config.database, config)
    folder = config.articles.resolve()
    # The name is only for people: it is cut, and unusual characters are replaced.
    name = re.sub(r"[^\w. -]", "-", folder.name)[:50]
    # Bytes that are not UTF-8 are hashed as escape sequences.
    hashed = short_hash(str(folder).encode(errors="backslashreplace").decode())
    path = (instance or instance_folder()) / f"{name}-{hashed}.sqlite3"
    return Index(URL.create("sqlite", database=str(path)), config)


def instance_folder() -> Path:
    """Return the folder of indexes, which is Flask's instance folder for this package.

    It stands beside the package, or under `sys.prefix` where the package is installed.
    """
    root = Path(__file__).absolute().parents[2]
    if root.is_relative_to(sys.prefix):
        return Path(sys.prefix, "var", "feeds-instance")
    return root / "instance"
