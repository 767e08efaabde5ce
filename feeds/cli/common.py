"""What several commands share."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from feeds.config import Config
from feeds.index import Index
from feeds.index.report import Report
from feeds.index.sync import sync
from feeds.processes import PROCESSORS
from feeds.web import utc_now

#: Feeds and faults that are printed before the rest is only counted.
SHOWN = 10

FOLDER = click.argument(
    "folder", required=False, type=click.Path(path_type=Path), metavar="[FOLDER]"
)


def with_folder(config: Config, folder: Path | None) -> Config:
    """The settings for the folder that a command names."""
    config = dataclasses.replace(config, articles=folder) if folder else config
    if config.articles.is_file():
        raise click.UsageError(f"{config.articles} is not a folder, name the one it is in")
    if not config.articles.is_dir():
        raise click.UsageError(f"the folder {config.articles} does not exist, name another")
    return config


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, which shows on a terminal only; takes what is done, and of how much."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=hidden) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield advance


def sync_folder(catalogue: Index) -> Report:
    """Bring the index up to its folder."""
    with progress("Reading articles") as advance:
        return sync(catalogue, catalogue.config.articles, utc_now, advance, jobs=PROCESSORS)


def show(report: Report) -> None:
    """Print what a sync did, and the first faults."""
    for fault in report.faults[:SHOWN]:
        click.secho(str(fault), err=True, fg="red")
    if report.faults[SHOWN:]:
        click.echo(f"and {len(report.faults) - SHOWN} more: 'feeds check' names all", err=True)
    click.echo(
        f"{report.added} added, {report.changed} changed, {report.removed} removed,"
        f" {report.unchanged} unchanged, {len(report.faults)} at fault."
    )
