"""Nodes and their lines; what is refused stands in data/invalid."""

from __future__ import annotations

import pytest

from feeds.articles.front_matter import (
    FrontMatterError,
    Mapping,
    Scalar,
    Sequence,
    read_front_matter,
    split,
)


def test_nodes_know_their_lines() -> None:
    node = read_front_matter("---\na: 1\nb:\n  - c\n  - 'd'\n")
    assert node == Mapping(
        {
            "a": Scalar("1", True, 2),
            "b": Sequence([Scalar("c", True, 4), Scalar("d", False, 5)], 4),
        },
        2,
    )


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("12", "int"),
        ("1.5", "float"),
        ("yes", "bool"),
        ("~", "null"),
        ("2020-01-01", "timestamp"),
        ("text", "str"),
        ("'12'", "str"),
        ('"true"', "str"),
    ],
)
def test_kind_is_that_of_yaml(written: str, kind: str) -> None:
    node = read_front_matter(f"a: {written}\n").items["a"]
    assert isinstance(node, Scalar) and node.kind == kind


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n", "---\n~\n"])
def test_nothing_is_an_empty_map(text: str) -> None:
    assert read_front_matter(text) == Mapping({}, 1)


def test_second_document_is_refused() -> None:
    with pytest.raises(FrontMatterError, match="3: a second document, keep only one"):
        read_front_matter("a: 1\n---\nb: 2\n")


def test_front_matter_and_body_are_split_at_the_first_line_of_hyphens() -> None:
    assert split("---\na: 1\n---\nbody\n---\n") == ("---\na: 1\n", "body\n---\n")
    assert split("--- \r\na: 1\r\n---\t\r\nbody") == ("--- \r\na: 1\r\n", "body")
    assert split("---\n---") == ("---\n", "")


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_nesting_of_any_depth_does_not_overflow_the_stack(opening: str) -> None:
    with pytest.raises(FrontMatterError, match="nested deeper than 20 levels, flatten it"):
        read_front_matter("a: 1\nb:\n  " + opening * 200_000)


def test_line_of_a_fault_is_the_editors() -> None:
    # The parser tells the place in bytes, and the characters before it have several.
    text = "---\na: 'one\u2028two\u2029three\x85four'\nb: " + "\u00e9" * 40 + "\nc: \x07\nd:\ne:\n"
    with pytest.raises(FrontMatterError) as caught:
        read_front_matter(text)
    assert caught.value.line == 4
    assert str(caught.value) == "4: the character U+0007 is not allowed, remove it"


def test_twenty_levels_are_read_and_no_more() -> None:
    assert read_front_matter("a: " + "[" * 19 + "]" * 19 + "\n").items
    with pytest.raises(FrontMatterError, match="1: nested deeper than 20 levels"):
        read_front_matter("a: " + "[" * 20 + "]" * 20 + "\n")


@pytest.mark.parametrize("text", ["a: 1\n", "----\na: 1\n---\n", " ---\na: 1\n---\n", "---"])
def test_text_without_an_opening_line_has_no_front_matter(text: str) -> None:
    with pytest.raises(FrontMatterError, match="1: no front matter, begin the file with"):
        split(text)


@pytest.mark.parametrize("text", ["---\na: 1\n", "---\na: |\n  ---\n", "---\na: 1\n----\n"])
def test_front_matter_ends_at_nothing_but_a_line_of_hyphens(text: str) -> None:
    with pytest.raises(FrontMatterError, match="1: the front matter does not end"):
        split(text)
