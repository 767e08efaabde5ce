"""Articles are found by their words, the same on every database."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from feeds.config import FeedSettings
from feeds.indexed import MAX_TERMS_SIZE
from feeds.search import parse_search
from feeds.selection import Selection, choose
from tests.searches import check_searches
from tests.support import Collection, article

pytestmark = pytest.mark.databases("sqlite", "postgresql")

AI = Selection(kind="topic", key="ai", slug="ai")
LAW = Selection(kind="topic", key="law", slug="law")


def test_searches_find_what_a_plain_reading_finds(collection: Collection) -> None:
    assert check_searches(collection, Random(1), 200) > 50


def found(collection: Collection, written: str, *topics: Selection, **more: object) -> list[str]:
    """The titles that a search finds."""
    selection = choose(topics, search=parse_search(written), **more)  # type: ignore[arg-type]
    made = collection.index.find(selection)
    assert made
    return [article.title for article in made.articles]


RELATED = """related:
  - title: Wolves return
    webUrl: https://b.example/wolves
    quality: 80
  - title: Bears rumoured
    webUrl: https://b.example/bears
    quality: 10
"""


@pytest.mark.parametrize(
    ("written", "is_found"),
    [
        ("headline", True),
        ("excerpted", True),
        ("bodily", True),
        ("gazette", True),
        ("forestry", True),
        ("wolves", True),
        ("bears", False),
        # Of markup, of an address and of a field that is not shown.
        ("strong", False),
        ("example", False),
        ("politics", False),
        # No phrase reaches from one field into another.
        ('"headline excerpted"', False),
        ('"gazette forestry"', False),
        ('"bodily words"', True),
    ],
)
def test_search_reads_what_is_shown(collection: Collection, written: str, is_found: bool) -> None:
    text = article(
        "Headline",
        provider="Gazette",
        topics=("Forestry",),
        body="Some **bodily** words, [a link](https://c.example/)",
        more="category: politics\n" + RELATED,
    )
    collection.write("one.md", text.replace("About Headline", "Excerpted"))
    collection.sync()
    assert found(collection, written) == ["Headline"] * is_found


def test_search_follows_each_change_of_an_article(collection: Collection) -> None:
    collection.write("one.md", article("A wolf"))
    collection.write("two.md", article("Two wolves", topics=("Law",)))
    collection.sync()
    assert found(collection, "wolf") == ["A wolf"]
    collection.write("one.md", article("A bear"))
    collection.sync()
    assert found(collection, "wolf") == []
    assert found(collection, "bear", AI) == ["A bear"]
    assert found(collection, "bear", LAW) == []
    collection.write("one.md", article("A bear", topics=("Law",)))
    collection.sync()
    assert found(collection, "bear", LAW) == ["A bear"]
    assert found(collection, "-wolves", LAW) == ["A bear"]
    assert found(collection, "bear", exclude=[LAW]) == []
    collection.write("one.md", article("A bear", published="false"))
    collection.sync()
    assert found(collection, "bear") == []
    (collection.folder / "two.md").unlink()
    collection.sync()
    assert found(collection, "wolves") == []


def test_search_follows_the_settings(collection: Collection) -> None:
    collection.write("one.md", article("Headline", more=RELATED))
    collection.write("two.md", article("Low", quality=50, topics=("AI", "Law")))
    for least in (60, 5, 60):
        collection.index.config = replace(collection.config, min_quality=least)
        collection.sync()
        assert found(collection, "bears") == ["Headline"] * (least == 5)
        assert found(collection, "low") == ["Low"] * (least == 5)
    topics = {"law": FeedSettings(min_quality=40)}
    collection.index.config = replace(collection.config, topics=topics)
    collection.sync()
    # It is in the feed of that topic alone, but leaving out the topic ai leaves it out.
    assert found(collection, "low") == found(collection, "low", AI) == []
    assert found(collection, "low", LAW) == ["Low"]
    assert found(collection, "low", LAW, exclude=[AI]) == []


def test_articles_whose_ids_begin_alike_are_both_found(collection: Collection) -> None:
    # The first 31 bits of their ids are the same, and so is their second.
    alike = ("s89911", "s93664")
    for stem in alike:
        collection.write(f"{stem}.md", article(f"Wolf {stem}"))
    collection.sync()
    assert sorted(found(collection, "wolf")) == sorted(f"Wolf {stem}" for stem in alike)
    collection.write(f"{alike[0]}.md", article("Wolf again"))
    collection.sync()
    assert sorted(found(collection, "wolf")) == sorted(["Wolf again", f"Wolf {alike[1]}"])


def test_beginning_of_a_huge_article_is_searched(collection: Collection) -> None:
    many = " ".join(f"word{number}" for number in range(MAX_TERMS_SIZE // 8))
    collection.write("one.md", article("Headline", body=f"{many} last"))
    # Each of these letters is three bytes, and no two of them follow each other twice.
    letters = "".join(map(chr, range(0x4E00, 0x9FFF)))
    collection.write("two.md", article("Many letters", body=letters * 3))
    assert not collection.sync().faults
    assert found(collection, "word12 word9999") == ["Headline"]
    assert found(collection, "last") == []
    assert found(collection, letters[100:104]) == ["Many letters"]


def test_many_articles_are_added_at_once(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.index.text_search.MIN_BULK_ROWS", 10)
    for number in range(20):
        collection.write(
            f"{number}.md", article(f"Wolf {number}", url=f"https://a.example/{number}")
        )
    collection.sync()
    assert len(found(collection, "wolf")) == 20
    collection.write("0.md", article("Bear"))
    collection.sync()
    assert len(found(collection, "wolf -bear")) == 19
