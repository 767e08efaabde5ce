"""Articles each of whose fields tries to run a script in the reader's browser."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from feeds.articles import clean
from feeds.text import clean_text
from tests.hostile import in_quotes
from tests.support import Collection

#: One a line; whichever runs calls alert, confirm or prompt, or sets `window.pwned`.
STRINGS = Path(__file__).with_suffix(".txt")
#: The topic of all, and those of the first and the second half.
ALL, HALVES = "T0", ("First", "Second")


def read_strings() -> list[str]:
    """The 100 strings; the file has pictures of control characters (U+2400) in their place."""
    pictures = {0x2400 + code: code for code in range(0x20)}
    lines = STRINGS.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    strings = [line.translate(pictures) for line in lines]
    assert len(set(strings)) == 100
    return strings


def write_marked(collection: Collection) -> list[str]:
    """Write an article for each string, which says it in every field; returns their titles.

    All are visible, of five months and a hundred providers.
    """
    strings = read_strings()
    for number, raw in enumerate(strings):
        collection.write(f"{number:03}.md", marked_article(raw, number))
    report = collection.sync()
    assert not report.faults
    assert report.added == len(strings)
    return [clean_text(raw) for raw in strings]


def marked_article(raw: str, number: int) -> str:
    """An article that says a text in every field, with what else its number makes of it."""
    frame = f"<iframe src='https://x.example/{escape(raw)}'></iframe>"
    word = in_quotes(raw)
    url = in_quotes(_sound(raw, clean.uri, f"https://x.example/{raw}"))
    player = in_quotes(_sound(raw, clean.frame, frame))
    half = HALVES[number * 2 // 100]
    return f"""---
title: "{word}"
excerpt: "{word}"
publishedDateTime: 2020-{number // 20 + 1:02}-18T02:{number % 20:02}:00Z
updatedDateTime: 2021-01-01T00:00:00Z
webUrl: "{url}"
originalUrl: "https://x.example/?o={word}"
ampWebUrl: "https://x.example/a/{word}"
cdnAmpWebUrl: "https://x.example/c/#{word}"
type: "{word}"
category: "{word}"
quality: {60 + number % 40}
heat: {number}
published: true
provider:
  name: "{word}"
  domain: p{number}.example
topics: ["{word}", "{half}", "{ALL}"]
images:
  - url: "{url}"
    title: "{word}"
related:
  - title: "{word}"
    webUrl: "{url}"
    quality: 70
    provider:
      name: "{word}"
featuredContent: "{player}"
---
{raw}

[x]({raw}) ![x]({raw}) [x](<{raw}> "{raw}") ![{raw}](https://x.example/p.png '{raw}')

<a href="{raw}">x</a> <img src='{raw}'>

{raw}
"""


def _sound(raw: str, check: Callable[[str], str], otherwise: str) -> str:
    """A text where a field takes it as it is, or something else around it."""
    try:
        return raw if check(raw) else otherwise
    except ValueError:
        return otherwise
