"""Requests, counted by what they asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from feeds.formats import FORMATS
from feeds.pages import BUILD, embedding

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Addresses of their own: what they are, and their format.
_ALONE = {
    "/feeds.opml": ("opml", "opml"),
    f"/{embedding.ENDPOINT}": ("oembed", "json"),
    f"/{embedding.SCRIPT}": ("embed", "js"),
    BUILD: ("page", "html"),
}


#: Kinds of addresses, few as they are: no name of an article or a topic.
KINDS = frozenset(
    ("site", "topic", "provider", "choice", "archive", "page", "embed", "oembed", "opml", "other")
)


class Route(NamedTuple):
    """What an address is of."""

    #: One of KINDS.
    kind: str
    #: `atom`, `rss`, `json`, `html`, `opml`, `js`; empty for others.
    format: str


OTHER = Route("other", "")


def route_of(path: str, query: str) -> Route:
    """What an address is of, whether there is such a thing or not."""
    if path in _ALONE:
        return Route(*_ALONE[path])
    folder, _, file = path.rpartition("/")
    _, section, *below = (folder + "/").split("/")
    if section not in ("", "topics", "providers", "archive"):
        return OTHER
    if file in ("", "embed"):
        return Route("embed" if file else "page", "html")
    form = file.rpartition(".")[2]
    if form not in FORMATS:
        return OTHER
    if "archive" in (section, *below[1:]):
        return Route("archive", form)
    return Route("choice" if query else (section or "site").removesuffix("s"), form)


class Labels(NamedTuple):
    """What is counted apart."""

    kind: str
    format: str
    status: str


class Tally:
    """Counts of this process since it began, plain enough to be added to in no time."""

    def __init__(self) -> None:
        #: By labels, and whether the request was conditional (RFC 9110 section 13).
        self.counts: dict[tuple[Labels, bool], list[int]] = {}

    def count(self, environ: WSGIEnvironment, status: str, conditional: bool) -> list[int]:
        """The one number to add to for requests that are answered so.

        `status` is a code and its reason.
        """
        route = route_of(environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
        return self.counts.setdefault((Labels(*route, status[:3]), conditional), [0])


def is_conditional(environ: WSGIEnvironment) -> bool:
    """Whether the client has a copy, and asks for what is newer."""
    return "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ
