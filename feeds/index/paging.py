"""The documents into which the entries of a selection are divided."""

from __future__ import annotations

from collections.abc import Sequence

from feeds.history import Archive, Month, Neighbours
from feeds.index.found import FoundArticle
from feeds.index.query import Query


def current(query: Query, limit: int) -> tuple[list[FoundArticle], Neighbours, bool]:
    """Return the newest entries, the archive of older ones, and whether there are none.

    Heat changes all the time, so a selection by heat has no archives.
    """
    found = query.newest(limit + 1)
    if query.selection.min_heat is not None or len(found) <= limit:
        return found[:limit], Neighbours(), query.selection.min_heat is None
    cursor = found[limit - 1].cursor
    previous = Archive(month=Month.of(cursor.published), before=cursor)
    return found[:limit], Neighbours(previous=previous), False


def of_archive(
    query: Query, archive: Archive, most: int | None
) -> tuple[list[FoundArticle], Neighbours, bool]:
    """Return what `current` does, of an archive: its entries, and the neighbouring archives.

    A month with entries names the months before and after it even if they are empty, so
    that its bytes change with its own entries alone. A month without entries names the
    nearest months that have some. So does a page of `most` entries, because a person has
    no use for empty months.
    """
    month = archive.month
    end = archive.before or month.plus(1).start
    found = query.newest(most and most + 1, since=month.start, before=end)
    older: Month | None = month.plus(-1)
    newer: Month | None = month.plus(1)
    if most or not found:
        older = _month(query.newest(1, before=month.start))
        newer = _month(query.newest(1, since=month.plus(1).start, reverse=True))
    previous = Archive(month=older) if older else None
    if most and len(found) > most:
        found = found[:most]
        previous = Archive(month=month, before=found[-1].cursor)
    following = Archive(month=newer) if newer and not archive.before else None
    return found, Neighbours(previous=previous, following=following), False


def _month(found: Sequence[FoundArticle]) -> Month | None:
    return Month.of(found[0].moment) if found else None
