"""Requests, counted by what they asked for."""

from __future__ import annotations

from collections import defaultdict
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


def route_of(environ: WSGIEnvironment) -> Route:
    """What a request's address is of, whether there is such a thing or not."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
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
    """What is counted apart; the status is its three digits."""

    kind: str
    format: str
    status: str


class RequestCounter:
    """Counts of this process since it began, plain enough to be added to in no time."""

    def __init__(self) -> None:
        #: By labels, and whether the request was conditional (RFC 9110 section 13).
        self.counts: defaultdict[tuple[Labels, bool], int] = defaultdict(int)

    def count(self, route: Route, status: str, conditional: bool) -> None:
        """Count a request. Threads that count at once may miss one."""
        self.counts[Labels(*route, status), conditional] += 1


def is_conditional(environ: WSGIEnvironment) -> bool:
    """Whether the client has a copy, and asks for what is newer."""
    return "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ
