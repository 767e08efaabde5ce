"""Feeds inside other sites: frames, the custom element and oEmbed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Literal
from urllib.parse import quote

import msgspec

from feeds.selection import Selection

#: The first is that of a frame that names none; `auto` is that of the visitor's system.
THEMES = ("light", "dark", "auto")
#: The frame of a selection, below its page.
FRAME = "embed/"
#: Stories in a frame that does not say how many.
USUAL_STORIES = 5
#: Pixels: the width of a frame in oEmbed if the request sets no bound.
FRAME_WIDTH = 600
#: Pixels, as in the style sheet: the heading, and a story with and without a picture.
HEADING_HEIGHT, ROW_HEIGHT, PLAIN_ROW_HEIGHT = 64, 97, 80
#: The custom element's script, at the top of the site.
SCRIPT = "embed.js"
#: oEmbed's endpoint, at the top of the site.
ENDPOINT = "oembed"


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """How a frame shows its stories."""

    #: One of THEMES.
    theme: str = THEMES[0]
    images: bool = True

    @property
    def parameters(self) -> dict[str, str]:
        """What its address says besides the selection."""
        chosen = {"theme": self.theme} if self.theme != THEMES[0] else {}
        return chosen if self.images else chosen | {"images": "0"}


@dataclass(frozen=True, kw_only=True)
class Snippets:
    """What the owner of a site pastes, and the address of the live preview under the site's."""

    frame: str
    element: str
    page: str
    preview: str
    height: int


def snippets(selection: Selection, title: str, base: str) -> Snippets:
    """The three ways in which a selection gets into another site."""
    page, name = escape(base + selection.address()), escape(title)
    limit = selection.limit or USUAL_STORIES
    element = (
        f'<script src="{escape(base)}/{SCRIPT}" async></script>\n'
        f'<news-feed src="{page}" limit="{limit}"><a href="{page}">{name}</a></news-feed>'
    )
    return Snippets(
        frame=frame(selection, title, base, "100%", height(limit)),
        element=element,
        page=base + selection.address(),
        preview=_address(selection),
        height=height(limit),
    )


def frame(
    selection: Selection, title: str, base: str, width: int | Literal["100%"], tall: int
) -> str:
    """The HTML of a frame; no `style`, which a strict policy of the other site would refuse."""
    address = escape(base + _address(selection))
    return (
        f'<iframe src="{address}" title="{escape(title)}" width="{width}" height="{tall}"'
        ' loading="lazy" frameborder="0"></iframe>'
    )


def _address(selection: Selection) -> str:
    limit = None if selection.limit == USUAL_STORIES else selection.limit
    return replace(selection, limit=limit).address(FRAME)


def height(stories: int) -> int:
    """Pixels that a frame of so many stories takes."""
    return HEADING_HEIGHT + ROW_HEIGHT * stories


def discovery(selection: Selection, base: str) -> str:
    """Where oEmbed tells of a selection's page (oEmbed 1.0 section 4)."""
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
    """The oEmbed 1.0 response of a selection's page, of type `rich`.

    `site` is the site's name, `age` in seconds, the bounds in pixels. No more stories
    than the height has room for, and at least one.
    """
    stories = selection.limit or USUAL_STORIES
    tall, wide = height(stories), FRAME_WIDTH
    if most_high is not None and most_high < tall:
        stories = max(1, (most_high - HEADING_HEIGHT) // ROW_HEIGHT)
        tall = min(height(stories), most_high)
    if most_wide is not None:
        wide = min(wide, most_wide)
    return msgspec.json.encode(
        {
            "version": "1.0",
            "type": "rich",
            "title": title,
            "provider_name": site,
            "provider_url": base + "/",
            "cache_age": age,
            "html": frame(replace(selection, limit=stories), title, base, wide, tall),
            "width": wide,
            "height": tall,
        }
    )
