"""What is read without the YAML parser is what the parser would have read.

python -m tests.test_plain EXAMPLES
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds.articles import parse_article
from feeds.articles.front_matter import FrontMatterError, Mapping, read_front_matter, split
from feeds.articles.plain import is_unpublished, read_plain
from tests.generate import article_text
from tests.support import SEEDS, article

DATA = sorted((Path(__file__).parent / "data").glob("*valid/*.md"))
FILES = [path.read_bytes() for path in (*sorted(SEEDS.iterdir()), *DATA)]
MADE = [
    article_text(random.Random(number), published=number % 2 == 0, providers=9).encode()
    for number in range(6)
]
LINES = (
    *("published: false", "published: true", "published:  false", "published: false # no"),
    *("published:", "published: 'false'", '"published": true', "'published': true"),
    *("? published", ": true", "published : true", "!!str published: true", "&a published: true"),
    *("published: &b true", "published: !!bool true", "<<: {published: true}", "<<: *a"),
    *('"pub\\x6cished": true', "{published: true}", "{title: x,", "}", "title: {", "title: [a,"),
    *("]", 'title: "a', 'b"', 'title: "a\\', "title: 'a", "b'", "title: 'it''s'", "'", '"'),
    *("title: |", "title: >-", "  published: false", "  - published: true", "- published: true"),
    *(
        "topics:",
        "- a",
        "  - a",
        "  - a: 1",
        "    b: 2",
        "    - c",
        "  []",
        "topics: []",
        "-",
        "- ",
    ),
    *("title: a: b", "title: a #b", "title: a#b", "title: a:b", "title: a:", "title: a::b", "a:b"),
    *("# published: true", "#", "", "  ", "\t", "title:\tb", "title: b\t", "...", "---", "--- #"),
    *("--- |", "%YAML 1.1", "title: -", "title: -1", "title: - a", "title: *a", "title: null"),
    *("title: \u2028published: true", "title: a\u2028#b", "title: a\x85b", "title: \ufeffb"),
    *('title: "\\"a\\" \\\\ \\n\\t"', 'title: "\\/ \\u0041"', 'title: "" ', "title: '' ''", "y: 1"),
    *("published: false\rpublished: true", "title: a\rb: c", "title: caf\u00e9", "quality: 80"),
    *("publishedDateTime: 2020-05-18T02:41:00Z", "webUrl: https://a.example/#b?c={d}&e=[f]"),
    *("title: " + "x" * 1030, "x" * 1030 + ": a", "\0", "\x07", "title: =", "title: a, b"),
)

_file = st.sampled_from(FILES + MADE)
_lines = st.lists(st.sampled_from(LINES), max_size=9)
_few = st.lists(st.sampled_from(LINES), max_size=5)
_breaks = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A file of lines that try to say two things at once, some of them inside a real one."""
    lines: list[str] = draw(_lines)
    if draw(st.booleans()):
        real = draw(_file).decode(errors="replace").split("\n")
        for line in lines:
            real.insert(draw(st.integers(0, min(len(real), 30))), line)
        lines = real
    else:
        lines = ["---", *lines, "---", "body"]
    raw = draw(_breaks).join(lines).encode()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=3)) + raw[at + draw(st.integers(0, 3)) :]
    return raw


def check(raw: bytes) -> None:
    if is_unpublished(raw):
        assert parse_article(raw, "x.md").withheld
    try:
        head, _ = split(raw.decode())
    except (UnicodeDecodeError, FrontMatterError):
        return
    plain = read_plain(head)
    if plain is not None:
        assert read_front_matter(head) == plain


@given(hostile())
@settings(max_examples=1500, deadline=None)
@example(b'---\ntitle: "a\npublished: false\nb"\npublished: true\n---\n')
@example(b"---\ntitle: [a,\npublished: false\n]\npublished: true\n---\n")
@example(b"---\n{title: a,\npublished: false\n, published: true}\n---\n")
@example(b"---\n# a\rpublished: true\npublished: false\n---\n")
def test_quick_answer_is_that_of_the_parser(raw: bytes) -> None:
    check(raw)


@given(_few, _few)
@settings(max_examples=1000, deadline=None)
def test_no_line_beside_it_makes_an_unpublished_article_visible(
    above: list[str], below: list[str]
) -> None:
    check_beside(above, below)


def check_beside(above: list[str], below: list[str]) -> None:
    lines = article().replace("published: true\n", "").split("\n")
    lines[1:1] = [*above, "published: false", *below]
    check("\n".join(lines).encode())


@pytest.mark.parametrize("raw", FILES + MADE)
def test_real_file_is_read_as_the_parser_reads_it(raw: bytes) -> None:
    check(raw)


def test_articles_as_they_are_written_are_plain() -> None:
    heads = [split(raw.decode())[0] for raw in MADE + FILES[:5]]
    assert [read_plain(head) is not None for head in heads].count(False) <= 1
    said = [b"\npublished: false\n" in raw for raw in MADE + FILES[:5]]
    assert [is_unpublished(raw) for raw in MADE + FILES[:5]] == said


@pytest.mark.parametrize(
    "text",
    [
        *("", "---\n", "a: 1\n", "---\n- a\n", "---\na\n", "---\na: 1\na: 2\n", "---\n[]\n"),
        *("---\na: 1\n  b: 2\n", "---\na: 1\n- b\n", "---\na:\n  - \n"),
        "---\na:\n" + " " * 13 + "b: 1\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(text: str) -> None:
    assert read_plain(text) is None


def test_value_below_its_name() -> None:
    text = "---\na:\nb:\n- c\n- d: 1\n  e:\n  - f\ng:\n  h:\n    - 'i''j'\nk:\n  []\nl:\n"
    plain = read_plain(text)
    assert isinstance(plain, Mapping) and plain == read_front_matter(text)


if __name__ == "__main__":
    more = settings(max_examples=int(sys.argv[1]), deadline=None)
    more(given(hostile())(check))()
    more(given(_few, _few)(check_beside))()
