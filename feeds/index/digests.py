"""Digests of finished periods: find their stories, and notice when a period is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice, takewhile

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from feeds.config import Config
from feeds.digest import Digest
from feeds.history import AnyArchive, Neighbours, YearArchive
from feeds.index.query import Query
from feeds.index.rows import update_by_id
from feeds.index.schema import entries, feeds, meta
from feeds.periods import FREQUENCIES, Frequency, Period
from feeds.selection import DEFAULT_IN_DIGEST

#: Digests in a current document.
MAX_DIGESTS = 50


class DigestQuery:
    """The digests of one selection in one transaction."""

    def __init__(self, query: Query, config: Config) -> None:
        assert query.selection.frequency
        self._query, self._zone = query, config.zone
        self._frequency: Frequency = query.selection.frequency
        self._limit = query.selection.limit or DEFAULT_IN_DIGEST
        #: The lowest quality of a story in the full digests so far.
        self._least: int | None = None
        #: Periods before it are over.
        self._bound = datetime.fromtimestamp(start_of(self._frequency, query.today, config), UTC)

    def find(self, part: AnyArchive | Period | None) -> tuple[list[Digest], Neighbours, bool]:
        """Return the newest digests, those of an archive, or that of a period that has stories.

        Return also the neighbouring archives, and whether these are all the digests.
        """
        if isinstance(part, Period):
            digest = self._digest(part) if part.end <= self._bound else None
            return [digest] if digest else [], Neighbours(), False
        if isinstance(part, YearArchive):
            return self._archive(part)
        digests = list(islice(self._digests(self._bound), MAX_DIGESTS))
        older = self._year(before=digests[-1].period.start) if digests else None
        # Heat changes all the time, so a selection by heat has no archives.
        has_archives = self._query.selection.min_heat is None
        neighbours = Neighbours(previous=older if has_archives else None)
        return digests, neighbours, older is None and has_archives

    def _archive(self, archive: YearArchive) -> tuple[list[Digest], Neighbours, bool]:
        """Return the digests of a year that are not in the current document."""
        first = Period.first_of(self._frequency, archive.year, self._zone)
        after = Period.first_of(self._frequency, archive.year + 1, self._zone)
        newest = islice(self._periods(self._bound), MAX_DIGESTS)
        oldest = min((period.start for period in newest), default=self._bound)
        digests = self._digests(min(oldest, after.start))
        of_year = takewhile(lambda digest: digest.period.year == archive.year, digests)
        neighbours = Neighbours(
            previous=self._year(before=first.start),
            following=self._year(since=after.start, before=oldest),
        )
        return list(of_year), neighbours, False

    def _periods(self, bound: datetime) -> Iterator[Period]:
        """Yield the periods before a time that have stories, the newest first."""
        while newest := self._query.newest(1, before=bound):
            period = Period.of(self._frequency, newest[0].moment, self._zone)
            yield period
            bound = period.start

    def _year(self, *, before: datetime, since: datetime | None = None) -> YearArchive | None:
        """Return the archive of the newest story before a time, or of the oldest one since one."""
        found = self._query.newest(1, since=since, before=before, reverse=since is not None)
        if not found:
            return None
        return YearArchive(year=Period.of(self._frequency, found[0].moment, self._zone).year)

    def _digests(self, bound: datetime) -> Iterator[Digest]:
        """Yield the digests before a time, the newest first."""
        while period := next(self._periods(bound), None):
            # Mostly the period before has stories too, and need not be looked for.
            while digest := self._digest(period):
                yield digest
                period = period.previous
            bound = period.start

    def _digest(self, period: Period) -> Digest | None:
        start, end, limit = period.start, period.end, self._limit
        # Most periods have enough stories that are as good as those of other periods. To leave
        # out the worse stories takes less time than to sort them.
        best = self._query.best(limit, since=start, before=end, least=self._least)
        if len(best) < limit and self._least is not None:
            best = self._query.best(limit, since=start, before=end)
        if len(best) == limit and (self._least is None or best[-1].quality < self._least):
            self._least = best[-1].quality
        return Digest(period=period, articles=tuple(e.article for e in best)) if best else None


def start_of(frequency: Frequency, second: int, config: Config) -> int:
    """Return the first second of the period of a Unix time; those before it are over."""
    moment = datetime.fromtimestamp(second, UTC)
    return int(Period.of(frequency, moment, config.zone).start.timestamp())


def mark_digests_changed(
    connection: Connection,
    config: Config,
    touched: Mapping[int, int],
    days: tuple[int, int],
    at: int,
) -> bool:
    """Record when digests changed, so that the hub is pinged (`index/pings.py`).

    A digest may show an edited article, and appears when its period is over. `touched` tells by
    the id of a feed when the oldest article that differs there was published, and `days` are the
    old and the new first second of the day. Return whether a digest appeared.
    """
    has_new = False
    for frequency in FREQUENCIES:
        old_bound, new_bound = (start_of(frequency, day, config) for day in days)
        dated = {id: {str(frequency): at} for id, oldest in touched.items() if oldest < new_bound}
        update_by_id(connection, feeds, dated)
        if old_bound < new_bound:
            story = select(entries.c.article).where(
                *(entries.c.feed == feeds.c.id, entries.c.shown),
                *(entries.c.published >= old_bound, entries.c.published < new_bound),
            )
            made = update(feeds).where(story.exists()).values({frequency: at})
            has_new |= connection.execute(made).rowcount > 0
    return has_new


def digest_ends(connection: Connection, config: Config) -> dict[Frequency, int]:
    """Return up to when there are digests, for each frequency that a static site has."""
    today = connection.execute(select(meta.c.today)).scalar_one()
    return {name: start_of(name, today, config) for name in config.digests}
