"""The title of a selection, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from feeds.config import Config
from feeds.search import Search, search_text
from feeds.selection import EVERYTHING, Kind, Selection
from feeds.words import translations

#: What topics and providers are called, by kind and key.
Names = Mapping[tuple[Kind, str], str]


def titles(selection: Selection, names: Names, config: Config) -> tuple[str, str]:
    """Return a feed's title and subtitle, those of the settings where there are any.

    They do not depend on its limit.
    """
    _ = translations(config.language).gettext
    selection = selection.whole
    if selection == EVERYTHING:
        return config.title, config.description or _("Every topic and every provider")
    if selection != selection.plain:
        chosen = _choice(selection, names, config)
        subtitle = _("Articles chosen from %(site)s") % {"site": config.title}
    else:
        chosen = _called(selection, names, config)
        phrase = _("Articles on %(name)s")
        if selection.kind == "provider":
            phrase = _("Articles from %(name)s")
        subtitle = config.name(selection).description or phrase % {"name": chosen}
    return f"{chosen} · {config.title}", subtitle


def _choice(selection: Selection, names: Names, config: Config) -> str:
    """Return in words what a reader chose."""
    _ = translations(config.language).gettext

    def listed(phrase: str, texts: Iterable[str]) -> str:
        return reduce(lambda before, text: phrase % {"list": before, "next": text}, texts)

    def called(phrase: str, group: Iterable[Selection]) -> str:
        return listed(phrase, [_called(s, names, config) for s in group])

    either, both = _("%(list)s or %(next)s"), _("%(list)s and %(next)s")
    topics = (selection.plain,) if selection.kind == "topic" else selection.topics
    providers = (selection.plain,) if selection.kind == "provider" else selection.providers
    named = called(either, topics or providers) if topics or providers else ""
    parts = [named or _("Everything")]
    if selection.words:
        phrase = _("“%(words)s” in %(list)s") if named else _("“%(words)s”")
        parts = [phrase % {"words": quoted(selection.words), "list": named}]
    if topics and providers:
        parts.append(_("from %(providers)s") % {"providers": called(either, providers)})
    if selection.types:
        parts.append(_("only %(types)s") % {"types": called(either, selection.types)})
    if selection.min_quality is not None:
        parts.append(_("quality %(quality)d and up") % {"quality": selection.min_quality})
    if selection.min_heat is not None:
        parts.append(_("heat %(heat)d and up") % {"heat": selection.min_heat})
    if selection.exclude:
        parts.append(_("without %(excluded)s") % {"excluded": called(both, selection.exclude)})
    return listed(_("%(list)s, %(next)s"), parts)


def quoted(search: Search) -> str:
    """Return a search to stand in quotation marks, without those of a lone phrase."""
    text = search_text(search)
    return text[1:-1] if len(search) == 1 and text[0] == text[-1] == '"' else text


def _called(selection: Selection, names: Names, config: Config) -> str:
    return config.name(selection).title or names.get((selection.kind, selection.key), selection.key)
