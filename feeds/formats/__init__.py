"""The formats a feed is written in, one module each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from feeds.document import Feed
from feeds.formats import atom


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write a feed."""

    #: The file name under a selection's path.
    file: str
    content_type: str
    #: For people, as autodiscovery titles it.
    title: str
    #: (feed, its own absolute address) -> UTF-8 bytes.
    write: Callable[[Feed, str], bytes]


FORMATS = {
    "atom": Format(
        file="feed.atom", content_type="application/atom+xml", title="Atom", write=atom.write
    ),
}
