"""Nodes and their lines; what is refused stands in data/invalid."""

from __future__ import annotations

import pytest
from yaml import MappingNode, Node

from feeds.articles.front_matter import (
    MAX_VALUES,
    FrontMatterError,
    line_of,
    read_front_matter,
    split,
    yaml_type,
)


def fields(text: str) -> dict[str, Node]:
    return {key.value: value for key, value in read_front_matter(text).value}


def test_nodes_know_their_lines() -> None:
    found = fields("---\na: 1\nb:\n  - c\n  - 'd'\n")
    assert [line_of(found[name]) for name in "ab"] == [2, 4]
    assert [(item.value, line_of(item)) for item in found["b"].value] == [("c", 4), ("d", 5)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("12", "int"),
        ("1.5", "float"),
        ("yes", "bool"),
        ("~", "null"),
        ("2020-01-01", "timestamp"),
        ("text", "str"),
        ("'12'", "str"),
        ('"true"', "str"),
        ("[a]", "seq"),
        ("{a: b}", "map"),
    ],
)
def test_type_is_that_of_yaml(written: str, expected: str) -> None:
    assert yaml_type(fields(f"a: {written}\n")["a"]) == expected


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n", "---\n~\n"])
def test_nothing_is_an_empty_map(text: str) -> None:
    node = read_front_matter(text)
    assert isinstance(node, MappingNode) and (node.value, line_of(node)) == ([], 1)


def test_second_document_is_refused() -> None:
    with pytest.raises(FrontMatterError, match="3: a second document, keep only one"):
        read_front_matter("a: 1\n---\nb: 2\n")


def test_front_matter_and_body_are_split_at_the_first_line_of_hyphens() -> None:
    assert split("---\na: 1\n---\nbody\n---\n") == ("---\na: 1\n", "body\n---\n")
    assert split("--- \r\na: 1\r\n---\t\r\nbody") == ("--- \r\na: 1\r\n", "body")
    assert split("---\n---") == ("---\n", "")


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_nesting_of_any_depth_does_not_overflow_the_stack(opening: str) -> None:
    with pytest.raises(FrontMatterError) as caught:
        read_front_matter("a: 1\nb:\n  " + opening * 200_000)
    assert caught.value.line == 3


def test_line_of_a_fault_is_the_editors() -> None:
    # The parser tells the place in bytes, and the characters before it have several.
    text = "---\na: 'one\u2028two\u2029three\x85four'\nb: " + "\u00e9" * 40 + "\nc: \x07\nd:\ne:\n"
    with pytest.raises(FrontMatterError) as caught:
        read_front_matter(text)
    assert caught.value.line == 4
    assert str(caught.value) == "4: the character U+0007 is not allowed, remove it"


def test_twenty_levels_are_read_and_no_more() -> None:
    assert read_front_matter("a: " + "[" * 19 + "]" * 19 + "\n").value
    with pytest.raises(FrontMatterError, match="1: nested deeper than 20 levels"):
        read_front_matter("a: " + "[" * 20 + "]" * 20 + "\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: &a 1\nb: *a\n", 2),
        ("a: &a [*a]\n", 1),
        ("a: &a\n  b: *a\n", 2),
        ("a: &a {? [*a] : 1}\n", 1),
        ("&a a: 1\n*a : 2\n", 1),
        ("a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(900)), 2),
        ("".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 2 * (n > 0)}]\n" for n in range(60)), 2),
    ],
)
def test_alias_is_refused_where_it_stands(text: str, line: int) -> None:
    with pytest.raises(FrontMatterError, match=f"{line}: an alias of line 1 is not allowed"):
        read_front_matter(text)


def test_ten_thousand_values_are_read_and_no_more() -> None:
    assert read_front_matter("a: [" + "b," * (MAX_VALUES - 3) + "]\n").value
    with pytest.raises(FrontMatterError, match="1: more values than any article has"):
        read_front_matter("a: [" + "b," * (MAX_VALUES - 2) + "]\n")


@pytest.mark.parametrize("text", ["a: 1\n", "----\na: 1\n---\n", " ---\na: 1\n---\n", "---"])
def test_text_without_an_opening_line_has_no_front_matter(text: str) -> None:
    with pytest.raises(FrontMatterError, match="1: no front matter, begin the file with"):
        split(text)


@pytest.mark.parametrize("text", ["---\na: 1\n", "---\na: |\n  ---\n", "---\na: 1\n----\n"])
def test_front_matter_ends_at_nothing_but_a_line_of_hyphens(text: str) -> None:
    with pytest.raises(FrontMatterError, match="1: the front matter does not end"):
        split(text)
