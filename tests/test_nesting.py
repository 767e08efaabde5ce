"""No article takes long to read, or much memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from feeds.articles.clean import markdown
from feeds.articles.nesting import (
    MAX_ATTRIBUTES,
    MAX_MISPLACED,
    MAX_NESTED,
    MAX_REFERENCES,
    MAX_UNCLEAR,
    check_nesting,
)
from tests.families import FAMILIES
from tests.support import ROOT


def test_no_family_takes_long() -> None:
    lines = measured("all")
    assert len(lines) == len(FAMILIES)
    slow = [line for line in lines if "TOO MUCH" in line]
    # A machine that does much else takes long now and then, but not each time.
    names = [name for line in slow for name in FAMILIES if line.startswith(f"{name}  ")]
    assert len(names) == len(slow)
    for name in names:
        assert any("TOO MUCH" not in measured(name)[0] for _ in range(3)), name


def measured(name: str) -> list[str]:
    command = [sys.executable, "-m", "tests.families", name, "0.25"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stdout[-200:] + ended.stderr[-2000:]
    return ended.stdout.splitlines()


#: Formatting that a parser makes again in every block that follows.
OPEN = "<div>\n<p>" + "".join(f'<b title="{"x" * 1000}{number}">' for number in range(90))


@pytest.mark.parametrize(
    "html",
    [
        # A long article: a table of a thousand rows, five hundred links, nested lists.
        "<table>" + "<tr><th>a</th><td><a href='#'>b</a></td></tr>\n" * 1000 + "</table>",
        "<p>a <a href='https://a.example/" + "b" * 200 + "'>c</a> <em>d</em></p>" * 500,
        "<ul><li>a<ol><li>b</li></ol></li></ul>" * 1000,
        "<div>" * MAX_NESTED,
        "<div></div>" * 1000,
        "<br><img src='x'><hr/>" * 1000,
        "<b" + " a=1" * MAX_ATTRIBUTES + ">",
        "<p>a <em>b</em></p>\n<!-- <b> -->" * 1000,
        "<style><b></style><iframe><div></iframe>" * 1000,
        "<style>" + "<b>" * 1000,
        "<!--" + "<b>" * 1000,
        "<svg>" + "<b>" * 400,
        "<svg>" + "<x>" * 500,
        "<noscript><p>a <b>b</b></p></noscript>" + "<p>c <a href='#'>d</a></p>" * 200,
        "a < b " * 1000,
        "<b title='" + "<b>" * 1000 + "'>",
        "&amp;" * MAX_REFERENCES,
        # End tags that HTML lets out.
        "<ul>" + "<li>a" * 400 + "</ul>",
        "<ol>" + "<li><p>a<p>b" * 150 + "</ol>",
        "<ul>" + "<li>a<ul><li>b<li>c</ul>" * 100 + "</ul>",
        "<dl>" + "<dt>a<dd>b<p>c" * 150 + "</dl>",
        "<div><p>a</div>" * 200,
        "<div>" + "<p>a" * 400 + "</div>",
        "<p>a<h2>b</h2>" * 400,
        "<p>a<hr>" * 400,
        "<table>" + "<tr><th>a<td>b<td><p>c" * 90 + "</table>",
        "<table><caption>a<colgroup><col><thead><tr><th>a<tbody>" + "<tr><td>b" * 200 + "</table>",
        "<table>\n" + "<tr>\n<td>b</td>\n</tr>\n" * 1000 + "</table>",
        "<table><tr><td>" + "<br>a" * 1000 + "</table>",
        "<table><tr><td>a</td></table>" + "<p>b</p>" * 1000,
        "<table><tr><td>a</td></tr></table>" * 1000,
        "<table>" + "<!-- a --><tr><td>b</td></tr>" * 1000 + "</table>",
        "<table><tr><td><table><td>a</table>" + "<p>b</p>" * 1000,
        "</table></td></tr>" + "<p>b</p>" * 1000,
        "<p><ruby>" + "a<rb>b<rp>(<rt>c<rp>)" * 20 + "</ruby></p>",
        "<p><ruby>a<rt>b</ruby></p>" * 150,
        # Formatting around blocks, and some that is left open.
        "<a href='https://a.example/'><div><p>a</p></div></a>" * 1000,
        "<b>" + "<p>a <i>b</i></p>" * 1000 + "</b>",
        "<p><b>a</p>" + "<p>b</p>" * 1000,
        "<table>" + "<br>" * MAX_MISPLACED,
    ],
)
def test_html_that_is_quick_to_parse_is_let_through(html: str) -> None:
    check_nesting(html)


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<div>" * (MAX_NESTED + 1), "nests HTML deeper than 500 elements"),
        ("<DIV>\n<p>" * MAX_NESTED, "nests HTML deeper"),
        ("<div title='</div>'>" * 600, "nests HTML deeper"),
        ("<!--><div>" * 600, "nests HTML deeper"),
        ("<!---><!-- --!><div>" * 600, "nests HTML deeper"),
        ("<? ' ><div>" * 600, "nests HTML deeper"),
        ("<style></style ><div>" * 600, "nests HTML deeper"),
        ("<x a='1'b=\"2\"c=3 / d>" * 600, "nests HTML deeper"),
        ("<div><object></div></object>" * 600, "nests HTML deeper"),
        ("<b" + " a=1" * (MAX_ATTRIBUTES + 1) + ">", "more than 100 attributes, remove them"),
        ("<b" + "/a" * 200 + ">", "more than 100 attributes"),
        ("<b" + " a='>'" * 200 + ">", "more than 100 attributes"),
        ("<b" + " a" * 200, "more than 100 attributes"),
        ("&amp;" * (MAX_REFERENCES + 1), "has more than 32768 signs such as '&'"),
        (OPEN + "<p>x</p>" * 20_000, "leaves formatting such as <b> open"),
        (OPEN + "x</p>" * 20_000, "leaves formatting"),
        (OPEN + "<p>x<hr>" * 20_000, "leaves formatting"),
        ("<table><tr>" + OPEN + "<td>x</td>" * 20_000, "leaves formatting"),
        (OPEN + "<style></style>" * 20_000, "leaves formatting"),
        ("<b>" * 9 + "<p>x</p>" * 30_000, "leaves formatting"),
        (
            "<table>" + "<br>" * (MAX_MISPLACED + 1),
            "a table with more than 100 elements in no cell",
        ),
        ("<table>" + "x<tr></tr>" * (MAX_MISPLACED + 1), "a table"),
        ("<table>" + "</p>" * (MAX_MISPLACED + 1), "a table"),
        ("<table><tr><td>a<col>" + "<br>" * (MAX_MISPLACED + 1), "a table"),
        ("<table><td></td><div>" + "<br>" * (MAX_MISPLACED + 1), "a table"),
        # What a parser ignores must close nothing.
        ("<dd><tr><li>" * 200, "nests HTML deeper"),
        ("<datalist>" + "<option>a" * 600, "nests HTML deeper"),
        ("<tr><dd><li></tr>" * 200, "nests HTML deeper"),
        ("<span><dd><li></span>" * 200, "nests HTML deeper"),
        ("<li><dd>" * 300, "nests HTML deeper"),
        ("<span><div></span></div>" * 600, "nests HTML deeper"),
        ("<noscript><b a='</noscript><div>'>" * 600, "nests HTML deeper"),
        ("<b><p></b>" * 300, "leaves formatting"),
        ("<table><table></table>" * 600, "nests HTML deeper"),
        ("<svg>" + "x" * MAX_UNCLEAR, "a drawing, a form or a script in more than 32768"),
        ("<svg></svg><p>" + "<b a=1>" * 1500 + "<p>x" * 3000, "or beside much formatting"),
        (
            "<svg></svg><p>" + "<b a=1>" * 9 + "x" * 20_000 + "<p>x" * 1200,
            "or beside much formatting",
        ),
        ("<script>" * 5000 + "<!--" + "x" * MAX_UNCLEAR, "a drawing, a form or a script"),
        ("<script>a<!--" + "x" * MAX_UNCLEAR, "a drawing, a form or a script"),
    ],
)
def test_html_that_would_take_long_is_refused(html: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_nesting(html)


def test_body_that_would_take_long_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves formatting such as <b> open over much HTML"):
        markdown(OPEN + "x</p>" + "<p>x</p>" * 2000)
