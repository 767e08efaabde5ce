"""Fixtures of real parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from feeds.config import Config
from tests.browser import browser, host, visit
from tests.support import Collection, Site, article

__all__ = ["browser", "host", "visit"]

# A gate that answers the same for the same commit; elsewhere each run looks further.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("FEEDS_"):
            monkeypatch.delenv(name)


@pytest.fixture
def make_collection(tmp_path: Path) -> Callable[..., Collection]:
    """Makes an empty collection with the given settings."""

    def make(name: str = "articles", **settings: object) -> Collection:
        folder = tmp_path / name
        folder.mkdir()
        database = f"sqlite:///{tmp_path}/{name}.sqlite3"
        values = {"articles": folder, "database": database, "checks_per_second": 0} | settings
        return Collection(folder, Config(**values))  # type: ignore[arg-type]  # by name

    return make


@pytest.fixture
def collection(make_collection: Callable[..., Collection]) -> Collection:
    """An empty collection with the default settings."""
    return make_collection()


@pytest.fixture
def serve() -> Iterator[Callable[[Collection], Site]]:
    """Serves collections until the test ends."""
    sites: list[Site] = []

    def start(collection: Collection) -> Site:
        sites.append(Site(collection))
        return sites[-1]

    yield start
    for site in sites:
        site.close()


@pytest.fixture
def site(collection: Collection, serve: Callable[[Collection], Site]) -> Site:
    """One article, served."""
    collection.write("one.md", article())
    return serve(collection)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One article, served to every test that only reads."""
    folder = tmp_path_factory.mktemp("standing")
    database = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.sqlite3"
    collection = Collection(folder, Config(articles=folder, database=database))
    collection.write("one.md", article())
    site = Site(collection)
    yield site
    site.close()
