"""The formats a feed is written in, one module each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from feeds.feed import Feed, Links
from feeds.formats import atom, json_feed, rss


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write a feed."""

    #: How the files of this format end, without the dot.
    suffix: str
    content_type: str
    #: For people, as autodiscovery titles it.
    title: str
    #: -> UTF-8 bytes.
    write: Callable[[Feed, Links], bytes]

    @property
    def file(self) -> str:
        """The feed's file name under a selection's path."""
        return f"feed.{self.suffix}"


#: By suffix, the preferred one first.
FORMATS = {
    form.suffix: form
    for form in (
        Format(suffix="atom", content_type="application/atom+xml", title="Atom", write=atom.write),
        Format(suffix="rss", content_type="application/rss+xml", title="RSS", write=rss.write),
        Format(
            suffix="json",
            content_type="application/feed+json",
            title="JSON Feed",
            write=json_feed.write,
        ),
    )
}
