"""Metrics for Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Response, abort, request
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from feeds.index import Index
from feeds.index.store import IndexUnavailable
from feeds.web.client import is_from
from feeds.web.kinds import Route, route_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: The variable that names the folder through which processes share their metrics.
#: prometheus_client reads it when it is imported.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
#: A request with one of these is conditional (RFC 9110 section 13).
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
_LABELS = (*Route._fields, "status")
_RENDER = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SYNC = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_UP = "Whether the index can be read."
_SYNCED = "When the folder was last compared."
_NEWEST = "When the newest public article was published."


class Metrics:
    """The metrics of this process, and of those that share its folder.

    The files of workers that died stay there, because their requests count too.
    """

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "feeds_requests", "Requests, by answer.", _LABELS, registry=registry
        )
        self._conditional = Counter(
            "feeds_conditional_requests",
            "Requests of clients that have a copy, by answer.",
            _LABELS,
            registry=registry,
        )
        #: Get the seconds that each document took to make, and each sync.
        self.render = Histogram(
            "feeds_render_seconds", "Time to make a document.", buckets=_RENDER, registry=registry
        )
        self.sync = Histogram(
            "feeds_sync_seconds",
            "Time to compare the folder with the index.",
            buckets=_SYNC,
            registry=registry,
        )

    def count_requests(self, app: WSGIApplication) -> WSGIApplication:
        """Return WSGI middleware that counts each answer of an application."""

        def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            conditional = any(name in environ for name in _CONDITIONS)

            def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                labels = (*route_of(environ), status[:3])
                self._requests.labels(*labels).inc()
                if conditional:
                    self._conditional.labels(*labels).inc()
                return start_response(status, headers, *more)

            return app(environ, started)

        return respond

    def respond(self, index: Index) -> Response:
        """Return all metrics to a client in the networks that the settings name."""
        if not is_from(request.environ, index.config.metrics):
            abort(404)
        response = Response(self._write(index), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _write(self, index: Index) -> bytes:
        """Return all metrics in Prometheus's text format."""
        registry = CollectorRegistry()
        if SHARED in os.environ:
            registry.register(_Shared())
        else:
            registry.register(self._registry)
        registry.register(_State(index))
        return generate_latest(registry)


class _Shared(Collector):
    """The metrics of all processes that share the folder."""

    def collect(self) -> Iterable[Metric]:
        # prometheus_client 0.26 fails on the file of a process that is just starting.
        files = [str(p) for p in Path(os.environ[SHARED]).glob("*.db") if p.stat().st_size]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]  # the library's
        return metrics


class _State(Collector):
    """The metrics of the index, which are the same in every process."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def collect(self) -> Iterator[Metric]:
        try:
            health = self._index.health()
            revision = self._index.status().revision
        except IndexUnavailable:
            yield GaugeMetricFamily("feeds_index_up", _UP, 0)
            return
        yield GaugeMetricFamily("feeds_index_up", _UP, 1)
        yield GaugeMetricFamily("feeds_index_revision", "Grows with each change.", revision)
        yield GaugeMetricFamily("feeds_articles", "Article files.", health.articles)
        yield GaugeMetricFamily("feeds_visible_articles", "Public articles.", health.visible)
        yield GaugeMetricFamily("feeds_faults", "Article files at fault.", health.faults)
        last_sync = health.synced.timestamp()
        yield GaugeMetricFamily("feeds_last_sync_timestamp_seconds", _SYNCED, last_sync)
        if health.newest:
            # A time, because an age would be wrong a second later.
            newest = health.newest.timestamp()
            yield GaugeMetricFamily("feeds_newest_article_timestamp_seconds", _NEWEST, newest)
