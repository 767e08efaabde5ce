"""Fixtures of real parts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from feeds.config import Config
from tests.browser import browser, host, visit
from tests.postgres import Server, postgres
from tests.support import Collection, Site, article

__all__ = ["browser", "host", "postgres", "visit"]

# Many containers set it, and then each process that a test starts compiles every library again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over each kind of database that its mark names, by default SQLite alone."""
    mark = metafunc.definition.get_closest_marker("databases")
    if mark and "make_database" in metafunc.fixturenames:
        metafunc.parametrize("make_database", mark.args, indirect=True)


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes the URL of a new index."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return lambda name: f"sqlite:///{tmp_path}/{name}.sqlite3"
    server: Server = request.getfixturevalue("postgres")
    return lambda _: server.make()


@pytest.fixture
def make_collection(
    tmp_path: Path, make_database: Callable[[str], str]
) -> Iterator[Callable[..., Collection]]:
    """Makes an empty collection with the given settings."""
    made: list[Collection] = []

    def make(name: str = "articles", **settings: object) -> Collection:
        folder = tmp_path / name
        folder.mkdir()
        values: dict[str, object] = {"articles": folder, "index_polls_per_second": 0} | settings
        values.setdefault("database", make_database(name))
        made.append(Collection(folder, Config(**values)))  # type: ignore[arg-type]  # by name
        return made[-1]

    yield make
    for collection in made:
        collection.index.close()


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
