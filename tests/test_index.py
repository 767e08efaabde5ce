"""Reading a real SQLite index."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from feeds.config import FeedSettings
from feeds.index import Index, schema
from feeds.index.store import IndexUnavailable
from feeds.index.survey import public_feeds
from feeds.selection import EVERYTHING, Selection
from feeds.web import create_app
from tests.bench import bulk, finding
from tests.support import NOW, Collection, article

pytestmark = pytest.mark.databases("sqlite", "postgresql")

AI = Selection(kind="topic", key="ai", slug="ai")
HERE = Path(__file__).parent


def test_newest_come_first_and_ties_by_id(collection: Collection) -> None:
    for name in "abcdef":
        collection.write(f"{name}.md", article(name))
    collection.write("new.md", article("new", time="2021-01-01T00:00:00Z"))
    collection.sync()
    found = collection.index.find(EVERYTHING)
    assert found
    stems = [article.stem for article in found.articles]
    tied = sorted("abcdef", key=lambda stem: collection.config.entry_id(stem).hex)
    assert stems == ["new", *tied]


def test_limit_bounds_the_articles(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(limit=3)
    for number in range(5):
        collection.write(f"{number}.md", article(f"{number}"))
    collection.sync()
    found = collection.index.find(EVERYTHING)
    assert found and len(found.articles) == 3


def test_article_comes_back_as_it_was_read(collection: Collection) -> None:
    from tests.support import read_article

    more = (
        "heat: 7\nupdatedDateTime: 2021-01-01T00:00:00Z\nimages:\n"
        '  - url: "https://i.example/p.jpg"\n    width: 3\nrelated:\n  - title: R\n'
        '    webUrl: "https://r.example/"\n    quality: 11\n'
    )
    path = collection.write("one.md", article(more=more, body="*Body*\n"))
    collection.sync()
    found = collection.index.find(EVERYTHING)
    assert found and found.articles == (read_article(path),)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("few", [-1, 2_000])
def test_no_selection_goes_through_all_articles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("feeds.index.query.MAX_SORTED", few)
    index = bulk.make_index(tmp_path, 20)
    for name, (selection, archive) in finding.selections().items():
        with statements() as ran:
            assert index.find(selection, archive)
        plans = []
        with index.read_transaction() as connection:
            for statement, values in ran:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans += [row.detail for row in rows]
        assert not [plan for plan in plans if re.search(r"SCAN (entries|articles)", plan)]
        # Only what has few of the chosen quality or heat is sorted.
        is_ranked = "quality" in name or "heat" in name
        sorts = [plan for plan in plans if "TEMP B-TREE FOR ORDER BY" in plan]
        assert (name, bool(sorts)) == (name, is_ranked and few > 0)
        direct = r"entries_(best|hottest) \(feed=\? AND shown=\? AND (quality|heat)>\?"
        found = [plan for plan in plans if re.search(direct, plan)]
        assert (name, bool(found)) == (name, is_ranked)
    index.close()


@contextlib.contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The SELECT statements that run meanwhile, with their values."""
    ran: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            ran.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    yield ran
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.databases("sqlite")
def test_rare_choice_is_found_among_many_articles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in the steps that SQLite takes, of which its plan says nothing."""
    monkeypatch.setattr("feeds.index.query.MAX_SORTED", 50)
    small, large = (count_steps(bulk.make_index(tmp_path, count)) for count in (500, 2_000))
    for name in (
        *("everything", "a rare topic", "five years back, a rare topic"),
        *("a topic from a small provider", "a rare topic from a provider"),
    ):
        assert (name, large[name] <= 1.6 * small[name]) == (name, True)


def count_steps(index: Index) -> dict[str, int]:
    """How many steps SQLite takes to find each selection."""
    taken = [0]

    def count() -> None:
        taken[0] += 1

    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.set_progress_handler(count, 1)

    event.listen(Engine, "connect", connect)
    index.close()
    steps = {}
    for name, (selection, archive) in finding.selections().items():
        taken[0] = 0
        assert index.find(selection, archive)
        steps[name] = taken[0]
    event.remove(Engine, "connect", connect)
    index.close()
    return steps


def test_unknown_topic_is_not_found(collection: Collection) -> None:
    collection.sync()
    assert collection.index.find(AI) is None
    assert collection.index.resolve("topic", "ai") is None


@pytest.mark.parametrize(
    ("written", "key"),
    [("video", "video"), ("VIDEO", "video"), ("Live  Blog", "live blog"), ("x" * 501, "")],
)
def test_type_is_resolved_in_each_spelling(collection: Collection, written: str, key: str) -> None:
    for number, name in enumerate(("video", '"Live Blog"')):
        text = article().replace("type: article", f"type: {name}")
        collection.write(f"{number}.md", text)
    collection.sync()
    found = collection.index.resolve("type", written)
    assert (found.key if found else "") == key


def test_site_without_articles_is_an_empty_feed(collection: Collection) -> None:
    collection.sync()
    found = collection.index.find(EVERYTHING)
    assert found and found.articles == ()


@pytest.mark.parametrize(
    "slug", ["computer-vision", "Computer-Vision", "computer vision", "cv", "CV"]
)
def test_slug_is_resolved_in_each_spelling(
    make_collection: Callable[..., Collection], slug: str
) -> None:
    collection = make_collection(topics={"computer vision": FeedSettings(former=("cv",))})
    collection.write("one.md", article(topics=("Computer Vision",)))
    collection.sync()
    selection = collection.index.resolve("topic", slug)
    assert selection and selection.path == "/topics/computer-vision/"


def test_listing_has_only_what_has_or_had_a_visible_article(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(
        topics={"law": FeedSettings(title="The Law"), "gone": FeedSettings(withdrawn=True)}
    )
    collection.write("seen.md", article("Seen", topics=("Law", "Gone")))
    collection.write("low.md", article("Low", topics=("Low",), quality=59))
    collection.write("draft.md", article("Draft", topics=("Draft",), published="false"))
    collection.write("due.md", article("Due", topics=("Due",), time="2026-01-01T12:00:01Z"))
    collection.write("had.md", article("Had", topics=("Had",)))
    collection.sync()
    (collection.folder / "had.md").unlink()
    collection.sync(NOW)
    listed = [(i.name, i.count) for i in public_feeds(collection.index)]
    assert listed == [("", 1), ("Had", 0), ("The Law", 1), ("Example", 1)]
    collection.advance(NOW + timedelta(seconds=2))
    later = [i.name for i in public_feeds(collection.index)]
    assert later == ["", "Due", "Had", "The Law", "Example"]


def test_listing_counts_and_names_after_what_has_come(collection: Collection) -> None:
    collection.write("one.md", article(topics=("AI", "Zoo")))
    collection.write("old.md", article(topics=("Ai", "law"), time="2019-01-01T00:00:00Z"))
    due = article(topics=("aI",), provider="Renamed", time="2026-01-01T12:00:01Z")
    collection.write("due.md", due)
    collection.sync()
    now = [(i.name, i.count) for i in public_feeds(collection.index)]
    assert now == [("", 2), ("AI", 2), ("law", 1), ("Zoo", 1), ("Example", 2)]
    collection.advance(NOW + timedelta(seconds=1))
    later = [(i.name, i.count) for i in public_feeds(collection.index)]
    assert later == [("", 3), ("aI", 3), ("law", 1), ("Zoo", 1), ("Renamed", 3)]


def test_health_counts_files_visible_articles_and_faults(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.write("two.md", article(published="false"))
    collection.write("due.md", article("Due", time="2026-01-01T12:00:01Z"))
    collection.write("bad.md", "nothing")
    collection.sync()
    health = collection.index.health()
    assert (health.articles, health.visible, health.faults) == (4, 1, 1)
    assert health.synced == NOW
    assert health.newest == datetime(2020, 5, 18, 2, 41, tzinfo=UTC)
    collection.advance(NOW + timedelta(seconds=1))
    assert collection.index.health().visible == 2


def test_health_counts_what_only_a_topic_shows(make_collection: Callable[..., Collection]) -> None:
    collection = make_collection(topics={"ai": FeedSettings(min_quality=1)})
    collection.write("one.md", article(quality=2))
    collection.sync()
    health = collection.index.health()
    assert (health.visible, health.newest is None) == (1, False)


def test_index_never_filled_says_what_to_do(collection: Collection) -> None:
    index = collection.index
    for ask in (index.health, index.status, index.types, lambda: public_feeds(index)):
        with pytest.raises(IndexUnavailable, match="run 'feeds index'"):
            ask()


def test_reading_goes_on_during_a_sync(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.execute(schema.entries.delete())
        other = Index(collection.config.database, collection.config)
        found = other.find(EVERYTHING)
        assert found and len(found.articles) == 1
        connection.rollback()


def test_index_of_another_version_is_made_anew(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.execute(schema.meta.update().values(version=0))
    assert collection.sync(NOW + timedelta(hours=1)).added == 1


def test_index_of_another_version_leaves_what_was_given_out(collection: Collection) -> None:
    collection.write("one.md", article(topics=("cplusplus", "Emptied")))
    collection.sync()
    collection.write("two.md", article(topics=("C++",)))
    collection.write("one.md", article(topics=("cplusplus",)))
    collection.sync(NOW + timedelta(hours=1))
    known = collection.index.slugs("topic")
    owners = {slug: collection.index.resolve("topic", slug) for slug in known}
    assert [owner.key for owner in owners.values() if owner] == ["cplusplus", "c++", "emptied"]
    revision = collection.index.status()
    with collection.index.write_transaction() as connection:
        before = connection.execute(select(schema.meta.c.changed)).scalar_one()
        connection.execute(schema.meta.update().values(version=0))
    collection.sync(NOW)  # by a clock that went back
    assert {slug: collection.index.resolve("topic", slug) for slug in known} == owners
    assert collection.index.slugs("topic") == known
    assert collection.index.status().revision > revision.revision
    found = collection.index.find(Selection(kind="topic", key="emptied", slug="emptied"))
    assert found and found.articles == ()
    assert found.changed.timestamp() > before


def test_index_of_a_version_with_other_columns_is_made_from_nothing(
    collection: Collection,
) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.execute(schema.meta.update().values(version=0))
        connection.exec_driver_sql("ALTER TABLE feeds DROP COLUMN name")
        connection.exec_driver_sql("ALTER TABLE meta DROP COLUMN changed")
    assert collection.sync().added == 1
    assert collection.index.slugs("topic") == ["ai"]


def test_application_fills_an_index_of_another_version_anew(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    with collection.index.write_transaction() as connection:
        connection.execute(schema.meta.update().values(version=0))
    with pytest.raises(IndexUnavailable, match="is of version 0; run 'feeds index'"):
        collection.index.health()
    create_app(collection.config)
    assert collection.index.health().visible == 1


@pytest.mark.databases("sqlite")
def test_new_index_that_another_process_writes_to_is_waited_for(
    make_collection: Callable[..., Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = make_collection()
    path = collection.config.database.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE x (y)")
        timer = threading.Timer(0.2, other.rollback)
        timer.start()
        assert collection.sync().added == 0
        timer.join()
    with contextlib.closing(sqlite3.connect(path.replace("articles", "slow"))) as other:
        monkeypatch.setattr("feeds.index.sqlite.LOCK_TIMEOUT", 50)
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE x (y)")
        slow = Index(f"sqlite:///{path.replace('articles', 'slow')}", collection.config)
        with pytest.raises(IndexUnavailable, match="database is locked"):
            slow.status()
        slow.close()


@pytest.mark.databases("sqlite")
def test_deleted_index_is_noticed_and_made_again(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    path = collection.folder.parent / "articles.sqlite3"
    path.unlink()
    with pytest.raises(IndexUnavailable):
        collection.index.status()
    assert not path.exists()
    assert collection.sync(NOW + timedelta(hours=1)).added == 1
    found = collection.index.find(EVERYTHING)
    assert found and len(found.articles) == 1


@pytest.mark.databases("sqlite")
def test_index_replaced_by_another_process_is_read(collection: Collection) -> None:
    collection.write("one.md", article("Old"))
    collection.sync()
    assert collection.index.status().revision
    (collection.folder.parent / "articles.sqlite3").unlink()
    collection.write("one.md", article("New"))
    other = Collection(collection.folder, collection.config)
    other.sync(NOW + timedelta(hours=1))
    found = collection.index.find(EVERYTHING)
    assert found and found.articles[0].title == "New"


@pytest.mark.databases("sqlite")
def test_unreadable_index_is_named(make_collection: Callable[..., Collection]) -> None:
    index = Index("sqlite:////nowhere/at/all.sqlite3", make_collection().config)
    with pytest.raises(IndexUnavailable, match=r"/nowhere/at/all.sqlite3 cannot be used"):
        index.status()


def test_find_costs_the_same_number_of_statements_for_any_size(collection: Collection) -> None:
    for number in range(60):
        collection.write(f"{number}.md", article(f"{number}"))
    collection.sync()
    with statements() as ran:
        collection.index.find(AI)
    assert len(ran) == 2


def test_of_many_slugs_those_that_begin_alike_are_known(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.write("one.md", article(topics=("AI", "Art", "Law")))
    collection.sync()
    assert collection.index.slugs("topic", "arts") == ["ai", "art", "law"]
    monkeypatch.setattr("feeds.index.MAX_SLUGS", 2)
    assert collection.index.slugs("topic", "arts") == ["ai", "art"]
    assert collection.index.slugs("topic", "lew") == ["law"]
    assert collection.index.slugs("topic", "%") == []
