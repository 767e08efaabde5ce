"""The kinds of addresses, by which requests are counted and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from feeds.formats import FORMATS, opml
from feeds.pages import BUILD, embedding
from feeds.periods import FREQUENCIES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Paths that follow no pattern, with their kind and format.
_SINGLE = {
    f"/{opml.FILE}": ("opml", "opml"),
    f"/{embedding.ENDPOINT}": ("oembed", "json"),
    f"/{embedding.SCRIPT}": ("embed", "js"),
    BUILD: ("page", "html"),
}
#: The kinds of addresses. They are few, and name no topic and no article.
KINDS = frozenset(("site", "topic", "provider", "choice", "digest", "archive", "page")) | {
    "embed",
    "oembed",
    "opml",
    "other",
}


class Route(NamedTuple):
    """The kind and the format of an address."""

    #: One of KINDS.
    kind: str
    #: `atom`, `rss`, `json`, `html`, `opml`, `js`; empty for others.
    format: str


OTHER = Route("other", "")


def route_of(environ: WSGIEnvironment) -> Route:
    """Return the kind and the format of a request's address, whether it exists or not."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    if path in _SINGLE:
        return Route(*_SINGLE[path])
    folder, _, file = path.rpartition("/")
    _, section, *below = (folder + "/").split("/")
    if section not in ("", "topics", "providers", "archive", "embed", *FREQUENCIES):
        return OTHER
    # Without the slug of a topic or provider, which may be any word.
    folders = {section, *below[1:]}
    if file in ("", "embed"):
        return Route("embed" if file or "embed" in folders else "page", "html")
    form = file.rpartition(".")[2]
    if form not in FORMATS:
        return OTHER
    if "archive" in folders:
        return Route("archive", form)
    if not folders.isdisjoint(FREQUENCIES):
        return Route("digest", form)
    return Route("choice" if query else (section or "site").removesuffix("s"), form)
