"""Names, keys, slugs and addresses."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from feeds.config import Config
from feeds.selection import (
    EVERYTHING,
    Kind,
    Selection,
    choose,
    domain_key,
    fold,
    short_hash,
    slugify,
)


def plain(kind: Kind, key: str, slug: str = "") -> Selection:
    """A plain selection."""
    return Selection(kind=kind, key=key, slug=slug or key)


AI, LAW, SCRIPT = plain("topic", "ai"), plain("topic", "law"), plain("topic", "人", "人")
A, B = plain("provider", "a.example"), plain("provider", "b.example")
VIDEO, PODCAST = plain("type", "video"), plain("type", "podcast")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Computer Vision", "computer-vision"),
        ("  computer   VISION ", "computer-vision"),
        ("C++", "cplusplus"),
        ("C#", "csharp"),
        ("C", "c"),
        ("AT&T", "at-t"),
        ("AI, Robotics", "ai-robotics"),
        ("Straße", "strasse"),
        ("人工知能", "人工知能"),
        ("हिन्दी", "हिन्दी"),
        ("../etc", "etc"),
    ],
)
def test_slug_of_a_topic_keeps_the_letters_of_its_script(name: str, slug: str) -> None:
    assert slugify("topic", name) == slug


def test_name_without_letters_has_a_slug_of_its_own() -> None:
    assert slugify("topic", "!!!") != slugify("topic", "???")
    assert slugify("topic", "!!!").isalnum()


@pytest.mark.parametrize("domain", ["RNZ.co.nz", "www.rnz.co.nz", " rnz.co.nz. "])
def test_provider_is_its_domain(domain: str) -> None:
    assert domain_key(domain) == "rnz.co.nz"
    assert slugify("provider", domain) == "rnz.co.nz"


@pytest.mark.parametrize("name", ["AI", "ai ", "  Ai", "\uff21\uff29"])
def test_names_alike_but_for_case_and_spaces_have_one_key(name: str) -> None:
    assert fold(name) == "ai"


def test_path_is_canonical() -> None:
    assert EVERYTHING.path == "/"
    assert Selection(kind="topic", key="x", slug="人").path == "/topics/%E4%BA%BA/"
    assert Selection(kind="provider", key="a.b", slug="a.b").path == "/providers/a.b/"


def test_name_without_letters_has_the_slug_of_its_key() -> None:
    assert slugify("topic", "\uff01") == slugify("topic", "!") == short_hash("!") == "bb7208"
    assert slugify("provider", "..") == short_hash("..")


@pytest.mark.parametrize(
    ("domain", "slug"),
    [
        ("a b.example", "a-b.example"),
        ("-a.example-", "a.example"),
        ("b\u00fccher.de", "b\u00fccher.de"),
    ],
)
def test_slug_of_a_provider_keeps_its_dots(domain: str, slug: str) -> None:
    assert slugify("provider", domain) == slug


@pytest.mark.parametrize(
    ("selection", "address"),
    [
        (choose(), "/feed.atom"),
        (choose([AI]), "/topics/ai/feed.atom"),
        (choose([AI, AI]), "/topics/ai/feed.atom"),
        (choose([], [B]), "/providers/b.example/feed.atom"),
        (choose([LAW, AI]), "/feed.atom?topic=ai&topic=law"),
        (choose([AI], [B]), "/topics/ai/feed.atom?provider=b.example"),
        (choose([AI], [B, A]), "/topics/ai/feed.atom?provider=a.example&provider=b.example"),
        (choose([LAW, AI], [B]), "/providers/b.example/feed.atom?topic=ai&topic=law"),
        (choose(types=[VIDEO, PODCAST]), "/feed.atom?type=podcast&type=video"),
        (choose(exclude=[LAW, A, AI]), "/feed.atom?exclude=a.example&exclude=ai&exclude=law"),
        (choose([SCRIPT], limit=3), "/topics/%E4%BA%BA/feed.atom?limit=3"),
        (choose(exclude=[SCRIPT]), "/feed.atom?exclude=%E4%BA%BA"),
        (choose(min_quality=0, min_heat=-1), "/feed.atom?min_heat=-1&min_quality=0"),
    ],
)
def test_selection_has_one_address(selection: Selection, address: str) -> None:
    assert selection.address("feed.atom") == address


def test_parameters_of_a_file_are_sorted_among_the_others() -> None:
    address = choose([AI, LAW], min_quality=70).address("x", before="a b")
    assert address == "/x?before=a%20b&min_quality=70&topic=ai&topic=law"


@pytest.mark.parametrize(
    ("provider", "written"),
    [
        (plain("provider", "a.example"), "a.example"),
        (plain("provider", "a.example", "a.news"), "a.news"),
        (plain("provider", "a.example", "ai"), "a.example"),
        (plain("provider", "ai"), "ai."),
        (plain("provider", "law", "ai"), "ai."),
    ],
)
def test_excluded_provider_is_never_written_as_a_topic(provider: Selection, written: str) -> None:
    assert choose(exclude=[provider]).address() == f"/?exclude={written}"


def test_order_of_choosing_makes_no_difference() -> None:
    topics = list(permutations([AI, LAW, SCRIPT]))
    exclude = list(permutations([A, B, LAW]))
    assert len({choose(t, exclude=e) for t, e in zip(topics, exclude, strict=True)}) == 1


def test_article_must_be_in_one_of_each_group() -> None:
    assert choose(min_heat=1).groups == [(EVERYTHING,)]
    assert choose([AI], limit=1).groups == [(AI,)]
    assert choose([AI, LAW]).groups == [(AI, LAW)]
    assert choose([AI], [A, B], [VIDEO]).groups == [(AI,), (A, B)]
    assert choose([AI, LAW], [A]).groups == [(AI, LAW), (A,)]
    assert choose(types=[VIDEO], exclude=[AI]).groups == [(EVERYTHING,)]


def test_history_belongs_to_the_selection_of_any_limit() -> None:
    chosen = choose([AI], types=[VIDEO], limit=3)
    assert chosen.whole == choose([AI], types=[VIDEO])
    assert chosen.plain == AI
    config = Config()
    assert config.feed_id(chosen) == config.feed_id(chosen.whole) != config.feed_id(AI)
    assert config.feed_id(replace(AI, limit=3)) == config.feed_id(AI)


def test_quality_and_heat_rank() -> None:
    assert choose(min_quality=0).is_ranked and choose(min_heat=0).is_ranked
    assert not choose([AI], [A], [VIDEO], [LAW], limit=3).is_ranked
