"""No article takes long to read, or much memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from feeds.articles.nesting import MAX_ATTRIBUTES, MAX_NESTED, MAX_UNCLEAR, check_nesting
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


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * MAX_NESTED,
        "<div></div>" * 1000,
        "<br><img src='x'><hr/>" * 1000,
        "<b" + " a=1" * MAX_ATTRIBUTES + ">",
        "<p>a <em>b</em></p>\n<!-- <b> -->" * 1000,
        "<style><b></style><iframe><div></iframe>" * 1000,
        "<style>" + "<b>" * 1000,
        "<!--" + "<b>" * 1000,
        "<svg>" + "<b>" * 1000,
        "a < b " * 1000,
        "<b title='" + "<b>" * 1000 + "'>",
    ],
)
def test_html_that_is_quick_to_parse_is_let_through(html: str) -> None:
    check_nesting(html)


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<div>" * (MAX_NESTED + 1), "nests HTML deeper than 100 elements"),
        ("<DIV>\n<p>" * MAX_NESTED, "nests HTML deeper"),
        ("<div title='</div>'>" * 200, "nests HTML deeper"),
        ("<!--><div>" * 200, "nests HTML deeper"),
        ("<!---><!-- --!><div>" * 200, "nests HTML deeper"),
        ("<? ' ><div>" * 200, "nests HTML deeper"),
        ("<style></style ><div>" * 200, "nests HTML deeper"),
        ("<b a='1'b=\"2\"c=3 / d>" * 200, "nests HTML deeper"),
        ("<div><object></div></object>" * 200, "nests HTML deeper"),
        ("<b" + " a=1" * (MAX_ATTRIBUTES + 1) + ">", "more than 100 attributes, remove them"),
        ("<b" + "/a" * 200 + ">", "more than 100 attributes"),
        ("<b" + " a='>'" * 200 + ">", "more than 100 attributes"),
        ("<b" + " a" * 200, "more than 100 attributes"),
        ("<svg>" + "x" * MAX_UNCLEAR, "a drawing, a form or a script in more than 32768"),
        ("<script>a<!--" + "x" * MAX_UNCLEAR, "a drawing, a form or a script"),
    ],
)
def test_html_that_would_take_long_is_refused(html: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_nesting(html)
