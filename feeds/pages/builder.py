"""The form that makes a feed of a reader's choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feeds.index.survey import Listed, by_size
from feeds.pages.plot import Plot
from feeds.selection import Selection

#: Topics and providers that stand there to be chosen, and those suggested as one types.
OFFERED, SUGGESTED = 10, 60


@dataclass(frozen=True, kw_only=True)
class Option:
    """A box to check."""

    value: str
    label: str
    checked: bool


@dataclass(frozen=True, kw_only=True)
class Group:
    """Names of one sort, of which a reader chooses any."""

    #: The parameter.
    name: str
    legend: str
    hint: str
    options: tuple[Option, ...]
    #: Values and labels for a field that takes any other; none for a group that has no others.
    suggested: tuple[tuple[str, str], ...] = ()
    #: What stands in that field.
    another: str = ""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """The form with a selection chosen, and what comes of it."""

    selection: Selection
    groups: tuple[Group, ...]
    plot: Plot
    #: Parameters that the form has no field for.
    hidden: tuple[tuple[str, int], ...]


def builder(
    selection: Selection, listed: Sequence[Listed], types: Iterable[str], plot: Plot
) -> Builder:
    """The form over all public feeds, those with the most articles first."""
    sized = by_size(listed)
    found = {k: [i for i in sized if i.selection.kind == k] for k in ("topic", "provider")}
    base = [selection.plain] if selection.kind != "site" else []
    chosen = {
        kind: {s.slug for s in (*base, *named) if s.kind == kind}
        for kind, named in (("topic", selection.topics), ("provider", selection.providers))
    }
    kinds = {s.slug for s in selection.types}
    types = list(types)
    groups = [
        _group("topic", "Topics", "any of these", found["topic"], chosen["topic"]),
        _group("provider", "Providers", "any of these", found["provider"], chosen["provider"]),
        _left_out(selection, [item for item in sized if item.selection.kind != "site"]),
    ]
    if len(types) > 1 or kinds:
        options = tuple(Option(value=t, label=t, checked=t in kinds) for t in types)
        groups.append(Group(name="type", legend="Kinds", hint="any of these", options=options))
    numbers = {"min_heat": selection.min_heat, "limit": selection.limit}
    return Builder(
        selection=selection,
        groups=tuple(groups),
        plot=plot,
        hidden=tuple((name, value) for name, value in numbers.items() if value is not None),
    )


def _group(name: str, legend: str, hint: str, listed: list[Listed], chosen: set[str]) -> Group:
    offered = {item.selection.slug: item.name for item in listed[:OFFERED]}
    names = {item.selection.slug: item.name for item in listed}
    slugs = [*sorted(chosen), *(slug for slug in offered if slug not in chosen)]
    return Group(
        name=name,
        legend=legend,
        hint=hint,
        another=f"Another {name}",
        options=tuple(
            Option(value=slug, label=names.get(slug, slug), checked=slug in chosen)
            for slug in slugs
        ),
        suggested=tuple(
            (item.selection.slug, item.name) for item in listed[OFFERED : OFFERED + SUGGESTED]
        ),
    )


def _left_out(selection: Selection, listed: list[Listed]) -> Group:
    names = {(i.selection.kind, i.selection.key): i.name for i in listed}
    return Group(
        name="exclude",
        legend="Leave out",
        hint="none of these",
        another="A topic or provider",
        options=tuple(
            Option(value=s.excluded, label=names.get((s.kind, s.key), s.slug), checked=True)
            for s in selection.exclude
        ),
        suggested=tuple((item.selection.excluded, item.name) for item in listed[:SUGGESTED]),
    )
