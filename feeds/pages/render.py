"""The templates and their filters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache, partial
from urllib.parse import quote, urlsplit

from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from feeds import search
from feeds.articles import Image
from feeds.config import Config
from feeds.feed import Entry, Feed
from feeds.formats import FORMATS, opensearch, opml
from feeds.pages import embedding
from feeds.pages.assets import assets
from feeds.pages.plot import format_rate
from feeds.periods import FREQUENCIES
from feeds.selection import domain_key
from feeds.titles import quoted
from feeds.translations import nearest_locale, translations, words_language

#: Dates and numbers of each kind that are kept in words.
MAX_CACHED_VALUES = 1_000


def render(template: str, *, root: str, config: Config, **context: object) -> bytes:
    """Return the HTML of a page; `root` is the address of the site as the page links to it."""
    made = _environment(config.language).get_template(template)
    return made.render(root=root, config=config, **context).encode()


def root_of(address: str) -> str:
    """Return the address of the site, relative to the path and query of a page.

    Links between pages are relative, so that they work at every host and below any path.
    """
    return "../" * (address.partition("?")[0].count("/") - 1) or "./"


@pass_context
def _asset(context: Context, name: str) -> str:
    """Return the address of a static file, relative to that of the site.

    It changes with the file, because caches keep the file long.
    """
    return f"static/{name}?v={assets(context['config'])[name].etag[:8]}"


def _picture(entry: Entry, slot_width: int) -> Image | None:
    """Return the smallest listed picture of twice the width of its slot, or else the largest.

    The width is in CSS pixels, of which many screens have two pixels each.
    """
    sized = sorted((i for i in entry.images if i.width), key=lambda image: image.width or 0)
    if not sized:
        return entry.image
    return next((i for i in sized if (i.width or 0) >= 2 * slot_width), sized[-1])


def _subscribe_links(readers: Iterable[str], feed: str) -> list[tuple[str, str]]:
    """Return the domain of each web reader, and its link that subscribes to a feed."""
    return [(domain_key(urlsplit(r).hostname or ""), r + quote(feed, safe="")) for r in readers]


def _feed_link(feed: str) -> str:
    """Return a link that opens in an app on the device; QuiteRSS mangles `feed:http://`."""
    return f"feed:{feed.removeprefix('http:')}"


def _linked_data(
    feed: Feed, name: str, description: str, base: str, address: str, config: Config
) -> dict[str, object]:
    """Return the list of the stories on a page for search engines, in their order.

    It is JSON-LD in the words of https://schema.org/CollectionPage.
    """
    items = [
        {"@type": "ListItem", "position": position, "url": entry.link, "name": entry.title}
        for position, entry in enumerate(feed.entries, 1)
    ]
    return {
        "@context": "https://schema.org",
        "@type": "CollectionPage",
        "name": name,
        "description": description,
        "url": base + address,
        "inLanguage": config.language,
        "isPartOf": {"@type": "WebSite", "name": config.title, "url": f"{base}/"},
        "mainEntity": {
            "@type": "ItemList",
            "numberOfItems": len(items),
            "itemListElement": items,
        },
    }


@cache
def _environment(language: str) -> Environment:
    """Return the templates with the words, dates and numbers of a language."""
    environment = Environment(
        loader=PackageLoader("feeds.pages"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    translated = translations(language)
    environment.install_gettext_translations(  # type: ignore[attr-defined]  # the extension's
        translated, newstyle=True
    )
    text = cache(lambda message: Markup(translated.gettext(message)))
    words = words_language(language)
    locale = nearest_locale(words)
    # Babel takes some 30 microseconds for a date, and a page of months has one for each.
    cached = lru_cache(MAX_CACHED_VALUES)
    environment.filters |= {
        "day": cached(partial(format_date, format="long", locale=locale)),
        "month": cached(lambda month: format_skeleton("yMMMM", month.start, locale=locale)),
        "months": lambda first, last: format_interval(first, last, "yMMMM", locale=locale),
        "month_name": cached(lambda month: format_date(month.start, "LLLL", locale)),
        "grouped": cached(partial(format_decimal, locale=locale)),
        "picture": _picture,
        "quoted": quoted,
    }
    environment.globals |= {
        # That of Jinja 3.1 makes three calls through the context, which take a fifth of a page.
        "_": lambda message, /, **values: text(message) % values,
        "direction": nearest_locale(language).text_direction,
        "words_lang": "" if words == language else Markup(f' lang="{words}" dir="ltr"'),
        "own_lang": "" if words == language else Markup(f' lang="{language}"'),
        "asset": _asset,
        "FORMATS": FORMATS,
        "FREQUENCIES": FREQUENCIES,
        "OPML": opml.FILE,
        "opensearch": opensearch,
        "embedding": embedding,
        "search_rules": search,
        "linked_data": _linked_data,
        "format_rate": partial(format_rate, locale=locale),
        "subscribe_links": _subscribe_links,
        "feed_link": _feed_link,
    }
    return environment
