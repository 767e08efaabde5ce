"""What is wrong with a folder of articles, for the curator."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from feeds.articles import Article, ArticleError, parse_article
from feeds.articles.folder import list_files, read_bytes
from feeds.config import Config
from feeds.index.dating import Key
from feeds.index.placing import memberships


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found; `files` counts article files."""

    files: int
    #: Every fault of every file.
    faults: tuple[ArticleError, ...]
    #: Names whose natural addresses are one, each with what to do.
    collisions: tuple[str, ...]


def check_folder(directory: Path, config: Config) -> Checked:
    """Read every file anew, whatever the index knows. Raises OSError for the folder."""
    listing = list_files(directory)
    owners: dict[str, str] = {}
    faults = [
        ArticleError(str(directory / path), 1, fault) for path, fault in listing.faults.items()
    ]
    names: dict[Key, str] = {}
    for file in listing.files:
        path = str(directory / file.path)
        owner = owners.setdefault(file.stem, path)
        if owner != path:
            problem = f"has the same name as {owner}, rename one of them"
            faults.append(ArticleError(path, 1, problem))
        try:
            reading = parse_article(read_bytes(directory, file), path)
        except OSError as error:
            faults.append(ArticleError(path, 1, f"cannot be read, {error.strerror}"))
            continue
        faults += reading.faults
        if reading.article and not reading.withheld:
            names |= _names(reading.article, config)
    return Checked(
        files=len(listing.files), faults=tuple(faults), collisions=_collisions(names, config)
    )


def _names(article: Article, config: Config) -> dict[Key, str]:
    meant = memberships(article, config)
    return {(s.kind, s.key): label for s, label, _ in meant if s.kind != "site"}


def _collisions(names: dict[Key, str], config: Config) -> tuple[str, ...]:
    sharing = defaultdict(list)
    for kind, key in sorted(names):
        sharing[kind, config.slug(kind, key)].append(key)
    return tuple(
        f"{kind}s {', '.join(repr(key) for key in keys)} share the slug {slug!r}: all but one"
        " get a suffix, give them a 'slug' in the settings"
        for (kind, slug), keys in sharing.items()
        if len(keys) > 1
    )
