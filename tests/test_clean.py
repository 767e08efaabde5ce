"""Text, URIs and HTML; whole articles stand in data/valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.articles import clean, front_matter
from feeds.articles.fields import MAX_FIELD_LENGTH
from feeds.articles.withheld import is_unpublished, is_withheld_at_fault
from feeds.text import clean_text
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
    assert clean_text(raw) == (raw if text is None else text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("don&#8217;t &amp;lt; &amp; AT&T", "don\u2019t &lt; & AT&T"),
        ("&#7;&#0;bell", "bell"),
        ("&lt;b&gt; &lt;p&gt;", "<b> <p>"),
        # Blocks and line breaks part words, what stands within a line does not.
        ("One<br>Two<BR/>Three<br />Four", "One Two Three Four"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("<ul>\n<li>One</li><li>Two</li></ul>", "One Two"),
        ("<div class=a id='b'>One</div ><h2 title=\"x > y\">Two</h2>", "One Two"),
        (
            "H<sub>2</sub>O <STRONG>is</STRONG> <a href='https://a.example/?b>c'>wet</a>",
            "H2O is wet",
        ),
        ("One<img src=x onerror=alert(1)>Two<wbr>Three", "OneTwoThree"),
        ("<section><address>One</address></section>Two", "One Two"),
        # What is no element of prose, or not written as one, is a word.
        ("a vector<int> and a Vec<Table>", None),
        ("a<b and 3 < 4, a <3 and x<y>z", None),
        ("if a <b and c> d = e, <b class=a", None),
        ("end with </script>, add a <script> tag or an <iframe>", None),
        ("<b/a> <b <i=a> <p =a> <p a=> <p a=b'> <p\u00e9> <ph>", None),
        ("<!-- one", None),
        ("one -->", None),
        ("a << b >> c <> <<<", None),
        # What stands in these is no prose.
        ("<p>a</p><script>evil()</script><!-- c --> b", "a b"),
        (
            "a<script>1</script>b<style>2</style>c<SCRIPT src=x>3</ScRiPt>d",
            "abc<SCRIPT src=x>3</ScRiPt>d",
        ),
        ("a <iframe allowfullscreen src='https://v.example/'></iframe>b", "a b"),
        ("<svg><title>gone</title></svg>a<video controls=''><b>gone</b></video>", "a"),
        ("a<!-- <script> <b> -->b</script><!-- -->", "ab</script>"),
        ("<script> <script>gone</script>a</script>", "a</script>"),
        ("<style><script></style>a</script>", "a</script>"),
    ],
)
def test_prose_loses_markup_and_keeps_words(raw: str, text: str | None) -> None:
    assert clean.prose(raw) == (raw if text is None else text)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("<", ">", "<!--", "-->", "<b>", "</b>", "<script>", "</script>", "<style a="),
                *("</style>", " a=", "'", '"', "<p ", "</", "br>", "/", "x", "&lt;", "&#7;"),
                *("&#x9f;", "\x00", "\x85"),
            ]
        ),
        min_size=1,
        max_size=40,
    ).map("".join)
)
def test_any_markup_becomes_prose_in_time_that_grows_with_its_length(unit: str) -> None:
    begin = process_time()
    made = clean.prose(unit * (MAX_FIELD_LENGTH // len(unit)))
    assert process_time() - begin < 2
    assert not re.search("[\x00-\x1f\x7f-\x9f]", made)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("One\n\nTwo", "One Two"),
        ("- One\n- *Two*\n\n| a | b |\n|---|---|\n| c | d |", "One Two a b c d"),
        (
            "One\\\nTwo<br>Three `vector<int>` &lt;script> 3 < 4",
            "One Two Three vector<int> <script> 3 < 4",
        ),
        ('![a < b > c](https://i.example/ "<p>")x', "x"),
    ],
)
def test_summary_of_a_body_parts_its_blocks(raw: str, text: str) -> None:
    assert clean.summary(clean.markdown(raw)) == text


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
def test_invalid_uri_is_refused(raw: str) -> None:
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
        clean_text,
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
            read(before + character * (1 << 15) + "!")
    # Where each character were read again for each other, one run would take minutes.
    assert process_time() - begin < 5


@pytest.mark.parametrize("long", ["https://a/" + "b" * 8000, "\u0130" * 64_000])
def test_address_longer_than_any_reader_must_take_is_refused(long: str) -> None:
    assert clean.uri("https://a.example/".ljust(8000, "b"))
    with pytest.raises(ValueError, match="is longer than 8000 characters, shorten it"):
        clean.uri(long)
