"""Days, weeks and months of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from feeds.periods import FREQUENCIES, Frequency, Period

HOUR = timedelta(hours=1)


def moment(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("frequency", "at", "zone", "name", "start", "hours"),
    [
        ("daily", "2020-05-18T02:41", "UTC", "2020-05-18", "2020-05-18T00:00", 24),
        ("weekly", "2020-05-24T23:59:59", "UTC", "2020-W21", "2020-05-18T00:00", 168),
        ("monthly", "2020-02-29T12:00", "UTC", "2020-02", "2020-02-01T00:00", 29 * 24),
        # Clocks are put forward, and back.
        ("daily", "2020-03-29T12:00", "Europe/Berlin", "2020-03-29", "2020-03-28T23:00", 23),
        ("daily", "2020-10-25T12:00", "Europe/Berlin", "2020-10-25", "2020-10-24T22:00", 25),
        ("weekly", "2020-10-25T22:59:59", "Europe/Berlin", "2020-W43", "2020-10-18T22:00", 169),
        ("monthly", "2020-03-31T21:59:59", "Europe/Berlin", "2020-03", "2020-02-29T23:00", 743),
        # The weeks at both ends of a year belong to the year of their Thursday.
        ("weekly", "2021-01-01T00:00", "UTC", "2020-W53", "2020-12-28T00:00", 168),
        ("weekly", "2019-12-30T00:00", "UTC", "2020-W01", "2019-12-30T00:00", 168),
        # Clocks skip midnight, and go back across it: the second midnight starts no day.
        ("daily", "2018-11-04T03:00", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", 23),
        ("daily", "2010-11-07T02:45", "America/St_Johns", "2010-11-07", "2010-11-07T02:30", 25),
        # The day before did not exist there.
        ("daily", "2011-12-30T10:00", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00", 24),
    ],
)
def test_period_of_a_moment(
    frequency: Frequency, at: str, zone: str, name: str, start: str, hours: int
) -> None:
    made = Period.of(frequency, moment(at), ZoneInfo(zone))
    assert (made.name, made.start) == (name, moment(start))
    assert made.start <= moment(at) < made.end == made.start + hours * HOUR
    assert Period.read(frequency, name.lower(), ZoneInfo(zone)) == made
    assert Period.of(frequency, made.end - timedelta(seconds=1), ZoneInfo(zone)) == made
    assert Period.of(frequency, made.end, ZoneInfo(zone)) == made.following


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize(
    "text",
    [
        *("", "2020", "archive", "2020-05-1", "2020-13", "2020-00", "2020-05-32", "20200518"),
        *("2020-W54", "2021-W53", "2020-W00", "2020-W1", "2020W21", "2020-w21-1", "٢٠٢٠-05"),
        *("0000-01", "0001-01-01", "9999-12-31", "9999-12", "9999-W52", "2020-05\n"),
    ],
)
def test_text_that_names_no_period(frequency: Frequency, text: str) -> None:
    assert Period.read(frequency, text, ZoneInfo("Europe/Berlin")) is None


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("year", [1970, 2019, 2020, 2021, 2026])
def test_first_period_of_a_year_is_of_that_year(frequency: Frequency, year: int) -> None:
    first = Period.first_of(frequency, year, ZoneInfo("Asia/Tokyo"))
    assert first.year == year
    before = Period.of(frequency, first.start - timedelta(seconds=1), ZoneInfo("Asia/Tokyo"))
    assert before.year == year - 1


@pytest.mark.parametrize(
    ("language", "name", "title"),
    [
        ("en", "2020-05-18", "18 May 2020"),
        ("en", "2020-05", "May 2020"),
        ("en", "2020-W20", "11 to 17 May 2020"),
        ("en-US", "2020-W20", "May 11 to 17, 2020"),
        ("en", "2020-W18", "27 Apr to 3 May 2020"),
        ("en", "2020-W53", "28 Dec 2020 to 3 Jan 2021"),
        ("de", "2020-05-18", "18. Mai 2020"),
        ("ja", "2020-05", "2020年5月"),
    ],
)
def test_title_is_written_as_people_write_dates(language: str, name: str, title: str) -> None:
    made = (Period.read(frequency, name, ZoneInfo("UTC")) for frequency in FREQUENCIES)
    [period] = filter(None, made)
    assert period.title(language) == title


def test_title_of_a_week_is_written_in_the_language_of_the_site() -> None:
    week = Period.read("weekly", "2020-W20", ZoneInfo("UTC"))
    assert week
    # CLDR decides which dash and which spaces stand between them.
    for language, first, last in (("de", "11.", "17. Mai 2020"), ("fi", "11.", "toukokuuta 2020")):
        title = week.title(language)
        assert title.startswith(first) and title.endswith(last)
