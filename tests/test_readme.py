"""What the README says is true."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

from feeds.config import Config, Name, read_config, settings
from feeds.pages.embedding import STORIES, THEMES, Look, snippets
from feeds.pages.render import STATIC
from feeds.selection import Selection
from feeds.web import create_app
from feeds.web.parameters import PARAMETERS
from feeds.web.tally import KINDS
from tests.support import ROOT

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text()


def commands() -> list[tuple[str, str]]:
    """Each command of feeds and each `export` of the README with the output below it."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.S)
    return [
        (found[1], found[2])
        for block in blocks
        for found in re.finditer(
            r"^\$ ((?:feeds|export) [^\n]+)\n((?:(?!\$ )[^\n]*\n)*)", block, re.M
        )
    ]


def test_commands_print_what_the_readme_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    environment = {**os.environ, "FEEDS_DATABASE": f"sqlite:///{tmp_path}/index.sqlite3"}
    assert len(commands()) >= 5
    for command, shown in commands():
        if exported := re.match(r"export (\w+)=(.*)", command):
            environment[exported[1]] = exported[2]
            continue
        ran = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        assert (command, ran.stdout) == (command, shown)


def test_settings_table_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", README, re.M)
    assert rows == [(name, shown(default), meaning) for name, default, meaning in settings()]


def shown(default: object) -> str:
    """A default as the README writes it."""
    if default and isinstance(default, tuple):
        return ", ".join(f"`{item}`" for item in default)
    if isinstance(default, bool):
        default = str(default).lower()
    return "" if default in (None, "", (), {}) else f"`{default}`"


def test_settings_example_is_accepted(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", README, re.S)
    (tmp_path / "feeds.yaml").write_text(examples[1])
    config = read_config(tmp_path / "feeds.yaml", {})
    assert config.topics["ai"].slug == "artificial-intelligence"
    assert config.providers["example.org"].withdrawn


def test_article_example_is_an_article(tmp_path: Path) -> None:
    from feeds.articles import read_article

    (tmp_path / "example.md").write_text(re.findall(r"```yaml\n(.*?)```", README, re.S)[0])
    article = read_article(tmp_path / "example.md")
    assert article.topics == ("AI", "Computer Vision")
    assert article.content.startswith("<p>What stands here")


def test_names_settings_are_all_named() -> None:
    meanings = {name: meaning for name, _, meaning in settings()}
    for field in dataclasses.fields(Name):
        assert f"`{field.name}`" in meanings["topics"]


def test_table_of_addresses_is_that_of_the_code(tmp_path: Path) -> None:
    rows = re.findall(r"^\| [^|]+ \| (`[^|]*`) \|$", README, re.M)
    written = [address for row in rows for address in re.findall(r"`([^`]+)`", row)]
    bases = written[:3]
    assert all(base.startswith("/") and base.endswith("/") for base in bases)
    addresses = [a for a in written if a.startswith("/")]
    addresses += [base + a for base in bases for a in written if not a.startswith("/")]
    database = f"sqlite:///{tmp_path}/index.sqlite3"
    app = create_app(Config(articles=ROOT / "seeds", database=database))
    for address in addresses:
        client = app.test_client()
        response = client.get(address, "http://localhost:8000", follow_redirects=True)
        assert (address, response.status_code) == (address, 200)
    find = app.url_map.bind("localhost").match
    named = {find(address.partition("?")[0])[0] for address in addresses}
    assert named == {rule.endpoint for rule in app.url_map.iter_rules()} - {"static", "health"}
    assert "`/healthz`" in README


def test_table_of_parameters_is_that_of_the_code() -> None:
    table = README.partition("| parameter |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.M)
    assert dict(rows) == PARAMETERS


def test_members_of_the_json_extension_are_those_that_are_written() -> None:
    table = README.partition("| member |")[2].partition("\n\n")[0]
    named = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.M)))
    schema = json.loads((ROOT / "tests" / "json_feed.schema.json").read_text())
    assert set(named) == set(schema["$defs"]["feeds"]["properties"])


def test_table_of_metrics_is_that_of_the_code(tmp_path: Path) -> None:
    table = README.partition("| metric |")[2].partition("\n\n")[0]
    named = re.findall(r"`(feeds_\w+)`", table)
    config = Config(
        articles=ROOT / "seeds",
        database=f"sqlite:///{tmp_path}/index.sqlite3",
        metrics=(ip_network("127.0.0.1"),),
    )
    client = create_app(config).test_client()
    told = client.get("/metrics", environ_overrides={"REMOTE_ADDR": "127.0.0.1"}).text
    types = re.findall(r"^# TYPE (\w+) ", told, re.M)
    assert sorted(named) == sorted(name for name in types if not name.endswith("_created"))
    assert set(re.findall(r"`(\w+)`", table.partition("by `kind`")[2].partition(")")[0])) == KINDS


def test_snippets_are_those_of_the_pages() -> None:
    ai = Selection(kind="topic", key="ai", slug="ai")
    ways = snippets(ai, "AI · News", "https://news.example")
    assert re.findall(r"```html\n(.*?)\n```", README, re.S) == [ways.frame, ways.element]
    assert f"```\n{ways.page}\n```" in README


def test_parts_and_properties_of_the_element_are_those_of_its_script() -> None:
    script = (STATIC / "embed.js").read_text()
    told = README.partition("## For sites")[2].partition("## ")[0]
    assert set(re.findall(r"`(--[a-z-]+)`", told)) == set(re.findall(r"var\((--[a-z-]+)", script))
    parts = re.findall(r"`(\w+)`", told.partition("the parts")[2].partition("(")[0])
    assert len(parts) == 7
    assert [part for part in parts if f'"{part}"' not in script] == []


def test_parameters_of_a_frame_are_those_of_the_code() -> None:
    table = README.partition("| parameter of a frame |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)`", table, re.M)
    assert named == ["limit", *Look(theme="dark", images=False).parameters]
    assert f"by default {STORIES}." in table
    assert [theme for theme in THEMES if f"`{theme}`" not in table] == []


def test_every_module_is_on_the_map() -> None:
    """The modules of a package all stand on it, or none of them."""
    written = set(re.findall(r"^ *(\w+(?:\.py|/)) ", README.partition("\nwsgi.py ")[2], re.M))
    for folder in [ROOT / "feeds", *(path.parent for path in ROOT.glob("feeds/*/__init__.py"))]:
        names = {path.name for path in folder.glob("[!_]*.py")}
        names |= {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
        assert (folder, names - written) in ((folder, set()), (folder, names))
    assert {f"{path.parent.name}/" for path in ROOT.glob("feeds/*/__init__.py")} <= written
    assert {path.name for path in ROOT.glob("feeds/[!_]*.py")} <= written


def test_each_promise_has_its_test() -> None:
    rows = re.findall(r"^\|[^|]*\|[^|]*\| `(test_\w+\.py)::(\w+)` \|$", README, re.M)
    assert len(rows) > 20
    for module, name in rows:
        assert f"\ndef {name}(" in (ROOT / "tests" / module).read_text(), (module, name)


def test_top_level_holds_what_it_should() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    tops = {path.split("/")[0] for path in listed if not path.startswith(".")}
    assert tops == {"README.md", "feeds", "pyproject.toml", "seeds", "tests", "wsgi.py"}
