"""What the index keeps of an article: its feeds, and what tells whether it looks different."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from feeds import document
from feeds.articles import Article
from feeds.config import Config
from feeds.selection import EVERYTHING, Kind, Selection, domain_key, fold

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Article).decode

#: A feed's kind and key.
Key = tuple[Kind, str]

# Before any update: an announced one is compared apart, by whether it has come.
_EVER = datetime(1, 1, 1, tzinfo=UTC)


class Placement(NamedTuple):
    """An article as it goes between processes and into the index."""

    stem: str
    #: The hexadecimal digits of its entry's id.
    id: str
    #: Changes with what subscribers can see, but for the time of an update.
    digest: bytes
    #: The article, encoded.
    document: bytes
    #: What the article calls each feed that it is in.
    labels: dict[Key, str]
    #: The topics and providers whose threshold it misses, though not every one's.
    missed: list[Key]
    #: Unix time.
    published: int
    #: When it is published and updated, in whole seconds after which it surely is.
    moments: tuple[int, ...]
    updated: datetime | None
    quality: int
    heat: int | None


def memberships(article: Article, config: Config) -> list[tuple[Selection, str, int]]:
    """Each feed an article is meant for, what it calls it, and that feed's threshold."""
    meant = [(EVERYTHING, "")]
    meant += [(Selection(kind="topic", key=fold(topic)), topic) for topic in article.topics]
    domain = domain_key(article.provider.domain)
    meant.append((Selection(kind="provider", key=domain), article.provider.name))
    return [(selection, label, config.threshold(selection)) for selection, label in meant]


def place(article: Article, config: Config) -> Placement:
    """Where an article belongs."""
    seen = document.entry(article, config=config, base="", now=_EVER)
    meant = memberships(article, config)
    labels = {(s.kind, s.key): label for s, label, least in meant if article.quality >= least}
    missed = [(s.kind, s.key) for s, _, least in meant if article.quality < least]
    moments = {math.ceil(m.timestamp()) for m in (article.published, article.updated) if m}
    names = [Selection(kind=kind, key=key) for kind, key in labels]
    if not all(config.name(name).withdrawn for name in names):
        labels["type", fold(article.type)] = article.type
    return Placement(
        stem=article.stem,
        id=config.entry_id(article.stem).hex,
        digest=hashlib.blake2b(encode(seen), digest_size=16).digest(),
        document=encode(article),
        labels=labels,
        missed=missed if labels else [],
        published=int(article.published.timestamp()),
        moments=tuple(sorted(moments)),
        updated=article.updated,
        quality=article.quality,
        heat=article.heat,
    )
