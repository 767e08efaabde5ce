"""The form that makes a feed of a reader's choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import ceil

from feeds.index import Index
from feeds.index.survey import ListedFeed, by_size, qualities
from feeds.pages.plot import Plot, plot
from feeds.search import search_text
from feeds.selection import EVERYTHING, MAX_LIMIT, MAX_SLUG_LENGTH, Selection, fold

#: Boxes of topics or of providers, and names suggested while somebody types another.
MAX_OFFERED, MAX_SUGGESTED = 10, 60
#: Comparing texts takes time: letters of a typed name, and names that all are compared with.
MAX_TYPED, MAX_COMPARED = 100, 1000
#: The polls in a week of a reader that polls twice a day.
POLLS_A_WEEK = 14
#: The limits that are offered are multiples of this.
LIMIT_STEP = 50


@dataclass(frozen=True, kw_only=True)
class Group:
    """A field set of the form, with names of which a reader chooses any."""

    #: The parameter.
    name: str
    #: The value and the label of each box, and whether it is checked.
    options: tuple[tuple[str, str, bool], ...]
    #: Values and labels that the field for another name suggests; without any, there is no field.
    suggested: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class RefusedChoice:
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
    #: How many entries the feed holds.
    holds: int
    refused: tuple[RefusedChoice, ...]

    @property
    def search(self) -> str:
        """Return what the field of words holds: a refused search, or else the chosen one."""
        refused = (choice.written for choice in self.refused if choice.name == "q")
        return next(refused, search_text(self.selection.search))

    @property
    def arriving(self) -> int:
        """Return how many entries come between two polls, where a reader polls twice a day."""
        return ceil(self.plot.qualities.rate(self.plot.cut) / POLLS_A_WEEK)

    @property
    def limit(self) -> int | None:
        """Return the chosen limit, or one that holds half a day, if the default does not."""
        is_chosen = self.selection.limit or self.selection.frequency
        if is_chosen or self.arriving <= self.holds:
            return self.selection.limit
        enough = min(ceil(self.arriving / LIMIT_STEP) * LIMIT_STEP, MAX_LIMIT)
        return enough if enough > self.holds else None


def make_builder(
    index: Index,
    selection: Selection,
    listed: Sequence[ListedFeed],
    refused: Sequence[tuple[str, str]] = (),
) -> Builder:
    """Return the form with all public feeds, those with the most articles first.

    `refused` are the parameters and values that were left out of the selection.
    """
    config, shown = index.config, qualities(index, selection)
    highest = max((quality for quality, _ in qualities(index, EVERYTHING).counts), default=0)
    sized = by_size(listed)
    groups = [
        _group("topic", selection.chosen("topic"), sized, MAX_OFFERED),
        _group("provider", selection.chosen("provider"), sized, MAX_OFFERED),
        _group("exclude", selection.exclude, sized, 0),
    ]
    types, kinds = index.types(), {s.slug for s in selection.types}
    if len(types) > 1 or kinds:
        groups.append(Group(name="type", options=tuple((t, t, t in kinds) for t in types)))
    compared = MAX_COMPARED // max(1, len(refused))
    return Builder(
        selection=selection,
        groups=tuple(groups),
        plot=plot(shown, config.least_quality(selection), selection.min_quality, highest),
        holds=selection.limit or config.limit,
        refused=tuple(_refuse(name, written, sized, compared) for name, written in refused),
    )


def values_of_names(
    listed: Sequence[ListedFeed], typed: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return parameters with their values, where a reader may have typed names instead."""
    known: dict[tuple[str, str], str] = {}
    for parameter in {name for name, _ in typed}:
        choices = _choices(parameter, listed)
        # The first of several with the same name counts: topics stand before providers.
        known |= {(parameter, fold(name)): value for value, name in reversed(choices)}
        # A value means the same as in the address of a feed, even if it is also a name.
        known |= {(parameter, fold(value)): value for value, _ in choices}
    return [
        # To fold a longer text would take time, and it is no name.
        (name, text if len(text) > MAX_SLUG_LENGTH else known.get((name, fold(text)), text))
        for name, text in typed
    ]


def _choices(parameter: str, listed: Iterable[ListedFeed]) -> list[tuple[str, str]]:
    """Return the values that a parameter may have, each with its name."""
    if parameter == "exclude":
        return [(i.selection.exclude_value, i.name) for i in listed if i.selection.kind != "site"]
    return [(i.selection.slug, i.name) for i in listed if i.selection.kind == parameter]


def _group(
    name: str, chosen: Iterable[Selection], listed: Iterable[ListedFeed], offered: int
) -> Group:
    """Return a field set with boxes of what is chosen, and of `offered` others at most."""
    choices = _choices(name, listed)
    checked = {s.exclude_value if name == "exclude" else s.slug: s.slug for s in chosen}
    labels = checked | dict(choices)
    values = [*checked, *(value for value, _ in choices[:offered] if value not in checked)]
    return Group(
        name=name,
        options=tuple((value, labels[value], value in checked) for value in values),
        suggested=tuple(choices[offered : offered + MAX_SUGGESTED]),
    )


def _refuse(name: str, written: str, listed: Iterable[ListedFeed], compared: int) -> RefusedChoice:
    choices = _choices(name, listed)
    labels = dict(choices)
    spelled = {fold(text): choice for choice in reversed(choices[:compared]) for text in choice}
    near = []
    if written not in labels and len(written) <= MAX_TYPED:
        near = get_close_matches(fold(written), spelled)
    return RefusedChoice(
        name=name,
        written=labels.get(written, written),
        is_chosen=written in labels,
        nearest=tuple(dict.fromkeys(spelled[text] for text in near)),
    )
