"""Templates -> HTML."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from feeds.articles import Image
from feeds.feed import Entry
from feeds.formats import FORMATS, opml
from feeds.history import Month
from feeds.pages import embedding
from feeds.pages.assets import asset_address
from feeds.pages.linked_data import linked_data
from feeds.pages.plot import format_rate
from feeds.selection import domain_key

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def render(template: str, address: str, **context: object) -> bytes:
    """The HTML of a page; `address` is its own under the site's.

    Links among pages are relative, so that they hold at every host, and in a folder.
    """
    root = "../" * (address.partition("?")[0].count("/") - 1) or "./"
    made = _TEMPLATES.get_template(template).render(root=root, address=address, **context)
    return made.encode()


@pass_context
def _asset(context: Context, name: str) -> str:
    """Return where a static file of the site is, under the site's address."""
    return asset_address(context["config"], name)


def _picture(entry: Entry, slot_width: int) -> Image | None:
    """Return the smallest listed picture of twice the width of its slot, or else the largest.

    The width is in CSS pixels, of which many screens have two pixels each.
    """
    sized = sorted((i for i in entry.images if i.width), key=lambda image: image.width or 0)
    if not sized:
        return entry.image
    return next((i for i in sized if (i.width or 0) >= 2 * slot_width), sized[-1])


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _month(month: Month) -> str:
    return f"{_MONTHS[month.month - 1]} {month.year}"


def _grouped(number: int) -> str:
    """With a narrow space between thousands (ISO 80000-1)."""
    return f"{number:,}".replace(",", "\u202f")


def _subscribe_links(readers: Iterable[str], feed: str) -> list[tuple[str, str]]:
    """Return the domain of each web reader, and where it subscribes to a feed."""
    return [(domain_key(urlsplit(r).hostname or ""), r + quote(feed, safe="")) for r in readers]


def _feed_link(feed: str) -> str:
    """Return a link that opens in an app on the device; QuiteRSS mangles `feed:http://`."""
    return f"feed:{feed.removeprefix('http:')}"


_TEMPLATES = Environment(
    loader=PackageLoader("feeds.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
_TEMPLATES.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # the extension's
_TEMPLATES.filters |= {"day": _day, "month": _month, "grouped": _grouped, "picture": _picture}
_TEMPLATES.globals |= {
    "asset": _asset,
    "FORMATS": FORMATS,
    "OPML": opml.FILE,
    "embedding": embedding,
    "linked_data": linked_data,
    "format_rate": format_rate,
    "subscribe_links": _subscribe_links,
    "feed_link": _feed_link,
}
