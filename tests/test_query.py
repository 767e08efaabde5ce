"""What the index finds of a selection is what a plain reading of the articles finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from random import Random
from typing import TypeVar

import pytest

from feeds.config import Config, FeedSettings
from feeds.history import Archive, Cursor, Month, Neighbours
from feeds.index.found import Found
from feeds.search import Phrase, Search, parse_search, words
from feeds.selection import EVERYTHING, Kind, Selection, choose
from tests.support import NOW, Collection, article, publish_feed

pytestmark = pytest.mark.databases("sqlite", "postgresql")

T = TypeVar("T")
#: Spellings of topics and types, and the keys that they share.
TOPICS = {"AI": "ai", "ai": "ai", "Law": "law", "C": "c", "C++": "c++"}
TYPES = {"article": "article", "video": "video", "VIDEO": "video", "Über": "über"}
DOMAINS = {"a.example": "a.example", "www.A.example": "a.example", "b.example": "b.example"}
TIMES = [
    datetime.fromisoformat(f"{moment}+00:00")
    for moment in (
        "2025-11-02T03:04:05",
        "2025-11-30T23:59:59",
        "2025-12-01T00:00:00",
        "2025-12-31T23:59:59",
        "2026-01-01T00:00:00",
        "2026-01-01T12:00:00",
        "2026-01-01T12:00:01",
        "2026-01-31T23:59:59",
        "2026-02-01T00:00:00",
    )
]
MONTHS = [Month(year=2025, month=10).plus(count) for count in range(6)]
QUALITIES = (39, 40, 59, 60, 61, 80)
#: Of text and of searches; some are alike, some have several words, some have no spaces.
WORDS = (
    *("Clearview", "CLEARVIEW", "clear", "Café", "cafe", "don't", "don", "t", "recognition"),
    *("北京大学", "北京", "大学生", "AI技術", "ai", "สวัสดี", "ดี", "سَلام", "سلام", "...", "🎉"),
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u4e00-\u9fff]")


@dataclass(frozen=True, kw_only=True)
class Made:
    """An article as the generator means it."""

    topics: tuple[str, ...]
    domain: str
    type: str
    quality: int
    heat: int | None
    published: datetime
    #: A line of the front matter that keeps it in, if any.
    withheld: str
    #: What it is about.
    words: str

    def text(self, title: str) -> str:
        """The file."""
        heat = "" if self.heat is None else f"heat: {self.heat}\n"
        text = article(
            title,
            quality=self.quality,
            time=self.published.isoformat(),
            topics=self.topics or ("C",),
            domain=self.domain,
            published="false" if self.withheld == "published" else "true",
            more=heat + ("removed: true\n" if self.withheld == "removed" else ""),
        )
        text = text.replace(f"About {title}.", f"About {self.words}.")
        return text.replace("type: article", f"type: {self.type}")

    def has(self, phrase: Phrase, title: str) -> bool:
        """Whether a field has the words of a phrase, one after the other."""
        topics = self.topics or ("C",)
        fields = (title, f"About {self.words}.", "Example", *topics)
        return any(
            follows(words(field)[at:], phrase) for field in fields for at in range(len(field))
        )

    def is_in(self, plain: Selection, config: Config) -> bool:
        """Whether it is in the feed of the site, a topic or a provider, or of a type."""
        if self.withheld:
            return False
        if plain.kind == "type":
            keys = [*(TOPICS[topic] for topic in self.topics or ("C",))]
            feeds = [EVERYTHING, Selection(kind="provider", key=DOMAINS[self.domain])]
            feeds += [Selection(kind="topic", key=key) for key in keys]
            shown = any(self.is_in(feed, config) for feed in feeds)
            return shown and TYPES[self.type] == plain.key
        own = {"topic": config.topics, "provider": config.providers}.get(plain.kind, {})
        least = own[plain.key].min_quality if plain.key in own else None
        reached = self.quality >= (config.min_quality if least is None else least)
        return reached and (plain.kind == "site" or self.names(plain))

    def names(self, plain: Selection) -> bool:
        """Whether it names a topic or a provider."""
        if plain.kind == "provider":
            return DOMAINS[self.domain] == plain.key
        return plain.key in [TOPICS[topic] for topic in self.topics or ("C",)]


def follows(text: list[str], phrase: Phrase) -> bool:
    """Whether words begin with those of a phrase."""
    if len(text) < len(phrase.words):
        return False
    last = len(phrase.words) - 1
    for number, (word, wanted) in enumerate(zip(text, phrase.words, strict=False)):
        if _UNSPACED.match(wanted):
            inside = word if _UNSPACED.match(word) else ""
            is_same = {
                (True, True): wanted in inside,
                (True, False): inside.endswith(wanted),
                (False, True): inside.startswith(wanted),
                (False, False): inside == wanted,
            }[number == 0, number == last]
        else:
            is_prefix = phrase.is_prefix and number == last
            is_same = word.startswith(wanted) if is_prefix else word == wanted
        if not is_same:
            return False
    return True


def some(random: Random, options: Sequence[T], *, most: int, none: float) -> list[T]:
    """A few of the options, none at all with the given chance."""
    return [] if random.random() < none else random.choices(options, k=random.randint(1, most))


def make_folder(random: Random) -> dict[str, Made]:
    """Articles by stem."""
    return {
        stem: Made(
            topics=tuple(some(random, list(TOPICS), most=3, none=0.1)),
            domain=random.choice(list(DOMAINS)),
            type=random.choice(list(TYPES)),
            quality=random.choice(QUALITIES),
            heat=random.choice([None, -1, 0, 5, 9]),
            published=random.choice(TIMES),
            withheld=random.choice(["", "", "", "", "", "published", "removed"]),
            words=" ".join(random.choices(WORDS, k=random.randint(0, 5))),
        )
        for stem in random.sample("abcdefghijklmnop", random.randint(1, 16))
    }


def change_ranks(random: Random, folder: dict[str, Made]) -> dict[str, Made]:
    """Some of the articles, with nothing changed but how good and how hot they are."""
    return {
        stem: replace(
            made, quality=random.choice(QUALITIES), heat=random.choice([None, 0, 5, made.heat])
        )
        for stem, made in folder.items()
        if random.random() < 0.4
    }


def plain(kind: Kind, *keys: str) -> list[Selection]:
    """The plain selections of these keys."""
    return [Selection(kind=kind, key=key, slug=key) for key in keys]


AI, *_ = CHOSEN_TOPICS = plain("topic", "ai", "law", "c", "c++")
PROVIDERS = plain("provider", "a.example", "b.example")
CHOSEN_TYPES = plain("type", "article", "video", "über")


def make_search(random: Random) -> Search:
    """What some reader writes into the field of a search."""

    def part() -> str:
        word = random.choice(WORDS)
        kind = random.choice(["word", "phrase", "beginning", "piece"])
        if kind == "phrase":
            return f'"{word} {random.choice(WORDS)}"'
        if kind == "beginning":
            return f"{word[: random.randint(3, 9)]}*"
        if kind == "piece":
            start = random.randrange(len(word))
            return word[start : start + random.randint(1, 3)]
        return word

    parts = (f"{random.choice(['', '', '-'])}{part()}" for _ in range(random.randint(1, 3)))
    try:
        return parse_search(" ".join(parts))
    except ValueError:  # such as "...", which has no letter
        return ()


def make_selection(random: Random) -> Selection:
    """What some reader chose."""
    return choose(
        some(random, CHOSEN_TOPICS, most=3, none=0.4),
        some(random, PROVIDERS, most=2, none=0.6),
        some(random, CHOSEN_TYPES, most=2, none=0.7),
        some(random, [*CHOSEN_TOPICS, *PROVIDERS], most=2, none=0.5),
        search=make_search(random) if random.random() < 0.5 else (),
        min_quality=random.choice([None, None, None, *QUALITIES]),
        min_heat=random.choice([None, None, None, -1, 0, 5, 6]),
        limit=random.choice([None, 1, 2, 5]),
    )


def make_thresholds(random: Random, keys: Sequence[str]) -> dict[str, FeedSettings]:
    """Some below the site's, some above it."""
    return {key: FeedSettings(min_quality=random.choice([None, 40, 61, 80])) for key in keys}


class Oracle:
    """The articles of a folder, gone through one by one."""

    def __init__(
        self, config: Config, before: dict[str, Made], after: dict[str, Made], now: datetime
    ) -> None:
        self.config = config
        self.now = now
        self.made = after
        synced = now - timedelta(hours=2)
        self.public = [made for made in before.values() if made.published <= synced]
        self.public += [made for made in after.values() if made.published <= now]

    def is_public(self, *feeds: Selection) -> bool:
        """Whether each has or had a visible article."""
        return all(
            feed == EVERYTHING or any(made.is_in(feed, self.config) for made in self.public)
            for feed in feeds
        )

    def matches(self, stem: str, made: Made, selection: Selection) -> bool:
        """Whether an article is what a reader chose, now or when it comes due."""
        chosen = [selection.topics, selection.providers, selection.types]
        if selection.kind != "site" or not (selection.topics or selection.providers):
            chosen.append((selection.plain,))
        return (
            all(any(made.is_in(s, self.config) for s in group) for group in chosen if group)
            and not any(made.names(excluded) for excluded in selection.exclude)
            and all(made.has(p, stem) != p.is_excluded for p in selection.search)
            and (selection.min_quality is None or made.quality >= selection.min_quality)
            and (
                selection.min_heat is None
                or (made.heat is not None and made.heat >= selection.min_heat)
            )
        )

    def places(self, selection: Selection) -> list[tuple[str, Cursor]]:
        """Each article found, newest first and ties by id, with its place."""
        found = [
            (stem, Cursor(published=made.published, id=self.config.entry_id(stem).hex))
            for stem, made in self.made.items()
            if self.matches(stem, made, selection) and made.published <= self.now
        ]
        return sorted(found, key=lambda pair: (-pair[1].published.timestamp(), pair[1].id))


def stems(found: Found | None) -> list[str]:
    assert found
    return [article.stem for article in found.articles]


def check_current(collection: Collection, oracle: Oracle, selection: Selection) -> None:
    """The newest articles, whether there are more, and when the next comes."""
    found = collection.index.find(selection)
    places = oracle.places(selection)
    limit = selection.limit or collection.config.limit
    assert stems(found) == [stem for stem, _ in places[:limit]]
    assert found
    assert found.complete == (selection.min_heat is None and len(places) <= limit)
    neighbours = Neighbours()
    if len(places) > limit and selection.min_heat is None:
        last = places[limit - 1][1]
        neighbours = Neighbours(previous=Archive(month=Month.of(last.published), before=last))
    assert found.neighbours == neighbours


def check_archive(
    collection: Collection, oracle: Oracle, selection: Selection, month: Month
) -> None:
    """The articles of a month, and those of it that are older than a place."""
    places = oracle.places(selection)
    within = [(stem, place) for stem, place in places if Month.of(place.published) == month]
    found = collection.index.find(selection, Archive(month=month))
    assert stems(found) == [stem for stem, _ in within]
    assert found and not found.complete
    # Places of its articles, and one of an article that is there no more.
    for place in [*(place for _, place in within), Cursor(published=month.start, id="8" * 32)]:
        older = [
            stem
            for stem, other in within
            if (-other.published.timestamp(), other.id) > (-place.published.timestamp(), place.id)
        ]
        archive = Archive(month=month, before=place)
        assert stems(collection.index.find(selection, archive)) == older


@pytest.mark.parametrize("seed", range(8))
def test_index_finds_what_a_plain_reading_finds(
    make_collection: Callable[..., Collection], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    if seed % 2:
        # As in a large index, where a quality leaves more than are worth sorting.
        monkeypatch.setattr("feeds.index.query.MAX_SORTED", 0)
    collection = make_collection(
        topics=make_thresholds(random, ["ai", "law"]),
        providers=make_thresholds(random, ["a.example"]),
        limit=random.choice([1, 2, 3, 50]),
    )
    before = make_folder(random)
    after = make_folder(random) | change_ranks(random, before)
    sync_both(collection, before, after)
    oracle = Oracle(collection.config, before, after, NOW)
    for selection in (EVERYTHING, AI, *(make_selection(random) for _ in range(15))):
        if not oracle.is_public(*selection.exclude):
            continue  # no address names what is hidden
        if not oracle.is_public(*chain(*selection.groups)):
            assert collection.index.find(selection) is None
            continue
        check_current(collection, oracle, selection)
        check_archive(collection, oracle, selection, random.choice(MONTHS))


def sync_both(collection: Collection, before: dict[str, Made], after: dict[str, Made]) -> None:
    """A folder, an hour later what became of it, and what time brings until now."""
    for hours, made in ((2, before), (1, after)):
        for stem in before.keys() - made.keys():
            (collection.folder / f"{stem}.md").unlink()
        for stem, one in made.items():
            collection.write(f"{stem}.md", one.text(stem))
        assert not collection.sync(NOW - timedelta(hours=hours)).faults
    collection.advance(NOW)


def test_undue_article_names_no_feed(collection: Collection) -> None:
    for name, days in (("Shown", 1), ("Hush", 2)):
        at = (NOW + timedelta(days=days)).isoformat()
        collection.write(f"{days}.md", article(time=at, provider=name, topics=(name, "AI")))
    collection.sync()
    collection.advance(NOW + timedelta(days=1))
    provider = Selection(kind="provider", key="example.org", slug="example.org")
    for selection in (
        provider,
        replace(provider, limit=5),
        replace(EVERYTHING, exclude=(provider,)),
    ):
        body = publish_feed(collection, selection).body
        assert b"Shown" in body
        assert b"Hush" not in body


@pytest.mark.parametrize(
    "chosen", [choose([AI], min_quality=90), choose([], exclude=[AI]), choose([AI], PROVIDERS[:1])]
)
def test_scheduled_article_renames_a_topic_in_chosen_feeds(
    collection: Collection, chosen: Selection
) -> None:
    collection.write("one.md", article(topics=("AI",), domain="a.example", quality=95))
    for days, spelling in ((1, "ai"), (2, "Ai")):
        at = (NOW + timedelta(days=days)).isoformat()
        collection.write(f"{days}.md", article(time=at, topics=(spelling,)))
    collection.sync()
    for days, spelling in ((0, "AI"), (1, "ai"), (2, "Ai")):
        collection.advance(NOW + timedelta(days=days))
        found = collection.index.find(chosen)
        assert found and found.names["topic", "ai"] == spelling
        assert found.changed == NOW + timedelta(days=days)


def test_ties_are_by_id_across_topics(collection: Collection) -> None:
    for number, stem in enumerate("abcdefgh"):
        topics = (("AI",), ("Law",), ("AI", "Law"))[number % 3]
        collection.write(f"{stem}.md", article(stem, topics=topics))
        collection.sync()
    ids = {stem: collection.config.entry_id(stem).hex for stem in "abcdefgh"}
    tied = sorted(ids, key=lambda stem: ids[stem])
    for limit in (3, 8):
        chosen = choose(CHOSEN_TOPICS[:2], limit=limit)
        assert stems(collection.index.find(chosen)) == tied[:limit]
    second = datetime.fromisoformat("2020-05-18T02:41:00Z")
    for number, stem in enumerate(tied, 1):
        older = Archive(month=Month.of(second), before=Cursor(published=second, id=ids[stem]))
        assert stems(collection.index.find(chosen, older)) == tied[number:]
