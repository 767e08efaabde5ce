"""What the index keeps of an article."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import NamedTuple

import msgspec

from feeds.articles import Article
from feeds.config import Config
from feeds.feed import make_entry
from feeds.selection import EVERYTHING, Kind, Selection, domain_key, fold

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Article).decode


def decode(document: bytes, *, has_update: bool = True) -> Article:
    """The article of a document; without the update that it announces, if that has not come."""
    article = _decode(document)
    return article if has_update else replace(article, updated=None)


#: A feed's kind and key.
FeedKey = tuple[Kind, str]


class IndexedArticle(NamedTuple):
    """An article as it goes between processes and into the index; times are Unix times."""

    stem: str
    #: The hexadecimal digits of its entry's id.
    id: str
    #: Changes with what subscribers can see, but for the time of an update.
    digest: bytes
    #: The article, encoded.
    document: bytes
    #: The feeds that it names, and whether it reaches the threshold of each.
    feeds: dict[FeedKey, bool]
    published: int
    updated: int | None
    quality: int
    heat: int | None
    #: Its type, case and spaces aside; empty where only withdrawn feeds show it.
    type: str


def memberships(article: Article, config: Config) -> list[tuple[Selection, str, int]]:
    """Each feed that an article names, what it calls it, and that feed's threshold."""
    meant = [(EVERYTHING, "")]
    meant += [(Selection(kind="topic", key=fold(topic)), topic) for topic in article.topics]
    domain = domain_key(article.provider.domain)
    meant.append((Selection(kind="provider", key=domain), article.provider.name))
    return [(selection, label, config.threshold(selection)) for selection, label in meant]


def index_article(article: Article, config: Config) -> IndexedArticle:
    """What the index keeps of an article; without feeds where it reaches no threshold."""
    seen = make_entry(replace(article, updated=None), config=config, base="")
    meant = memberships(article, config)
    feeds = {(s.kind, s.key): article.quality >= least for s, _, least in meant}
    shown = [s for s, _, _ in meant if feeds[s.kind, s.key]]
    return IndexedArticle(
        stem=article.stem,
        id=config.entry_id(article.stem).hex,
        digest=hashlib.blake2b(encode(seen), digest_size=16).digest(),
        document=encode(article),
        feeds=feeds if shown else {},
        published=int(article.published.timestamp()),
        updated=int(article.updated.timestamp()) if article.updated else None,
        quality=article.quality,
        heat=article.heat,
        type="" if all(config.name(s).withdrawn for s in shown) else fold(article.type),
    )
