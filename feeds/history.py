"""The history of a feed: archives of calendar months, and of years for digests (RFC 5005)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_CURSOR = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{32}")
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Return the month of a moment."""
        return cls(year=moment.year, month=moment.month)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the month of text such as `2020-05`; None if it is no month."""
        found = _MONTH.fullmatch(text)
        return cls(year=int(found[1]), month=int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def start(self) -> datetime:
        """The first second of the month."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    def plus(self, months: int) -> Month:
        """Return the month that is so many months later, or earlier."""
        count = self.year * 12 + self.month - 1 + months
        return Month(year=count // 12, month=count % 12 + 1)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The position in a feed just after an entry. Newest entries come first, ties by id."""

    #: When that entry was published.
    published: datetime
    #: The id of that entry in hexadecimal digits.
    id: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the cursor that a part of an address means; None if it means none."""
        if not _CURSOR.fullmatch(text):
            return None
        try:
            moment = datetime.strptime(text[:16], _STAMP)
        except ValueError:  # such as a month 13
            return None
        return cls(published=moment.replace(tzinfo=UTC), id=text[-32:])

    def __str__(self) -> str:
        return f"{self.published:{_STAMP}}-{self.id}"


class AnyArchive:
    """A part of the history of a feed, under the path of its selection."""

    def file(self, suffix: str) -> str:
        """Return its file name."""
        return f"archive/{self}.{suffix}"

    @property
    def page(self) -> str:
        """The folder of its page."""
        return f"archive/{self}/"


@dataclass(frozen=True, kw_only=True)
class Archive(AnyArchive):
    """The entries of a month.

    The current document seldom ends where a month ends. The archive of its last month then
    has the entries after the cursor `before`, which are older than all of the document. So no
    entry is in both, and a reader that follows the archives loses none when articles are added
    or removed meanwhile.
    """

    month: Month
    before: Cursor | None = None

    def __str__(self) -> str:
        return f"{self.month}/{self.before}" if self.before else f"{self.month}"


@dataclass(frozen=True, kw_only=True)
class YearArchive(AnyArchive):
    """The digests of a year, without those that are in the current document."""

    year: int

    def __str__(self) -> str:
        return f"{self.year:04}"


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The archives before and after a document of the same feed."""

    previous: AnyArchive | None = None
    following: AnyArchive | None = None
