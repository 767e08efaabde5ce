"""Text, URIs and HTML; whole articles stand in data/valid."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest

from feeds.articles import clean, front_matter
from feeds.articles.withheld import is_unpublished, is_withheld_at_fault
from tests.families import CHARACTERS


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("AT&T <b>", "AT&T <b>"),
        ("  a\t\r\n b\u00a0c ", "a b c"),
        ("a\x00\x07\x7f\x80\x9f\ufffd\ud800\uffffb", "ab"),
        ("a\x85b\u2028c", "a b c"),
        ("\u05e9\u05dc\u05d5\u05dd \u200f\u4f60\u597d \U0001f600", None),
    ],
)
def test_text_is_folded_and_otherwise_as_written(raw: str, text: str | None) -> None:
    assert clean.text(raw) == (raw if text is None else text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("don&#8217;t &amp;lt; &amp; AT&T", "don\u2019t &lt; & AT&T"),
        ("<p>a</p><script>evil()</script><!-- c --> b", "a b"),
        ("3 < 4 and a <3", "3 < 4 and a <3"),
        ("&#7;&#0;bell", "bell"),
        ("&lt;b&gt;", "<b>"),
    ],
)
def test_prose_loses_markup_and_decodes_once(raw: str, text: str) -> None:
    assert clean.prose(raw) == text


@pytest.mark.parametrize(
    "raw",
    [
        "https://example.org/a?b=c&d=%C3%A9#e",
        "http://example.org",
        "https://example.org:8080/",
        "https://a_b.example/",
        "https://[::1]:8080/x",
    ],
)
def test_valid_uri_comes_back_as_it_is(raw: str) -> None:
    assert clean.uri(f" {raw}\n") == raw


@pytest.mark.parametrize(
    ("raw", "made"),
    [
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("HTTPS://example.org/a b|c", "https://example.org/a%20b%7Cc"),
        ("https://example.org/%zz%41", "https://example.org/%25zz%41"),
        ("https://example.org/#a#b", "https://example.org/#a%23b"),
        ("https://example.org/<script>\"'", "https://example.org/%3Cscript%3E%22'"),
    ],
)
def test_iri_is_made_a_uri(raw: str, made: str) -> None:
    assert clean.uri(raw) == made


@pytest.mark.parametrize("raw", ["", "x", "//a/b", "https:///a", "https://a b/", "https://a\\b/"])
def test_what_is_no_uri_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="correct it"):
        clean.uri(raw)


@pytest.mark.parametrize(
    ("raw", "html"),
    [
        ("*a* ~~b~~", "<p><em>a</em> <del>b</del></p>"),
        ("| a |\n|---|\n| b |", "<table>"),
        ("[a](https:b) [c](https://e.example/ü)", '<p><a>a</a> <a href="https://e.example/%C3'),
        ('<img alt="x > y">![p](rel.png) b', "<p> b</p>"),
        ("<div onclick='x' style='y'>a</div>", "<div>a</div>"),
        ("a\x0c\x0b\x1c\x85b &#12;&#x81;&#xFFFE;c", "<p>ab c</p>"),
    ],
)
def test_markdown_is_made_safe_html(raw: str, html: str) -> None:
    assert clean.markdown(raw).startswith(html)


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("<p>none</p>", ""),
        ("<iframe></iframe>", ""),
        ("<IFRAME width=1 SRC=https://v.example/1></IFRAME>", "https://v.example/1"),
        ("<iframe src='//v.example/?a&amp;b'></iframe>", "https://v.example/?a&b"),
        ("<iframe data-src='x' width=1 src='https://v.example/1'></iframe>", "https://v.example/1"),
        ("<iframe width='1'src='https://v.example/1'></iframe>", "https://v.example/1"),
        ("<iframe srcdoc='x'></iframe><img src='https://i.example/'>", ""),
    ],
)
def test_frame_is_found(raw: str, address: str) -> None:
    assert clean.frame(raw) == address


def test_open_frames_are_not_each_read_to_the_end() -> None:
    begin = process_time()
    assert clean.frame("<iframe " * 10_000) == ""
    assert process_time() - begin < 2  # it was eight seconds, and minutes for 1 MiB


@pytest.mark.parametrize(
    "read",
    [
        clean.text,
        clean.prose,
        clean.uri,
        clean.summary,
        clean.markdown,
        clean.frame,
        front_matter.split,
        front_matter.read_front_matter,
        lambda text: is_unpublished(text.encode()),
        lambda text: is_withheld_at_fault(text.encode(), cut=True),
    ],
)
@pytest.mark.parametrize("before", ["", "---\npublished:", "<iframe src", "https://", "<a b="])
def test_run_of_any_character_takes_time_that_grows_with_its_length(
    read: Callable[[str], object], before: str
) -> None:
    begin = process_time()
    for character in CHARACTERS:
        with suppress(ValueError):
            read(before + character * (1 << 17) + "!")
    # Where each character were read again for each other, one run would take minutes.
    assert process_time() - begin < 20


@pytest.mark.parametrize("long", ["https://a/" + "b" * 8000, "\u0130" * 64_000])
def test_address_longer_than_any_reader_must_take_is_refused(long: str) -> None:
    assert clean.uri("https://a.example/".ljust(8000, "b"))
    with pytest.raises(ValueError, match="is longer than 8000 characters, shorten it"):
        clean.uri(long)
