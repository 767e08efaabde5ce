"""The command that builds the site into a folder."""

from __future__ import annotations

from pathlib import Path

import click

from feeds.cli.common import FOLDER, progress, show, sync_folder, with_folder
from feeds.config import Config
from feeds.index import open_index
from feeds.processes import PROCESSORS
from feeds.static_site import build as build_site
from feeds.static_site import nginx


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@FOLDER
@click.option(
    "--jobs", type=click.IntRange(1), help="Processes; by default, one for each processor."
)
@click.option(
    "--print-nginx", is_flag=True, help="Print the configuration of nginx for OUT instead."
)
@click.pass_obj
def build(
    config: Config,
    out: Path,
    folder: Path | None,
    jobs: int | None,
    print_nginx: bool,
) -> None:
    """Write the site of FOLDER as files below OUT.

    A web server that runs no code can serve them. Files that have not changed keep
    their time. Files of articles that are gone are removed; your own files stay.
    """
    if not config.base_url:
        raise click.ClickException("a static site needs whole addresses, set 'base_url'")
    config = with_folder(config, folder)
    if out.exists() and out.samefile(config.articles):
        raise click.UsageError(
            f"OUT is the folder of articles, {config.articles}; name another folder as OUT"
        )
    index = open_index(config)
    report = sync_folder(index)
    if print_nginx:
        click.echo(nginx.configuration(index, out.resolve()), nl=False)
        return
    show(report, index)
    url = index.url.render_as_string(hide_password=False)
    try:
        with progress("Building the site") as advance:
            built = build_site(url, config, out, jobs=jobs or PROCESSORS, progress=advance)
    except OSError as error:
        raise click.ClickException(f"{error.filename or out}: {error.strerror}") from error
    for refused in built.refused:
        click.secho(refused, err=True, fg="red")
    click.echo(f"{built.written} written, {built.unchanged} unchanged, {built.removed} removed.")
