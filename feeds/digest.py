"""Digests: entries with the best stories of a finished day, week or month."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import zip_longest

from feeds.articles import Article, Image
from feeds.config import Config
from feeds.content import picture_html, pictures, related_html
from feeds.feed import Entry, publisher, related_stories
from feeds.periods import Period
from feeds.selection import Selection
from feeds.titles import Names, selection_title
from feeds.translations import translations

#: Further stories have no picture, because a mail with many takes long to open.
MAX_PICTURES = 3


@dataclass(frozen=True, kw_only=True)
class Digest:
    """The best stories of a period, the best first."""

    period: Period
    articles: tuple[Article, ...]


def digest_title(selection: Selection, names: Names, period: Period, config: Config) -> str:
    """Return the title of a digest, such as `AI: 11 to 17 May 2020`."""
    phrase = translations(config.language).gettext("%(name)s: %(dates)s")
    name = selection_title(selection, names, config)
    return phrase % {"name": name, "dates": period.title(config.language)}


def digest_entry(
    selection: Selection, names: Names, digest: Digest, *, config: Config, base: str
) -> Entry:
    """Return the entry of a digest; `names` and `base` are as for `make_feed`."""
    period, articles = digest.period, digest.articles
    images = [pictures(article)[1] for article in articles[:MAX_PICTURES]]
    return Entry(
        id=config.digest_id(selection, period).urn,
        title=digest_title(selection, names, period, config),
        link=base + selection.address(f"{period.name}/"),
        published=period.end,
        updated=max([period.end, *(a.updated for a in articles if a.updated)]),
        author=publisher(config, base),
        # A line for each in a mail of plain text; readers that join lines show them apart too.
        summary="\n".join(f"· {article.title}" for article in articles),
        content="\n".join(
            _story(article, image, config) for article, image in zip_longest(articles, images)
        ),
        image=next(filter(None, images), None),
        type="digest",
    )


def _story(article: Article, image: Image | None, config: Config) -> str:
    """Return a story as HTML that needs no style, because mail programs drop styles."""
    link = f'<a href="{escape(article.link)}">{escape(article.title)}</a>'
    parts = [f"<h3>{link}</h3>", f"<p>{escape(article.provider.name)}</p>"]
    if image:
        parts.append(f"<p>{picture_html(image)}</p>")
    if article.summary:
        parts.append(f"<p>{escape(article.summary)}</p>")
    if related := related_stories(article, config):
        parts.append(related_html(related, config.language))
    return "\n".join(parts)
