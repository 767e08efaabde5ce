"""The command that serves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import click

from feeds.articles import ArticleError
from feeds.cli.common import FOLDER, MAX_SHOWN, show, sync_folder, with_folder
from feeds.config import Config
from feeds.follow import SyncReporter, follow
from feeds.formats import FORMATS
from feeds.index import Index, open_index
from feeds.index.store import IndexUnavailable
from feeds.index.survey import public_feeds
from feeds.logs import LOGGER, configure
from feeds.processes import end_with_parent
from feeds.websub import ping

_EVERY_HOST = ("0.0.0.0", "::")


@click.command()
@FOLDER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port."
)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Worker processes."
)
@click.pass_obj
def serve(config: Config, folder: Path | None, host: str, port: int, workers: int) -> None:
    """Serve the feeds of FOLDER, and follow its changes.

    Control and C, or the signal SIGTERM, stops the server.
    """
    config = with_folder(config, folder)
    configure(config.log)
    # Slow to import, and no other command needs it.
    from feeds import server

    try:
        server.check_port(host, port)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    index = open_index(config)
    if config.metrics:
        # The folder in which all processes of the server add up their metrics.
        shared = TemporaryDirectory(prefix="feeds-metrics-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = click.get_current_context().with_resource(shared)
    faults = [str(fault) for fault in first_sync(index, _sync_observer(config))]
    os.environ["FEEDS_ARTICLES"] = str(config.articles.resolve())
    _announce(index, host, port)
    index.close()
    url = index.url.render_as_string(hide_password=False)
    server.run(host, port, workers, partial(follow_and_ping, url, config, host, port, faults))


def first_sync(index: Index, observe_sync: Callable[[float], None]) -> Iterable[ArticleError]:
    """Bring the index up to date before the first request, print the report, return its faults."""
    began = time.monotonic()
    try:
        report = sync_folder(index)
    except IndexUnavailable as error:
        try:
            index.health()
        except IndexUnavailable:
            raise error from None
        # An index that can only be read is served. The process that follows the folder logs
        # the error, and tries again.
        return ()
    observe_sync(time.monotonic() - began)
    if index.config.log == "json":
        SyncReporter(LOGGER.log).report(report)
    else:
        show(report, index)
    return report.faults


def follow_and_ping(url: str, config: Config, host: str, port: int, faults: Iterable[str]) -> None:
    """Follow the folder, and ping the hub, until SIGTERM; `faults` were reported before.

    This runs in a process of its own, which is replaced when it dies.
    """
    from feeds import server

    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    end_with_parent()
    configure(config.log)

    def ping_hub() -> None:
        # A hub fetches the feeds as soon as it is pinged, so the server must answer.
        while not (stop.wait(0.1) or server.answers(_name_of(host), port)):
            pass
        ping(Index(url, config), stop, LOGGER.warning)

    # A daemon, because a slow hub must not hold up the end of this process.
    pinger = Thread(target=ping_hub, daemon=True)
    if config.hub:
        pinger.start()
    follow(Index(url, config), config.articles, stop, LOGGER.log, faults, _sync_observer(config))
    if config.hub:
        pinger.join(1)


def _announce(index: Index, host: str, port: int) -> None:
    """Print the addresses of the feeds, warn of missing settings, and trust the host."""
    config = index.config
    name = _name_of(host)
    base = config.base_url or f"http://{name}:{port}"
    if not config.base_url:
        os.environ["FEEDS_TRUSTED_HOSTS"] = ",".join((*config.trusted_hosts, name))
    click.echo(f"The feeds of {config.articles} are listed at {base}/")
    listed = public_feeds(index)
    for item in listed[:MAX_SHOWN]:
        click.echo(f"  {base}{item.selection.path}{FORMATS['atom'].file}")
    if listed[MAX_SHOWN:]:
        click.echo(f"  and {len(listed) - MAX_SHOWN} more")
    if config.base_url and config.id == Config().id:
        LOGGER.warning("Set 'id' before anybody subscribes: it is part of every entry's id.")
    if host in _EVERY_HOST and not config.base_url:
        LOGGER.warning("Set 'base_url' to serve other machines: until then they are refused.")


def _name_of(host: str) -> str:
    """Return the host under which a browser on this machine finds the server."""
    if host in (*_EVERY_HOST, "127.0.0.1", "::1"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _sync_observer(config: Config) -> Callable[[float], None]:
    """Return the function that is called with the seconds of each sync."""
    if not config.metrics:
        return lambda seconds: None
    # prometheus_client reads PROMETHEUS_MULTIPROC_DIR when it is imported.
    from feeds.web.metrics import Metrics

    return Metrics().sync.observe
