"""What there is to choose from, asked of a real index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from babel import Locale

from feeds.config import FeedSettings
from feeds.history import Month
from feeds.index.survey import Qualities, counts, months, qualities
from feeds.pages.plot import PLOT_HEIGHT, PLOT_WIDTH, Plot, format_rate, plot
from feeds.selection import EVERYTHING, Selection, choose
from tests.support import Collection, article

pytestmark = pytest.mark.databases("sqlite", "postgresql")

AI = Selection(kind="topic", key="ai", slug="ai")
LAW = Selection(kind="topic", key="law", slug="law")
NEWEST = datetime(2020, 5, 18, 12, tzinfo=UTC)


def write(collection: Collection, *stories: tuple[float, int, str]) -> None:
    """Write articles of an age in days before the newest, a quality and topics."""
    for number, (age, quality, topics) in enumerate(stories):
        time = f"{NEWEST - timedelta(days=age):%Y-%m-%dT%H:%M:%SZ}"
        text = article(quality=quality, time=time, topics=tuple(topics.split()))
        collection.write(f"{number}.md", text)
    collection.sync()


def test_articles_are_counted_by_what_became_of_them(collection: Collection) -> None:
    write(collection, (0, 90, "AI"), (0, 90, "AI"), (0, 10, "AI"), (-9999, 90, "AI"))
    collection.write("hidden.md", article(published="false"))
    collection.write("bad.md", "nothing")
    # Its last good version stays up.
    collection.write("1.md", "nothing")
    collection.sync()
    states = {"public": 2, "scheduled": 1, "below the threshold": 1, "not published": 1}
    assert counts(collection.index) == states


def test_qualities_are_those_of_the_twelve_weeks_before_the_newest(collection: Collection) -> None:
    write(collection, (0, 90, "AI"), (21, 70, "AI"), (83, 90, "Law"), (84, 95, "AI"))
    found = qualities(collection.index, EVERYTHING)
    assert found.counts == ((70, 1), (90, 2))
    # There is an older one, so nothing came in the rest of that time.
    assert found.weeks == 12
    assert (found.oldest, found.newest) == (NEWEST - timedelta(days=84), NEWEST)
    assert qualities(collection.index, AI).weeks == 12
    assert qualities(collection.index, LAW).weeks == 1


def test_qualities_count_an_article_once_and_whatever_quality_was_chosen(
    collection: Collection,
) -> None:
    write(collection, (0, 90, "AI Law"), (7, 70, "AI"), (14, 80, "Law"), (14, 60, "C"))
    either = choose(topics=(AI, LAW), min_quality=85)
    assert qualities(collection.index, either).counts == ((70, 1), (80, 1), (90, 1))
    without = choose(topics=(AI,), exclude=(LAW,))
    assert qualities(collection.index, without).counts == ((70, 1),)


def test_qualities_are_of_what_is_public_and_has_come(collection: Collection) -> None:
    write(collection, (0, 90, "AI"), (0, 59, "AI"), (-9999, 99, "AI"))
    collection.write("hidden.md", article(published="false", quality=150))
    collection.sync()
    assert qualities(collection.index, EVERYTHING).counts == ((90, 1),)
    assert qualities(collection.index, LAW) == Qualities(counts=(), weeks=1.0)
    assert qualities(collection.index, LAW).oldest is None


def test_qualities_keep_to_the_thresholds_of_names(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(topics={"ai": FeedSettings(min_quality=80)})
    write(collection, (0, 90, "AI"), (1, 70, "AI"))
    assert qualities(collection.index, EVERYTHING).counts == ((70, 1), (90, 1))
    assert qualities(collection.index, AI).counts == ((90, 1),)


def test_qualities_are_of_the_newest_where_there_are_many(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.index.survey.MAX_SAMPLE", 3)
    write(collection, *((age, 60 + age, "AI Law") for age in range(10)))
    for selection in (EVERYTHING, choose(topics=(AI, LAW))):
        found = qualities(collection.index, selection)
        assert found.counts == ((60, 1), (61, 1), (62, 1))
        assert found.weeks == pytest.approx(2 / 7)
    monkeypatch.setattr("feeds.index.survey.MAX_SAMPLE", 1)
    assert qualities(collection.index, EVERYTHING).weeks == pytest.approx(1 / 7)


def test_qualities_of_a_young_collection_are_over_its_life(collection: Collection) -> None:
    write(collection, (0, 90, "AI"), (21, 70, "AI"), (14, 70, "AI"))
    assert qualities(collection.index, EVERYTHING).weeks == 3


def test_a_rate_is_a_week_at_least(collection: Collection) -> None:
    write(collection, (0, 90, "AI"), (0.001, 70, "AI"))
    found = qualities(collection.index, EVERYTHING)
    assert [found.rate(least) for least in (60, 70, 71, 90, 91)] == [2, 2, 1, 1, 0]


def test_months_are_those_with_articles_that_have_come(collection: Collection) -> None:
    write(collection, (0, 90, "AI"), (17.5, 90, "AI"), (17.6, 90, "Law"), (800, 90, "AI"))
    collection.write("soon.md", article(time="2999-01-01T00:00:00Z"))
    collection.sync()
    found = months(collection.index, EVERYTHING)
    assert [str(month) for month in found] == ["2020-05", "2020-04", "2018-03"]
    assert [*months(collection.index, LAW)] == [Month(year=2020, month=4)]
    assert months(collection.index, Selection(kind="topic", key="c", slug="c")) == {}


def drawn(*counts: tuple[int, int], cut: int | None = None, high: int = 100) -> Plot:
    """A plot of counts in a week over a threshold of 60."""
    return plot(Qualities(counts=counts, weeks=1.0), 60, cut, high)


def test_plot_falls_at_each_quality() -> None:
    made = drawn((60, 5), (80, 4), (100, 1))
    assert made.steps == ((60, 10), (80, 5), (100, 1))
    assert made.outline == "M0 80V0.0H0.0V40.0H160.0V72.0H320.0V80Z"
    assert (made.cut, made.rate_at_low) == (60, 10)


def test_plot_without_stories_is_a_line() -> None:
    assert drawn().outline == f"M0 {PLOT_HEIGHT}V{PLOT_HEIGHT}Z"
    assert (drawn().low, drawn(high=0).high) == (60, 61)


def test_plot_reaches_to_the_chosen_cut() -> None:
    made = drawn((70, 1), cut=400)
    assert (made.high, made.across(made.cut)) == (400, PLOT_WIDTH)


@pytest.mark.parametrize(
    ("qualities", "cut", "is_choice"),
    [((), None, False), ((80,), None, False), ((80,), 70, True), ((80, 90), None, True)],
)
def test_plot_is_a_choice_among_several_qualities(
    qualities: tuple[int, ...], cut: int | None, is_choice: bool
) -> None:
    assert drawn((50, 1), *((quality, 1) for quality in qualities), cut=cut).is_choice == is_choice


def test_plot_leaves_out_what_is_below_the_threshold_of_the_site() -> None:
    assert drawn((50, 1), (70, 1)).steps == ((70, 1),)


def test_plot_has_no_more_steps_than_it_can_show() -> None:
    made = drawn(*((quality, 1) for quality in range(60, 100_000)), high=99_999)
    assert len(made.steps) == PLOT_WIDTH + 1
    rates = [rate for _, rate in made.steps]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0.0"), (0.01, "<0.1"), (0.05, "0.1"), (3.14, "3.1"), (9.94, "9.9"), (12.4, "12")],
)
def test_rates_are_short(rate: float, text: str) -> None:
    assert format_rate(rate) == text


@pytest.mark.parametrize(("rate", "text"), [(0.01, "<0,1"), (3.14, "3,1"), (1234.5, "1.234")])
def test_rates_are_written_as_the_language_writes_them(rate: float, text: str) -> None:
    assert format_rate(rate, Locale("de")) == text
