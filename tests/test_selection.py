"""Names, keys, slugs and addresses."""

from __future__ import annotations

import pytest

from feeds.selection import EVERYTHING, Selection, domain_key, fold, short_hash, slugify


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
