"""What a change of articles changes in the index, decided without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from feeds.index.plan import ArticleRow, EntryRow, as_of, plan
from feeds.indexed import FeedKey, IndexedArticle

SITE: FeedKey = ("site", "")
AI: FeedKey = ("topic", "ai")
LAW: FeedKey = ("topic", "law")
#: Both feeds of the article, which was published then.
BOTH: dict[FeedKey, int] = {SITE: 900, AI: 900}
NOW = 1_000


def article(**changes: Any) -> IndexedArticle:
    """An article that was published before NOW."""
    made = IndexedArticle(
        stem="one",
        id="1" * 32,
        entry_hash=b"seen",
        encoded=b"{}",
        feeds={SITE: True, AI: True},
        published=900,
        updated=None,
        quality=80,
        heat=None,
        type="article",
        terms="a story",
    )
    return made._replace(**changes)


def entry(feed: FeedKey, **changes: Any) -> EntryRow:
    made = EntryRow(feed, shown=True, published=900, quality=80, heat=None, type="article")
    return made._replace(**changes)


def test_new_article_is_inserted_with_its_entries() -> None:
    made = plan({}, {"one": article()}, NOW)
    row = ArticleRow(
        id="1" * 32,
        stem="one",
        entry_hash=b"seen" + (900).to_bytes(8),
        encoded=b"{}",
        next_change=None,
        entries=frozenset({entry(SITE), entry(AI)}),
    )
    assert (made.deleted, made.inserted) == ([], [row])
    assert (made.touched, made.ranked) == (BOTH, set())


def test_article_that_left_is_deleted() -> None:
    made = plan({"one": as_of(article(), NOW)}, {"one": None}, NOW)
    assert (made.deleted, made.inserted, made.touched) == (["1" * 32], [], BOTH)


def test_article_that_was_never_there_leaves_no_trace() -> None:
    made = plan({}, {"one": None}, NOW)
    assert (made.deleted, made.inserted, made.touched) == ([], [], {})


@dataclass(frozen=True)
class Edit:
    """A change of the article, and what it touches with the time of the oldest article."""

    change: dict[str, Any]
    touched: dict[FeedKey, int] = field(default_factory=dict)
    ranked: bool = False
    is_written: bool = True


EDITS = {
    "nothing": Edit({}, is_written=False),
    "looks": Edit({"entry_hash": b"other"}, BOTH),
    "updated": Edit({"updated": 950}, BOTH),
    "update to come": Edit({"updated": 1_001}),
    "unseen part": Edit({"encoded": b"{1}"}),
    "quality": Edit({"quality": 81}, ranked=True),
    "heat": Edit({"heat": 3}, ranked=True),
    "type": Edit({"type": "video"}, BOTH),
    "time": Edit({"published": 901}, BOTH),
    "earlier time": Edit({"published": 899}, {SITE: 899, AI: 899}),
    "time to come": Edit({"published": 1_001}, BOTH),
    "other topic": Edit({"feeds": {SITE: True, LAW: True}}, BOTH | {LAW: 900}),
    "below a threshold": Edit({"feeds": {SITE: True, AI: False}}, BOTH),
    "below all": Edit({"feeds": {}}, BOTH),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_edit_touches_what_it_changes(edit: Edit) -> None:
    before = {"one": as_of(article(), NOW)}
    made = plan(before, {"one": article(**edit.change)}, NOW)
    assert (made.touched, bool(made.ranked)) == (edit.touched, edit.ranked)
    assert bool(made.deleted) == bool(made.inserted) == edit.is_written


def test_feed_that_names_an_article_without_showing_it_is_not_touched() -> None:
    made = plan({}, {"one": article(feeds={SITE: True, AI: False})}, NOW)
    assert made.touched == {SITE: 900}


def test_article_that_is_not_due_has_no_entries() -> None:
    row = as_of(article(published=1_001, updated=1_002), NOW)
    assert (row.entries, row.next_change) == (frozenset(), 1_001)


def test_article_of_the_future_touches_nothing() -> None:
    assert plan({}, {"one": article(published=1_001)}, NOW).touched == {}


def test_due_article_comes_with_the_time() -> None:
    due = article(published=1_001)
    made = plan({"one": as_of(due, NOW)}, {"one": due}, 1_001)
    assert made.touched == {SITE: 1_001, AI: 1_001}
    assert [row.next_change for row in made.inserted] == [None]


def test_announced_update_comes_with_the_time() -> None:
    announced = article(updated=1_001)
    before = as_of(announced, NOW)
    assert before.next_change == 1_001
    made = plan({"one": before}, {"one": announced}, 1_001)
    assert made.touched == BOTH
    assert [row.next_change for row in made.inserted] == [None]


def test_clock_that_is_set_back_removes_no_article() -> None:
    before = as_of(article(), NOW)
    assert plan({"one": before}, {"one": article()}, 800).deleted == []
    edited = plan({"one": before}, {"one": article(entry_hash=b"other")}, 800)
    assert edited.inserted[0].entries == before.entries


def test_article_that_moves_into_the_future_is_withheld() -> None:
    before = as_of(article(), NOW)
    made = plan({"one": before}, {"one": article(published=1_500)}, NOW)
    assert made.inserted[0].entries == frozenset()
