"""The site over HTTP."""

from __future__ import annotations

import re

from flask import Flask, Response, request
from werkzeug.sansio.utils import host_is_trusted

from feeds.config import Config, environment_config
from feeds.index import Index, open_index
from feeds.index.store import IndexUnavailable
from feeds.index.sync import sync, utc_now
from feeds.logs import configure
from feeds.web.cache import ResponseCache
from feeds.web.errors import add_error_handlers
from feeds.web.request_log import AccessLog, RequestLog
from feeds.web.responses import add_common_headers, plain
from feeds.web.routes import add_routes
from feeds.web.site import Site
from feeds.wire import PREFLIGHT


def create_app(config: Config | None = None) -> Flask:
    """Return the WSGI application; without `config`, the environment has the settings.

    It syncs an index that has no tables of this version. Raises ConfigError,
    IndexUnavailable, or OSError if the folder of articles cannot be read.
    """
    if config is None:
        # A WSGI server calls this without a command that configured the log.
        config = environment_config()
        configure(config.log)
    index = open_index(config)
    _fill(index)
    log = RequestLog(config.proxies)
    app = Flask("feeds", static_folder=None)
    # By default Werkzeug answers redirects with a body of HTML.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    if not config.base_url:
        app.before_request(lambda: _refuse_host(config.trusted_hosts))
    app.before_request(_refuse_raw_query)
    app.before_request(_preflight)
    app.after_request(lambda response: add_common_headers(response, request.environ, log))
    site = Site(index)
    add_routes(app, site)
    add_error_handlers(app, site, log)
    cache = ResponseCache(app.wsgi_app, index, log)
    app.wsgi_app = cache.respond  # type: ignore[method-assign]
    if config.metrics:
        # prometheus_client reads its environment when it is imported, so it comes late.
        from feeds.web.metrics import Metrics

        metrics = Metrics()
        cache.observe_render = metrics.render.observe
        app.add_url_rule("/metrics", "metrics", lambda: metrics.respond(index))
        app.wsgi_app = metrics.count_requests(app.wsgi_app)  # type: ignore[assignment, method-assign]
    if config.access_log:
        app.wsgi_app = AccessLog(app.wsgi_app, log)  # type: ignore[method-assign]
    return app


def _fill(index: Index) -> None:
    try:
        index.health()
    except IndexUnavailable:
        sync(index, index.config.articles, utc_now())
    # A server may fork after this, and processes must not share connections.
    index.close()


def _refuse_host(trusted: tuple[str, ...]) -> Response | None:
    """Refuse hosts that are not trusted, because documents contain the request's host."""
    # Not with Flask's TRUSTED_HOSTS: Werkzeug 3.1 cuts a trusted `[::1]` at its first
    # colon, trusts every host if the list is empty, and distinguishes capitals.
    name = re.sub(r":\d+$", "", request.host.lower())
    if name in trusted or (trusted and host_is_trusted(name, trusted)):
        return None
    return plain(400, "400 Bad Request: this host is not trusted, set base_url or trusted_hosts")


def _refuse_raw_query() -> Response | None:
    # Werkzeug 3.1 fails on bytes that are not UTF-8.
    if request.query_string.isascii():
        return None
    problem = "the query has letters that are not percent-encoded (RFC 3986)"
    return plain(400, f"400 Bad Request: {problem}")


def _preflight() -> Response | None:
    if request.method == "OPTIONS" and request.url_rule:
        return Response(status=204, headers=PREFLIGHT)
    return None
