"""What several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from msgspec.structs import replace

from feeds.articles import ArticleError
from feeds.articles.folder import SUFFIXES
from feeds.config import Config
from feeds.index import Index
from feeds.index.store import IndexUnavailable
from feeds.index.survey import counts
from feeds.index.sync import Report, advance, sync, utc_now
from feeds.indexed import State
from feeds.processes import PROCESSORS
from feeds.text import counted

#: Feeds and problems that are printed; the rest is only counted.
MAX_SHOWN = 10

FOLDER = click.argument(
    "folder", required=False, type=click.Path(path_type=Path), metavar="[FOLDER]"
)


def with_folder(config: Config, folder: Path | None) -> Config:
    """Return the settings with the folder that a command names, if it names one."""
    config = replace(config, articles=folder) if folder else config
    if config.articles.is_file():
        raise click.UsageError(f"{config.articles} is not a folder, name the one it is in")
    if not config.articles.is_dir():
        raise click.UsageError(f"the folder {config.articles} does not exist, name another")
    return config


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal; it is called with how much is done, of how much."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=hidden) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield advance


def sync_folder(index: Index) -> Report:
    """Bring the index up to date with its folder and with the time."""
    with progress("Reading articles") as shown:
        report = sync(index, index.config.articles, utc_now(), shown, jobs=PROCESSORS)
    # Another process that is writing does it instead.
    with suppress(IndexUnavailable):
        advance(index, utc_now())
    return report


def show(report: Report, index: Index) -> None:
    """Print what a sync did, the first faults and warnings, and how many articles are public."""
    problems = [(str(fault), "red") for fault in report.faults]
    problems += [(str(warning), "yellow") for warning in report.warnings]
    for problem, color in problems[:MAX_SHOWN]:
        click.secho(problem, err=True, fg=color)
    if problems[MAX_SHOWN:]:
        click.echo(f"and {len(problems) - MAX_SHOWN} more: 'feeds check' names all", err=True)
    click.echo(f"{report.added} added, {report.changed} changed, {report.removed} removed.")
    files = report.added + report.changed + report.unchanged
    click.echo(summary(files, counts(index), report.faults))


def summary(files: int, states: Mapping[State, int], faults: Sequence[ArticleError]) -> str:
    """Return a line that counts the public articles, and the others by their reasons."""
    if not files and not faults:
        return f"0 articles: there is no file that ends in {', '.join(sorted(SUFFIXES))}."
    states = {**states, State.AT_FAULT: len({fault.path for fault in faults})}
    found = ", ".join(f"{states[name]:,} {name}" for name in State if states.get(name))
    if State.PUBLIC in states:
        return f"{counted(files, 'article')}: {found}."
    return f"{counted(files, 'article')}, none public: {found} ('feeds explain FILE' says why)."
