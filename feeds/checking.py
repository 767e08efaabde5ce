"""The faults and warnings of a folder of articles."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Set
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from feeds.articles import ArticleError, parse_article, stem_of
from feeds.articles.folder import list_files, read_bytes
from feeds.config import Config
from feeds.indexed import SITE, FeedKey, State, memberships
from feeds.processes import spread
from feeds.selection import NAMED_KINDS


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result of checking a folder."""

    #: How many article files there are.
    files: int
    #: How many of those without a fault are in each state.
    counts: dict[State, int]
    #: Every fault of every file.
    faults: tuple[ArticleError, ...]
    #: Every warning of every file, and of what several files and the settings say together.
    warnings: tuple[str, ...]


class _File(NamedTuple):
    """The result of checking a file, which is sent from one process to another."""

    faults: tuple[ArticleError, ...] = ()
    warnings: tuple[ArticleError, ...] = ()
    state: State = State.AT_FAULT
    link: str = ""
    #: The topics and the provider that it names.
    feeds: Set[FeedKey] = frozenset()


def check_folder(directory: Path, config: Config, now: datetime, jobs: int = 1) -> CheckResult:
    """Check every file, without the index, by `jobs` processes.

    Raises OSError if the folder cannot be read or a process dies.
    """
    listing = list_files(directory)
    paths = sorted(listing.paths)
    faults = [
        ArticleError(str(directory / path), 1, fault) for path, fault in listing.faults.items()
    ]
    stems: dict[str, str] = {}
    found: dict[str, _File] = {}
    with closing(spread(partial(_check, directory, config, now), paths, jobs)) as answers:
        for path, file in zip(paths, answers, strict=True):
            full = str(directory / path)
            owner = stems.setdefault(stem_of(path), full)
            if owner == full:
                found[full] = file
            else:
                problem = f"has the same name as {owner}, rename one of them"
                faults.append(ArticleError(full, 1, problem))
            faults += file.faults
    counts = Counter[State](file.state for file in found.values())
    del counts[State.AT_FAULT]
    warnings = [str(warning) for file in found.values() for warning in file.warnings]
    warnings += [*_shared_links(found), *_shared_slugs(found, config), *_unused(found, config)]
    return CheckResult(
        files=len(paths), counts=counts, faults=tuple(faults), warnings=tuple(warnings)
    )


def _check(directory: Path, config: Config, now: datetime, path: str) -> _File:
    full = str(directory / path)
    try:
        parsed = parse_article(read_bytes(directory, path), full)
    except OSError as error:
        return _File((ArticleError(full, 1, f"cannot be read, {error.strerror}"),))
    article = parsed.article
    if article is None:
        return _File(parsed.faults, parsed.warnings)
    named = memberships(article, config)
    state = State.PUBLIC
    if parsed.withheld_reason:
        state = State.NOT_PUBLISHED
    elif article.published > now:
        state = State.SCHEDULED
    elif all(article.quality < m.threshold for m in named):
        state = State.BELOW_THRESHOLD
    feeds = {(m.selection.kind, m.selection.key) for m in named} - {SITE}
    return _File((), parsed.warnings, state, article.link, feeds)


def _shared_links(found: dict[str, _File]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for path, file in found.items():
        if file.state in (State.PUBLIC, State.SCHEDULED):
            owner = owners.setdefault(file.link, path)
            if owner != path:
                yield f"{path}:1: warning: has the same address as {owner}, {file.link}"


def _shared_slugs(found: dict[str, _File], config: Config) -> Iterator[str]:
    public = (file.feeds for file in found.values() if file.state != State.NOT_PUBLISHED)
    sharing = defaultdict(list)
    for kind, key in sorted(set[FeedKey]().union(*public)):
        sharing[kind, config.slug(kind, key)].append(key)
    for (kind, slug), keys in sharing.items():
        if len(keys) > 1:
            names = ", ".join(map(repr, keys))
            yield (
                f"warning: {kind}s {names} share the slug {slug!r}: all but one get a suffix,"
                " give them a 'slug' in the settings"
            )


def _unused(found: dict[str, _File], config: Config) -> Iterator[str]:
    named = set[FeedKey]().union(*(file.feeds for file in found.values()))
    for kind in NAMED_KINDS:
        for key, settings in config.settings_by_key(kind).items():
            # What was withdrawn keeps its settings, so that its feeds go on answering 410.
            if (kind, key) not in named and not settings.withdrawn:
                yield f"warning: the settings name the {kind} {key!r}, but no sound article does"
