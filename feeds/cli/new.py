"""The command that begins an article."""

from __future__ import annotations

import json
from itertools import chain, count
from pathlib import Path
from string import Template

import click

from feeds.articles import stem_of
from feeds.articles.folder import list_files
from feeds.cli.common import FOLDER, with_folder
from feeds.config import Config
from feeds.index.sync import utc_now
from feeds.selection import slugify
from feeds.text import clean_text

_TEMPLATE = Path(__file__).with_name("article.md")
#: Letters of a title in a file's name, for which a file system has 255 bytes.
_MAX_LETTERS = 50


@click.command()
@click.argument("title")
@FOLDER
@click.pass_obj
def new(config: Config, title: str, folder: Path | None) -> None:
    """Write an article file into FOLDER, and print its path.

    The article is not published, and a comment explains each of its fields. The name of
    the file begins with the date, because no later article may have the same name.
    """
    config, title, now = with_folder(config, folder), clean_text(title), utc_now()
    if not title:
        raise click.UsageError("the title has no visible character, write one")
    slug = slugify("topic", title)[:_MAX_LETTERS].strip("-")
    first = f"{now:%Y-%m-%d}-{slug}"
    taken = {stem_of(path) for path in list_files(config.articles).paths}
    names = chain([f"{first}.md"], (f"{first}-{number}.md" for number in count(2)))
    path = config.articles / next(name for name in names if stem_of(name) not in taken)
    written = Template(_TEMPLATE.read_text("utf-8")).substitute(
        # YAML's double quotes hold all that JSON's do (YAML 1.2 section 1.3).
        title=json.dumps(title, ensure_ascii=False),
        now=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        quality=config.min_quality,
    )
    with path.open("x", encoding="utf-8") as file:
        file.write(written)
    click.echo(path)
