"""Where the index of a folder is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flask import Flask

from feeds.config import Config
from feeds.index import Index, instance_folder, open_index


@pytest.mark.parametrize("name", ["what?", "caf\udce9", "x" * 250, "a b", "\u6587" * 80])
def test_each_folder_has_an_index_of_its_own(tmp_path: Path, name: str) -> None:
    instance = tmp_path / "100%41 #1? ü"
    made = set()
    for parent in ("one", "two"):
        folder = tmp_path / parent / name
        folder.mkdir(parents=True)
        index = open_index(Config(articles=folder), instance)
        with index.write_transaction():
            made.add(Index(index.url.render_as_string(), index.config).url.database)
        index.close()
    assert made == {str(path) for path in instance.glob("*.sqlite3")} and len(made) == 2


def test_same_folder_has_the_same_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    relative, absolute = Config(articles=Path("news")), Config(articles=tmp_path / "news")
    assert open_index(relative).url == open_index(absolute).url


def test_database_of_the_settings_is_the_index(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/index.sqlite3"
    assert open_index(Config(database=url)).url.render_as_string() == url


def test_default_folder_is_flasks_instance_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_index(Config()).url.database
    assert database and Path(database).parent == Path(Flask("feeds").instance_path)
    assert instance_folder().name == "instance"


def test_default_folder_of_an_installed_package_is_flasks_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "prefix", str(Path(__file__).parents[1]))
    assert instance_folder() == Path(Flask("feeds").instance_path)
    assert instance_folder().name == "feeds-instance"
