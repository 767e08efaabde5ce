"""What the index keeps of an article file."""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from feeds.articles import Article, ArticleError, parse_article
from feeds.articles.clean import prose
from feeds.articles.folder import read_bytes
from feeds.articles.withheld import is_unpublished
from feeds.config import Config
from feeds.feed import make_entry
from feeds.search import terms
from feeds.selection import EVERYTHING, Kind, Selection, domain_key, fold

#: Seconds to wait before each new attempt to read a file that is just being saved.
BUSY_PAUSES = (0.01, 0.03)

#: Bytes of the terms of an article; later ones are left out. PostgreSQL takes no tsvector of
#: more than 1 MiB, and stores four bytes with each term.
MAX_TERMS_SIZE = 200_000

# Of private use, and so in no term: the end of a field, over which no phrase reaches.
_END = "\ue000"

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Article).decode

#: A feed's kind and key.
FeedKey = tuple[Kind, str]
#: The feed of everything.
SITE: FeedKey = (EVERYTHING.kind, EVERYTHING.key)


class State(StrEnum):
    """What became of an article file, in words for people."""

    PUBLIC = "public"
    SCHEDULED = "scheduled"
    BELOW_THRESHOLD = "below the threshold"
    NOT_PUBLISHED = "not published"
    AT_FAULT = "at fault"


class IndexedArticle(NamedTuple):
    """An article as it goes between processes and into the index; times are Unix times."""

    stem: str
    #: The hexadecimal digits of its entry's id.
    id: str
    #: A hash of all that subscribers can see, except the time of an update.
    entry_hash: bytes
    #: The article, encoded.
    encoded: bytes
    #: The feeds that it names, and whether it reaches the threshold of each.
    feeds: dict[FeedKey, bool]
    published: int
    updated: int | None
    quality: int
    heat: int | None
    #: Its type, folded; empty where only withdrawn feeds show the article.
    type: str
    #: The terms by which it is found.
    terms: str


class FileResult(NamedTuple):
    """The result of reading a file; it goes between processes."""

    #: A hash of the bytes; empty where the file cannot be read.
    content_hash: bytes
    #: The first fault and its line.
    fault: str | None = None
    line: int | None = None
    #: Whether the file says that the article is not to be published.
    withheld: bool = False
    #: None where the article is withheld or has a fault.
    article: IndexedArticle | None = None
    warnings: tuple[ArticleError, ...] = ()


def read_file(directory: Path, config: Config, file: tuple[str, bytes]) -> FileResult:
    """Read a file, unless its hash is the one that is known.

    `file` is its path relative to `directory`, and the known hash. A file with a plain
    line `published: false` is not parsed, so its faults are not found.
    """
    path, known = file
    try:
        raw = _read_bytes(directory, path)
    except OSError as error:
        return FileResult(b"", f"cannot be read, {error.strerror or error}", 1)
    content_hash = hashlib.sha256(raw).digest()
    if content_hash == known:
        return FileResult(content_hash)
    if is_unpublished(raw):
        return FileResult(content_hash, withheld=True)
    parsed = parse_article(raw, path)
    withheld, warnings = bool(parsed.withheld_reason), parsed.warnings
    if parsed.article is None:
        first = parsed.faults[0]
        return FileResult(content_hash, first.problem, first.line, withheld, warnings=warnings)
    article = None if withheld else index_article(parsed.article, config)
    return FileResult(content_hash, None, None, withheld, article, warnings)


def _read_bytes(directory: Path, path: str) -> bytes:
    for pause in BUSY_PAUSES:
        try:
            return read_bytes(directory, path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(pause)
    return read_bytes(directory, path)


class Membership(NamedTuple):
    """A feed that an article names."""

    selection: Selection
    #: What the article calls the topic or the provider; empty for the feed of everything.
    name: str
    #: The lowest quality of an article that the feed shows.
    threshold: int


def memberships(article: Article, config: Config) -> list[Membership]:
    """Return the feeds that an article names."""
    named = [(EVERYTHING, "")]
    named += [(Selection(kind="topic", key=fold(topic)), topic) for topic in article.topics]
    domain = domain_key(article.provider.domain)
    named.append((Selection(kind="provider", key=domain), article.provider.name))
    return [Membership(s, name, config.threshold(s)) for s, name in named]


def index_article(article: Article, config: Config) -> IndexedArticle:
    """Return what the index keeps of an article; it has no feeds if it reaches no threshold."""
    entry = make_entry(replace(article, updated=None), config=config, base="")
    named = memberships(article, config)
    shown = [m.selection for m in named if article.quality >= m.threshold]
    feeds = {(m.selection.kind, m.selection.key): article.quality >= m.threshold for m in named}
    return IndexedArticle(
        stem=article.stem,
        id=config.entry_id(article.stem).hex,
        entry_hash=hashlib.blake2b(encode(entry), digest_size=16).digest(),
        encoded=encode(article),
        feeds=feeds if shown else {},
        published=int(article.published.timestamp()),
        updated=int(article.updated.timestamp()) if article.updated else None,
        quality=article.quality,
        heat=article.heat,
        type="" if all(config.settings_of(s).withdrawn for s in shown) else fold(article.type),
        terms=article_terms(article, [story.title for story in entry.related]),
    )


def article_terms(article: Article, related: Iterable[str]) -> str:
    """Return the terms of an article, with those of the titles of related stories."""
    fields = (
        *(article.title, article.summary, prose(article.content), article.provider.name),
        *article.topics,
        *related,
    )
    made = f" {_END} ".join(filter(None, (" ".join(terms(field)) for field in fields)))
    if len(made.encode()) > MAX_TERMS_SIZE:
        # The last term may be cut.
        made = made.encode()[:MAX_TERMS_SIZE].decode(errors="ignore").rpartition(" ")[0]
    return made


def decode(encoded: bytes, *, has_update: bool = True) -> Article:
    """Return the article that was encoded, without an announced update that has not come yet."""
    article = _decode(encoded)
    return article if has_update else replace(article, updated=None)
