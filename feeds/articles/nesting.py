"""Limits of HTML that a parser would be slow with, found without a parser."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Elements inside each other, attributes of a tag, and nodes that are in a table but in none
#: of its cells. Real articles have a tenth of that.
MAX_NESTED = 100
MAX_ATTRIBUTES = 100
MAX_MISPLACED = 100
#: What a parser may copy of formatting that is left open: the characters of its tags, and
#: NODE_SIZE for each element.
MAX_COPIED = 1 << 21
NODE_SIZE = 64
#: The same for HTML in which any tag may copy all formatting, whatever end tags it has.
MAX_COPIED_UNCLEAR = 1 << 24
#: References such as `&amp;`. For each one html5ever 0.35 copies the text before it.
MAX_REFERENCES = 1 << 15
#: Characters of HTML whose tokens depend on more than its text.
MAX_UNCLEAR = 1 << 15


def _names(written: str) -> frozenset[str]:
    return frozenset(written.split())


# The tokens of WHATWG HTML section 13.2.5. All repetitions are possessive, so that time grows
# with the length alone.
_ATTRIBUTE = (
    r"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"?|'[^']*+'?|[^\s>\"'][^\s>]*+)?+)?+"
)
_EACH_ATTRIBUTE = re.compile(_ATTRIBUTE)
_TOKEN = re.compile(
    rf"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|(?P<end>/?)(?P<name>[a-z][^\s/>]*+)"
    rf"(?P<attributes>(?:{_ATTRIBUTE})*+)[\s/]*+>?|[!?/][^>]*+>?)",
    re.IGNORECASE | re.DOTALL,
)
_VOID = _names("area base br col embed hr img input link meta param source track wbr")
#: Elements whose content is text up to their end tag.
_RAW = _names("iframe noembed noframes script style textarea title xmp")
#: Elements in which the same characters may be other tokens, as in a script after a comment.
_UNCLEAR = re.compile(r"<(?:frameset|math|noscript|plaintext|select|svg|template)\b", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)

# Section 13.2.4.3: elements that a parser opens again in each block until their end tag comes.
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_FORMATTING_TAG = re.compile(rf"<(?:{'|'.join(sorted(_FORMATTING))})\b", re.IGNORECASE)
# Section 13.2.6.4.9: a parser moves nodes that are in no cell of their table before the table.
_TABLE_PARTS = _names("caption col colgroup tbody td tfoot th thead tr")
_CELLS = _names("caption td th")
_TABLE_ROWS = _names("table tbody tfoot thead tr")
# Section 13.2.6.4.7: their start tags close an open paragraph, and their end tags close what
# is open in them.
_BLOCKS = _names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure"
    " footer h1 h2 h3 h4 h5 h6 header hgroup main menu nav ol pre section summary ul"
)
#: The elements that a start tag closes because their end tags may be left out.
_CLOSED_BY_START = {
    **dict.fromkeys(_BLOCKS | {"hr", "p"}, _names("p")),
    "li": _names("li p"),
    **dict.fromkeys(("dd", "dt"), _names("dd dt p")),
    **dict.fromkeys(("td", "th"), _names("td th p")),
    "tr": _names("td th tr p"),
    **dict.fromkeys(_TABLE_PARTS - _names("td th tr"), _TABLE_PARTS | {"p"}),
}
#: The elements that an end tag closes if they are open inside its own element.
_LEFT_OPEN = _names("dd dt li p rb rp rt rtc")
_CLOSED_BY_END = {
    **dict.fromkeys(_BLOCKS | _names("dd dt li object p"), _LEFT_OPEN),
    **dict.fromkeys(_TABLE_PARTS, _TABLE_PARTS | {"p"}),
    "ruby": _names("rb rp rt rtc"),
    "table": _LEFT_OPEN | _TABLE_PARTS,
}


class _Element(NamedTuple):
    """An open element."""

    name: str
    #: The size of a copy of all formatting that is open in it.
    formatting: int
    #: Whether it is in a table, but in no cell of it.
    is_misplaced: bool


def check_nesting(html: str) -> None:
    """Raise ValueError if an HTML parser would be slow with some HTML, or make it much longer.

    html5ever 0.35 searches all open elements at each tag, all attributes of a tag at each of
    them, and all nodes before a table for each node that it moves there. So it takes minutes
    for 1 MiB of `<div>`. It also copies formatting that is open when its block ends into each
    block that follows, so that 100 KB of HTML become gigabytes.

    This check follows the parser only where HTML is clear. An element without an end tag is
    closed if HTML says so of the next tag. Any other element counts as open until its end tag
    comes and nothing inside it is open. So badly nested HTML counts as nested deeper, and as
    open for longer, than it is. Open formatting counts as copied at each start tag, and at
    each end tag that does not close the innermost elements.
    """
    if html.count("&") > MAX_REFERENCES:
        raise ValueError(
            f"has more than {MAX_REFERENCES} signs such as '&', '<' or '>', shorten it"
        )
    script = _SCRIPT.search(html)
    if _UNCLEAR.search(html) or (script and html.find("<!--", script.end()) >= 0):
        _check_unclear(html)
        return
    elements = _OpenElements()
    position = 0
    while token := _TOKEN.search(html, position):
        if html[position : token.start()].strip():
            elements.add_text()
        position = token.end()
        name = (token["name"] or "").lower()
        if token["end"]:
            elements.end(name)
        elif name:
            elements.start(name, len(token[0]))
            if name in _RAW:
                end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, position)
                position = end.end() if end else len(html)
        if len(_EACH_ATTRIBUTE.findall(token["attributes"] or "")) > MAX_ATTRIBUTES:
            problem = f"has an HTML tag with more than {MAX_ATTRIBUTES} attributes, remove them"
            raise ValueError(problem)


def _check_unclear(html: str) -> None:
    formatting = len(_FORMATTING_TAG.findall(html))
    copied = html.count("<") * (len(html) + NODE_SIZE * formatting) if formatting else 0
    if len(html) > MAX_UNCLEAR or copied > MAX_COPIED_UNCLEAR:
        raise ValueError(
            f"holds a drawing, a form or a script in more than {MAX_UNCLEAR} characters"
            " of HTML, or beside much formatting, remove it"
        )


class _OpenElements:
    """The elements that are open at a place in some HTML, within the limits."""

    def __init__(self) -> None:
        self._open = [_Element("", 0, False)]
        self._copied = 0
        self._misplaced = 0

    def add_text(self) -> None:
        """Count text that is not white space."""
        if self._open[-1].is_misplaced:
            self._misplace()

    def start(self, name: str, size: int) -> None:
        """Open the element of a start tag that has `size` characters."""
        closed = _CLOSED_BY_START.get(name, frozenset())
        while self._open[-1].name in closed:
            self._open.pop()
        _, formatting, is_misplaced = self._open[-1]
        if is_misplaced and name not in _TABLE_PARTS:
            self._misplace()
        if name in _FORMATTING:
            formatting += size + NODE_SIZE
        else:
            self._copy(formatting)
        if name in _VOID or name in _RAW:
            return
        is_misplaced = name in _TABLE_ROWS or (is_misplaced and name not in _CELLS)
        self._open.append(_Element(name, formatting, is_misplaced))
        if len(self._open) > MAX_NESTED + 1:
            raise ValueError(f"nests HTML deeper than {MAX_NESTED} elements, close or flatten them")

    def end(self, name: str) -> None:
        """Close the element of an end tag, if nothing is open inside but what may be left open."""
        closed = _CLOSED_BY_END.get(name, frozenset())
        at = len(self._open) - 1
        while self._open[at].name != name and self._open[at].name in closed:
            at -= 1
        if self._open[at].name == name:
            del self._open[at:]
        else:
            self._copy(self._open[-1].formatting)
        if self._open[-1].is_misplaced and name not in _TABLE_PARTS and name != "table":
            self._misplace()

    def _copy(self, size: int) -> None:
        self._copied += size
        if self._copied > MAX_COPIED:
            raise ValueError("leaves formatting such as <b> open over much HTML, close it")

    def _misplace(self) -> None:
        self._misplaced += 1
        if self._misplaced > MAX_MISPLACED:
            raise ValueError(
                f"has a table with more than {MAX_MISPLACED} elements in no cell, put them in one"
            )
