"""What somebody may look at whose search finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from feeds.index import Index
from feeds.index.survey import nearest
from feeds.search import Search
from feeds.selection import NAMED_KINDS, Selection

#: Shorter searches that are suggested.
MAX_SHORTER = 3


def suggestions(index: Index, selection: Selection) -> list[Selection]:
    """Return searches with one phrase less that find something, and names like the search."""
    shorter = (s for s in _shorter(selection) if _finds(index, s))
    name = " ".join(word for phrase in _wanted(selection.search) for word in phrase.words)
    near = [s for kind in NAMED_KINDS if name for s in nearest(index, kind, name)]
    return [*islice(shorter, MAX_SHORTER), *near]


def _shorter(selection: Selection) -> Iterator[Selection]:
    search = selection.search
    for at in range(len(search)):
        shorter = search[:at] + search[at + 1 :]
        # A search that only excludes finds nearly everything, and a database takes long for
        # beginnings of words, which are many words.
        if _wanted(shorter) and not any(phrase.is_prefix for phrase in shorter):
            yield replace(selection, search=shorter)


def _finds(index: Index, selection: Selection) -> bool:
    found = index.find(selection, most=1)
    return bool(found and found.articles)


def _wanted(search: Search) -> Search:
    return tuple(phrase for phrase in search if not phrase.is_excluded)
