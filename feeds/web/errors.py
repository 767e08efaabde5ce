"""Errors: a line of text for programs, and a page for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
)

from feeds.index.store import IndexUnavailable
from feeds.pages import Pages
from feeds.pages.render import render, root_of
from feeds.search import SearchError
from feeds.selection import Selection
from feeds.web.request_log import RequestLog
from feeds.web.responses import plain

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

    from feeds.web.site import Site

#: Seconds after which a client may ask again while the index cannot be read.
RETRY_AFTER = 30


class Missing(NotFound):
    """404 at an address, with other addresses that may be meant."""

    def __init__(
        self,
        problem: str,
        hint: str = "",
        *,
        nearest: tuple[Selection, ...] = (),
        history: Selection | None = None,
    ) -> None:
        super().__init__(problem + hint)
        #: The description without the addresses, which are links on a page.
        self.problem = problem
        self.nearest = nearest
        #: The selection whose list of months or digests is meant.
        self.history = history


class BadSearch(BadRequest):
    """400 at a search that cannot be made."""

    def __init__(self, written: str, error: SearchError) -> None:
        super().__init__(f"q {error}")
        self.written = written


def add_error_handlers(app: Flask, site: Site, log: RequestLog) -> None:
    """Log unexpected errors; answer with a page for people at the addresses of pages."""

    def answer(error: HTTPException) -> Response:
        if isinstance(error, InternalServerError):
            error.description = f"the fault is not yours, request {log.id_of(request.environ)}"
        response = plain(error.code or 500, f"{error.code} {error.name}: {error.description}")
        for name, value in error.get_headers():
            if name != "Content-Type":
                response.headers[name] = value
        if _is_page():
            # A cache may keep a 404 or 410 without being told to (RFC 9110 section 15.1).
            response.headers["Vary"] = "Accept"
            if _prefers_html():
                try:
                    response.data = _page(error, site)
                    response.content_type = "text/html; charset=utf-8"
                except Exception:
                    # Whatever fails here must not hide the error that the client is told of.
                    log.fail(request.environ, sys.exc_info())
        return response

    def unavailable(_: IndexUnavailable) -> Response:
        problem = "the index cannot be read, try again later"
        return answer(ServiceUnavailable(problem, retry_after=RETRY_AFTER))

    def log_exception(exc_info: OptExcInfo) -> None:
        log.fail(request.environ, exc_info)

    # Flask's own line has no id of the request.
    app.log_exception = log_exception  # type: ignore[method-assign]
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(IndexUnavailable, unavailable)


def _is_page() -> bool:
    """Tell whether people may look for a page at the address of the request."""
    if request.method != "GET":
        return False
    if request.url_rule:
        # A frame is shown inside the page of another site.
        return request.url_rule.rule.endswith("/") and request.endpoint != "embed"
    # No route matches. Only programs ask for the name of a file.
    return "." not in request.path.rpartition("/")[2]


def _prefers_html() -> bool:
    # Of two types that the client accepts equally, `best_match` returns the first.
    return request.accept_mimetypes.best_match(("text/plain", "text/html")) == "text/html"


def _page(error: HTTPException, site: Site) -> bytes:
    """Return the HTML of an error, with links to what may be meant."""
    shown: dict[str, object] = {
        "problem": error.description or error.name,
        "nearest": [],
        "history": None,
        "searched": "",
    }
    if isinstance(error, Missing):
        pages = Pages(index=site.index, base=site.base)
        shown |= {"problem": error.problem, "nearest": pages.links(error.nearest)}
        shown["history"] = error.history
    elif isinstance(error, BadSearch):
        shown["searched"] = error.written
    below = urlsplit(site.base).path
    # WSGI decodes the path (PEP 3333): a slash in it may have been `%2F`, and `?` begins no
    # query. At the top of a host, a relative address cannot lead too far up.
    root = f"{below}/" if below else root_of(quote(request.path))
    return render(
        "error.html", root=root, config=site.config, is_served=True, code=error.code or 500, **shown
    )
