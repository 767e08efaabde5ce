"""Which articles a feed holds, and the one address that names it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, urlencode

Kind = Literal["site", "topic", "provider", "type"]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Everything, one topic or one provider, and what a reader narrows it to.

    `choose` makes the one form that a choice has.
    """

    kind: Kind = "site"
    #: A topic's or a type's folded name, or a provider's domain; empty for the site.
    key: str = ""
    #: How addresses write the key.
    slug: str = ""
    #: Any of these, and any of those; each is a plain selection.
    topics: tuple[Selection, ...] = ()
    providers: tuple[Selection, ...] = ()
    types: tuple[Selection, ...] = ()
    #: Topics and providers, none of them.
    exclude: tuple[Selection, ...] = ()
    min_quality: int | None = None
    min_heat: int | None = None
    #: How many entries, if not as many as the settings say.
    limit: int | None = None

    @property
    def path(self) -> str:
        """The canonical path of the selection's page; its feeds lie under it."""
        return "/" if self.kind == "site" else f"/{self.kind}s/{quote(self.slug)}/"

    def address(self, file: str = "", **more: str) -> str:
        """The one path and query of a file; `more` are parameters of its own."""
        return self.path + file + _query([*self._narrowing, *more.items()])

    def address_in(self, path: str) -> str:
        """The one address of what has the selection in its query alone."""
        named = [(self.kind, self.slug)] if self.kind != "site" else []
        return path + _query([*named, *self._narrowing])

    @property
    def _narrowing(self) -> list[tuple[str, str]]:
        named = {"topic": self.topics, "provider": self.providers, "type": self.types}
        pairs = [(name, s.slug) for name, group in named.items() for s in group]
        pairs += [("exclude", s.excluded) for s in self.exclude]
        numbers = {"min_quality": self.min_quality, "min_heat": self.min_heat, "limit": self.limit}
        return pairs + [(name, str(value)) for name, value in numbers.items() if value is not None]

    @property
    def excluded(self) -> str:
        """Its value of `exclude`: a provider's has a dot, because no topic's slug has one.

        A provider without one is written with a final dot, as DNS writes absolute names
        (RFC 1034 section 3.1).
        """
        if self.kind != "provider" or "." in self.slug:
            return self.slug
        return self.key if "." in self.key else f"{self.slug}."

    @property
    def plain(self) -> Selection:
        """The selection before its reader narrowed it."""
        return Selection(kind=self.kind, key=self.key, slug=self.slug)

    @property
    def whole(self) -> Selection:
        """The selection without its limit: what its history belongs to."""
        return replace(self, limit=None)

    @property
    def is_ranked(self) -> bool:
        """Whether quality or heat decide, which change unseen by all other feeds."""
        return self.min_quality is not None or self.min_heat is not None

    @property
    def groups(self) -> list[tuple[Selection, ...]]:
        """What an article must be in: one topic, provider or the site of each group."""
        groups = [self.topics, self.providers]
        if self.kind != "site" or not (self.topics or self.providers):
            groups.insert(0, (self.plain,))
        return [group for group in groups if group]


EVERYTHING = Selection()

#: Letters of a name; a longer one is known by its very address alone, for to spell it
#: otherwise takes time and memory, and anybody makes up such names.
MAX_SLUG_LENGTH = 500


def choose(
    topics: Iterable[Selection] = (),
    providers: Iterable[Selection] = (),
    types: Iterable[Selection] = (),
    exclude: Iterable[Selection] = (),
    *,
    min_quality: int | None = None,
    min_heat: int | None = None,
    limit: int | None = None,
) -> Selection:
    """The selection of any of the topics, of any of the providers, and so on.

    A single topic, or else a single provider, becomes the feed that is narrowed.
    """
    topics, providers, types, exclude = map(_sorted, (topics, providers, types, exclude))
    base = EVERYTHING
    if len(topics) == 1:
        (base,), topics = topics, ()
    elif len(providers) == 1:
        (base,), providers = providers, ()
    return replace(
        base,
        topics=topics,
        providers=providers,
        types=types,
        exclude=exclude,
        min_quality=min_quality,
        min_heat=min_heat,
        limit=limit,
    )


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    query = urlencode(sorted(pairs), quote_via=quote)
    return f"?{query}" if query else ""


def _sorted(names: Iterable[Selection]) -> tuple[Selection, ...]:
    return tuple(sorted(set(names), key=lambda s: (s.slug, s.kind)))


@lru_cache(maxsize=1024)
def fold(name: str) -> str:
    """A topic's key: its name, case and spaces aside (Unicode NFKC and case folding)."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


@lru_cache(maxsize=1024)
def domain_key(domain: str) -> str:
    """A provider's key: its domain in lower case, without `www.` and a final dot."""
    return domain.strip().lower().rstrip(".").removeprefix("www.")


@lru_cache(maxsize=1024)
def slugify(kind: Kind, name: str) -> str:
    """The slug a name has of itself: letters of every script, `C++` as `cplusplus`.

    A provider keeps the dots of its domain. Never empty: a name without letters
    and digits becomes the hash of its key.
    """
    if kind == "provider":
        return re.sub(r"[^\w.]+", "-", domain_key(name)).strip("-.") or short_hash(name)
    key = fold(name)
    spelled = key.replace("+", "plus").replace("#", "sharp")
    # Marks stay: without them many scripts cannot be read.
    letters = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in spelled)
    return "-".join(letters.split()) or short_hash(key)


def short_hash(key: str) -> str:
    """Six hexadecimal digits, the same for the same key everywhere."""
    return hashlib.sha256(key.encode()).hexdigest()[:6]
