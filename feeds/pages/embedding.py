"""Feeds inside other sites: frames, the custom element and oEmbed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Literal
from urllib.parse import quote

import msgspec

from feeds.selection import Selection

#: The themes of frames: the first is the default, `auto` follows the system of the visitor.
THEMES = ("light", "dark", "auto")
#: The path of a frame, below the page of its selection.
FRAME = "embed/"
#: Stories in a frame without a limit.
DEFAULT_STORIES = 5
#: Pixels: the width of a frame in oEmbed if the request sets no bound.
FRAME_WIDTH = 600
#: Pixels, as in the style sheet: the heading, and a story with and without a picture.
HEADING_HEIGHT, ROW_HEIGHT, PLAIN_ROW_HEIGHT = 64, 97, 80
#: The script of the custom element, at the top of the site.
SCRIPT = "embed.js"
#: The endpoint of oEmbed, at the top of the site.
ENDPOINT = "oembed"


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """How a frame shows its stories."""

    #: One of THEMES.
    theme: str = THEMES[0]
    images: bool = True

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of its address besides those of the selection."""
        chosen = {"theme": self.theme} if self.theme != THEMES[0] else {}
        return chosen if self.images else chosen | {"images": "0"}


def element(selection: Selection, title: str, base: str) -> str:
    """Return the HTML of the custom element that shows a selection on another site."""
    page = escape(base + selection.address())
    return (
        f'<script src="{escape(base)}/{SCRIPT}" async></script>\n'
        f'<news-feed src="{page}" limit="{selection.limit or DEFAULT_STORIES}">'
        f'<a href="{page}">{escape(title)}</a></news-feed>'
    )


def frame(
    selection: Selection, title: str, base: str, width: int | Literal["100%"], height: int
) -> str:
    """Return the HTML of a frame, without `style`, which a strict CSP of the other site refuses."""
    address = escape(base + frame_address(selection))
    return (
        f'<iframe src="{address}" title="{escape(title)}" width="{width}" height="{height}"'
        ' loading="lazy" frameborder="0"></iframe>'
    )


def frame_address(selection: Selection) -> str:
    """Return the path and query of the frame with the stories of a selection."""
    limit = None if selection.limit == DEFAULT_STORIES else selection.limit
    return replace(selection, limit=limit).address(FRAME)


def frame_height(stories: int) -> int:
    """Return the height in pixels of a frame with so many stories."""
    return HEADING_HEIGHT + ROW_HEIGHT * stories


def discovery(selection: Selection, base: str) -> str:
    """Return the oEmbed address of the page of a selection (oEmbed 1.0 section 4)."""
    page = quote(base + selection.address(), safe="")
    return f"{base}/{ENDPOINT}?format=json&url={page}"


def oembed(
    selection: Selection,
    title: str,
    base: str,
    site: str,
    *,
    age: int,
    most_wide: int | None,
    most_high: int | None,
) -> bytes:
    """Return the oEmbed 1.0 response for the page of a selection, of type `rich`.

    `site` is the name of the site, `age` is in seconds, and the bounds are in pixels. The
    frame has as many stories as fit into the height, and at least one.
    """
    stories = selection.limit or DEFAULT_STORIES
    height, width = frame_height(stories), FRAME_WIDTH
    if most_high is not None and most_high < height:
        stories = max(1, (most_high - HEADING_HEIGHT) // ROW_HEIGHT)
        height = min(frame_height(stories), most_high)
    if most_wide is not None:
        width = min(width, most_wide)
    return msgspec.json.encode(
        {
            "version": "1.0",
            "type": "rich",
            "title": title,
            "provider_name": site,
            "provider_url": base + "/",
            "cache_age": age,
            "html": frame(replace(selection, limit=stories), title, base, width, height),
            "width": width,
            "height": height,
        }
    )
