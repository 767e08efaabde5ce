"""The commands that inspect a folder of articles and its index."""

from __future__ import annotations

import json
from pathlib import Path

import click

from feeds.articles import parse_article, stem_of
from feeds.articles.folder import SUFFIXES, read_bytes
from feeds.checking import check_folder
from feeds.cli.common import FOLDER, show, summary, sync_folder, with_folder
from feeds.config import Config
from feeds.explain import explain as explain_article
from feeds.explain import explain_address, find_files
from feeds.formats import FORMATS
from feeds.index import open_index
from feeds.index.survey import public_feeds
from feeds.index.sync import utc_now
from feeds.processes import PROCESSORS
from feeds.publish import publish_list
from feeds.websub import ping_once


@click.command()
@FOLDER
@click.pass_obj
def index(config: Config, folder: Path | None) -> None:
    """Bring the index up to date with FOLDER once.

    'feeds serve' does so all the time.
    """
    index = open_index(with_folder(config, folder))
    show(sync_folder(index), index)


@click.command()
@FOLDER
@click.pass_obj
def ping(config: Config, folder: Path | None) -> None:
    """Tell the WebSub hub which feeds of FOLDER have changed.

    'feeds serve' does so all the time.
    """
    config = with_folder(config, folder)
    if not config.hub:
        raise click.ClickException("there is no hub to tell, set 'hub'")
    left = ping_once(open_index(config), lambda line: click.echo(line, err=True))
    if left is None:
        click.echo("Another process tells the hub.", err=True)
    elif left:
        raise click.ClickException(f"{left} feeds still wait, run it again")


@click.command()
@FOLDER
@click.pass_context
def check(ctx: click.Context, folder: Path | None) -> None:
    """Print every fault and warning of FOLDER.

    The exit status is 1 if there is a fault.
    """
    config = with_folder(ctx.obj, folder)
    checked = check_folder(config.articles, config, utc_now(), PROCESSORS)
    for fault in checked.faults:
        place = click.style(f"{fault.path}:{fault.line}:", bold=True)
        click.echo(f"{place} {click.style(fault.problem, fg='red')}")
    for warning in checked.warnings:
        click.secho(warning, fg="yellow")
    click.echo(summary(checked.files, checked.counts, checked.faults), err=True)
    ctx.exit(1 if checked.faults else 0)


@click.command(name="list")
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--opml", "as_opml", is_flag=True, help="Print the subscription list, /feeds.opml.")
@click.pass_obj
def list_feeds(config: Config, folder: Path | None, as_json: bool, as_opml: bool) -> None:
    """List topics and providers, with their counts and addresses."""
    index = open_index(with_folder(config, folder))
    if not index.is_readable():
        sync_folder(index)
    if as_opml:
        if not config.base_url:
            raise click.ClickException("a subscription list needs whole addresses, set 'base_url'")
        made = publish_list(index, FORMATS["atom"], config.base_url)
        click.echo(made.body, nl=False)
        return
    rows = []
    for item in public_feeds(index):
        page = config.base_url + item.selection.path
        row = {
            "kind": item.selection.kind,
            "name": item.name or config.title,
            "count": item.count,
            "newest": item.newest and item.newest.isoformat(),
            "page": page,
        }
        rows.append(row | {name: page + form.file for name, form in FORMATS.items()})
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        click.echo(f"{row['kind']:8}  {row['name']:{width}}  {row['count']:6}  {row['atom']}")


@click.command()
@click.argument("article")
@FOLDER
@click.pass_obj
def explain(config: Config, article: str, folder: Path | None) -> None:
    """Say which feeds ARTICLE is in, or why it is in none.

    ARTICLE is a file of FOLDER, the name of a file without its ending, or the address
    of an article. For an address of the site itself, this says how the site answers.
    """
    config = with_folder(config, folder)
    index = open_index(config)
    faults = {fault.path: fault for fault in sync_folder(index).faults}
    found = find_files(config.articles, article)
    if not found and (answer := explain_address(index, article)):
        click.echo(answer)
    elif not found:
        raise click.ClickException(_not_found(config, article))
    for path, owner in found.items():
        if not article.endswith(path):
            click.echo(f"{path}:")
        if owner != path:
            click.echo(f"in no feed: has the same name as {owner}, rename one of them")
            continue
        parsed = parse_article(read_bytes(config.articles, path), path)
        fault = faults.get(path)
        for line in explain_article(index, stem_of(path), parsed, fault, utc_now()):
            click.echo(line)


def _not_found(config: Config, wanted: str) -> str:
    """Return why nothing of the folder or of the site is what was asked for."""
    if "://" in wanted:
        site = config.base_url or "localhost until 'base_url' is set"
        return (
            f"no article of {config.articles} has the address {wanted}, and the site is at {site}"
        )
    return (
        f"{wanted} is not an article of {config.articles}: articles are the files of that folder"
        f" that end in {', '.join(sorted(SUFFIXES))} and do not begin with a dot"
    )
