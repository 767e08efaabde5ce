"""The command that serves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial
from logging import WARNING
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import click
from sqlalchemy.engine import URL

from feeds.articles import ArticleError
from feeds.cli.common import FOLDER, SHOWN, show, sync_folder, with_folder
from feeds.config import Config
from feeds.formats import FORMATS
from feeds.index import Index
from feeds.index.database import IndexUnavailable
from feeds.index.survey import listing
from feeds.logs import configure, log
from feeds.push import push
from feeds.watch import Teller, watch
from feeds.web import open_index, utc_now

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

    This process alone compares the folder with the index, however many workers
    answer requests. SIGINT or SIGTERM stops it.
    """
    config = with_folder(config, folder)
    configure(config.log)
    # Slow to import, and no other command needs it.
    from feeds import server

    try:
        server.check_port(host, port)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    catalogue = open_index(config)
    if config.metrics:
        _share_metrics(click.get_current_context())
    faults = [str(fault) for fault in _compare(catalogue, _timed(config))]
    os.environ["FEEDS_ARTICLES"] = str(config.articles.resolve())
    _announce(catalogue, host, port)
    catalogue.close()
    server.run(host, port, workers, partial(follow, catalogue.url, config, host, port, faults))


def _compare(catalogue: Index, timed: Callable[[float], None]) -> Iterable[ArticleError]:
    """Bring the index up to the folder before anybody asks, and tell; the faults."""
    began = time.monotonic()
    try:
        report = sync_folder(catalogue)
    except IndexUnavailable as error:
        try:
            catalogue.health(utc_now())
        except IndexUnavailable:
            raise error from None
        # It can be read, and so be served. Who follows the folder tells, and tries again.
        return ()
    timed(time.monotonic() - began)
    if catalogue.config.log == "json":
        Teller(log).tell(report)
    else:
        show(report)
    return report.faults


def follow(url: URL, config: Config, host: str, port: int, faults: Iterable[str]) -> None:
    """Follow the folder, and tell the hub, until SIGTERM; `faults` are known.

    It is a process of its own, which is replaced when it dies.
    """
    from feeds import server

    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server.end_with_parent()
    configure(config.log)

    def tell_hub() -> None:
        # The hub comes for the feeds at once.
        while not (stop.wait(0.1) or server.answers(_name_of(host), port)):
            pass
        push(Index(url, config), stop, lambda line: log(WARNING, line))

    # Not waited for long: a hub that is slow costs nobody anything.
    pusher = Thread(target=tell_hub, daemon=True)
    if config.hub:
        pusher.start()
    watch(Index(url, config), config.articles, stop, log, faults, _timed(config))
    if config.hub:
        pusher.join(1)


def _announce(catalogue: Index, host: str, port: int) -> None:
    """Print where the feeds are, and what was forgotten; let the workers answer to the host."""
    config = catalogue.config
    name = _name_of(host)
    base = config.base_url or f"http://{name}:{port}"
    if not config.base_url:
        os.environ["FEEDS_TRUSTED_HOSTS"] = ",".join((*config.trusted_hosts, name))
    click.echo(f"The feeds of {config.articles} are listed at {base}/")
    listed = listing(catalogue, utc_now())
    for item in listed[:SHOWN]:
        click.echo(f"  {base}{item.selection.path}{FORMATS['atom'].file}")
    if listed[SHOWN:]:
        click.echo(f"  and {len(listed) - SHOWN} more")
    if config.base_url and config.id == Config().id:
        log(WARNING, "Set 'id' before anybody subscribes: it is part of every entry's id.")
    if host in _EVERY_HOST and not config.base_url:
        log(WARNING, "Set 'base_url' for other machines: no other host is answered.")


def _name_of(host: str) -> str:
    """What a browser on this machine calls the address that is listened on."""
    if host in (*_EVERY_HOST, "127.0.0.1", "::1"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _share_metrics(context: click.Context) -> None:
    """Let this process, the one that follows the folder and the workers add up their numbers."""
    folder = context.with_resource(TemporaryDirectory(prefix="feeds-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def _timed(config: Config) -> Callable[[float], None]:
    """What takes the seconds of each sync."""
    if not config.metrics:
        return lambda seconds: None
    # It looks for the folder of the numbers when it is imported.
    from feeds.web.metrics import Metrics

    return Metrics().sync.observe
