"""What the server is compared with: each answers one feed under Granian.

FEEDS_BENCH names a JSON file with the answer of our own server and its entries.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def _read_answer() -> Any:
    return json.loads(Path(os.environ["FEEDS_BENCH"]).read_text())


def constant() -> WSGIApplication:
    """The least that a WSGI application can do: the same bytes each time."""
    answer = _read_answer()
    body = [b64decode(answer["body"])]
    headers = [(name, value) for name, value in answer["headers"]]
    of_body = ("content-type", "content-length", "content-encoding")
    rest = [pair for pair in headers if pair[0] not in of_body]

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_IF_NONE_MATCH" in environ:
            start_response("304 NOT MODIFIED", rest)
            return []
        start_response("200 OK", headers)
        return body

    return app


def write_atom(entries: list[dict[str, Any]]) -> bytes:
    """A feed as a tutorial has feedgen write it, of items of a JSON feed."""
    from feedgen.feed import FeedGenerator

    made = FeedGenerator()
    made.id("https://news.example/")
    made.title("News")
    made.link(href="https://news.example/")
    for item in entries:
        entry = made.add_entry(order="append")
        entry.id(item["id"])
        entry.title(item["title"])
        entry.link(href=item["url"])
        entry.summary(item["summary"])
        entry.content(item["content_html"], type="html")
        entry.published(item["date_published"])
        entry.updated(item.get("date_modified", item["date_published"]))
    document: bytes = made.atom_str()
    return document


def flask_feedgen() -> WSGIApplication:
    """What a tutorial shows: Flask, and feedgen for each request."""
    from flask import Flask, Response

    entries = _read_answer()["entries"]
    app = Flask(__name__)

    @app.get("/feed.atom")
    def feed() -> Response:
        return Response(write_atom(entries), content_type="application/atom+xml; charset=utf-8")

    return app


def django() -> WSGIApplication:
    """Django's syndication framework with its ConditionalGet and GZip middleware."""
    import django
    from django.conf import settings
    from django.contrib.syndication.views import Feed
    from django.core.wsgi import get_wsgi_application
    from django.urls import path
    from django.utils.feedgenerator import Atom1Feed

    entries = _read_answer()["entries"]
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="bench",
        USE_TZ=True,
        DATABASES={},
        MIDDLEWARE=[
            "django.middleware.gzip.GZipMiddleware",
            "django.middleware.http.ConditionalGetMiddleware",
        ],
    )
    django.setup()

    class News(Feed):  # type: ignore[misc]  # Django has no types
        feed_type = Atom1Feed
        title = "News"
        link = "/"

        def items(self) -> Any:
            return entries

        def item_title(self, item: Any) -> str:
            return str(item["title"])

        def item_description(self, item: Any) -> str:
            return str(item["content_html"])

        def item_link(self, item: Any) -> str:
            return str(item["url"])

        def item_pubdate(self, item: Any) -> datetime:
            return datetime.fromisoformat(item["date_published"])

        def item_updateddate(self, item: Any) -> datetime:
            return datetime.fromisoformat(item["date_modified"])

    global urlpatterns
    urlpatterns = [path("feed.atom", News())]
    app: WSGIApplication = get_wsgi_application()
    return app


urlpatterns: list[Any] = []
