"""The parameters of addresses, and the selections that they make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NoReturn
from urllib.parse import quote

from flask import abort
from werkzeug.datastructures import MultiDict

from feeds.index import Index
from feeds.index.survey import nearest
from feeds.periods import Frequency
from feeds.search import Search, SearchError, parse_search
from feeds.selection import (
    MAX_IN_DIGEST,
    MAX_LIMIT,
    MAX_SLUG_LENGTH,
    USUAL_IN_DIGEST,
    Kind,
    Selection,
    choose,
    slugify,
)
from feeds.web.errors import BadSearch, Missing

#: Each parameter of a feed, and what it does.
PARAMETERS = {
    "topic": "Any of these topics; repeat it for several.",
    "provider": "Any of these providers; repeat it for several.",
    "exclude": "None of these topics and providers; repeat it for several. "
    "A provider without a dot is written with one at its end: `intranet.`.",
    "q": "Only articles that have all of these [words](#words).",
    "type": "Only articles of this type, such as `video`; repeat it for several.",
    "min_quality": "Only articles whose quality is this or more.",
    "min_heat": "Only articles whose heat is this or more now.",
    "limit": "How many entries, from 1 to 200; how many stories in a digest, from 1 to 50.",
}
#: The parameters that an archive does not take: those of articles, and those of digests.
NOT_IN_ARCHIVES = frozenset({"min_heat", "limit"})
NOT_IN_YEARS = frozenset({"min_heat"})
#: Parameters that other sites add to links, and that feeds ignore. Feeds refuse any other unknown
#: one, because a misspelt parameter would give a subscriber another feed for ever.
TRACKING = frozenset({"fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "ref"})
#: Parameters in one address.
MAX_PARAMETERS = 50
#: Names that an error suggests.
MAX_NEAREST = 3
#: The highest quality or heat that may be chosen; the lowest is its negative.
_MAX_RANK = 10**6

Arguments = MultiDict[str, str]


def known_parameters(
    kind: Kind, archive: bool = False, frequency: Frequency | None = None
) -> list[str]:
    """Return the parameters that the feeds of a kind take."""
    left_out: frozenset[str] = frozenset()
    if archive:
        left_out = NOT_IN_YEARS if frequency else NOT_IN_ARCHIVES
    return [name for name in PARAMETERS if name != kind and name not in left_out]


def refuse_unknown(arguments: Arguments, known: Iterable[str]) -> None:
    """Abort with 400 at a parameter that is neither known here nor added by other sites."""
    listed = ", ".join(known) or "none"
    for name in arguments:
        if name not in known and name not in TRACKING and not name.startswith("utm_"):
            refuse(f"unknown parameter {_shown(name)}, known here: {listed}")


def keep_known(arguments: Arguments, known: Iterable[str]) -> Arguments:
    """Return the parameters that a page knows; `Site.require` then redirects to it without others.

    A link to a page that was shared carries parameters of the site that it was shared on.
    """
    known = set(known)
    return MultiDict(pair for pair in arguments.items(multi=True) if pair[0] in known)


def refuse_many(arguments: Arguments) -> None:
    """Abort with 400 at more parameters than any selection needs."""
    if sum(len(arguments.getlist(name)) for name in arguments) > MAX_PARAMETERS:
        refuse(f"more than {MAX_PARAMETERS} parameters")


def refuse(problem: str) -> NoReturn:
    """Abort with 400."""
    abort(400, problem)


def values(arguments: Arguments, name: str) -> list[str]:
    """Return the values of a parameter, without the empty ones that a form sends."""
    return [value.strip() for value in arguments.getlist(name) if value.strip()]


class SelectionParser:
    """Parses paths and queries into selections, and aborts if they name none."""

    def __init__(self, index: Index, base: str) -> None:
        self._index = index
        self._config = index.config
        self._base = base

    def name(self, kind: Kind, slug: str) -> Selection:
        """Return the topic or provider of a slug."""
        return self._names(kind, [slug])[0]

    def is_known(self, parameter: str, value: str) -> bool:
        """Return whether a value of `topic`, `provider` or `exclude` names something public."""
        if parameter == "exclude":
            return any(self._index.resolve(kind, value) for kind in ("topic", "provider"))
        kind: Kind = "topic" if parameter == "topic" else "provider"
        found = self._index.resolve(kind, value)
        return found is not None and not self._is_withdrawn(kind, value, found)

    def selection(
        self,
        base: Selection,
        arguments: Arguments,
        usual: int,
        frequency: Frequency | None = None,
    ) -> Selection:
        """Return a plain selection, narrowed by parameters; a `usual` limit is left out."""
        most = MAX_LIMIT
        if frequency:
            usual, most = USUAL_IN_DIGEST, MAX_IN_DIGEST
        refuse_many(arguments)
        topics = self._names("topic", values(arguments, "topic"))
        providers = self._names("provider", values(arguments, "provider"))
        topics += [base] if base.kind == "topic" else []
        providers += [base] if base.kind == "provider" else []
        limit = number(arguments, "limit", 1, most)
        wanted = number(arguments, "min_quality", -_MAX_RANK, _MAX_RANK)
        chosen = choose(
            topics,
            providers,
            [self._type(value) for value in values(arguments, "type")],
            [self._excluded(value) for value in values(arguments, "exclude")],
            words=_search(arguments),
            min_heat=number(arguments, "min_heat", -_MAX_RANK, _MAX_RANK),
            limit=None if limit == usual else limit,
            frequency=frequency,
        )
        if wanted is not None and wanted > self._config.least_quality(chosen):
            chosen = replace(chosen, min_quality=wanted)
        for both in chosen.exclude:
            if both in (*topics, *providers):
                refuse(f"{both.kind} {_shown(both.slug)} is chosen and excluded")
        return chosen

    def _names(self, kind: Kind, slugs: list[str]) -> list[Selection]:
        """Return the public topics or providers of some slugs, without those withdrawn."""
        found = {slug: self._index.resolve(kind, slug) for slug in slugs}
        kept = {slug: s for slug, s in found.items() if not self._is_withdrawn(kind, slug, s)}
        if found and not kept:
            abort(410, "this feed was taken away on purpose")
        return [selection or self._not_found((kind,), slug) for slug, selection in kept.items()]

    def _is_withdrawn(self, kind: Kind, slug: str, selection: Selection | None) -> bool:
        if selection:
            return self._config.name(selection).withdrawn
        if len(slug) > MAX_SLUG_LENGTH:
            return False
        natural = slugify(kind, slug)
        return any(
            natural in (slugify(kind, known) for known in (key, name.slug, *name.former))
            for key, name in self._config.names(kind).items()
            if name.withdrawn
        )

    def _excluded(self, slug: str) -> Selection:
        # `Selection.excluded`: a provider's value has a dot, and no topic's has one.
        kinds: tuple[Kind, Kind] = ("provider", "topic") if "." in slug else ("topic", "provider")
        found = (self._index.resolve(kind, slug) for kind in kinds)
        return next(filter(None, found), None) or self._not_found(kinds, slug)

    def _type(self, slug: str) -> Selection:
        found = self._index.resolve("type", slug)
        known = ", ".join(self._index.types()) or "none"
        return found or refuse(f"type {_shown(slug)} is not known, known are: {known}")

    def _not_found(self, kinds: Iterable[Kind], slug: str) -> NoReturn:
        near = {found.slug: found for kind in kinds for found in nearest(self._index, kind, slug)}
        named = tuple(near.values())[:MAX_NEAREST]
        hint = f", nearest: {', '.join(found.slug for found in named)}" if named else ""
        problem = f"no such {' or '.join(sorted(kinds, reverse=True))}: {_shown(slug)}"
        raise Missing(problem, f"{hint}; {self._base}/ lists them all", nearest=named)


def number(arguments: Arguments, name: str, least: int, most: int) -> int | None:
    """Return the whole number in a parameter; None without the parameter."""
    written = _single(arguments, name)
    if written is None:
        return None
    # ASCII: \d alone takes the digits of every script.
    value = int(written) if re.fullmatch(r"[+-]?[0-9]{1,9}", written) else None
    if value is None or not least <= value <= most:
        refuse(f"{name} is {_shown(written)}, must be a whole number from {least} to {most}")
    return value


def _single(arguments: Arguments, name: str) -> str | None:
    written = values(arguments, name)
    if len(written) > 1:
        refuse(f"{name} stands {len(written)} times, once is enough")
    return written[0] if written else None


def _search(arguments: Arguments) -> Search:
    """Return the search in the parameter `q`."""
    written = _single(arguments, "q")
    if written is None:
        return ()
    try:
        return parse_search(written)
    except SearchError as error:
        raise BadSearch(written, error) from error


def _shown(text: str) -> str:
    """Return text of a request for a message: cut, and percent-encoded unless it is a word."""
    text = text[:80]
    return text if re.fullmatch(r"[\w.-]+", text) else quote(text, safe="")
