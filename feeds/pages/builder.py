"""The form that makes a feed of a reader's choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from math import ceil

from feeds.index.survey import Listed, Qualities, by_size
from feeds.pages.plot import Plot
from feeds.search import search_text
from feeds.selection import MAX_LIMIT, Selection, fold

#: Boxes of topics or of providers, and names suggested while somebody types another.
MAX_OFFERED, MAX_SUGGESTED = 10, 60
#: Comparing texts takes time: letters of a typed name, and names that all are compared with.
MAX_TYPED, MAX_COMPARED = 100, 1000
#: The polls in a week of a reader that polls twice a day.
POLLS_A_WEEK = 14
#: The limits that are offered are multiples of this.
LIMIT_STEP = 50


@dataclass(frozen=True, kw_only=True)
class Option:
    """A box to check."""

    value: str
    label: str
    checked: bool


@dataclass(frozen=True, kw_only=True)
class Group:
    """A field set of the form, with names of which a reader chooses any."""

    #: The parameter.
    name: str
    options: tuple[Option, ...]
    #: Values and labels that the field for another name suggests; without any, there is no field.
    suggested: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A typed name that cannot be chosen in its field, or a search that cannot be made."""

    #: The parameter.
    name: str
    written: str
    #: Whether the topic or provider exists, and is chosen in another field too.
    is_chosen: bool
    #: Values and labels of the nearest names.
    nearest: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Builder:
    """The form with a selection, and what the feed of that selection holds."""

    selection: Selection
    groups: tuple[Group, ...]
    plot: Plot
    #: The time over which the rates were counted; None without any articles.
    oldest: datetime | None
    newest: datetime | None
    #: How many entries the feed holds.
    holds: int
    faults: tuple[Fault, ...]

    @property
    def search(self) -> str:
        """Return what the field of words holds: a refused search, or else the chosen one."""
        refused = (fault.written for fault in self.faults if fault.name == "q")
        return next(refused, search_text(self.selection.words))

    @property
    def arriving(self) -> int:
        """Return how many entries come between two polls, where a reader polls twice a day."""
        return ceil(self.plot.rate / POLLS_A_WEEK)

    @property
    def limit(self) -> int | None:
        """Return the chosen limit, or one that holds half a day, if the usual one does not."""
        is_chosen = self.selection.limit or self.selection.frequency
        if is_chosen or self.arriving <= self.holds:
            return self.selection.limit
        enough = min(ceil(self.arriving / LIMIT_STEP) * LIMIT_STEP, MAX_LIMIT)
        return enough if enough > self.holds else None


def builder(
    selection: Selection,
    listed: Sequence[Listed],
    types: Iterable[str],
    qualities: Qualities,
    plot: Plot,
    usual: int,
    refused: Iterable[tuple[str, str]],
) -> Builder:
    """Return the form with all public feeds, those with the most articles first.

    `usual` is the limit of a feed that has none of its own. `refused` are the parameters and
    values that were left out of the selection, because they are faults.
    """
    sized = by_size(listed)
    found = {k: [i for i in sized if i.selection.kind == k] for k in ("topic", "provider")}
    base = [selection.plain] if selection.kind != "site" else []
    chosen = {
        kind: {s.slug for s in (*base, *named) if s.kind == kind}
        for kind, named in (("topic", selection.topics), ("provider", selection.providers))
    }
    kinds = {s.slug for s in selection.types}
    types, refused = list(types), list(refused)
    compared = MAX_COMPARED // max(1, len(refused))
    groups = [_group(name, found[name], chosen[name]) for name in ("topic", "provider")]
    groups.append(_excluded(selection, [item for item in sized if item.selection.kind != "site"]))
    if len(types) > 1 or kinds:
        options = tuple(Option(value=t, label=t, checked=t in kinds) for t in types)
        groups.append(Group(name="type", options=options))
    return Builder(
        selection=selection,
        groups=tuple(groups),
        plot=plot,
        oldest=qualities.oldest,
        newest=qualities.newest,
        holds=selection.limit or usual,
        faults=tuple(_fault(name, written, sized, compared) for name, written in refused),
    )


def parameter_values(listed: Iterable[Listed]) -> dict[tuple[str, str], str]:
    """Return the values of parameters, by parameter and by value or folded name."""
    written = [
        (parameter, value, item.name)
        for item, s in ((item, item.selection) for item in listed)
        for parameter, value in ((s.kind, s.slug), ("exclude", s.excluded))
    ]
    # The first of several with the same name counts: topics stand before providers.
    names = {(parameter, fold(name)): value for parameter, value, name in reversed(written)}
    # A value means the same as in the address of a feed, even if it is also a name.
    return names | {(parameter, fold(value)): value for parameter, value, _ in written}


def _group(name: str, listed: list[Listed], chosen: set[str]) -> Group:
    offered = {item.selection.slug: item.name for item in listed[:MAX_OFFERED]}
    names = {item.selection.slug: item.name for item in listed}
    slugs = [*sorted(chosen), *(slug for slug in offered if slug not in chosen)]
    return Group(
        name=name,
        options=tuple(
            Option(value=slug, label=names.get(slug, slug), checked=slug in chosen)
            for slug in slugs
        ),
        suggested=tuple(
            (item.selection.slug, item.name)
            for item in listed[MAX_OFFERED : MAX_OFFERED + MAX_SUGGESTED]
        ),
    )


def _fault(name: str, written: str, listed: list[Listed], compared: int) -> Fault:
    options = [
        (item.selection.excluded if name == "exclude" else item.selection.slug, item.name)
        for item in listed
        if item.selection.kind in (("topic", "provider") if name == "exclude" else (name,))
    ]
    labels = dict(options)
    spelled = {fold(text): option for option in reversed(options[:compared]) for text in option}
    near = []
    if written not in labels and len(written) <= MAX_TYPED:
        near = get_close_matches(fold(written), spelled)
    return Fault(
        name=name,
        written=labels.get(written, written),
        is_chosen=written in labels,
        nearest=tuple(dict.fromkeys(spelled[text] for text in near)),
    )


def _excluded(selection: Selection, listed: list[Listed]) -> Group:
    names = {(i.selection.kind, i.selection.key): i.name for i in listed}
    return Group(
        name="exclude",
        options=tuple(
            Option(value=s.excluded, label=names.get((s.kind, s.key), s.slug), checked=True)
            for s in selection.exclude
        ),
        suggested=tuple((item.selection.excluded, item.name) for item in listed[:MAX_SUGGESTED]),
    )
