"""What the curator says of topics and providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yaml import MappingNode, Node, ScalarNode

from feeds import checks
from feeds.articles import front_matter
from feeds.articles.front_matter import FrontMatterError, line_of
from feeds.selection import Kind, domain_key, fold


@dataclass(frozen=True, kw_only=True)
class Name:
    """What the curator says of one topic or provider; all of it optional."""

    slug: str = ""
    title: str = ""
    description: str = ""
    min_quality: int | None = None
    #: Slugs of earlier days: each answers 301 for ever.
    former: tuple[str, ...] = ()
    #: Taken away on purpose: its feeds answer 410.
    withdrawn: bool = False


def names(kind: Kind) -> Callable[[Node], Mapping[str, Name]]:
    """A map from topics or providers, by key, to what is said of each."""

    def check(node: Node) -> Mapping[str, Name]:
        if isinstance(node, ScalarNode):  # an environment variable's form
            node = front_matter.read_front_matter(node.value)
        if not isinstance(node, MappingNode):
            raise ValueError("must be a map from names to their settings")
        found: dict[str, Name] = {}
        for name, settings in node.value:
            key = key_of(kind, name.value)
            if key in found:
                raise ValueError(f"{name.value!r} stands twice, keep one")
            found[key] = _name(kind, name.value, settings)
        # The settings' fingerprint tells no order from another.
        return dict(sorted(found.items()))

    return check


def _name(kind: Kind, name: str, node: Node) -> Name:
    if not isinstance(node, MappingNode):
        raise ValueError(f"{name}: must be a map of settings")
    known: dict[str, Callable[[Node], Any]] = {
        "slug": checks.slug(kind),
        "title": checks.text,
        "description": checks.text,
        "min_quality": checks.number(-(10**6), 10**6),
        "former": checks.texts,
        "withdrawn": checks.yes,
    }
    values: dict[str, Any] = {}
    for key, value in node.value:
        setting = key.value
        if setting not in known:
            problem = f"{name}: {setting!r} is not known, known are {', '.join(known)}"
            raise FrontMatterError(line_of(value), problem)
        try:
            values[setting] = known[setting](value)
        except ValueError as error:
            raise FrontMatterError(line_of(value), f"{name}: {setting} {error}") from error
    return Name(**values)


def key_of(kind: Kind, name: str) -> str:
    """The key under which a topic or a provider is known."""
    return domain_key(name) if kind == "provider" else fold(name)
