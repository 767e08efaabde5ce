"""Articles that try to break a feed."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import strategies as st

from tests.support import article

PICTURE = "https://images.example/p.jpg?w=1&lt;h='2'"
TEXTS = {
    "markup": "AT&T <b>bold</b> </title> <script>",
    "picture": "Vector<T> <img src=x onerror=alert(1)>",
    "entities": "&amp;lt; &#8217; &eacute; &",
    "cdata": "<![CDATA[a]]> ]]>",
    "emoji": "👩‍👩‍👧 🇳🇿 🏴",
    "right to left": "شرطة نيوزيلندا \u202b\u05e9\u05dc\u05d5\u05dd\u202c",
    "chinese": "人工知能、警察",
    "quotes": "'single' \"double\" \\ back % {{ }}",
    "long": "word " * 1999 + "words",
}
#: Characters that must not reach the output, as YAML writes them; it refuses surrogates.
CONTROLS = "\\0\\a\\b\\v\\f\\e\\x1c\\x7f\\x81\\x9f\\N\\ufffd\\ufffe\\uffff"
BODIES = (
    "<script>alert(1)</script>",
    "<iframe src='https://x.example/'></iframe>",
    "<svg onload='x()'><style>*{}</style></svg>",
    "<form action='/x'><input></form><object data='x'></object>",
    "<b onclick='x()' style='x'>[x](javascript:x) ![x](/p.png) <a href='//x.example/'>",
    "[x](https:page) <a href='https:///x'>x</a> <img src='http:p.png'>",
    "&#0; &#12; &#xFFFE; &amp;lt;",
    "# Title\n\n- item\n\n```\ncode\n```\n\n| a |\n|---|\n| b |\n",
    "![](https://x.example/p.png?a=1&b=2 'A > \"b\"')",
    "<img alt='a > b' title='src=\"x\"' src='https://x.example/p.png?&lt;&amp;amp;'>",
    "]]> <![CDATA[ ]]> <!-- --> <?php ?> <!DOCTYPE html>",
    "\u00e9\u00c3\u00a9 \u2028 \u00a0 &nbsp; &#13; &#8232;",
)


def in_quotes(text: str) -> str:
    """Text as it stands between double quotes in YAML."""
    return "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)


def with_picture(*lines: str, url: str = PICTURE) -> str:
    """An article with a picture; `lines` are added to what it says of the picture."""
    more = "".join(f"    {line}\n" for line in lines)
    return article(more=f'images:\n  - url: "{in_quotes(url)}"\n{more}')


def hostile_article(strings: list[str], body: str, *, topic: str = "AI", number: int = 0) -> str:
    """An article that says eight texts in every place where it may; its number tells in which."""
    words = [in_quotes(each) for each in strings]
    # An address may be long too, but not as long as text.
    url = f"https://x.example/{in_quotes(strings[0][:1000])}"
    places = (
        f'originalUrl: "{url}o"\nampWebUrl: "{url}a"\ncdnAmpWebUrl: "{url}c"\n',
        f'images:\n  - url: "{url}i"\n    title: "{words[1]}"\n    width: {number}\n',
        f'related:\n  - title: "{words[2]}"\n    webUrl: "{url}r"\n    quality: 70\n'
        f'    provider:\n      name: "{words[3]}"\n',
        f'featuredContent: "<iframe src={url}f></iframe>"\n',
        "updatedDateTime: 2021-01-01T00:00:00+01:00\n",
    )
    return article(
        "Title " + words[4],
        url=url,
        topics=(words[5], words[6], topic),
        provider=words[7],
        domain=f"p{number % 9}.example",
        time=f"2020-05-18T{number // 60 % 24:02}:{number % 60:02}:00Z",
        more="".join(place for bit, place in enumerate(places) if not number >> bit & 1),
        # A file is UTF-8, so it holds no lone surrogate.
        body=body.encode(errors="replace").decode(),
    )


_text = st.text(min_size=1, max_size=40) | st.sampled_from(sorted(TEXTS.values(), key=len)[:-1])
_markdown = st.lists(_text | st.sampled_from(BODIES), max_size=4).map("\n\n".join)
#: Articles as Hypothesis makes them up.
ARTICLES = st.builds(
    hostile_article,
    st.lists(_text, min_size=8, max_size=8),
    _markdown,
    number=st.integers(0, 31),
)

_RANGES = (
    *((0x20, 0x7E), (0x20, 0x7E), (0, 0xA0), (0xA0, 0x17F), (0x590, 0x6FF), (0x2000, 0x206F)),
    *((0x4E00, 0x4EFF), (0xE000, 0xE010), (0xFFF0, 0xFFFF), (0x1F300, 0x1F6FF)),
    (0x10FF00, 0x10FFFF),
)


def write_hostile(folder: Path, count: int, topics: int, *, seed: int = 1) -> None:
    """Write `count` article files, the same for the same seed, spread over topics named `T0`..."""
    chance = random.Random(seed)
    texts = sorted(TEXTS.values(), key=len)[:-1]
    for number in range(count):
        strings = [chance.choice((_characters(chance), *texts[:3])) for _ in range(8)]
        strings[4] = chance.choice((_characters(chance), *texts))
        body = "\n\n".join(chance.choices((*BODIES, _characters(chance)), k=chance.randrange(4)))
        text = hostile_article(strings, body, topic=f"T{number % topics}", number=number)
        (folder / f"{number}.md").write_text(text, encoding="utf-8")


def _characters(chance: random.Random) -> str:
    ranges = chance.choices(_RANGES, k=chance.randint(1, 12))
    return "".join(chr(chance.randint(*each)) for each in ranges)
