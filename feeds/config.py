"""The settings of a site: their defaults, limits and meanings."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

import yaml
from msgspec import Meta, Struct

from feeds import logs, setting_types
from feeds.feed_settings import FeedSettings as FeedSettings
from feeds.feed_settings import Quality, Text, read_feed_settings
from feeds.periods import Frequency, Period
from feeds.search import search_text
from feeds.selection import MAX_LIMIT, Kind, Selection, slugify
from feeds.setting_types import Network
from feeds.settings import TEXT, compose, config_errors, read_fields, read_pairs
from feeds.settings import ConfigError as ConfigError
from feeds.text import clean_text, uri
from feeds.translations import words_version

Networks = Annotated[tuple[Network, ...], setting_types.network]

#: Settings that do not change the bytes of any feed.
_NOT_IN_FEEDS = frozenset(
    ("articles", "database", "max_age", "index_polls_per_second", "rate_limit", "trusted_hosts")
) | {"digests", "icon", "accent", "web_readers", "proxies", "metrics", "log", "access_log"}


class Config(Struct, frozen=True, kw_only=True, dict=True):
    """The settings of one site."""

    id: Annotated[
        Text, "Names the site in every id. Choose it before you publish, and never change it."
    ] = "feeds"
    title: Annotated[str, setting_types.title, "The site's name."] = "News"
    description: Annotated[Text, "One sentence about the site."] = ""
    author: Annotated[Text, "Who publishes the feeds; without it, the title."] = ""
    language: Annotated[
        str, setting_types.language, "The language of feeds and pages (BCP 47)."
    ] = "en"
    time_zone: Annotated[
        str,
        setting_types.time_zone,
        "Where the day begins, as an IANA name such as `Europe/Berlin`: the days, weeks and months"
        " of digests end there.",
    ] = "UTC"
    base_url: Annotated[
        str,
        setting_types.site_url,
        "Where the public finds the site; without it, the request's host.",
    ] = ""
    trusted_hosts: Annotated[
        tuple[str, ...],
        clean_text,
        "Hosts under which the site answers while `base_url` is not set.",
    ] = ("localhost", "127.0.0.1", "[::1]")
    hub: Annotated[
        str,
        setting_types.service_url,
        "URL of a WebSub hub, which is told of every change; needs `base_url`.",
    ] = ""
    articles: Annotated[Path, setting_types.path, "The folder of articles."] = Path("seeds")
    database: Annotated[
        str,
        setting_types.database,
        "URL of the index, `sqlite:///PATH` or `postgresql+psycopg://USER@HOST/NAME`;"
        " without it, a file in the instance folder.",
    ] = ""
    min_quality: Annotated[Quality, "The threshold: articles below it stay out."] = 60
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT), "Entries in a feed."] = 50
    digests: Annotated[
        tuple[Frequency, ...],
        setting_types.frequency,
        "The digests that a static site has and that `feeds ping` pings, of `daily`, `weekly` and"
        " `monthly`; `feeds serve` has them all.",
    ] = ("weekly",)
    icon: Annotated[
        Path | None,
        setting_types.icon,
        "A square picture for the site, a PNG or SVG file; an SVG is shown only where SVG is known,"
        " as in browsers.",
    ] = None
    accent: Annotated[
        str,
        setting_types.colour,
        "The colour of links and buttons on pages, such as `#0077aa`; made darker or lighter"
        " where it could not be read.",
    ] = ""
    web_readers: Annotated[
        tuple[str, ...],
        uri,
        "Web readers that pages link to: addresses to which that of the feed is appended.",
    ] = (
        "https://feedly.com/i/subscription/feed%2F",
        "https://www.inoreader.com/?add_feed=",
        "https://www.newsblur.com/?url=",
        "https://feedbin.com/?subscribe=",
        "https://theoldreader.com/feeds/subscribe?url=",
    )
    max_age: Annotated[
        int, Meta(ge=1, le=86400), "Seconds for which caches and readers keep a feed."
    ] = 1800
    index_polls_per_second: Annotated[
        int,
        Meta(ge=0, le=1000),
        "How often a second, at most, a process asks the index for changes, except for clients"
        " that may have a newer version; 0 asks at each request.",
    ] = 50
    rate_limit: Annotated[
        Annotated[int, Meta(ge=0, le=10**6)] | None,
        "Documents that one client may transfer in a minute, 0 for any number; without it, 600"
        " from another machine, and any number where there are `proxies`.",
    ] = None
    proxies: Annotated[
        Networks,
        "Addresses and networks of the proxies in front, whose `X-Forwarded-For` is trusted.",
    ] = ()
    metrics: Annotated[
        Networks,
        "Addresses and networks that may read `/metrics`, though not through a proxy.",
    ] = ()
    log: Annotated[
        logs.LogFormat, "How the log is written: `text`, or `json` with an object a line."
    ] = "text"
    access_log: Annotated[bool, "Whether each request has a line in the log."] = False
    topics: Annotated[
        Mapping[str, FeedSettings],
        partial(read_feed_settings, "topic"),
        "By topic: `slug`, `title`, `description`, `min_quality`, `former`, `withdrawn`.",
    ] = {}  # msgspec copies it
    providers: Annotated[
        Mapping[str, FeedSettings],
        partial(read_feed_settings, "provider"),
        "By domain: the same six.",
    ] = {}  # msgspec copies it

    def __post_init__(self) -> None:
        if self.hub and not self.base_url:
            raise ConfigError("hub needs the site's whole address, set 'base_url'")
        if self.icon:
            with config_errors(f"icon: {self.icon}"):
                if not self.icon.is_file():
                    raise ConfigError("is not a file")
                self.icon.read_bytes()

    def settings_of(self, selection: Selection) -> FeedSettings:
        """Return the settings of a selection's topic or provider."""
        return self.settings_by_key(selection.kind).get(selection.key, FeedSettings())

    def settings_by_key(self, kind: Kind) -> Mapping[str, FeedSettings]:
        """Return the settings of topics or providers, by key."""
        return {"topic": self.topics, "provider": self.providers}.get(kind, {})

    def slug(self, kind: Kind, key: str) -> str:
        """Return the slug of a topic or provider, configured or natural, which may be taken."""
        return self.settings_by_key(kind).get(key, FeedSettings()).slug or slugify(kind, key)

    def threshold(self, selection: Selection) -> int:
        """Return the lowest quality of articles in the feed of a plain selection."""
        own = self.settings_of(selection).min_quality
        return self.min_quality if own is None else own

    def least_quality(self, selection: Selection) -> int:
        """Return the lowest quality of articles in the feeds that a selection combines."""
        return max(min(map(self.threshold, group)) for group in selection.groups)

    def entry_id(self, stem: str) -> UUID:
        """Return the id that the entry of a file has in every feed (RFC 9562 section 5.5)."""
        return uuid5(self._namespace, stem)

    @cached_property
    def _namespace(self) -> UUID:
        return uuid5(NAMESPACE_URL, self.id)

    def feed_id(self, selection: Selection) -> UUID:
        """Return the id of a selection's feed, which does not depend on its limit.

        It differs from all ids of entries, because a stem has no slash.
        """
        name = f"/{selection.kind}/{selection.key}"
        if selection.frequency:
            # Before the kind, because a key may have a slash.
            name = f"/{selection.frequency}{name}"
        if selection.stories != selection.plain:
            # Keys, because slugs may change.
            s = selection
            groups = (s.topics, s.providers, s.types, s.exclude)
            keys = [sorted((n.kind, n.key) for n in group) for group in groups]
            searched = [search_text(s.search)] if s.search else []
            name += "?" + json.dumps([keys, s.min_quality, s.min_heat, *searched])
        return uuid5(self._namespace, name)

    def digest_id(self, selection: Selection, period: Period) -> UUID:
        """Return the id of a selection's digest of a period, which does not depend on its limit."""
        return uuid5(self.feed_id(selection), period.name)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone in which the periods of digests begin and end."""
        return ZoneInfo(self.time_zone)

    def fingerprint(self) -> str:
        """Return text that differs whenever a setting or a translation can change a feed."""
        names = [name for name in self.__struct_fields__ if name not in _NOT_IN_FEEDS]
        words = words_version(self.language)
        return repr([getattr(self, name) for name in names] + [words] * bool(words))


def read_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Return the settings of a YAML file and of `FEEDS_*` variables, which override it.

    Relative paths in the file start at its folder. Raises ConfigError.
    """
    values = _read_file(path) if path else {}
    for variable, value in environ.items():
        if variable.startswith("FEEDS_") and variable != "FEEDS_CONFIG":
            name = variable.removeprefix("FEEDS_").lower()
            with config_errors(variable):
                pair = yaml.ScalarNode(TEXT, name), yaml.ScalarNode(TEXT, value)
                values |= read_fields(Config, [pair])
    return Config(**values)


def environment_config() -> Config:
    """Return the settings of the file that `FEEDS_CONFIG` names and of `FEEDS_*` variables."""
    path = os.environ.get("FEEDS_CONFIG")
    return read_config(Path(path) if path else None, os.environ)


def _read_file(path: Path) -> dict[str, Any]:
    with config_errors(path):
        values = read_fields(Config, read_pairs(compose(path.read_text("utf-8"))))
    for name in {"articles", "icon"} & values.keys():
        values[name] = path.parent / values[name]
    return values
