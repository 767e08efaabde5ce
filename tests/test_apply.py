"""Which edits date which feeds, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from feeds.config import FeedSettings
from feeds.index import Index
from feeds.index.store import IndexUnavailable
from feeds.index.survey import public_feeds
from feeds.index.sync import advance
from feeds.selection import EVERYTHING, Selection
from tests.support import NOW, Collection, article

pytestmark = pytest.mark.databases("sqlite", "postgresql")

AI = Selection(kind="topic", key="ai", slug="ai")
#: When the day of most tests ends.
MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC).timestamp()
EXAMPLE = Selection(kind="provider", key="example.org", slug="example.org")
LATER = NOW + timedelta(hours=1)


def changed(collection: Collection, selection: Selection) -> datetime:
    found = collection.index.find(selection)
    assert found
    return found.changed


def count(collection: Collection, selection: Selection = EVERYTHING) -> int:
    found = collection.index.find(selection)
    return len(found.articles) if found else -1


@pytest.mark.parametrize(
    "edit",
    [
        article(quality=81),
        article(quality=60),
        article(more="heat: 12\n"),
        article(more='secured: "QUJD;REVG"\n'),
        article(more="unknown: field\n"),
        article(
            more='related:\n  - title: Below\n    webUrl: "https://o.example/"\n    quality: 59\n'
        ),
        article(topics=(" AI ",)),
        article(time="2020-05-18T04:41:00+02:00"),
        article().replace("\n", "\r\n"),
    ],
    ids=[
        "quality",
        "threshold",
        "heat",
        "secured",
        "unknown",
        "related",
        "spaces",
        "offset",
        "crlf",
    ],
)
def test_edit_that_no_subscriber_sees_dates_nothing(collection: Collection, edit: str) -> None:
    collection.write("one.md", article())
    collection.sync()
    collection.write("one.md", edit)
    report = collection.sync(LATER)
    assert (report.changed, report.changed_feeds) == (1, 0)
    assert changed(collection, EVERYTHING) == NOW
    assert changed(collection, AI) == NOW
    assert collection.index.changed() == NOW


@pytest.mark.parametrize(
    "edit",
    [
        article("Another title"),
        article(url="https://example.org/better-source"),
        article(time="2020-05-19T02:41:00Z"),
        article(provider="Example Times"),
        article(more="updatedDateTime: 2020-06-01T00:00:00Z\n"),
        article(body="A body.\n"),
        article(
            more='related:\n  - title: Above\n    webUrl: "https://o.example/"\n    quality: 60\n'
        ),
        article(more='ampWebUrl: "https://example.org/amp"\n'),
        article().replace("type: article", "type: video"),
    ],
    ids=["title", "url", "time", "provider", "updated", "body", "related", "amp", "type"],
)
def test_edit_that_subscribers_see_dates_every_feed_of_it(
    collection: Collection, edit: str
) -> None:
    collection.write("one.md", article())
    collection.write("two.md", article("Apart", topics=("Law",), domain="other.example"))
    collection.sync()
    collection.write("one.md", edit)
    assert collection.sync(LATER).changed_feeds == 3
    for selection in (EVERYTHING, AI, EXAMPLE):
        assert changed(collection, selection) == LATER
    assert changed(collection, Selection(kind="topic", key="law")) == NOW


def test_quality_of_a_related_story_is_not_seen_above_the_threshold(
    collection: Collection,
) -> None:
    related = 'related:\n  - title: R\n    webUrl: "https://o.example/"\n    quality: '
    collection.write("one.md", article(more=f"{related}70\n"))
    collection.sync()
    collection.write("one.md", article(more=f"{related}71\n"))
    assert collection.sync(LATER).changed_feeds == 0


def test_quality_kept_unseen_counts_when_it_crosses(collection: Collection) -> None:
    collection.write("one.md", article(quality=80))
    collection.sync()
    collection.write("one.md", article(quality=59))
    assert collection.sync(LATER).changed_feeds == 3
    assert count(collection) == 0
    collection.write("one.md", article(quality=60))
    collection.sync(LATER + timedelta(hours=1))
    assert count(collection) == 1


def test_edit_below_the_newest_entries_dates_nothing(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(limit=2)
    for day in (1, 2, 3):
        collection.write(f"{day}.md", article(f"Day {day}", time=f"2020-01-0{day}T00:00:00Z"))
    collection.sync()
    collection.write("1.md", article("Edited", time="2020-01-01T00:00:00Z"))
    assert collection.sync(LATER).changed_feeds == 0
    assert changed(collection, EVERYTHING) == NOW
    collection.write("2.md", article("Edited", time="2020-01-02T00:00:00Z"))
    assert collection.sync(LATER).changed_feeds == 3


def test_article_that_leaves_a_topic_dates_both(collection: Collection) -> None:
    collection.write("one.md", article(topics=("AI", "Law")))
    collection.sync()
    collection.write("one.md", article(topics=("Law",)))
    collection.sync(LATER)
    assert changed(collection, AI) == LATER
    assert count(collection, AI) == 0


def test_withdrawn_article_moves_the_date_forward(collection: Collection) -> None:
    collection.write("old.md", article("Old", time="2019-01-01T00:00:00Z"))
    collection.write("new.md", article("New", time="2020-01-01T00:00:00Z"))
    collection.sync()
    collection.write("new.md", article("New", published="false"))
    collection.sync(LATER)
    assert changed(collection, AI) == LATER
    assert count(collection, AI) == 1


def test_two_changes_in_one_second_are_a_second_apart(collection: Collection) -> None:
    collection.write("one.md", article("First"))
    collection.sync()
    collection.write("one.md", article("Second"))
    collection.sync()
    collection.write("one.md", article("Third"))
    collection.sync(NOW + timedelta(milliseconds=999))
    assert changed(collection, EVERYTHING) == NOW + timedelta(seconds=2)


def test_date_never_goes_back_with_the_clock(collection: Collection) -> None:
    collection.write("one.md", article("First"))
    collection.sync(LATER)
    collection.write("one.md", article("Second"))
    collection.sync(NOW)
    assert changed(collection, EVERYTHING) == LATER + timedelta(seconds=1)


def test_due_article_appears_in_its_time_without_a_sync(collection: Collection) -> None:
    due = NOW + timedelta(minutes=10)
    collection.write("one.md", article(time=stamp(due)))
    collection.write("old.md", article("Old", topics=("Law",)))
    collection.sync()
    assert collection.index.status().next_change == due.timestamp()
    assert collection.advance(due - timedelta(seconds=1)) == 0
    assert collection.index.find(AI) is None
    assert collection.index.resolve("topic", "ai") is None
    assert count(collection) == 1
    assert collection.advance(due) == 3
    assert (count(collection, AI), count(collection)) == (1, 2)
    assert changed(collection, EVERYTHING) == due
    assert collection.index.status().next_change == MIDNIGHT


def test_next_change_is_known_after_each_sync(collection: Collection) -> None:
    times = [NOW + timedelta(minutes=minutes) for minutes in (10, 20)]
    for number, at in enumerate(times):
        collection.write(f"{number}.md", article(time=stamp(at)))
    collection.sync()
    assert collection.index.status().next_change == times[0].timestamp()
    collection.advance(times[0])
    assert collection.index.status().next_change == times[1].timestamp()
    (collection.folder / "1.md").unlink()
    collection.sync(times[0])
    assert collection.index.status().next_change == MIDNIGHT


def test_time_that_changes_nothing_writes_nothing(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    before = collection.index.status()
    assert collection.advance(LATER) == 0
    assert collection.index.status() == before


def test_advance_waits_for_no_other_writer(collection: Collection) -> None:
    collection.write("one.md", article(time=stamp(NOW + timedelta(minutes=10))))
    collection.sync()
    other = Index(collection.config.database, collection.config)
    with collection.index.write_transaction(), pytest.raises(IndexUnavailable):
        advance(other, LATER)
    other.close()
    assert collection.advance(LATER) == 3


@pytest.mark.databases("sqlite")
def test_time_makes_no_index_where_there_is_none(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable), collection.index.write_transaction(wait=False):
        pass
    assert list(tmp_path.glob("*.sqlite3")) == []


def test_clock_that_is_set_back_removes_no_scheduled_article(collection: Collection) -> None:
    collection.write("one.md", article(time=stamp(NOW + timedelta(minutes=10))))
    collection.sync()
    collection.advance(LATER)
    collection.advance(NOW)
    collection.write("one.md", article("Edited", time=stamp(NOW + timedelta(minutes=10))))
    collection.sync(NOW)
    assert count(collection) == 1
    collection.index.config = replace(collection.config, title="Another")
    collection.sync(NOW)
    assert count(collection) == 1


def test_sync_after_an_article_came_due_dates_nothing_again(collection: Collection) -> None:
    due = NOW + timedelta(minutes=10)
    collection.write("one.md", article(time=stamp(due)))
    collection.write("old.md", article("Old"))
    collection.sync()
    collection.advance(due)
    assert collection.sync(LATER).changed_feeds == 0
    assert changed(collection, EVERYTHING) == due


def test_sync_does_not_bring_in_what_time_does(collection: Collection) -> None:
    collection.write("one.md", article(time=stamp(NOW + timedelta(minutes=10))))
    collection.sync()
    collection.write("old.md", article("Old"))
    collection.sync(LATER)
    assert count(collection) == 1
    collection.advance(LATER)
    assert count(collection) == 2


def test_change_in_the_second_of_a_due_article_comes_after_it(collection: Collection) -> None:
    due = NOW + timedelta(minutes=10)
    collection.write("one.md", article(time=stamp(due)))
    collection.write("old.md", article("Old"))
    collection.sync()
    collection.advance(due)
    collection.write("old.md", article("Edited"))
    collection.sync(due + timedelta(milliseconds=900))
    assert changed(collection, EVERYTHING) == due + timedelta(seconds=1)


def test_announced_update_comes_in_its_time(collection: Collection) -> None:
    scheduled = NOW + timedelta(minutes=10)
    collection.write("one.md", article(more=f"updatedDateTime: {stamp(scheduled)}\n"))
    collection.sync()
    assert collection.index.status().next_change == scheduled.timestamp()
    found = collection.index.find(AI)
    assert found and found.articles[0].updated is None
    assert collection.advance(scheduled) == 3
    found = collection.index.find(AI)
    assert found and found.articles[0].updated == scheduled == found.changed
    assert collection.index.status().next_change == MIDNIGHT


def test_article_of_the_future_with_an_update_comes_in_two_steps(collection: Collection) -> None:
    times = [NOW + timedelta(minutes=minutes) for minutes in (10, 20)]
    more = f"updatedDateTime: {stamp(times[1])}\n"
    collection.write("one.md", article(time=stamp(times[0]), more=more))
    collection.sync()
    for at, updated in zip(times, (None, times[1]), strict=True):
        assert collection.advance(at) == 3
        found = collection.index.find(AI)
        assert found and found.articles[0].updated == updated


def test_announcing_an_update_dates_nothing_yet(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    collection.write("one.md", article(more="updatedDateTime: 2027-01-01T00:00:00Z\n"))
    assert collection.sync(LATER).changed_feeds == 0
    assert changed(collection, EVERYTHING) == NOW


@pytest.mark.parametrize(
    "before", [{"quality": 59}, {"time": "2026-02-01T00:00:00Z"}], ids=["poor", "due"]
)
def test_change_of_what_is_hidden_dates_no_document(
    collection: Collection, before: dict[str, str]
) -> None:
    """Pages and lists are dated by the last change of anything that is public."""
    collection.write("one.md", article(quality=80))
    collection.sync()
    visible = collection.index.status().revision
    for number, edit in enumerate(
        (
            before,
            before | {"more": "heat: 9\n"},
            before | {"title": "Another"},
            before | {"published": "false"},
        )
    ):
        collection.write("hidden.md", article(**edit))  # type: ignore[arg-type]  # by name
        assert collection.sync(LATER + timedelta(minutes=number)).changed_feeds == 0
        assert collection.index.changed() == NOW
        assert collection.index.status().revision == visible


def test_change_of_rank_moves_the_revision_and_no_feed(collection: Collection) -> None:
    collection.write("one.md", article(quality=80))
    collection.sync()
    before = collection.index.status().revision
    collection.write("one.md", article(quality=81))
    assert collection.sync(LATER).changed_feeds == 0
    assert changed(collection, EVERYTHING) == NOW
    assert collection.index.status().revision == before + 1


def test_changed_settings_date_a_feed_without_articles(collection: Collection) -> None:
    path = collection.write("one.md", article())
    collection.sync()
    path.unlink()
    collection.sync()
    before = changed(collection, AI)
    collection.index.config = replace(collection.config, title="Another")
    collection.sync(LATER)
    assert changed(collection, AI) == LATER > before


def test_due_article_withdrawn_before_its_time_leaves_no_trace(collection: Collection) -> None:
    due = NOW + timedelta(minutes=10)
    text = article(time=due.strftime("%Y-%m-%dT%H:%M:%SZ"))
    collection.write("one.md", text)
    collection.sync()
    collection.write("one.md", text.replace("published: true", "published: false"))
    assert collection.sync(NOW + timedelta(minutes=1)).changed_feeds == 0
    assert collection.index.find(AI) is None


def test_names_alike_but_for_case_and_spaces_are_one_feed(collection: Collection) -> None:
    collection.write("one.md", article("One", topics=("computer  vision",)))
    collection.write("two.md", article("Two", topics=("Computer Vision", "COMPUTER VISION ")))
    collection.sync()
    assert count(collection, Selection(kind="topic", key="computer vision")) == 2


def test_topics_whose_slugs_collide_have_feeds_of_their_own(collection: Collection) -> None:
    collection.write("one.md", article("One", topics=("cplusplus",)))
    collection.write("two.md", article("Two", topics=("C++",)))
    collection.write("three.md", article("Three", topics=("C#", "C")))
    collection.sync()
    slugs = {
        i.selection.key: i.selection.slug
        for i in public_feeds(collection.index)
        if i.selection.kind == "topic"
    }
    assert slugs["c++"] == "cplusplus"
    assert slugs["cplusplus"].startswith("cplusplus-")
    assert (slugs["c#"], slugs["c"]) == ("csharp", "c")


def test_slug_that_the_curator_chose_goes_before_a_known_one(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(topics={"ai": FeedSettings(slug="machines")})
    collection.write("one.md", article("One", topics=("Machines",)))
    collection.sync()
    assert slug_of(collection, "machines") == "machines"
    collection.write("two.md", article("Two", topics=("AI",)))
    collection.sync(LATER)
    assert slug_of(collection, "ai") == "machines"
    assert slug_of(collection, "machines").startswith("machines-")


def test_later_topic_does_not_take_a_known_slug(collection: Collection) -> None:
    collection.write("two.md", article("Two", topics=("cplusplus",)))
    collection.sync()
    collection.write("one.md", article("One", topics=("C++",)))
    collection.sync(LATER)
    selection = collection.index.resolve("topic", "cplusplus")
    assert selection and selection.key == "cplusplus"


def test_saving_an_article_of_the_future_dates_nothing(collection: Collection) -> None:
    collection.write("one.md", article())
    collection.sync()
    text = article("Two", time=stamp(LATER - timedelta(minutes=10)))
    for number, saved in enumerate([text, text + "More.\n", text.replace("true", "false")], 1):
        collection.write("two.md", saved)
        collection.sync(NOW + timedelta(minutes=number))
        assert collection.index.changed() == NOW


def slug_of(collection: Collection, key: str) -> str:
    """What addresses call a public topic."""
    slugs = {i.selection.key: i.selection.slug for i in public_feeds(collection.index)}
    return slugs[key]


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_no_address_reveals_topics_of_scheduled_articles(collection: Collection) -> None:
    soon = stamp(NOW + timedelta(minutes=10))
    collection.write("one.md", article("One", topics=("C++", "cplusplus"), time=soon))
    collection.write("two.md", article("Two", topics=("C#",), time=soon))
    collection.sync()
    collection.write("three.md", article("Three", topics=("cplusplus", "csharp")))
    collection.sync()
    assert slug_of(collection, "cplusplus") == "cplusplus"
    assert slug_of(collection, "csharp") == "csharp"
    collection.advance(LATER)
    assert slug_of(collection, "c++").startswith("cplusplus-")
    assert slug_of(collection, "c#").startswith("csharp-")


def test_of_topics_of_the_future_the_first_to_come_has_the_address(collection: Collection) -> None:
    times = [NOW + timedelta(minutes=minutes) for minutes in (20, 30)]
    collection.write("late.md", article("Late", topics=("C++",), time=stamp(times[1])))
    collection.write("first.md", article("First", topics=("cplusplus",), time=stamp(times[0])))
    collection.sync()
    collection.advance(times[0])
    collection.advance(times[1])
    assert slug_of(collection, "cplusplus") == "cplusplus"
    assert slug_of(collection, "c++").startswith("cplusplus-")


def test_of_topics_that_come_at_once_the_older_has_the_address(collection: Collection) -> None:
    times = [NOW + timedelta(minutes=minutes) for minutes in (20, 30)]
    collection.write("late.md", article("Late", topics=("C++",), time=stamp(times[1])))
    collection.write("first.md", article("First", topics=("cplusplus",), time=stamp(times[0])))
    collection.sync()
    collection.advance(LATER)
    assert slug_of(collection, "cplusplus") == "cplusplus"


def test_topic_that_time_made_public_keeps_its_address(collection: Collection) -> None:
    due = NOW + timedelta(minutes=10)
    collection.write("one.md", article("One", topics=("cplusplus",), time=stamp(due)))
    collection.sync()
    collection.advance(due)
    (collection.folder / "one.md").unlink()
    collection.write("two.md", article("Two", topics=("C++",)))
    collection.sync(LATER)
    assert slug_of(collection, "cplusplus") == "cplusplus"


def test_own_threshold_of_a_topic_decides_its_feed_alone(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(
        topics={"ai": FeedSettings(min_quality=40)},
        providers={"example.org": FeedSettings(min_quality=90)},
    )
    collection.write("one.md", article(quality=50))
    collection.sync()
    assert count(collection, AI) == 1
    assert count(collection) == 0
    assert count(collection, EXAMPLE) == -1


def test_type_of_what_is_in_withdrawn_feeds_alone_is_not_known(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(topics={"ai": FeedSettings(min_quality=1, withdrawn=True)})
    text = article(quality=1).replace("type: article", "type: podcast")
    collection.write("one.md", text)
    collection.write("two.md", article())
    collection.sync()
    assert collection.index.types() == ["article"]


def test_provider_is_called_what_its_newest_visible_article_calls_it(
    collection: Collection,
) -> None:
    collection.write("old.md", article(provider="Old Name", time="2019-01-01T00:00:00Z"))
    collection.write("new.md", article(provider="New Name", domain="www.Example.org"))
    collection.sync()
    found = collection.index.find(EXAMPLE)
    assert found and found.names[EXAMPLE.kind, EXAMPLE.key] == "New Name"
    (collection.folder / "new.md").unlink()
    collection.sync(LATER)
    (collection.folder / "old.md").unlink()
    collection.sync(LATER + timedelta(hours=1))
    found = collection.index.find(EXAMPLE)
    assert found and (found.names[EXAMPLE.kind, EXAMPLE.key], found.articles) == ("Old Name", ())


def test_empty_feed_keeps_the_last_name_it_had(collection: Collection) -> None:
    collection.write("one.md", article(provider="First"))
    collection.sync()
    collection.write("one.md", article(provider="Renamed"))
    collection.sync(LATER)
    (collection.folder / "one.md").unlink()
    collection.sync(LATER + timedelta(hours=1))
    found = collection.index.find(EXAMPLE)
    assert found and (found.names[EXAMPLE.kind, EXAMPLE.key], found.articles) == ("Renamed", ())


def test_slug_of_the_settings_replaces_the_natural_one(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    collection = make_collection()
    collection.write("one.md", article())
    collection.sync()
    renamed = make_collection(
        "renamed", database=collection.config.database, topics={"ai": FeedSettings(slug="machines")}
    )
    renamed.folder = collection.folder
    renamed.sync(LATER)
    for slug in ("machines", "ai"):
        selection = renamed.index.resolve("topic", slug)
        assert selection and selection.path == "/topics/machines/"


def test_address_does_not_reveal_a_hidden_topic(collection: Collection) -> None:
    collection.write("due.md", article(topics=("C++",), time="2099-01-01T00:00:00Z"))
    collection.write("poor.md", article(topics=("C plus plus", "c-plus-plus"), quality=1))
    collection.sync()
    collection.write("one.md", article(topics=("cplusplus",)))
    collection.sync(LATER)
    assert [item.selection.path for item in public_feeds(collection.index)][
        1
    ] == "/topics/cplusplus/"
    later = datetime(2100, 1, 1, tzinfo=UTC)
    collection.advance(later)
    # What is known by then keeps its address.
    collection.write("two.md", article(topics=("C plus plus", "c++", "Law"), quality=90))
    collection.sync(later)
    known = collection.index.resolve("topic", "cplusplus")
    assert known and known.key == "cplusplus"
