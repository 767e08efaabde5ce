"""The title of a selection, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from feeds.config import Config
from feeds.search import Search, search_text
from feeds.selection import EVERYTHING, Kind, Selection
from feeds.translations import translations

#: What topics and providers are called, by kind and key.
Names = Mapping[tuple[Kind, str], str]


def titles(selection: Selection, names: Names, config: Config) -> tuple[str, str]:
    """Return a feed's title and subtitle, those of the settings where there are any.

    They do not depend on its limit.
    """
    _ = translations(config.language).gettext
    chosen = selection_title(selection, names, config)
    if selection.frequency:
        title, subtitle = {
            "daily": (_("%(name)s, daily"), _("The best stories of each day")),
            "weekly": (_("%(name)s, weekly"), _("The best stories of each week")),
            "monthly": (_("%(name)s, monthly"), _("The best stories of each month")),
        }[selection.frequency]
        chosen = title % {"name": chosen}
        if selection.stories == EVERYTHING:
            return chosen, subtitle
    elif selection.stories == EVERYTHING:
        return config.title, config.description or _("Every topic and every provider")
    elif selection.stories != selection.plain:
        subtitle = _("Articles chosen from %(site)s") % {"site": config.title}
    else:
        phrase = _("Articles on %(name)s")
        if selection.kind == "provider":
            phrase = _("Articles from %(name)s")
        subtitle = config.settings_of(selection).description or phrase % {"name": chosen}
    return f"{chosen} · {config.title}", subtitle


def selection_title(selection: Selection, names: Names, config: Config) -> str:
    """Return what the stories of a selection are called, without the name of the site."""
    if selection.stories == EVERYTHING:
        return config.title
    if selection.stories == selection.plain:
        return _name(selection, names, config)
    return _choice(selection, names, config)


def _choice(selection: Selection, names: Names, config: Config) -> str:
    """Return in words what a reader chose."""
    _ = translations(config.language).gettext

    def listed(phrase: str, texts: Iterable[str]) -> str:
        return reduce(lambda before, text: phrase % {"list": before, "next": text}, texts)

    def named(phrase: str, group: Iterable[Selection]) -> str:
        return listed(phrase, [_name(s, names, config) for s in group])

    either, both = _("%(list)s or %(next)s"), _("%(list)s and %(next)s")
    topics, providers = selection.chosen("topic"), selection.chosen("provider")
    only = named(either, topics or providers) if topics or providers else ""
    parts = [only or _("Everything")]
    if selection.search:
        phrase = _("“%(words)s” in %(list)s") if only else _("“%(words)s”")
        parts = [phrase % {"words": quoted(selection.search), "list": only}]
    if topics and providers:
        parts.append(_("from %(providers)s") % {"providers": named(either, providers)})
    if selection.types:
        parts.append(_("only %(types)s") % {"types": named(either, selection.types)})
    if selection.min_quality is not None:
        parts.append(_("quality %(quality)d and up") % {"quality": selection.min_quality})
    if selection.min_heat is not None:
        parts.append(_("heat %(heat)d and up") % {"heat": selection.min_heat})
    if selection.exclude:
        parts.append(_("without %(excluded)s") % {"excluded": named(both, selection.exclude)})
    return listed(_("%(list)s, %(next)s"), parts)


def quoted(search: Search) -> str:
    """Return the text of a search, without its own quotation marks if it is one phrase."""
    text = search_text(search)
    return text[1:-1] if len(search) == 1 and text[0] == text[-1] == '"' else text


def _name(selection: Selection, names: Names, config: Config) -> str:
    return config.settings_of(selection).title or names.get(
        (selection.kind, selection.key), selection.key
    )
