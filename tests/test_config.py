"""Settings from real files and from the environment."""

from __future__ import annotations

import pickle
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from msgspec.structs import replace

from feeds.config import (
    Config,
    ConfigError,
    FeedSettings,
    environment_config,
    read_config,
)
from feeds.pages.assets import STATIC
from feeds.selection import EVERYTHING, Selection

#: For each setting: in YAML, in the environment, and what comes of it.
GOOD: dict[str, tuple[str, str, Any]] = {
    "id": ("news.example", "news.example", "news.example"),
    "title": ("'News  &  more'", "News & more", "News & more"),
    "description": ("About", "About", "About"),
    "author": ("Somebody", "Somebody", "Somebody"),
    "language": ("de", "de", "de"),
    "time_zone": ("Europe/Berlin", "Europe/Berlin", "Europe/Berlin"),
    "base_url": ("https://News.example/", "https://News.example/", "https://News.example"),
    "trusted_hosts": (
        "[a.example, b.example]",
        "a.example, b.example,",
        ("a.example", "b.example"),
    ),
    "hub": ("https://hub.example/?a=b", "https://hub.example/?a=b", "https://hub.example/?a=b"),
    "articles": ("/srv/two  spaces", "/srv/two  spaces", Path("/srv/two  spaces")),
    "database": ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    "min_quality": ("-5", "-5", -5),
    "limit": ("200", "200", 200),
    "digests": ("[daily, monthly]", "daily, monthly", ("daily", "monthly")),
    "icon": (str(STATIC / "icon.svg"), str(STATIC / "icon.svg"), STATIC / "icon.svg"),
    "accent": ("'#07a'", "#07a", "#07a"),
    "web_readers": (
        "['https://reader.example/?add=']",
        "https://reader.example/?add=,",
        ("https://reader.example/?add=",),
    ),
    "max_age": ("60", "60", 60),
    "index_polls_per_second": ("0", "0", 0),
    "rate_limit": ("100", "100", 100),
    "proxies": (
        "[10.0.0.0/8, '::1']",
        "10.0.0.0/8, ::1",
        (ip_network("10.0.0.0/8"), ip_network("::1/128")),
    ),
    "metrics": ("['::1']", "::1", (ip_network("::1/128"),)),
    "log": ("json", "json", "json"),
    "access_log": ("true", "true", True),
    "topics": ("{AI: {slug: ki}}", "{AI: {slug: ki}}", {"ai": FeedSettings(slug="ki")}),
    "providers": (
        "{www.A.example: {withdrawn: true, former: [b.example], min_quality: 70}}",
        "{www.A.example: {withdrawn: true, former: [b.example], min_quality: 70}}",
        {"a.example": FeedSettings(withdrawn=True, former=("b.example",), min_quality=70)},
    ),
}


#: What a setting cannot be without.
_NEEDED = {"hub": "base_url: https://news.example\n"}


def from_yaml(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "feeds.yaml"
    path.write_text(text)
    return read_config(path, {})


def test_every_setting_is_tried() -> None:
    assert list(GOOD) == list(Config.__struct_fields__)


@pytest.mark.parametrize("name", GOOD)
def test_setting_is_read_from_the_file(tmp_path: Path, name: str) -> None:
    written, _, value = GOOD[name]
    assert (
        getattr(from_yaml(tmp_path, _NEEDED.get(name, "") + f"{name}: {written}\n"), name) == value
    )


@pytest.mark.parametrize("name", GOOD)
def test_variable_goes_over_the_file(tmp_path: Path, name: str) -> None:
    _, written, value = GOOD[name]
    path = tmp_path / "feeds.yaml"
    path.write_text(_NEEDED.get(name, "") + "title: Of the file\n")
    config = read_config(path, {f"FEEDS_{name.upper()}": written, "OTHER": "x"})
    assert getattr(config, name) == value
    assert name == "title" or config.title == "Of the file"


def test_nothing_set_is_the_defaults() -> None:
    assert read_config(None, {"FEEDS_CONFIG": "feeds.yaml"}) == Config()
    assert Config().min_quality == 60
    assert Config().limit == 50


def test_relative_folder_starts_at_the_files_own(tmp_path: Path) -> None:
    assert from_yaml(tmp_path, "articles: news\n").articles == tmp_path / "news"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id: x\ntitel: x\n", ":2: titel: is not a setting, known are id, title, description,"),
        ("id: x\nid: x\n", ":2: id: stands twice, keep one"),
        ("title: 2020\n", ":1: title: must be text, put it in quotes"),
        ("title: [x]\n", ":1: title: must be text, put it in quotes"),
        ("title: !!str [x]\n", ":1: title: must be text, put it in quotes"),
        ("title: ' '\n", ":1: title: must not be empty"),
        ("language: English & x\n", ":1: language: must be a language tag such as en or pt-BR"),
        ("language: no\n", ":1: language: must be text, put it in quotes"),
        ("time_zone: Berlin\n", ":1: time_zone: must be an IANA time zone such as Europe/Berlin"),
        ("time_zone: ../../etc/passwd\n", ":1: time_zone: must be an IANA time zone"),
        ("time_zone: Europe\n", ":1: time_zone: must be an IANA time zone"),
        ("digests: [yearly]\n", ":1: digests: must be of daily, weekly, monthly"),
        ("limit: 0\n", ":1: limit: is '0', must be a whole number from 1 to 200"),
        ("limit: many\n", ":1: limit: is 'many', must be a whole number from 1 to 200"),
        ("limit: 010\n", ":1: limit: is '010', must be a whole number from 1 to 200"),
        (f"limit: {'9' * 999}\n", f":1: limit: is '{'9' * 80}', must be a whole number"),
        ("limit: [1]\n", ":1: limit: must be a whole number from 1 to 200"),
        ("rate_limit: -1\n", ":1: rate_limit: is '-1', must be a whole number from 0 to 1000000"),
        ("access_log: yes\n", ":1: access_log: is 'yes', must be true or false"),
        ("trusted_hosts: {a: b}\n", ":1: trusted_hosts: must be text, put it in quotes"),
        ("trusted_hosts: [1]\n", ":1: trusted_hosts: must be text, put it in quotes"),
        ("trusted_hosts: &a [*a]\n", ":1: trusted_hosts: must be text, put it in quotes"),
        ("proxies: 10.0.0.1/8\n", ":1: proxies: must be addresses or networks such as"),
        ("log: xml\n", ":1: log: is 'xml', must be one of json, text"),
        ("base_url: news.example\n", ":1: base_url: is not an absolute http or https URL but"),
        ("base_url: https://a.example/?b\n", ":1: base_url: must end before the first '?'"),
        ("base_url: https://a.example/#b\n", ":1: base_url: must end before the first '#'"),
        ("hub: hub.example\n", ":1: hub: is not an absolute http or https URL but 'hub.example'"),
        ("icon: icon.jpg\n", ":1: icon: must be a PNG or SVG file, with the suffix"),
        ("accent: #07a\n", ":1: accent: must be text, put it in quotes"),
        ("accent: red;}\n", ":1: accent: must be a colour such as '#0077aa' or '#07a'"),
        ("accent: '#0077aaff'\n", ":1: accent: must be a colour"),
        ("web_readers: [reader]\n", ":1: web_readers: is not an absolute http or https URL"),
        ("hub: ftp://hub.example/\n", ":1: hub: is not an absolute http or https URL but 'ftp"),
        ("hub: https://hub.example/#x\n", ":1: hub: must end before the first '#'"),
        ("database: mysql://x\n", ":1: database: must be the URL of a SQLite file"),
        ("topics: [AI]\n", ":1: topics: must be a map of 'name: value' lines"),
        ("topics:\n  AI: x\n", ":2: topics: AI: must be a map of 'name: value' lines"),
        (
            "topics:\n  AI:\n    slog: x\n",
            ":3: topics: AI: slog: is not a setting, known are",
        ),
        ("topics:\n  AI:\n    slug: A I\n", ":2: topics: AI: the slug is 'A I', write 'a-i'"),
        (
            "topics:\n  AI:\n    withdrawn: yes\n",
            ":3: topics: AI: withdrawn: is 'yes', must be",
        ),
        ("topics:\n  AI: {}\n  ai: {}\n", ":3: topics: ai: stands twice, keep one"),
        ("topics: &a\n  AI: *a\n", ":2: topics: AI: AI: is not a setting, known are slug,"),
        ("topics:\n  [AI]: {}\n", ":2: topics: a name must be text, put it in quotes"),
        ("- a\n", ":1: must be a map of 'name: value' lines"),
        ("a: [\n", ":2: bad YAML, "),
        ("id: x\na: " + "[" * 100_000, ":2: bad YAML, "),
        ("id: a\n---\nid: b\n", ":2: bad YAML, "),
        ("id: \0\n", ": bad YAML, "),
    ],
)
def test_bad_setting_is_named_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_yaml(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/feeds.yaml{problem}")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_icon_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    # Its first bytes are no memory of the process, so not even root can read them.
    (tmp_path / "own.png").symlink_to("/proc/self/mem")
    with pytest.raises(ConfigError, match=r"^icon: .*/own\.png: cannot be read, "):
        from_yaml(tmp_path, "icon: own.png\n")


def test_icon_is_a_file_beside_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^icon: .*/missing\.png: is not a file$"):
        from_yaml(tmp_path, "icon: missing.png\n")
    (tmp_path / "own.PNG").touch()
    assert from_yaml(tmp_path, "icon: own.PNG\n").icon == tmp_path / "own.PNG"


def test_hub_needs_the_whole_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^hub needs the site's whole address, set 'base_url'$"):
        from_yaml(tmp_path, "hub: https://hub.example/\n")
    with pytest.raises(ConfigError, match=r"set 'base_url'$"):
        read_config(None, {"FEEDS_HUB": "https://hub.example/"})
    config = Config(hub="https://hub.example/", base_url="https://news.example")
    with pytest.raises(ConfigError, match=r"set 'base_url'$"):
        replace(config, base_url="")


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("FEEDS_TITEL", "x", ": titel: is not a setting, known are id,"),
        ("FEEDS_LIMIT", "many", ": limit: is 'many', must be a whole number from 1 to 200"),
        ("FEEDS_TOPICS", "{\n", ":2: topics: bad YAML, "),
        ("FEEDS_TOPICS", "AI:\n  slug: X", ":1: topics: AI: the slug is 'X', write 'x'"),
        ("FEEDS_TOPICS", "\udce9", ": topics: "),
    ],
)
def test_bad_variable_is_named(variable: str, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(None, {variable: text})
    assert str(caught.value).startswith(variable + problem)


@pytest.mark.parametrize("text", ["", "---\n", "# title: x\n", "topics:\n", "topics:\n  AI:\n"])
def test_what_has_nothing_in_it_is_the_defaults(tmp_path: Path, text: str) -> None:
    config = from_yaml(tmp_path, text)
    assert replace(config, topics={}) == Config()
    assert set(config.topics.values()) <= {FeedSettings()}


def test_text_of_a_variable_needs_no_quotes() -> None:
    config = read_config(None, {"FEEDS_TITLE": "2020: a year", "FEEDS_LANGUAGE": "no"})
    assert (config.title, config.language) == ("2020: a year", "no")


def test_names_are_keys_whatever_yaml_takes_them_for(tmp_path: Path) -> None:
    config = from_yaml(tmp_path, "topics:\n  2020: {slug: year}\n  On: {slug: switch}\n")
    assert config.topics == {"2020": FeedSettings(slug="year"), "on": FeedSettings(slug="switch")}


def test_home_folder_may_be_written_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/curator")
    assert read_config(None, {"FEEDS_ARTICLES": "~/news"}).articles == Path("/srv/curator/news")


def test_environment_names_the_file_and_goes_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text("title: Of the file\nlimit: 7\n")
    monkeypatch.setenv("FEEDS_CONFIG", str(path))
    monkeypatch.setenv("FEEDS_LIMIT", "8")
    assert environment_config() == Config(title="Of the file", limit=8)
    monkeypatch.delenv("FEEDS_CONFIG")
    assert environment_config() == Config(limit=8)


def test_another_process_gets_the_same_settings(tmp_path: Path) -> None:
    config = from_yaml(tmp_path, "proxies: ['::1']\ntopics: {AI: {slug: ki}}\n")
    before = config.entry_id("one")
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    assert (copy.entry_id("one"), copy.fingerprint()) == (before, config.fingerprint())


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.yaml: cannot be read, No such file"):
        read_config(tmp_path / "nowhere.yaml", {})
    (tmp_path / "feeds.yaml").write_bytes(b"title: \xe9\n")
    with pytest.raises(ConfigError, match=r"feeds.yaml: not UTF-8, save the file as UTF-8"):
        read_config(tmp_path / "feeds.yaml", {})


#: What no document shows.
UNSEEN = (
    *("articles", "database", "max_age", "index_polls_per_second", "rate_limit", "trusted_hosts"),
    *("digests", "icon", "accent", "web_readers", "proxies", "metrics", "log", "access_log"),
)


def test_fingerprint_moves_only_with_what_feeds_depend_on() -> None:
    base = Config().fingerprint()
    unseen: dict[str, Any] = {
        "articles": Path("x"),
        "database": "x",
        "max_age": 1,
        "trusted_hosts": (),
    }
    assert replace(Config(), rate_limit=9, **unseen).fingerprint() == base
    changes: list[dict[str, Any]] = [
        {"title": "x"},
        {"limit": 1},
        {"topics": {"ai": FeedSettings()}},
    ]
    for change in changes:
        assert replace(Config(), **change).fingerprint() != base


def test_ids_are_named_by_site_and_stem() -> None:
    config = Config(id="news.example")
    namespace = uuid5(NAMESPACE_URL, "news.example")
    assert config.entry_id("000_8358") == uuid5(namespace, "000_8358")
    ids = {
        config.feed_id(EVERYTHING),
        config.feed_id(Selection(kind="topic", key="ai")),
        config.feed_id(Selection(kind="provider", key="ai")),
        config.entry_id("ai"),
    }
    assert len(ids) == 4


def test_threshold_is_the_topics_own_or_the_sites() -> None:
    config = Config(min_quality=50, topics={"ai": FeedSettings(min_quality=0)})
    assert config.threshold(Selection(kind="topic", key="ai")) == 0
    assert config.threshold(Selection(kind="topic", key="law")) == 50
    assert config.threshold(EVERYTHING) == 50


def test_slug_is_the_configured_or_the_natural_one() -> None:
    config = Config(
        topics={"ai": FeedSettings(slug="ki")},
        providers={"a.example": FeedSettings(slug="a"), "ai": FeedSettings()},
    )
    assert config.slug("topic", "ai") == "ki"
    assert config.slug("topic", "c++") == "cplusplus"
    assert config.slug("provider", "a.example") == "a"
    assert config.slug("provider", "ai") == "ai"
    assert config.settings_of(EVERYTHING) == FeedSettings()


def test_relative_folder_of_a_variable_starts_where_the_program_does(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text("articles: news\n")
    assert read_config(path, {"FEEDS_ARTICLES": "other"}).articles == Path("other")


def test_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert from_yaml(tmp_path, "\ufefftitle: Marked\n").title == "Marked"


@pytest.mark.parametrize("name", list(Config.__struct_fields__))
def test_each_setting_moves_the_fingerprint_or_never_does(tmp_path: Path, name: str) -> None:
    unseen = name in UNSEEN
    needed = _NEEDED.get(name, "id: feeds\n")
    before = from_yaml(tmp_path, needed).fingerprint()
    changed = from_yaml(tmp_path, needed * (name != "id") + f"{name}: {GOOD[name][0]}\n")
    assert (changed.fingerprint() == before) is unseen


def test_entry_id_is_that_of_the_standard() -> None:
    assert str(Config(id="feeds").entry_id("one")) == "ed065b36-f4fe-5681-b9e2-217e71d203ff"
    assert Config(id="a").entry_id("one") != Config(id="b").entry_id("one")


def test_url_of_the_index_keeps_its_spaces(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text("database: 'sqlite:////srv/my  site/index.db'\n")
    assert read_config(path, {}).database == "sqlite:////srv/my  site/index.db"
    assert read_config(None, {"FEEDS_DATABASE": " sqlite:///a.db\n"}).database == "sqlite:///a.db"


def test_order_of_names_means_nothing() -> None:
    """Or every feed would be dated anew by whoever sorts them."""
    one = read_config(None, {"FEEDS_TOPICS": "{AI: {slug: a}, Law: {}}"})
    other = read_config(None, {"FEEDS_TOPICS": "{Law: {}, AI: {slug: a}}"})
    assert one.fingerprint() == other.fingerprint()
