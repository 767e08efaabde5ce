"""What a parser would make of some HTML, told without building its tree."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Elements in each other, attributes of one, and what stands in tables outside of their
#: cells; real articles have a tenth of that.
MAX_NESTED = 100
MAX_ATTRIBUTES = 100
MAX_MISPLACED = 100
#: What a parser may repeat of formatting that is left open: its tags' characters, and for
#: each element what its node takes besides.
MAX_REPEATED = 1 << 21
NODE = 64
#: The same where any tag may repeat all formatting, for which end tags are not counted on.
MAX_REPEATED_UNCLEAR = 1 << 24
#: Signs such as `&amp;`, each of which html5ever 0.35 adds by copying the text before it.
MAX_REFERENCES = 1 << 15
#: Where its tokens cannot be told from the text alone, HTML is short: characters.
MAX_UNCLEAR = 1 << 15

# WHATWG HTML section 13.2.5. No part gives back what it took, so that time grows with
# the length alone.
_ATTRIBUTE = (
    r"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?+)?+"
)
_TOKEN = re.compile(
    rf"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|(?P<end>/?)(?P<name>[a-z][^\s/>]*+)"
    rf"(?P<attributes>(?:{_ATTRIBUTE})*+)[\s/]*+>?|[!?/][^>]*+>?)",
    re.IGNORECASE | re.DOTALL,
)
_EACH = re.compile(_ATTRIBUTE)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source")
) | {"track", "wbr"}
#: What stands in these is text.
_RAW = frozenset(("iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"))
#: In these, the same characters may mean something else; so may a comment in a script.
_UNCLEAR = re.compile(r"<(?:frameset|math|noscript|plaintext|select|svg|template)\b", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)


def _names(written: str) -> frozenset[str]:
    return frozenset(written.split())


# WHATWG HTML section 13.2.4.3: what is made again in each block until its end tag comes.
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_FORMATTED = re.compile(rf"<(?:{'|'.join(sorted(_FORMATTING))})\b", re.IGNORECASE)
# Section 13.2.6.4.9: what is not in a cell of its table is put before the table.
_PARTS = _names("caption col colgroup tbody td tfoot th thead tr")
_CELLS = _names("caption td th")
_TABLE = _names("table tbody tfoot thead tr")
# Section 13.2.6.4.7: these close an open paragraph, and their end tags what is in them.
_BLOCKS = _names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure"
    " footer h1 h2 h3 h4 h5 h6 header hgroup main menu nav ol pre section summary ul"
)
#: Elements whose end tag may be left out, by what begins after them ...
_CLOSED_BY = {
    **dict.fromkeys(_BLOCKS | {"hr", "p"}, _names("p")),
    "li": _names("li p"),
    **dict.fromkeys(("dd", "dt"), _names("dd dt p")),
    **dict.fromkeys(("optgroup", "option"), _names("option")),
    **dict.fromkeys(("td", "th"), _names("td th p")),
    "tr": _names("td th tr p"),
    **dict.fromkeys(_PARTS - _names("td th tr"), _PARTS | {"p"}),
}
_LEFT_OPEN = _names("dd dt li optgroup option p rb rp rt rtc")
#: ... and by what ends around them.
_CLOSED_IN = {
    **dict.fromkeys(_BLOCKS | _names("dd dt li object p"), _LEFT_OPEN),
    **dict.fromkeys(_PARTS, _PARTS | {"p"}),
    **dict.fromkeys(("datalist", "optgroup"), _names("optgroup option")),
    "ruby": _names("rb rp rt rtc"),
    "table": _LEFT_OPEN | _PARTS,
}


class _Open(NamedTuple):
    """An element that is open."""

    name: str
    #: What the formatting among it and those around it takes to make again.
    formatting: int
    #: Whether it is in a table and not in a cell.
    outside: bool


def check_nesting(html: str) -> None:
    """Raise ValueError if a parser would take long over some HTML, or make much of it.

    HTML parsers look through all open elements at each tag, through all attributes of a
    tag at each attribute, and through all that stands before a table for what is put there
    because it is in no cell (html5ever 0.35): 1 MiB of `<div>` takes minutes. Formatting
    whose block ends before it is made again in each block that follows: 100 KB of HTML
    become gigabytes.

    This follows a parser only where no doubt is possible. What has no end tag closes where
    HTML says so of its neighbour; any other element is open until its end tag comes with
    nothing open inside. So whatever is not nested well counts as nested deeper, and as open
    for longer, than it is; and open formatting is counted for each element that begins and
    each end tag that closes something else, whether a parser would make it again or not.
    """
    if html.count("&") > MAX_REFERENCES:
        raise ValueError(
            f"has more than {MAX_REFERENCES} signs such as '&', '<' or '>', shorten it"
        )
    script = _SCRIPT.search(html)
    if _UNCLEAR.search(html) or (script and html.find("<!--", script.end()) >= 0):
        _check_unclear(html)
        return
    elements = _Elements()
    position = 0
    while found := _TOKEN.search(html, position):
        name = (found["name"] or "").lower()
        elements.text(html, position, found.start())
        position = found.end()
        if found["end"]:
            elements.end(name)
        elif name:
            elements.start(name, position - found.start())
        if name in _RAW and not found["end"]:
            position = _end_of_raw(html, name, position)
        if found["attributes"]:
            _check_attributes(found["attributes"])


def _check_unclear(html: str) -> None:
    formatted = len(_FORMATTED.findall(html))
    repeated = html.count("<") * (len(html) + NODE * formatted) if formatted else 0
    if len(html) > MAX_UNCLEAR or repeated > MAX_REPEATED_UNCLEAR:
        raise ValueError(
            f"holds a drawing, a form or a script in more than {MAX_UNCLEAR} characters"
            " of HTML, or beside much formatting, remove it"
        )


class _Elements:
    """The elements that are open at a place in some HTML, within the limits."""

    def __init__(self) -> None:
        self._open = [_Open("", 0, False)]
        self._repeated = 0
        self._misplaced = 0

    def text(self, html: str, start: int, end: int) -> None:
        """Some text."""
        if start < end and self._open[-1].outside and not html[start:end].isspace():
            self._misplace()

    def start(self, name: str, size: int) -> None:
        """A start tag and how long it is."""
        closed = _CLOSED_BY.get(name, frozenset())
        while self._open[-1].name in closed:
            self._open.pop()
        around = self._open[-1]
        if around.outside and name not in _PARTS:
            self._misplace()
        formatting = around.formatting
        if name in _FORMATTING:
            formatting += size + NODE
        else:
            self._repeat(formatting)
        if name in _VOID or name in _RAW:
            return
        outside = name in _TABLE or (around.outside and name not in _CELLS)
        self._open.append(_Open(name, formatting, outside))
        if len(self._open) > MAX_NESTED + 1:
            raise ValueError(f"nests HTML deeper than {MAX_NESTED} elements, close or flatten them")

    def end(self, name: str) -> None:
        """An end tag."""
        closed = _CLOSED_IN.get(name, frozenset())
        at = len(self._open) - 1
        while self._open[at].name != name and self._open[at].name in closed:
            at -= 1
        if self._open[at].name == name:
            del self._open[at:]
        else:
            self._repeat(self._open[-1].formatting)
        if self._open[-1].outside and name not in _PARTS and name != "table":
            self._misplace()

    def _repeat(self, size: int) -> None:
        self._repeated += size
        if self._repeated > MAX_REPEATED:
            raise ValueError("leaves formatting such as <b> open over much HTML, close it")

    def _misplace(self) -> None:
        self._misplaced += 1
        if self._misplaced > MAX_MISPLACED:
            raise ValueError(
                f"has a table with more than {MAX_MISPLACED} elements in no cell, put them in one"
            )


def _end_of_raw(html: str, name: str, position: int) -> int:
    end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, position)
    return end.end() if end else len(html)


def _check_attributes(written: str) -> None:
    if len(written) > MAX_ATTRIBUTES and len(_EACH.findall(written)) > MAX_ATTRIBUTES:
        raise ValueError(f"has an HTML tag with more than {MAX_ATTRIBUTES} attributes, remove them")
