"""Days, weeks and months of a time zone, each of which may have a digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Self, get_args
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_interval, format_skeleton

from feeds.translations import nearest_locale

Frequency = Literal["daily", "weekly", "monthly"]
FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)
#: Seconds of a day in UTC, as Unix times count them.
SECONDS_PER_DAY = 86_400

#: What makes the name of a period that of its first day (ISO 8601).
_FIRST_DAY = {"daily": "", "weekly": "-1", "monthly": "-01"}


@dataclass(frozen=True, kw_only=True)
class Period:
    """A day, an ISO 8601 week or a calendar month."""

    frequency: Frequency
    #: Its first day.
    first: date
    zone: ZoneInfo

    @classmethod
    def of(cls, frequency: Frequency, moment: datetime, zone: ZoneInfo) -> Self:
        """Return the period of a moment."""
        day = moment.astimezone(zone).date()
        made = cls(frequency=frequency, first=_first(frequency, day), zone=zone)
        # Where clocks are put back across midnight, the date goes back in the new day.
        return made if moment < made.end else made.following

    @classmethod
    def read(cls, frequency: Frequency, text: str, zone: ZoneInfo) -> Self | None:
        """Parse the name of a period, such as 2020-W21 or 2020-w21; return None if it is none."""
        text = text.upper()
        try:
            # ISO 8601 has other spellings of a day, but each period has one name.
            first = date.fromisoformat(text + _FIRST_DAY[frequency])
            made = cls(frequency=frequency, first=first, zone=zone)
            # At both ends of the calendar, one of these overflows.
            return made if made.name == text and made.start <= made.end else None
        except (ValueError, OverflowError):
            return None

    @classmethod
    def first_of(cls, frequency: Frequency, year: int, zone: ZoneInfo) -> Self:
        """Return the first period of a year, which for weeks is a year of ISO 8601."""
        is_week = frequency == "weekly"
        first = date.fromisocalendar(year, 1, 1) if is_week else date(year, 1, 1)
        return cls(frequency=frequency, first=first, zone=zone)

    @property
    def name(self) -> str:
        """Its name in addresses: `2020-05-18`, `2020-W21` or `2020-05`."""
        if self.frequency == "weekly":
            year, week, _ = self.first.isocalendar()
            return f"{year:04}-W{week:02}"
        day = self.first.isoformat()
        return day[:7] if self.frequency == "monthly" else day

    @property
    def year(self) -> int:
        """The year that it belongs to, which for weeks is a year of ISO 8601."""
        return self.first.isocalendar().year if self.frequency == "weekly" else self.first.year

    @property
    def start(self) -> datetime:
        """Its first second. Where clocks skip midnight, this is the moment at which they do."""
        return datetime.combine(self.first, time(), self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first second after it."""
        return self.following.start

    @property
    def following(self) -> Self:
        """The period after it."""
        days = {"daily": 1, "weekly": 7, "monthly": 31}[self.frequency]
        first = _first(self.frequency, self.first + timedelta(days))
        return type(self)(frequency=self.frequency, first=first, zone=self.zone)

    @property
    def previous(self) -> Self:
        """The period before it."""
        return type(self).of(self.frequency, self.start - timedelta(seconds=1), self.zone)

    def title(self, language: str) -> str:
        """Return its dates in a language: `18 May 2020`, `11 to 17 May 2020` or `May 2020`."""
        locale = nearest_locale(language)
        if self.frequency == "daily":
            return format_date(self.first, "long", locale)
        if self.frequency == "monthly":
            return format_skeleton("yMMMM", self.first, locale=locale)
        # To find the nearest of other skeletons takes Babel 2.19 a quarter of a millisecond.
        skeleton = "yMMMMd" if "yMMMMd" in locale.interval_formats else "yMMMd"
        written = format_interval(self.first, self.first + timedelta(6), skeleton, locale=locale)
        # Between them stands a dash, which CLDR puts between thin spaces or none.
        return re.sub(r"\s*\u2013\s*", " to ", written) if locale.language == "en" else written


def _first(frequency: Frequency, day: date) -> date:
    """Return the first day of the period of a day."""
    if frequency == "weekly":
        return day - timedelta(day.weekday())
    return day.replace(day=1) if frequency == "monthly" else day
