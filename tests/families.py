"""Bodies and front matters of any size that make parsers slow, each measured alone.

python -m tests.families prints what each costs at the largest size that is read.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from feeds.articles import parse_article
from feeds.articles.clean import MAX_BODY_LENGTH
from feeds.articles.folder import MAX_FILE_SIZE
from tests.support import article

#: No article takes more, seconds and bytes.
SECONDS = 1.0
MEMORY = 100 << 20

#: Repeated until they fill the room there is.
_REPEATED = {
    "div": "<div>",
    "div, lines": "<div>\n",
    "formatting": "<a><b><i><u><p>",
    "formatting, unlike": "<b a1><p><i b2>",
    "definitions": "<dl><dd>",
    "tables": "<table><tr><td>",
    "fostered": "<table><b>x",
    "hidden in attributes": "<div title='</div>'>",
    "hidden in comments": "<!--<b a='--><div><!--'></div>-->",
    "hidden in style": "<style><b a='</style><div>'></div>",
    "hidden in svg": "<svg><style><b a='</style><div>'></div>",
    "hidden in select": "<select><iframe></select><div></iframe></div>",
    "out of scope": "<div><object></div></object>",
    "end tags": "<b></p>",
    "open tags": "<b<b a='",
    "open comments": "x<!--",
    "open instructions": "x<?",
    "open sections": "x<![CDATA[",
    "signs": "<",
    "ampersands": "&",
    "quotes": "> ",
    "quotes, close": ">",
    "lists": "- ",
    "numbers": "1. ",
    "items": "- a\n",
    "both": "> - ",
    "brackets": "[",
    "pictures": "![",
    "destinations": "[a](<",
    "titles": '[a](b "',
    "escapes": "[\\]",
    "definitions of links": "[a]: b\n",
    "stars": "*a ",
    "double stars": "*a**a",
    "stars and lines": "*a_ ",
    "tildes": "~~a ",
    "backticks": "`a``b",
    "fences": "```\n",
    "headings": "# a\n",
    "rulers": "***\n",
    "paragraphs": "a\n\n",
    "breaks": "a  \n",
    "code": "`a` ",
    "links": "[a](https://b.example/)",
    "links of letters": "[a](https://\u00e9.example/\u00fc)",
    "links to anywhere": "<https://a>",
    "carriage returns": "\r",
    "tabs": "\t",
    "words": "word ",
    "items, open": "<li>a",
    "cells, open": "<tr><td>a",
    "formatting, closed": "<b>a</b>",
    "ampersands and letters": "&a",
    "ampersands apart": "a" * 20 + "&",
    "ampersands, long": "\U0001f600" * 8 + "&",
    "script": "<script ",
    "scripts": "<script></script>",
}


def _bold(count: int, size: int) -> str:
    return "".join(f"<b a={number} title={'x' * size}>" for number in range(count))


#: Of each, a run as long as there is room for.
CHARACTERS = (
    *(
        " ",
        "\t",
        "\r",
        "\n",
        "\0",
        "-",
        ":",
        ".",
        "/",
        "#",
        "%",
        "&",
        "<",
        ">",
        "'",
        '"',
        "\\",
        "=",
        "!",
    ),
    *(
        "[",
        "{",
        "(",
        "*",
        "_",
        "~",
        "`",
        "|",
        "+",
        "0",
        "a",
        "\u00e9",
        "\u0130",
        "\u2028",
        "\U0001f600",
    ),
)
#: What is left open, and what makes a parser repeat it.
_LEFT_OPEN = {
    "titles": ("<div>\n<p>" + _bold(90, 1000), "<p>x</p>"),
    "short": ("<p>" + _bold(98, 1), "<p>x"),
    "one": ("<p>" + _bold(1, 1000), "<p>x"),
    "ends": ("<p>" + _bold(50, 100), "x</p>"),
    "items": ("<ul><li>" + _bold(50, 100), "<li>x"),
    "cells": ("<table><tr><td>" + _bold(50, 100), "<td>x"),
    "headings": ("<h1>" + _bold(50, 100), "<h2>x</h1>"),
    "rulers": ("<p>" + _bold(50, 100), "x<hr>"),
    "links": ("<p>" + _bold(50, 100), "<a href=https://a>x"),
    "objects": ("<p>" + _bold(50, 100), "<object>x</object>"),
    "adoption": ("<p>" + _bold(50, 100), "<div>x</b></div>"),
    "misnested": ("", "<p><b><i></b></p></i>"),
    "fostered": ("<table>" + _bold(50, 100), "<tr>x"),
    "before a table": ("<br>" * 9000 + "<table>", "x<tr></tr>"),
    "in svg": ("<svg></svg><p>" + _bold(500, 1), "<p>x"),
}


def _filled(unit: str) -> Callable[[int], str]:
    return lambda room: unit * (room // len(unit.encode()))


#: Bodies by the bytes they may take.
BODIES: dict[str, Callable[[int], str]] = {
    **{
        f"open formatting: {name}": lambda room, top=top, unit=unit: (  # type: ignore[misc]  # bound now
            top + unit * ((room - len(top)) // len(unit))
        )
        for name, (top, unit) in _LEFT_OPEN.items()
    },
    **{name: _filled(unit) for name, unit in _REPEATED.items()},
    **{repr(character): _filled(character) for character in CHARACTERS},
    "attributes": lambda room: "<b " + " ".join(f"a{n}" for n in range(room // 8)) + ">x",
    "attributes in svg": lambda room: (
        "<svg><b " + " ".join(f"a{n}" for n in range(room // 8)) + ">x"
    ),
    "deeper quotes": lambda room: "".join(
        ">" * n + " a\n" for n in range(1, int((2 * room) ** 0.5) - 3)
    ),
    "deeper lists": lambda room: "".join("  " * n + "- a\n" for n in range(int(room**0.5) - 4)),
    "lazy lines": lambda room: "> " * 50 + "a\n" * ((room - 100) // 2),
    "wide table": lambda room: (
        "|a" * 1000 + "|\n" + "|-" * 1000 + "|\n" + "|\n" * (room // 2 - 2100)
    ),
    "long table": lambda room: "|a|\n|-|\n" + "|b|\n" * (room // 4 - 2),
    "reference repeated": lambda room: (
        "[a]: https://x.example/" + "b" * (room // 2 - 30) + "\n\n" + "[a] " * (room // 8)
    ),
    "strong": lambda room: "*" * (room // 2 - 1) + "a" + "*" * (room // 2 - 1),
    "longer backticks": lambda room: "".join(
        "a" + "`" * n for n in range(1, int((2 * room) ** 0.5) - 3)
    ),
    "digits": lambda room: "&#" + "1" * (room - 3) + ";",
}
#: Its address is six times as long.
_LETTER = "\u0130"
_FILES = {
    **{f"above {character!r}": ("---\n", character, "!") for character in CHARACTERS},
    **{
        f"beside {character!r}": ("---\npublished:", character, "!\n---\n")
        for character in CHARACTERS
    },
    **{f"without {character!r}": ("", character, "!") for character in CHARACTERS},
    "names": ("---\n[", "published ", "\n---\n"),
    "names and colons": ("---\n[", "a published:", "\n---\n"),
    "names and signs": ("---\n[\n", "!a & published", "\n---\n"),
    "ends": ("---\n[", "\n---  x", "\n---\n"),
    "ends and spaces": ("---\n[", "\n---" + " " * 500, "\n"),
}
_ROOM = MAX_FILE_SIZE - 1000
#: What is added to a front matter.
FIELDS: dict[str, Callable[[], str]] = {
    "values": lambda: "x: [" + "a," * (_ROOM // 2 - 9) + "a]\n",
    "pairs": lambda: "x:\n" + "".join(f" {n}: \n" for n in range(_ROOM // 11)),
    "list": lambda: "x:\n" + "- \n" * (_ROOM // 3 - 9),
    "lists": lambda: "x: " + "[" * (_ROOM - 9) + "\n",
    "flow maps": lambda: "x: " + "{a: " * (_ROOM // 4 - 9) + "\n",
    "complex keys": lambda: "x: \n  " + "? " * (_ROOM // 2 - 9) + "\n",
    "anchors": lambda: "x:\n" + "".join(f"- &a{n} b\n" for n in range(_ROOM // 13)),
    "alias bomb": lambda: (
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(1000))
    ),
    "merge keys": lambda: "<<: {a: 1}\n" * 10_000,
    "key": lambda: "k" * (_ROOM - 9) + ": v\n",
    "quoted key": lambda: '? "' + "k" * (_ROOM - 99) + '"\n: v\n',
    "value": lambda: f"x: {'v' * (_ROOM - 9)}\n",
    "digits": lambda: f"heat: {'1' * (_ROOM - 9)}\n",
    "sexagesimal": lambda: f"x: 1{':1' * (_ROOM // 2 - 9)}\n",
    "quoted": lambda: 'category: "' + "\\n" * (_ROOM // 2 - 99) + '"\n',
    "folded": lambda: "category: >\n" + " a\n" * (_ROOM // 3 - 9),
    "excerpt": lambda: "excerpt2: x\ncategory: '" + "<div>" * (1 << 13) + "'\n",
    "excerpt, spaces": lambda: "category: 'a" + " " * (1 << 15) + "b'\n",
    "pictures": lambda: "images:\n" + "- url: https://\u00e9.example/\u00fc\n" * 20_000,
    "few pictures": lambda: "images:\n" + "- url: https://\u00e9.example/\u00fc\n" * 4_900,
    "host": lambda: "ampWebUrl: https://" + "a." * 30_000 + "\u00e9/\n",
    "label": lambda: "ampWebUrl: https://" + "\u00e9" * 60_000 + "/\n",
    "frames": lambda: f"featuredContent: '{'<iframe ' * 8_000}'\n",
    "frame and spaces": lambda: f"featuredContent: '<iframe src{' ' * 65_000}'\n",
    "comments": lambda: "#\n" * (_ROOM // 2 - 9),
    "documents": lambda: "...\n" * (_ROOM // 4 - 9),
    "hyphens": lambda: "--- x\n" * (_ROOM // 6 - 9),
    "related": lambda: (
        "related:\n" + f"- title: a\n  webUrl: https://a/{_scalar(_LETTER)}\n  quality: 1\n" * 8
    ),
    "aliases": lambda: "x: &a b\ny:\n" + "- *a\n" * (_ROOM // 5 - 9),
    "tags": lambda: "x: [" + "!a," * (_ROOM // 3 - 9) + "]\n",
    **{
        f"{name} {character!r}": lambda name=name, character=character: (  # type: ignore[misc]  # bound now
            f"{name}: '{_scalar(character)}!'\n"
        )
        for name in ("ampWebUrl", "featuredContent", "updatedDateTime", "heat", "category")
        for character in CHARACTERS
    },
    **{
        f"iframe {character!r}": lambda character=character: (  # type: ignore[misc]  # bound now
            f"featuredContent: '<iframe src={_scalar(character)[:65_000]}!'\n"
        )
        for character in CHARACTERS
    },
}


def _scalar(character: str) -> str:
    return character * 65_000 if character != "'" else "''" * 65_000


EXCERPT = 'excerpt: "About A title."\n'
#: The families by name: an article of each, of a share of the largest size that is read.
FAMILIES: dict[str, Callable[[float], str]] = {
    **{
        f"body: {name}": lambda share, make=make: article(body=make(int(MAX_BODY_LENGTH * share)))  # type: ignore[misc]  # bound now
        for name, make in BODIES.items()
    },
    **{
        f"field: {name}": lambda share, make=make: article(more=make())  # type: ignore[misc]  # bound now
        for name, make in FIELDS.items()
    },
    **{
        f"excerpt: {name}": lambda share, unit=unit: article().replace(  # type: ignore[misc]  # bound now
            EXCERPT, f"excerpt: '<{unit * (int(65_000 * share) // len(unit))}'\n"
        )
        for name, unit in (
            *(("nested", "<dl><dd>"), ("open", "<b a=1><p>x"), ("references", "&amp;")),
            *((repr(character), _scalar(character)[:2]) for character in CHARACTERS),
        )
    },
    **{
        f"file: {name}": lambda share, parts=parts: (  # type: ignore[misc]  # bound now
            parts[0] + parts[1] * int(_ROOM * share / len(parts[1].encode())) + parts[2]
        )
        for name, parts in _FILES.items()
    },
}


def measure(name: str, share: float = 1) -> tuple[float, int]:
    """Seconds and bytes that reading an article takes, the bytes from what was in use."""
    raw = FAMILIES[name](share).encode()[:MAX_FILE_SIZE]
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    before, begin = _resident("VmRSS"), time.process_time()
    reading = parse_article(raw, "one.md")
    seconds, memory = time.process_time() - begin, _resident("VmHWM") - before
    assert all(len(str(fault)) < 500 and str(fault).isprintable() for fault in reading.faults)
    return seconds, memory


def _resident(which: str) -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024


def _print(name: str, share: float) -> None:
    # A process that hangs ends, and one that fills the memory gets no more of it.
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    parse_article(article(body="a *b* <b>c</b>").encode(), "one.md")
    for each in FAMILIES if name == "all" else [name]:
        seconds, memory = measure(each, share)
        over = " TOO MUCH" if seconds > SECONDS or memory > MEMORY else ""
        print(f"{each:32} {seconds:7.3f} s {memory / (1 << 20):7.1f} MiB{over}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _print(sys.argv[1], float(sys.argv[2]))
    else:
        for each in FAMILIES:
            subprocess.run([sys.executable, "-m", "tests.families", each, "1"])
