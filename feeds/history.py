"""The history of a feed: one archive document a calendar month (RFC 5005 section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_BEFORE = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([0-9a-f]{32})")
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The month of a moment."""
        return cls(year=moment.year, month=moment.month)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The month that `2020-05` means; None if it means none."""
        found = _MONTH.fullmatch(text)
        return cls(year=int(found[1]), month=int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def start(self) -> datetime:
        """Its first second."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    def plus(self, months: int) -> Month:
        """The month so many months later, or earlier."""
        count = self.year * 12 + self.month - 1 + months
        return Month(year=count // 12, month=count % 12 + 1)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A place in a feed, just after an entry, newest first and ties by id."""

    #: When that entry was published.
    published: datetime
    #: The hexadecimal digits of its id.
    id: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The place that an address names; None if it names none."""
        found = _BEFORE.fullmatch(text)
        try:
            moment = datetime.strptime(found[1], _STAMP) if found else None
        except ValueError:
            return None
        return cls(published=moment.replace(tzinfo=UTC), id=found[2]) if found and moment else None

    def __str__(self) -> str:
        return f"{self.published:{_STAMP}}-{self.id}"


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The entries of a month.

    A current document seldom ends with a month; the entries of its last month that
    are older than its last one are the archive `before` that place. So no entry stands in
    both, and whatever comes or goes meanwhile, a walk loses none.
    """

    month: Month
    before: Cursor | None = None

    def file(self, suffix: str) -> str:
        """Its file name under a selection's path."""
        return f"{self._name}.{suffix}"

    @property
    def page(self) -> str:
        """The folder of its page under a selection's path."""
        return f"{self._name}/"

    @property
    def _name(self) -> str:
        return f"archive/{self.month}" + (f"/{self.before}" if self.before else "")


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The documents beside one in the history of its feed."""

    previous: Archive | None = None
    following: Archive | None = None
