"""Every setting: its default, what it means, and its check."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from yaml import Node

from feeds import checks, logs, naming
from feeds.articles import front_matter
from feeds.articles.front_matter import FrontMatterError, line_of, quoted
from feeds.checks import Network
from feeds.naming import Name as Name
from feeds.selection import Kind, Selection, slugify


class ConfigError(ValueError):
    """A setting that cannot be used; the text names it and says what to do."""


def _setting(default: Any, check: Callable[[Node], Any], meaning: str, public: bool = True) -> Any:
    """A setting; `public` where a change of it can change a feed's bytes."""
    metadata = {"check": check, "meaning": meaning, "public": public}
    if default == {}:
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


_SEEDS = Path("seeds")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one site."""

    id: str = _setting(
        "feeds",
        checks.text,
        "Names the site in every id. Choose it before you publish, never change it.",
    )
    title: str = _setting("News", checks.title, "The site's name.")
    description: str = _setting("", checks.text, "One sentence on the site.")
    author: str = _setting("", checks.text, "Who publishes the feeds; without it, the title.")
    language: str = _setting("en", checks.language, "The language of the feeds (BCP 47).")
    base_url: str = _setting(
        "", checks.url, "Where the public finds the site; without it, the request's host."
    )
    trusted_hosts: tuple[str, ...] = _setting(
        ("localhost", "127.0.0.1", "[::1]"),
        checks.texts,
        "Hosts answered to while `base_url` is not set.",
        public=False,
    )
    hub: str = _setting(
        "", checks.service, "URL of a WebSub hub, which is told of every change; needs `base_url`."
    )
    articles: Path = _setting(Path("seeds"), checks.path, "The folder of articles.", public=False)
    database: str = _setting(
        "",
        checks.database,
        "URL of the index, `sqlite:///PATH` or `postgresql+psycopg://USER@HOST/NAME`;"
        " without it, a file in the instance folder.",
        public=False,
    )
    min_quality: int = _setting(
        60, checks.number(-(10**6), 10**6), "The threshold: articles below it stay out."
    )
    limit: int = _setting(50, checks.number(1, 200), "Entries in a feed.")
    max_age: int = _setting(
        1800,
        checks.number(1, 86400),
        "Seconds for which caches and readers keep a feed.",
        public=False,
    )
    checks_per_second: int = _setting(
        50,
        checks.number(0, 1000),
        "How often a second, at most, a process looks for changes, but for who may know of one;"
        " 0 for at each request.",
        public=False,
    )
    rate_limit: int | None = _setting(
        None,
        checks.number(0, 10**6),
        "Requests a minute and client that may transfer a document, 0 for any number; without"
        " it, 600 from another machine, and any number where there are `proxies`.",
        public=False,
    )
    proxies: tuple[Network, ...] = _setting(
        (),
        checks.networks,
        "Addresses and networks of the proxies in front: what they add to `X-Forwarded-For`"
        " is believed.",
        public=False,
    )
    metrics: tuple[Network, ...] = _setting(
        (),
        checks.networks,
        "Addresses and networks that may read `/metrics`, from which nobody asks through a proxy.",
        public=False,
    )
    log: logs.Form = _setting(
        "text",
        checks.one_of(logs.FORMS),
        "How the log is written: `text`, or `json` with an object a line.",
        public=False,
    )
    access_log: bool = _setting(
        False, checks.yes, "Whether each request has a line in the log.", public=False
    )
    topics: Mapping[str, Name] = _setting(
        {},
        naming.names("topic"),
        "By topic: `slug`, `title`, `description`, `min_quality`, `former`, `withdrawn`.",
    )
    providers: Mapping[str, Name] = _setting(
        {}, naming.names("provider"), "By domain: the same six."
    )

    def __post_init__(self) -> None:
        if self.hub and not self.base_url:
            raise ConfigError("hub needs the site's whole address, set 'base_url'")

    def name(self, selection: Selection) -> Name:
        """What the curator says of a selection's topic or provider."""
        return self.names(selection.kind).get(selection.key, Name())

    def names(self, kind: Kind) -> Mapping[str, Name]:
        """What the curator says of a kind's names, by key."""
        return {"topic": self.topics, "provider": self.providers}.get(kind, {})

    def slug(self, kind: Kind, key: str) -> str:
        """The slug a topic or provider should have: the configured or the natural one."""
        return self.name(Selection(kind=kind, key=key)).slug or slugify(kind, key)

    def threshold(self, selection: Selection) -> int:
        """The quality from which on articles are in a selection's feed."""
        own = self.name(selection).min_quality
        return self.min_quality if own is None else own

    def least_quality(self, selection: Selection) -> int:
        """The quality from which on articles are in what a selection is of."""
        groups = [group for group in selection.groups if group[0].kind != "type"]
        return max(min(map(self.threshold, group)) for group in groups)

    def entry_id(self, stem: str) -> UUID:
        """The id of a file's entry, in every feed and for ever (RFC 9562 section 5.5)."""
        return uuid5(self._namespace, stem)

    @cached_property
    def _namespace(self) -> UUID:
        return uuid5(NAMESPACE_URL, self.id)

    def feed_id(self, selection: Selection) -> UUID:
        """The id of a selection's feed, however many entries it shows.

        No stem holds a slash, so no entry shares it.
        """
        name = f"/{selection.kind}/{selection.key}"
        if selection.whole != selection.plain:
            # Keys, for slugs change.
            s = selection
            groups = (s.topics, s.providers, s.types, s.exclude)
            keys = [sorted((n.kind, n.key) for n in group) for group in groups]
            name += "?" + json.dumps([keys, s.min_quality, s.min_heat])
        return uuid5(self._namespace, name)

    def fingerprint(self) -> str:
        """Text that changes where a setting that feeds depend on does."""
        return repr([getattr(self, f.name) for f in fields(self) if f.metadata["public"]])


def read_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The settings of a YAML file and, over it, of `FEEDS_*` variables.

    Relative paths in the file start at its folder. Raises ConfigError.
    """
    values = _read_file(path) if path else {}
    for variable in sorted(environ):
        if variable.startswith("FEEDS_") and variable != "FEEDS_CONFIG":
            name = variable.removeprefix("FEEDS_").lower()
            try:
                values[name] = _checked(name, quoted(environ[variable]))
            except FrontMatterError as error:
                raise ConfigError(f"{variable}: {error.problem}") from error
    return Config(**values)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        node = front_matter.read_front_matter(path.read_text("utf-8-sig"))
        values = {key.value: _checked(key.value, value) for key, value in node.value}
    except FrontMatterError as error:
        raise ConfigError(f"{path}:{error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read, {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8, save the file as UTF-8") from error
    if "articles" in values:
        values["articles"] = path.parent / values["articles"]
    return values


def _checked(name: str, node: Node) -> Any:
    """A setting's value. Raises FrontMatterError with the line at fault."""
    known = {f.name: f for f in fields(Config)}
    if name not in known:
        problem = f"{name} is not a setting, known are {', '.join(known)}"
        raise FrontMatterError(line_of(node), problem)
    try:
        return known[name].metadata["check"](node)
    except FrontMatterError as error:
        raise FrontMatterError(error.line, f"{name}: {error.problem}") from error
    except ValueError as error:
        raise FrontMatterError(line_of(node), f"{name} {error}") from error


def settings() -> list[tuple[str, Any, str]]:
    """Each setting's name, default and meaning, for documents and help."""
    return [
        (f.name, {} if f.default is MISSING else f.default, f.metadata["meaning"])
        for f in fields(Config)
    ]
