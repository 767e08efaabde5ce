"""The formats in which a feed is written, one module each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from feeds.feed import Feed, Links
from feeds.formats import atom, json_feed, rss


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write a feed."""

    #: The end of its file names, without the dot.
    suffix: str
    content_type: str
    #: Its name for people, in autodiscovery and on pages.
    title: str
    #: Returns the document in UTF-8.
    write: Callable[[Feed, Links], bytes]

    @property
    def file(self) -> str:
        """The file name of the feed, under the path of its selection."""
        return f"feed.{self.suffix}"


#: All formats by their suffix, the preferred one first.
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
