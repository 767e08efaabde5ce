"""What a selection is called, in the words of its reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from feeds.config import Config
from feeds.selection import EVERYTHING, Kind, Selection

#: What topics and providers are called, by kind and key.
Names = Mapping[tuple[Kind, str], str]


def titles(selection: Selection, names: Names, config: Config) -> tuple[str, str]:
    """A feed's title and subtitle, the curator's where there is one.

    A limit says how many entries a feed has, and nothing of what it is.
    """
    selection = selection.whole
    if selection == EVERYTHING:
        return config.title, config.description or "Every topic and every provider."
    if selection != selection.plain:
        chosen = _choice(selection, names, config)
        return f"{chosen} · {config.title}", f"Articles chosen from {config.title}: {chosen}."
    chosen = _called(selection, names, config)
    relation = "on" if selection.kind == "topic" else "from"
    subtitle = config.name(selection).description or f"Articles {relation} {chosen}."
    return f"{chosen} · {config.title}", subtitle


def _choice(selection: Selection, names: Names, config: Config) -> str:
    """What a reader chose, in words."""

    def listed(group: Iterable[Selection], word: str) -> str:
        return f" {word} ".join(_called(s, names, config) for s in group)

    topics, providers = selection.topics, selection.providers
    if selection.kind == "topic":
        topics = (selection.plain,)
    if selection.kind == "provider":
        providers = (selection.plain,)
    parts = [listed(topics, "or") or ("" if providers else "Everything")]
    parts += [("from " if topics else "") + listed(providers, "or")] if providers else []
    parts += ["only " + listed(selection.types, "or")] if selection.types else []
    if selection.min_quality is not None:
        parts.append(f"quality {selection.min_quality} and up")
    if selection.min_heat is not None:
        parts.append(f"heat {selection.min_heat} and up")
    parts += ["without " + listed(selection.exclude, "and")] if selection.exclude else []
    return ", ".join(part for part in parts if part)


def _called(selection: Selection, names: Names, config: Config) -> str:
    return config.name(selection).title or names.get((selection.kind, selection.key), selection.key)
