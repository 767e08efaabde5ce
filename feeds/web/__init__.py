"""The site over HTTP."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from sqlalchemy.engine import URL
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.sansio.utils import host_is_trusted

from feeds.config import Config, read_config
from feeds.index import Index
from feeds.index.database import IndexUnavailable
from feeds.index.sync import sync
from feeds.logs import configure
from feeds.selection import short_hash
from feeds.web.client import Clients
from feeds.web.front import Front
from feeds.web.journal import ID, Answered, Journal
from feeds.web.limit import Limit, limit_rate
from feeds.web.responses import CORS, PREFLIGHT, plain
from feeds.web.routes import add_routes
from feeds.web.site import Site
from feeds.web.tally import Tally

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

#: Seconds after which a client may ask again while the index cannot be read.
RETRY_AFTER = 30
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https:;"
        " connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'self'"
    ),
}


def utc_now() -> datetime:
    """The time, for whatever takes it as an argument."""
    return datetime.now(UTC)


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application; without a configuration, that of the environment.

    An index that was never filled is filled first. Raises ConfigError,
    IndexUnavailable, or OSError where the folder of articles cannot be read.
    """
    if config is None:
        # Nobody else is there to say where the log goes.
        config = environment_config()
        configure(config.log)
    journal = Journal(Clients(config.proxies))
    app = _App(journal)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 86400
    # By default Werkzeug answers redirects with a body of HTML.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    catalogue = open_index(config)
    _fill(catalogue)
    # What is registered first runs last: it sees the answer of the rate limit too.
    app.after_request(lambda response: _settle(response, journal))
    if not config.base_url:
        app.before_request(lambda: _refuse_host(config.trusted_hosts))
    app.before_request(_preflight)
    limit = Limit(config)
    limit_rate(app, limit)
    site = Site(catalogue)
    add_routes(app, site)
    tally = Tally()
    if config.metrics:
        # Imported as late as this: it looks for the folder of `serve` as it is.
        from feeds.web.metrics import add_metrics

        add_metrics(app, catalogue, site.memory, tally)
    app.wsgi_app = Front(app.wsgi_app, site.memory, config, limit, tally)  # type: ignore[method-assign]
    if config.access_log:
        app.wsgi_app = Answered(app.wsgi_app, journal)  # type: ignore[method-assign]
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(InternalServerError, lambda _: _fail(journal))
    app.register_error_handler(IndexUnavailable, _unavailable)
    return app


class _App(Flask):
    """Flask, with a log of its own."""

    def __init__(self, journal: Journal) -> None:
        super().__init__("feeds", static_folder="pages/static")
        self._journal = journal

    def log_exception(self, exc_info: OptExcInfo) -> None:
        """Log what no handler expected."""
        self._journal.fail(request.environ, exc_info)


def environment_config() -> Config:
    """The configuration that `FEEDS_CONFIG` and the other `FEEDS_*` variables name."""
    path = os.environ.get("FEEDS_CONFIG")
    return read_config(Path(path) if path else None, os.environ)


def open_index(config: Config) -> Index:
    """The index of a site, by default one for each folder in Flask's instance folder."""
    if config.database:
        return Index(config.database, config)
    folder = config.articles.resolve()
    instance = Flask("feeds").instance_path
    # Short and printable.
    known_as = re.sub(r"[^\w. -]", "-", folder.name)[:50]
    # Where the name is no UTF-8, of its bytes.
    hashed = short_hash(str(folder).encode(errors="backslashreplace").decode())
    path = f"{instance}/{known_as}-{hashed}.sqlite3"
    return Index(URL.create("sqlite", database=path), config)


def _fill(catalogue: Index) -> None:
    try:
        catalogue.health(utc_now())
    except IndexUnavailable:
        sync(catalogue, catalogue.config.articles, utc_now)
    # A server that forks after this must not share connections among processes.
    catalogue.close()


def _refuse_host(trusted: tuple[str, ...]) -> Response | None:
    """Without `base_url` documents carry the request's host: no forged one may reach them."""
    # Not Flask's TRUSTED_HOSTS: Werkzeug 3.1 cuts a trusted `[::1]` at its first
    # colon, takes an empty list for every host, and tells capitals apart.
    name = re.sub(r":\d+$", "", request.host.lower())
    if name in trusted or (trusted and host_is_trusted(name, trusted)):
        return None
    return plain(400, "400 Bad Request: this host is not trusted, set base_url or trusted_hosts")


def _preflight() -> Response | None:
    if request.method == "OPTIONS" and request.url_rule:
        return Response(status=204, headers=PREFLIGHT)
    return None


def _settle(response: Response, journal: Journal) -> Response:
    """Headers of every response, errors included."""
    response.headers.update(CORS)
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if response.status_code == 204:
        del response.headers["Content-Type"]
    if response.status_code >= 400:
        response.headers[ID] = journal.id_of(request.environ)
    return response


def _refuse(error: HTTPException) -> Response:
    response = plain(error.code or 500, f"{error.code} {error.name}: {error.description}")
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _fail(journal: Journal) -> Response:
    name = journal.id_of(request.environ)
    return plain(500, f"500 Internal Server Error: the fault is not yours, request {name}")


def _unavailable(error: IndexUnavailable) -> Response:
    response = plain(503, "503 Service Unavailable: the index cannot be read, try again later")
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response
