"""What is wrong with a folder of articles, for the curator."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from feeds.articles import Article, ArticleError, parse_article, stem_of
from feeds.articles.folder import list_files, read_bytes
from feeds.config import Config
from feeds.index.indexed import FeedKey, memberships
from feeds.processes import spread


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found; `files` counts article files."""

    files: int
    #: Every fault of every file.
    faults: tuple[ArticleError, ...]
    #: Names whose natural addresses are one, each with what to do.
    collisions: tuple[str, ...]


def check_folder(directory: Path, config: Config, jobs: int = 1) -> Checked:
    """Read every file anew and to its end, whatever the index knows, by `jobs` processes.

    Raises OSError if the folder cannot be read or a process dies.
    """
    listing = list_files(directory)
    paths = sorted(listing.paths)
    owners: dict[str, str] = {}
    faults = [
        ArticleError(str(directory / path), 1, fault) for path, fault in listing.faults.items()
    ]
    names: dict[FeedKey, str] = {}
    with closing(spread(partial(_check, directory, config), paths, jobs)) as answers:
        for path, (found, named) in zip(paths, answers, strict=True):
            full = str(directory / path)
            owner = owners.setdefault(stem_of(path), full)
            if owner != full:
                problem = f"has the same name as {owner}, rename one of them"
                faults.append(ArticleError(full, 1, problem))
            faults += [ArticleError(full, line, problem) for line, problem in found]
            names |= named
    return Checked(files=len(paths), faults=tuple(faults), collisions=_collisions(names, config))


def _check(
    directory: Path, config: Config, path: str
) -> tuple[list[tuple[int, str]], dict[FeedKey, str]]:
    """A file's faults with their lines, and what it calls its feeds."""
    try:
        reading = parse_article(read_bytes(directory, path), path)
    except OSError as error:
        return [(1, f"cannot be read, {error.strerror}")], {}
    faults = [(fault.line, fault.problem) for fault in reading.faults]
    if reading.withheld or reading.article is None:
        return faults, {}
    return faults, _names(reading.article, config)


def _names(article: Article, config: Config) -> dict[FeedKey, str]:
    meant = memberships(article, config)
    return {(s.kind, s.key): label for s, label, _ in meant if s.kind != "site"}


def _collisions(names: dict[FeedKey, str], config: Config) -> tuple[str, ...]:
    sharing = defaultdict(list)
    for kind, key in sorted(names):
        sharing[kind, config.slug(kind, key)].append(key)
    return tuple(
        f"{kind}s {', '.join(repr(key) for key in keys)} share the slug {slug!r}: all but one"
        " get a suffix, give them a 'slug' in the settings"
        for (kind, slug), keys in sharing.items()
        if len(keys) > 1
    )
