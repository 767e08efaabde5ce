"""What the documents say is true."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urljoin

import feedparser
import httpx
import pytest
import yaml
from click.testing import CliRunner
from msgspec import structs
from werkzeug.routing import Rule

from feeds.articles import parse_article
from feeds.cli import main
from feeds.config import Config, FeedSettings, read_config
from feeds.index.schema import metadata
from feeds.pages.assets import STATIC
from feeds.pages.embedding import (
    DEFAULT_STORIES,
    THEMES,
    EmbedOptions,
    element,
    frame,
    frame_height,
)
from feeds.selection import Selection
from feeds.web import create_app
from feeds.web.kinds import KINDS
from feeds.web.parameters import PARAMETERS
from tests.process import Process
from tests.support import ROOT, read_article

pytestmark = pytest.mark.slow

DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (
        *(ROOT / "README.md", ROOT / "feeds" / "README.md"),
        *sorted((ROOT / "feeds" / "manual").glob("*.md")),
        *(ROOT / "tests" / "README.md", ROOT / "tests" / "bench" / "README.md"),
    )
}
README, TOUR = DOCUMENTS["README.md"], DOCUMENTS["feeds/README.md"]


def manual(name: str) -> str:
    """A page of the manual."""
    return DOCUMENTS[f"feeds/manual/{name}.md"]


def table(document: str, heading: str) -> str:
    """The table whose heading begins so."""
    return document.partition(f"| {heading} |")[2].partition("\n\n")[0]


def first_names(rows: str) -> list[str]:
    """What the first column of a table names."""
    return re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", rows, re.M)))


def commands(document: str) -> list[tuple[str, str]]:
    """Each command of feeds and each `export` of a document with the output below it."""
    blocks = re.findall(r"```console\n(.*?)```", document, re.S)
    return [
        (found[1], found[2])
        for block in blocks
        for found in re.finditer(
            r"^\$ ((?:feeds|export) [^\n]+)\n((?:(?!\$ )[^\n]*\n)*)", block, re.M
        )
    ]


def finish_first_article(path: Path) -> None:
    """Edit a new article as the README says."""
    [fields] = re.findall(r"```yaml\n(.*?)```", README, re.S)
    [body] = re.findall(r"```markdown\n(.*?)```", README, re.S)
    text = path.read_text()
    for field, name in re.findall(r"((?m:^)(\w+:).*\n(?: .*\n)*)", fields):
        text, count = re.subn(rf"(?m)^{name}.*\n", field, text)
        assert count == 1
    path.write_text(re.sub("<!--.*-->\n", body, text))


def undated(text: str) -> str:
    """Text with every date made the same."""
    return re.sub(r"\d{4}-\d\d-\d\d-", "2026-01-05-", text)


WITH_COMMANDS = [name for name, text in DOCUMENTS.items() if commands(text)]


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_commands_print_what_the_documents_show(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    (tmp_path / "articles").mkdir()
    environment = {**os.environ, "FEEDS_DATABASE": f"sqlite:///{tmp_path}/index.sqlite3"}
    for command, shown in commands(DOCUMENTS[name]):
        if exported := re.match(r"export (\w+)=(.*)", command):
            environment[exported[1]] = exported[2]
            continue
        if command.startswith("feeds serve "):
            continue  # it runs until it is stopped
        ran = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (command, undated(ran.stdout), ran.returncode) == (command, shown, 0)
        if command.startswith("feeds new "):
            finish_first_article(tmp_path / ran.stdout.strip())


def test_first_article_is_served_as_the_readme_shows(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    [new] = (command for command, _ in commands(README) if command.startswith("feeds new "))
    made = CliRunner().invoke(main, ["new", shlex.split(new)[2], str(tmp_path / "articles")])
    path = Path(made.output.strip())
    finish_first_article(path)
    process = Process(path.parent)
    site = "http://localhost:8000"
    [page] = re.findall(rf"<{site}(/topics/[^>]+)>", README)

    def titles() -> list[str]:
        found = re.search(
            r'type="application/atom\+xml"[^>]* href="([^"]+)"', process.get(page).text
        )
        assert found
        feed = feedparser.parse(httpx.get(urljoin(process.base + page, found[1])).content)
        return [entry.title for entry in feed.entries]

    try:
        assert titles() == ["Hello, subscribers"]
        saved = path.read_text().replace("Hello, subscribers", "Hello again")
        (tmp_path / "saved").write_text(saved)
        (tmp_path / "saved").replace(path)
        process.wait_until(lambda: titles() == ["Hello again"])
    finally:
        printed = process.stop()
    printed = printed.replace(process.base, site).replace(str(path.parent), "articles")
    [shown] = (output for command, output in commands(README) if command == "feeds serve articles")
    [log] = re.findall(r"```\n\d\d:\d\d:\d\d (.*\n)```", README)
    assert undated(re.sub(r"(?m)^\d\d:\d\d:\d\d ", "", printed)) == shown + log


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


#: What each setting means.
MEANINGS = {field.name: field.type.__metadata__[-1] for field in structs.fields(Config)}


def test_settings_table_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", manual("settings"), re.M)
    default = Config()
    assert rows == [(name, shown(getattr(default, name)), text) for name, text in MEANINGS.items()]


def shown(default: object) -> str:
    """A default as the manual writes it."""
    if default and isinstance(default, tuple):
        return ", ".join(f"`{item}`" for item in default)
    if isinstance(default, bool):
        default = str(default).lower()
    return "" if default in (None, "", (), {}) else f"`{default}`"


def test_settings_example_is_accepted(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", manual("settings"), re.S)
    (tmp_path / "feeds.yaml").write_text(example)
    config = read_config(tmp_path / "feeds.yaml", {})
    assert config.topics["ai"].slug == "artificial-intelligence"
    assert config.providers["example.org"].withdrawn


def test_article_example_is_an_article(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", manual("article-files"), re.S)
    (tmp_path / "example.md").write_text(example)
    read = read_article(tmp_path / "example.md")
    assert read.topics == ("AI", "Computer Vision")
    assert read.content.startswith("<p>What stands here")


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        *((name, True) for name in first_names(table(manual("article-files"), "field"))),
        *(("secured", False), ("other", False)),
    ],
)
def test_fields_in_the_manual_are_those_that_are_read(name: str, is_read: bool) -> None:
    """A value of a wrong type is a fault, or withholds the article, if the field is read."""
    [example] = re.findall(r"```yaml\n---\n(.*?)---\n", manual("article-files"), re.S)
    fields = yaml.safe_load(example) | {name: [["wrong"]]}
    read = parse_article(f"---\n{yaml.safe_dump(fields)}---\n".encode(), "one.md")
    assert bool(read.faults or read.withheld_reason) is is_read


def test_new_article_has_every_field_of_the_manual_and_sound_examples(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["new", "A title", str(tmp_path)], catch_exceptions=False)
    [path] = tmp_path.iterdir()
    text = path.read_text()
    for name in first_names(table(manual("article-files"), "field")):
        assert re.search(rf"(?m)^#.*\n(?:ampWebUrl:.*\n)?{name}:", text), name
    used = parse_article(re.sub("(?m)^#  ", "  ", text).encode(), path.name)
    assert (used.faults, used.warnings) == ((), ())
    assert used.article and used.article.topics and used.article.images and used.article.related


def test_fields_of_topics_are_all_in_the_manual() -> None:
    assert first_names(table(manual("settings"), "field")) == [
        field.name for field in structs.fields(FeedSettings)
    ]
    for field in structs.fields(FeedSettings):
        assert f"`{field.name}`" in MEANINGS["topics"]


def _view(rule: Rule) -> tuple[str, frozenset[object], str]:
    """The view of a rule, with its defaults and the name of its file."""
    return rule.endpoint, frozenset((rule.defaults or {}).values()), rule.rule.rpartition("/")[2]


def test_table_of_addresses_is_that_of_the_code(tmp_path: Path) -> None:
    rows = re.findall(r"^\| [^|]+ \| (`[^|]*`) \|$", manual("addresses"), re.M)
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
    found = {_view(find(a.partition("?")[0], return_rule=True)[0]) for a in addresses}
    others = {_view(rule) for rule in app.url_map.iter_rules()} - found
    # Parts of long documents, to which only documents lead.
    parts = {view for view in others if "<cursor>" in view[2] or "<int:part>" in view[2]}
    assert {name for name, _, _ in others - parts} == {"static", "health"}
    assert "`/healthz`" in manual("operation")


def test_table_of_parameters_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table(manual("addresses"), "parameter"), re.M)
    assert dict(rows) == PARAMETERS


def test_members_of_the_json_extension_are_those_that_are_written() -> None:
    schema = json.loads((ROOT / "tests" / "schemas" / "json_feed.schema.json").read_text())
    members = first_names(table(manual("addresses"), "member"))
    assert set(members) == set(schema["$defs"]["feeds"]["properties"])


def test_table_of_metrics_is_that_of_the_code(tmp_path: Path) -> None:
    rows = table(manual("operation"), "metric")
    config = Config(
        articles=ROOT / "seeds",
        database=f"sqlite:///{tmp_path}/index.sqlite3",
        metrics=(ip_network("127.0.0.1"),),
    )
    client = create_app(config).test_client()
    scraped = client.get("/metrics", environ_overrides={"REMOTE_ADDR": "127.0.0.1"}).text
    types = re.findall(r"^# TYPE (\w+) ", scraped, re.M)
    assert sorted(first_names(rows)) == sorted(
        name for name in types if not name.endswith("_created")
    )
    assert set(re.findall(r"`(\w+)`", rows.partition("by `kind`")[2].partition(")")[0])) == KINDS


def test_snippets_are_those_of_the_pages() -> None:
    ai = Selection(kind="topic", key="ai", slug="ai")
    about = ai, "AI · News", "https://news.example"
    shown = re.findall(r"```html\n(.*?)\n```", manual("embedding"), re.S)
    assert shown == [frame(*about, "100%", frame_height(DEFAULT_STORIES)), element(*about)]
    assert "```\nhttps://news.example/topics/ai/\n```" in manual("embedding")


def test_parts_and_properties_of_the_element_are_those_of_its_script() -> None:
    script = (STATIC / "embed.js").read_text()
    page = manual("embedding")
    assert set(re.findall(r"`(--[a-z-]+)`", page)) == set(re.findall(r"var\((--[a-z-]+)", script))
    parts = re.findall(r"`(\w+)`", page.partition("the parts")[2].partition("(")[0])
    assert len(parts) == 7
    assert [part for part in parts if f'"{part}"' not in script] == []


def test_parameters_of_a_frame_are_those_of_the_code() -> None:
    rows = table(manual("embedding"), "parameter of a frame")
    assert first_names(rows) == ["limit", *EmbedOptions(theme="dark", images=False).parameters]
    assert f"by default {DEFAULT_STORIES}." in rows
    assert [theme for theme in THEMES if f"`{theme}`" not in rows] == []


def test_links_between_documents_lead_somewhere() -> None:
    texts = {ROOT / name: re.sub(r"(?ms)^```.*?^```", "", text) for name, text in DOCUMENTS.items()}
    links = [
        (path, *target.partition("#")[::2])
        for path, text in texts.items()
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
        if "://" not in target
    ]
    assert {(path.parent / file).resolve() for path, file, _ in links} >= texts.keys() - {
        ROOT / "README.md"
    }
    for path, file, anchor in links:
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), (path, file)
        assert not anchor or anchor in anchors(texts[target]), (path, file, anchor)


def anchors(text: str) -> list[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_each_path_of_the_tour_exists() -> None:
    paths = re.findall(r"`((?:\w+/)+|(?:[\w-]+/)*[\w-]+\.(?:py|md|conf))`", TOUR)
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / "feeds" / path).exists()] == []


def sources() -> list[tuple[str, Path]]:
    """Each module, and the module or package of `feeds/` that it is or belongs to."""
    root = ROOT / "feeds"
    found = [(path.relative_to(root).parts[0], path) for path in root.rglob("*.py")]
    return [(name.removesuffix(".py"), path) for name, path in found if not name.startswith("__")]


def test_modules_import_only_what_the_tour_puts_above_them() -> None:
    [picture] = re.findall(r"```\n(.*?)```", TOUR, re.S)
    layers = {
        re.split("[./]", name)[0]: number
        for number, line in enumerate(picture.splitlines())
        for name in re.findall(r"\w+(?:\.py|/)", line)
    }
    assert layers.keys() == {name for name, _ in sources()}
    for name, path in sources():
        imports = re.findall(r"^ *from feeds(\.\w+)?\S* import (.*)", path.read_text(), re.M)
        for package, names in imports:
            for imported in re.findall(r"\w+", package or names):
                assert layers[imported] <= layers[name], (path, imported)


@pytest.mark.parametrize(
    ("library", "place"),
    [("flask", "web"), ("sqlalchemy", "index"), ("feedgen", "formats"), ("granian", "server")],
)
def test_libraries_are_imported_where_the_tour_says(library: str, place: str) -> None:
    imported = re.compile(rf"^ *(?:from|import) {library}\b", re.M)
    assert {name for name, path in sources() if imported.search(path.read_text())} == {place}


def test_tables_of_the_tour_are_those_of_the_index() -> None:
    assert first_names(table(TOUR, "table")) == list(metadata.tables)


def test_each_promise_has_its_test() -> None:
    rows = re.findall(
        r"^\|[^|]*\|[^|]*\| `(test_\w+\.py)::(\w+)` \|$", DOCUMENTS["tests/README.md"], re.M
    )
    assert len(rows) > 20
    for module, name in rows:
        assert f"\ndef {name}(" in (ROOT / "tests" / module).read_text(), (module, name)


def test_top_level_holds_what_it_should() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    tops = {path.split("/")[0] for path in listed if not path.startswith(".")}
    assert tops == {"README.md", "feeds", "pyproject.toml", "seeds", "tests", "wsgi.py"}
