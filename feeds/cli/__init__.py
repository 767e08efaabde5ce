"""The command line."""

from __future__ import annotations

import os
from pathlib import Path

import click

from feeds.cli.building import build
from feeds.cli.inspect import check, explain, index, list_feeds, ping
from feeds.cli.new import new
from feeds.cli.serving import serve
from feeds.config import ConfigError, environment_config
from feeds.index.store import IndexUnavailable
from feeds.static_site.output import SiteError


class _Main(click.Group):
    """Print errors that people can mend as one line."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (ConfigError, IndexUnavailable, SiteError) as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise  # the reader of a pipe has ended, and Click exits in silence
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror or error}") from error


@click.group(
    cls=_Main,
    commands=[new, serve, build, index, ping, check, list_feeds, explain],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="YAML file of settings; by default, the one that FEEDS_CONFIG names.",
)
@click.version_option(package_name="feeds")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Publish a folder of articles as feeds: of everything, each topic and each provider.

    FOLDER is the folder of articles. Without it, the setting 'articles' names the folder.
    """
    if config:
        # The workers of `serve` read it from there.
        os.environ["FEEDS_CONFIG"] = str(config.absolute())
    ctx.obj = environment_config()
