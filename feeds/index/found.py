"""What the index finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from feeds.articles import Article
from feeds.digest import Digest
from feeds.history import Cursor, Neighbours
from feeds.indexed import FeedKey, decode


@dataclass(frozen=True, kw_only=True)
class Found:
    """Articles of a selection, the newest first and those of one time by id, or its digests."""

    articles: tuple[Article, ...] = ()
    digests: tuple[Digest, ...] = ()
    #: The names of the topics and providers of the selection.
    names: dict[FeedKey, str]
    #: When this last changed, or later.
    changed: datetime
    neighbours: Neighbours
    #: Whether these are all the articles or digests of the selection.
    complete: bool


class FoundArticle(NamedTuple):
    """An article of a selection; the time is a Unix time."""

    id: str
    published: int
    quality: int
    encoded: bytes
    next_change: int | None

    @property
    def article(self) -> Article:
        """The article, decoded."""
        return decode(self.encoded, has_update=not self.next_change)

    @property
    def cursor(self) -> Cursor:
        """The position of this article among those of its selection."""
        return Cursor(published=self.moment, id=self.id)

    @property
    def moment(self) -> datetime:
        """When this article was published."""
        return datetime.fromtimestamp(self.published, UTC)
