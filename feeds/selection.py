"""Which articles a feed holds, and its canonical address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, urlencode

from feeds.periods import Frequency
from feeds.search import Search, search_text

Kind = Literal["site", "topic", "provider", "type"]
#: The kinds that articles give names to, and that have settings of their own.
NAMED_KINDS: tuple[Kind, ...] = ("topic", "provider")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The whole site, a topic or a provider, and the conditions by which a reader narrows it.

    Make a narrowed selection with `choose`, so that equal choices are equal selections.
    """

    kind: Kind = "site"
    #: The folded name of a topic or type, or the domain of a provider; empty for the site.
    key: str = ""
    #: The key as it is written in addresses.
    slug: str = ""
    #: An article must be in one selection of each group that is not empty. All are plain.
    topics: tuple[Selection, ...] = ()
    providers: tuple[Selection, ...] = ()
    types: tuple[Selection, ...] = ()
    #: Topics and providers that an article must not be in.
    exclude: tuple[Selection, ...] = ()
    #: What the text of an article must have and must not have.
    search: Search = ()
    min_quality: int | None = None
    min_heat: int | None = None
    #: The number of entries, or of the stories in a digest; None for the default.
    limit: int | None = None
    #: How often there is a digest of the best stories; None for every story as an entry.
    frequency: Frequency | None = None

    @property
    def path(self) -> str:
        """The canonical path of the selection's page, under which its feeds are."""
        path = "/" if self.kind == "site" else f"/{self.kind}s/{quote(self.slug)}/"
        return f"{path}{self.frequency}/" if self.frequency else path

    def address(self, file: str = "", **more: str) -> str:
        """Return the canonical path and query of a file, with `more` as further parameters."""
        return self.path + file + _query([*self._narrowing, *more.items()])

    def address_in(self, path: str) -> str:
        """Return the canonical address of a page that has the whole selection in its query."""
        named: list[tuple[str, str]] = []
        named += [(self.kind, self.slug)] if self.kind != "site" else []
        named += [("frequency", self.frequency)] if self.frequency else []
        return path + _query([*named, *self._narrowing])

    @property
    def _narrowing(self) -> list[tuple[str, str]]:
        named = {"topic": self.topics, "provider": self.providers, "type": self.types}
        pairs = [(name, s.slug) for name, group in named.items() for s in group]
        pairs += [("exclude", s.exclude_value) for s in self.exclude]
        pairs += [("q", search_text(self.search))] if self.search else []
        numbers = {"min_quality": self.min_quality, "min_heat": self.min_heat, "limit": self.limit}
        return pairs + [(name, str(value)) for name, value in numbers.items() if value is not None]

    @property
    def exclude_value(self) -> str:
        """The value of the parameter `exclude` that excludes this topic or provider.

        That of a provider has a dot, which no topic's slug has. A domain without a dot gets
        one at its end, as absolute names have in DNS (RFC 1034 section 3.1).
        """
        if self.kind != "provider" or "." in self.slug:
            return self.slug
        return self.key if "." in self.key else f"{self.slug}."

    @property
    def plain(self) -> Selection:
        """The selection without all that narrows it."""
        return Selection(kind=self.kind, key=self.key, slug=self.slug)

    @property
    def whole(self) -> Selection:
        """The selection whose archives this one links to. A feed of stories drops its limit."""
        return self if self.frequency else replace(self, limit=None)

    @property
    def stories(self) -> Selection:
        """All the stories of the selection, which a digest chooses from."""
        return replace(self, limit=None, frequency=None)

    def digests(self, frequency: Frequency) -> Selection:
        """Return the digests of its stories."""
        return replace(self.stories, frequency=frequency)

    @property
    def has_choices(self) -> bool:
        """Whether a reader narrowed it, so that its address has a query."""
        return bool(self._narrowing)

    @property
    def is_ranked(self) -> bool:
        """Whether quality or heat decides. Their changes do not change the site's other feeds."""
        ranks = self.min_quality, self.min_heat, self.frequency
        return any(rank is not None for rank in ranks)

    def chosen(self, kind: Literal["topic", "provider"]) -> tuple[Selection, ...]:
        """Return the topics or providers in one of which an article must be."""
        if self.kind == kind:
            return (self.plain,)
        return self.topics if kind == "topic" else self.providers

    @property
    def groups(self) -> list[tuple[Selection, ...]]:
        """The groups of selections, of each of which an article must be in at least one."""
        groups = self.chosen("topic"), self.chosen("provider")
        return [group for group in groups if group] or [(self.plain,)]


EVERYTHING = Selection()

#: The highest quality and heat of an article, and so of a choice; the lowest is its negative.
MAX_RANK = 999_999_999
#: The most entries that a feed may hold.
MAX_LIMIT = 200
#: The stories in a digest without a limit, and the most of them.
DEFAULT_IN_DIGEST, MAX_IN_DIGEST = 10, 50

#: Longer names in a request must match literally: normalising them would let a client waste
#: our time and memory.
MAX_SLUG_LENGTH = 500


def choose(
    topics: Iterable[Selection] = (),
    providers: Iterable[Selection] = (),
    types: Iterable[Selection] = (),
    exclude: Iterable[Selection] = (),
    *,
    search: Search = (),
    min_quality: int | None = None,
    min_heat: int | None = None,
    limit: int | None = None,
    frequency: Frequency | None = None,
) -> Selection:
    """Return the selection of articles in any of the topics, in any of the providers, and so on.

    A single topic, or else a single provider, becomes the feed that the rest narrows.
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
        search=search,
        min_quality=min_quality,
        min_heat=min_heat,
        limit=limit,
        frequency=frequency,
    )


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    query = urlencode(sorted(pairs), quote_via=quote)
    return f"?{query}" if query else ""


def _sorted(names: Iterable[Selection]) -> tuple[Selection, ...]:
    return tuple(sorted(set(names), key=lambda s: (s.slug, s.kind)))


@lru_cache(maxsize=1024)
def fold(name: str) -> str:
    """Return a topic's key: its name in Unicode NFKC, with case and white space folded."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


@lru_cache(maxsize=1024)
def domain_key(domain: str) -> str:
    """Return a provider's key: its domain in lower case, without `www.` and a final dot."""
    return domain.strip().lower().rstrip(".").removeprefix("www.")


@lru_cache(maxsize=1024)
def slugify(kind: Kind, name: str) -> str:
    """Return the natural slug of a name, with letters of every script; `C++` is `cplusplus`.

    The slug of a provider keeps the dots of its domain. A name without letters and digits
    has a hash as its slug.
    """
    if kind == "provider":
        return re.sub(r"[^\w.]+", "-", domain_key(name)).strip("-.") or short_hash(name)
    key = fold(name)
    spelled = key.replace("+", "plus").replace("#", "sharp")
    # Combining marks stay, because many scripts cannot be read without them.
    letters = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in spelled)
    return "-".join(letters.split()) or short_hash(key)


def short_hash(key: str) -> str:
    """Return six hexadecimal digits, which are the same for a key everywhere."""
    return hashlib.sha256(key.encode()).hexdigest()[:6]
