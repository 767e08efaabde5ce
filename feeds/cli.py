"""The command line."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import click

from feeds.article import SUFFIXES, parse_article, stem_of
from feeds.checking import check_folder
from feeds.config import Config, ConfigError
from feeds.database import IndexUnavailable
from feeds.explain import explain as explain_article
from feeds.folder import list_files
from feeds.formats import FORMATS
from feeds.index import Index
from feeds.publish import publish_list
from feeds.survey import listing
from feeds.sync import Report, sync
from feeds.watch import watch
from feeds.web import environment_config, open_index, utc_now

#: Feeds and faults that are printed before the rest is only counted.
_SHOWN = 10

_EVERY_HOST = ("0.0.0.0", "::")

_FOLDER = click.argument(
    "folder", required=False, type=click.Path(path_type=Path), metavar="[FOLDER]"
)


class _Main(click.Group):
    """Turns the errors that people can mend into one line."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (ConfigError, IndexUnavailable) as error:
            raise click.ClickException(str(error)) from error
        except (FileNotFoundError, PermissionError) as error:
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error


@click.group(cls=_Main)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="YAML file of settings; without it, FEEDS_CONFIG.",
)
@click.version_option(package_name="feeds")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Publish a folder of articles as Atom feeds, one for each topic and provider."""
    if config:
        # Where the workers of `serve` look for it.
        os.environ["FEEDS_CONFIG"] = str(config.resolve())
    ctx.obj = environment_config()


@main.command()
@_FOLDER
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
    config = _with_folder(config, folder)
    # Slow to import, and no other command needs it.
    from feeds import server

    try:
        server.check_port(host, port)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    catalogue = open_index(config)
    report = _sync(catalogue)
    _show(report)
    os.environ["FEEDS_ARTICLES"] = str(config.articles.resolve())
    name = _name_of(host)
    base = config.base_url or f"http://{name}:{port}"
    if not config.base_url:
        os.environ["FEEDS_TRUSTED_HOSTS"] = ",".join((*config.trusted_hosts, name))
    click.echo(f"The feeds of {config.articles} are listed at {base}/")
    listed = listing(catalogue, utc_now())
    for item in listed[:_SHOWN]:
        click.echo(f"  {base}{item.selection.path}{FORMATS['atom'].file}")
    if listed[_SHOWN:]:
        click.echo(f"  and {len(listed) - _SHOWN} more")
    if config.base_url and config.id == Config().id:
        click.secho("Set 'id' before anybody subscribes: it is part of every entry's id.", err=True)
    if host in _EVERY_HOST and not config.base_url:
        click.secho("Set 'base_url' for other machines: no other host is answered.", err=True)
    stop = Event()
    arguments = (catalogue, config.articles, stop, _log, report.faults)
    follower = Thread(target=watch, args=arguments)
    follower.start()
    try:
        server.run(host, port, workers)
    finally:
        stop.set()
        follower.join()


def _name_of(host: str) -> str:
    """What a browser on this machine calls the address that is listened on."""
    if host in (*_EVERY_HOST, "127.0.0.1", "::1"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


@main.command()
@_FOLDER
@click.pass_obj
def index(config: Config, folder: Path | None) -> None:
    """Compare FOLDER with the index once."""
    _show(_sync(open_index(_with_folder(config, folder))))


@main.command()
@_FOLDER
@click.pass_context
def check(ctx: click.Context, folder: Path | None) -> None:
    """Print every fault of every file in FOLDER; exit 1 if there is any."""
    config = _with_folder(ctx.obj, folder)
    checked = check_folder(config.articles, config)
    for fault in checked.faults:
        place = click.style(f"{fault.path}:{fault.line}:", bold=True)
        click.echo(f"{place} {click.style(fault.problem, fg='red')}")
    for collision in checked.collisions:
        click.secho(collision, fg="yellow")
    faulty = len({fault.path for fault in checked.faults})
    click.echo(f"{checked.files} files, {faulty} at fault.", err=True)
    ctx.exit(1 if checked.faults else 0)


@main.command(name="list")
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--opml", "as_opml", is_flag=True, help="As the subscription list, /feeds.opml.")
@click.pass_obj
def list_feeds(config: Config, folder: Path | None, as_json: bool, as_opml: bool) -> None:
    """List topics and providers, with their counts and addresses."""
    catalogue = open_index(_with_folder(config, folder))
    if as_opml:
        if not config.base_url:
            raise click.ClickException("a subscription list needs whole addresses, set 'base_url'")
        made = publish_list(catalogue, FORMATS["atom"], config.base_url, utc_now())
        click.echo(made.body, nl=False)
        return
    listed = listing(catalogue, utc_now())
    rows = [
        {
            "kind": item.selection.kind,
            "name": item.name or config.title,
            "count": item.count,
            "newest": item.newest and item.newest.isoformat(),
            "page": config.base_url + item.selection.path,
            **{
                name: config.base_url + item.selection.path + form.file
                for name, form in FORMATS.items()
            },
        }
        for item in listed
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        click.echo(f"{row['kind']:8}  {row['name']:{width}}  {row['count']:6}  {row['atom']}")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_FOLDER
@click.pass_obj
def explain(config: Config, file: Path, folder: Path | None) -> None:
    """Say which feeds FILE of FOLDER is in, or why it is in none."""
    config = _with_folder(config, folder)
    if file.suffix.lower() not in SUFFIXES:
        raise click.ClickException(f"{file} is not an article file ({', '.join(sorted(SUFFIXES))})")
    try:
        path = file.resolve().relative_to(config.articles.resolve()).as_posix()
    except ValueError as error:
        message = f"{file} is not in the folder of articles, {config.articles}"
        raise click.ClickException(f"{message}; name its folder after it") from error
    stem = stem_of(file)
    owner = next(f.path for f in list_files(config.articles).files if f.stem == stem)
    if owner != path:
        click.echo(f"in no feed: has the same name as {owner}, rename one of them")
        return
    catalogue = open_index(config)
    faults = _sync(catalogue).faults
    fault = next((fault for fault in faults if fault.path == path), None)
    reading = parse_article(file.read_bytes(), str(file))
    for line in explain_article(catalogue, stem, reading, fault, utc_now()):
        click.echo(line)


def _with_folder(config: Config, folder: Path | None) -> Config:
    config = dataclasses.replace(config, articles=folder) if folder else config
    if not config.articles.is_dir():
        raise click.UsageError(f"the folder {config.articles} does not exist, name another")
    return config


def _sync(catalogue: Index) -> Report:
    """Sync behind a progress bar, which shows on a terminal only."""
    hidden = not sys.stderr.isatty()
    label = "Reading articles"
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=hidden) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return sync(catalogue, catalogue.config.articles, utc_now, advance)


def _show(report: Report) -> None:
    for fault in report.faults[:_SHOWN]:
        click.secho(str(fault), err=True, fg="red")
    if report.faults[_SHOWN:]:
        click.echo(f"and {len(report.faults) - _SHOWN} more: 'feeds check' names all", err=True)
    click.echo(
        f"{report.added} added, {report.changed} changed, {report.removed} removed,"
        f" {report.unchanged} unchanged, {len(report.faults)} at fault."
    )


def _log(line: str) -> None:
    click.echo(f"{datetime.now():%H:%M:%S} {line}", err=True)
