"""The index of visible articles: derived from the files, and never the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.engine import URL, Connection

from feeds.articles import Article
from feeds.config import Config
from feeds.history import Archive, Neighbours
from feeds.index import noting, statements
from feeds.index.database import Database, IndexUnavailable
from feeds.index.finding import Finder
from feeds.index.statements import public
from feeds.index.tables import VERSION, entries, feeds, files, state
from feeds.placement import decode
from feeds.selection import LONGEST, Kind, Selection, slugify

#: Slugs that are compared with one that is not known.
MOST_KNOWN = 2_000


class Revision(NamedTuple):
    """Counts of changes that the public sees."""

    #: Of what every feed may show.
    visible: int
    #: Of quality and heat, which count where a reader chose by them.
    ranked: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """Articles of a selection, and when that answer changes."""

    articles: tuple[Article, ...]
    #: What the topics and providers of the selection are called, by kind and key.
    names: Mapping[tuple[Kind, str], str]
    #: When a change of files last changed the document, or at the latest did.
    changed: datetime
    #: Whether `changed` is the very time.
    exact: bool
    #: When time alone changes it next: a due article or an announced update.
    due: datetime | None
    beside: Neighbours
    #: Whether these are all the articles of the selection.
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Health:
    """The state of the index; counts are of article files and visible articles."""

    articles: int
    visible: int
    faults: int
    #: When files were last compared.
    synced: datetime
    #: When the newest visible article was published; None without any.
    newest: datetime | None


class Index(Database):
    """The articles that feeds are made of."""

    def __init__(self, url: str | URL, config: Config) -> None:
        super().__init__(url)
        self.config = config

    def revision(self) -> Revision:
        """Numbers that grow with every change of what the public sees."""
        with self.reading() as connection:
            return Revision(*connection.execute(statements.REVISION).one())

    def find(
        self,
        selection: Selection,
        now: datetime,
        archive: Archive | None = None,
        most: int | None = None,
    ) -> Found | None:
        """The newest visible articles of a selection, or those of an archive of it.

        Newest first, ties by id; `most` of them instead of its limit.
        None if the selection is not public.
        """
        with self.reading() as connection:
            finder = Finder(connection, selection, int(now.timestamp()))
            if not finder.is_public:
                return None
            if archive:
                rows, beside, complete = finder.archive(archive, most)
            else:
                limit = selection.limit or self.config.limit
                rows, beside, complete = finder.current(most or limit)
            # Without a newer archive beside it, what comes next may be the first of one.
            is_last = archive and not (archive.before or beside.following)
            dues = [finder.due(None if is_last else archive)]
            names = {key: row.name for key, row in finder.feeds.items()}
            is_within = most is None or most <= self.config.limit
            exact = selection == selection.plain and not archive and is_within
            named = 0
            if rows and selection.whole == selection.plain:
                names[selection.kind, selection.key] = rows[0].label
            else:
                dues.append(finder.renamed())
                named = finder.named
            if exact:
                changed = finder.feeds[selection.kind, selection.key].changed or 0
            else:
                latest = finder.latest if archive else rows[0].published if rows else 0
                changed = max(_changed(connection), latest, named)
            found = tuple(decode(row.document) for row in rows)
        coming = [a.updated for a in found if a.updated and a.updated > now]
        coming += [_moment(due) for due in dues if due is not None]
        return Found(
            articles=found,
            names=names,
            changed=_moment(changed),
            exact=exact,
            due=min(coming, default=None),
            beside=beside,
            complete=complete,
        )

    def since(self, address: str, digest: bytes, candidate: datetime) -> datetime:
        """Since when the document at an address has looked as its digest says.

        `candidate` is when anything that it may show last changed.
        """
        return noting.since(self, address, digest, candidate)

    def resolve(self, kind: Kind, slug: str, now: datetime) -> Selection | None:
        """The public selection that a slug means, or meant in earlier days."""
        with self.reading() as connection:
            for column, value in self._candidates(kind, slug):
                said = {"kind": kind, "value": value, "second": int(now.timestamp())}
                row = connection.execute(statements.public_by(column), said).first()
                if row:
                    return Selection(kind=kind, key=row.key, slug=row.slug)
        return None

    def known(self, kind: Kind, now: datetime, near: str = "") -> list[str]:
        """The slugs of public selections of a kind, in order, MOST_KNOWN at the most.

        Where there are more, those that begin as `near` does.
        """
        of_kind = (feeds.c.kind == kind, public(int(now.timestamp())))
        statement = select(feeds.c.slug).where(*of_kind).order_by(feeds.c.slug)
        with self.reading() as connection:
            slugs = list(connection.execute(statement.limit(MOST_KNOWN + 1)).scalars())
            if len(slugs) > MOST_KNOWN:
                alike = statement.where(feeds.c.slug.startswith(near[:1], autoescape=True))
                slugs = list(connection.execute(alike.limit(MOST_KNOWN)).scalars())
        return slugs

    def _candidates(self, kind: Kind, slug: str) -> Iterator[tuple[str, str]]:
        """Columns of feeds, and what stands in them of the one that is meant."""
        # PostgreSQL refuses a NUL, even to compare with; and no slug has a space.
        yield "slug", slug.replace("\0", " ")
        if len(slug) > LONGEST:
            return
        names = self.config.names(kind)
        natural = slugify(kind, slug)
        yield "slug", natural
        for key, name in names.items():
            if natural in (slugify(kind, old) for old in (key, *name.former)):
                yield "key", key

    def changed(self, now: datetime) -> datetime:
        """When a change of files or an article that came due last changed anything."""
        with self.reading() as connection:
            return _moment(max(_changed(connection), _newest(connection, now) or 0))

    def due(self, now: datetime) -> datetime | None:
        """When the next article of any feed comes due."""
        soonest = _of_types(func.min, entries.c.published > int(now.timestamp()))
        with self.reading() as connection:
            second = connection.execute(soonest).scalar()
        return None if second is None else _moment(second)

    def health(self, now: datetime) -> Health:
        """Counts, and when files were last compared.

        Raises IndexUnavailable, also for an index that another version of feeds made.
        """
        with self.reading() as connection:
            row = connection.execute(select(state.c.synced, state.c.version)).one()
            if row.version != VERSION:
                raise IndexUnavailable(f"the index is of version {row.version}; run 'feeds index'")
            # Every public article is in the feed of its type.
            visible = select(func.count()).where(
                entries.c.feed.in_(select(feeds.c.id).where(feeds.c.kind == "type")),
                entries.c.published <= int(now.timestamp()),
            )
            newest = _newest(connection, now)
            return Health(
                articles=connection.execute(select(func.count()).select_from(files)).scalar_one(),
                visible=connection.execute(visible).scalar_one(),
                faults=connection.execute(
                    select(func.count()).where(files.c.fault.is_not(None))
                ).scalar_one(),
                synced=_moment(row.synced),
                newest=None if newest is None else _moment(newest),
            )


def _changed(connection: Connection) -> int:
    changed: int = connection.execute(select(state.c.changed)).scalar_one()
    return changed


def _newest(connection: Connection, now: datetime) -> int | None:
    come = entries.c.published <= int(now.timestamp())
    newest: int | None = connection.execute(_of_types(func.max, come)).scalar()
    return newest


def _of_types(edge: Callable[[Any], Any], condition: Any) -> Any:
    """The first or the last time of the articles of any type: a look at each type's feed."""
    mine = entries.c.feed == feeds.c.id
    of_each = select(edge(entries.c.published)).where(mine, condition).scalar_subquery()
    return select(edge(of_each)).where(feeds.c.kind == "type")


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
