"""A feed and its entries, in the words of RFC 4287, before any format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from feeds.articles import Article, Image, clean
from feeds.config import Config
from feeds.content import Story, content_html, pictures
from feeds.selection import Selection, fold
from feeds.titles import Names, titles

#: A feed without entries has no date of its own, and nothing defaults to now.
EMPTY_FEED_UPDATED = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A name and its web address (RFC 4287 section 3.2)."""

    name: str
    uri: str


@dataclass(frozen=True, kw_only=True)
class Category:
    """A topic (RFC 4287 section 4.2.2).

    Scheme and term together are its page, except where two names share a slug.
    """

    term: str
    scheme: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An article or a digest as subscribers see it; absolute URLs, times in UTC."""

    id: str
    title: str
    link: str
    published: datetime
    updated: datetime
    author: Person
    categories: tuple[Category, ...] = ()
    #: Plain text.
    summary: str
    #: Safe HTML.
    content: str
    #: The first picture in `content`.
    image: Image | None
    #: All listed pictures, which may be one picture in several sizes.
    images: tuple[Image, ...] = ()
    related: tuple[Story, ...] = ()
    #: Where the story was first seen, if elsewhere than `link`.
    via: str | None = None
    #: The article as an AMP page, at its provider and in a cache.
    amp: str | None = None
    cdn_amp: str | None = None
    #: `article`, `video` or another word of the curator's; `digest` for a digest.
    type: str
    #: The provider's domain; None for a digest, which has stories of several.
    domain: str | None = None


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed's metadata and its entries, newest first."""

    id: str
    title: str
    subtitle: str
    updated: datetime
    author: Person
    #: The feed's page for people; the feed in each format lies under it.
    link: str
    #: A small picture of any type.
    icon: str
    #: A picture of the site, PNG of at most 144 pixels as RSS asks (RSS 2.0, `image`).
    logo: str
    language: str
    entries: tuple[Entry, ...]
    #: Nothing but these entries is in the feed (RFC 5005 section 2).
    complete: bool = False
    #: One part of the feed's history (RFC 5005 section 4).
    archive: bool = False


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where a document is, and its neighbours in the same format (RFC 5005 section 4)."""

    canonical: str
    current: str | None = None
    prev_archive: str | None = None
    next_archive: str | None = None
    #: The hub that sends changes to subscribers (WebSub).
    hub: str | None = None


def make_feed(
    selection: Selection, names: Names, entries: Iterable[Entry], *, config: Config, base: str
) -> Feed:
    """Return the feed of a selection with these entries, the newest first.

    `names` is what articles call its topics and providers, `base` the site's address
    without a final slash.
    """
    entries = tuple(entries)
    title, subtitle = titles(selection, names, config)
    return Feed(
        id=config.feed_id(selection).urn,
        title=title,
        subtitle=subtitle,
        updated=max((e.updated for e in entries), default=EMPTY_FEED_UPDATED),
        author=publisher(config, base),
        link=base + selection.address(),
        icon=base + "/static/icon.svg",
        logo=base + "/apple-touch-icon.png",
        language=config.language,
        entries=entries,
    )


def publisher(config: Config, base: str) -> Person:
    """Return who publishes the site."""
    return Person(name=config.author or config.title, uri=base + "/")


def make_entry(article: Article, *, config: Config, base: str) -> Entry:
    """Return all that subscribers see of an article, and nothing else."""
    related = related_stories(article, config)
    lead, image = pictures(article)
    provider = article.provider
    return Entry(
        id=config.entry_id(article.stem).urn,
        title=article.title,
        link=article.link,
        published=article.published,
        updated=article.updated or article.published,
        author=Person(name=provider.name, uri=clean.uri(f"https://{provider.domain}/")),
        categories=tuple(
            _category(topic, config.slug("topic", fold(topic)), base) for topic in article.topics
        ),
        summary=article.summary or article.title,
        content=content_html(article, lead, related, config.language),
        image=image,
        images=article.images,
        related=related,
        via=article.via,
        amp=article.amp,
        cdn_amp=article.cdn_amp,
        type=article.type,
        domain=provider.domain,
    )


def related_stories(article: Article, config: Config) -> tuple[Story, ...]:
    """Return the other articles on the same story that reach the threshold."""
    return tuple(
        Story(title=r.title, link=r.link, provider=r.provider)
        for r in article.related
        if r.quality >= config.min_quality
    )


def _category(topic: str, term: str, base: str) -> Category:
    # RSS and JSON Feed know no term but the label, and some readers split it at commas.
    label = " ".join(topic.replace(",", " ").split()) or term
    return Category(term=term, scheme=f"{base}/topics/", label=label)
