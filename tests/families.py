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
from feeds.articles.clean import MAX_BODY
from feeds.articles.opening import MAX_BYTES
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
}


def _filled(unit: str) -> Callable[[int], str]:
    return lambda room: unit * (room // len(unit.encode()))


#: Bodies by the bytes they may take.
BODIES: dict[str, Callable[[int], str]] = {
    **{name: _filled(unit) for name, unit in _REPEATED.items()},
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
_ROOM = MAX_BYTES - 1000
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
}


EXCERPT = 'excerpt: "About A title."\n'
#: The families by name: an article of each, of a share of the largest size that is read.
FAMILIES: dict[str, Callable[[float], str]] = {
    **{
        f"body: {name}": lambda share, make=make: article(body=make(int(MAX_BODY * share)))  # type: ignore[misc]  # bound now
        for name, make in BODIES.items()
    },
    **{
        f"field: {name}": lambda share, make=make: article(more=make())  # type: ignore[misc]  # bound now
        for name, make in FIELDS.items()
    },
    "field: nested excerpt": lambda share: article().replace(
        EXCERPT, "excerpt: '" + "<dl><dd>" * (1 << 12) + "'\n"
    ),
}


def measure(name: str, share: float = 1) -> tuple[float, int]:
    """Seconds and bytes that reading an article takes, the bytes from what was in use."""
    raw = FAMILIES[name](share).encode()[:MAX_BYTES]
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
