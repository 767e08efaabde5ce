"""The terms of text, and searches as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.search import parse_search, search_text, terms, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Clearview\u2019s AI “don\u2019t”", ["clearview", "s", "ai", "don", "t"]),
        ("Ünïcode, CAFÉ, cafe\u0301", ["unicode", "cafe", "cafe"]),
        ("İstanbul STRASSE Straße", ["istanbul", "strasse", "strasse"]),
        ("ﬁne \uff12\uff10\uff12\uff10 Ⅻ x²", ["fine", "2020", "xii", "x2"]),
        ("snake_case a-b c++ AT&T", ["snake", "case", "a", "b", "c", "at", "t"]),
        (
            "soft\u00adhyphen \u202eright\u200f zero\u200cwidth",
            ["softhyphen", "right", "zerowidth"],
        ),
        ("nul\0 escape\x1b 🎉 \ud800 \ufffd \ue001", ["nul", "escape"]),
        ("שָׁלוֹם", ["שלום"]),
        ("كِتَاب", ["كتاب"]),
        # The voicing marks of kana and the vowels of Thai and Hindi are letters.
        ("カﾞ が か", ["ガ", "が", "か"]),
        ("हिन्दी", ["हिन्दी"]),
        ("서울에서", ["서울에서"]),
        ("", []),
    ],
)
def test_words_have_no_case_accents_or_compatibility_forms(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a word", ["a", "word"]),
        ("北京大学 AI技術", ["北京", "京大", "大学", "学", "ai", "技術", "術"]),
        ("ดี", ["ดี", "ี"]),
        ("x" * 100, ["x" * 64]),
    ],
)
def test_terms_of_scripts_without_spaces_are_pairs_of_letters(text: str, found: list[str]) -> None:
    assert terms(text) == found


@given(st.text())
def test_words_have_the_same_words_again(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("Clearview   AI", "clearview ai"),
        ("b a b", "b a"),
        ('"Facial  Recognition" -Trial', '"facial recognition" -trial'),
        ("“smart quotes”, «others»", '"smart quotes" others'),
        ("don't", '"don t"'),
        ("recogni* -trial*", "recogni* -trial*"),
        ('-"police trial"', '-"police trial"'),
        ('an "open quote', 'an "open quote"'),
        ("a-b --c - -d", '"a b" -c -d'),
        ('x"y z"w', 'x "y z" w'),
        ("C++ & 🎉", "c"),
        ("北京* 大", "北京 大"),
        ("ai技術", '"ai 技術"'),
    ],
)
def test_search_has_one_spelling(written: str, spelled: str) -> None:
    assert search_text(parse_search(written)) == spelled
    assert parse_search(spelled) == parse_search(written)


@given(st.text(max_size=50))
def test_spelling_of_any_search_is_read_as_the_same_search(written: str) -> None:
    try:
        search = parse_search(written)
    except ValueError:
        return
    assert parse_search(search_text(search)) == search


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("a" * 201, "more than 200 characters"),
        ("\ufdfa" * 20, "more than 200 characters"),
        ("a b c d e f g h i j k", "more than 10 words"),
        ("ab*", "3 letters or more before a *"),
        ("-", "no letter or digit"),
        ('"" * 🎉', "no letter or digit"),
    ],
)
def test_search_that_cannot_be_says_what_to_do(written: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_search(written)
