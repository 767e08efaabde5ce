"""Limits of HTML that a parser would be slow with, found without a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

#: Elements that are open at once, attributes of a tag, and nodes that are in a table but in
#: none of its cells. Real articles have a tenth of that.
MAX_NESTED = 500
MAX_ATTRIBUTES = 100
MAX_MISPLACED = 100
#: What a parser may copy of formatting that is left open: the characters of its tags, and
#: NODE_SIZE for each element.
MAX_COPIED = 1 << 21
NODE_SIZE = 64
#: The same for unclear HTML, where it is as if each tag copied all of the HTML.
MAX_COPIED_UNCLEAR = 1 << 26
#: Characters of unclear HTML.
MAX_UNCLEAR = 1 << 15
#: References such as `&amp;`. For each one html5ever 0.35 copies the text before it.
MAX_REFERENCES = 1 << 15

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


def element_names(written: str) -> frozenset[str]:
    """Return the names that are written with spaces between them."""
    return frozenset(written.split())


_VOID = element_names("area base br col embed hr img input link meta param source track wbr")
#: Elements whose content is text up to their end tag; of noscript, because html5ever 0.35 takes
#: scripts for enabled.
_RAW = element_names("iframe noembed noframes noscript script style textarea title xmp")
#: A comment, whose name is empty, and the elements that no later element can be in.
_WITHOUT_ELEMENTS = _VOID | _RAW | {""}
#: Elements in which the same characters may be other tokens, as in a script after a comment.
_UNCLEAR = re.compile(r"<(?:math|select|svg|template)\b", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
# Section 13.2.4.3: elements that a parser opens again in each block until their end tag comes.
_FORMATTING = element_names("a b big code em font i nobr s small strike strong tt u")
# Section 13.2.6.4.9: a parser moves nodes that are in no cell of their table before the table.
_CELLS = element_names("caption td th")
_TABLE_PARTS = _CELLS | element_names("col colgroup tbody tfoot thead tr")


def check_nesting(html: str) -> None:
    """Raise ValueError if an HTML parser would be slow with some HTML, or make it much longer.

    html5ever 0.35 searches all open elements at each tag, all attributes of a tag at each of
    them, and all nodes before a table for each node that it moves there. So it takes minutes
    for 1 MiB of `<div>`. It also copies formatting that is open when its block ends into each
    block that follows, so that 100 KB of HTML become gigabytes.

    This check counts at least as much as the parser does. An element without an end tag counts
    as open up to the end, and so does all that is around it, because end tags count only for
    the innermost open element. Open formatting counts as copied at each other tag.
    """
    if html.count("&") > MAX_REFERENCES:
        raise ValueError(
            f"has more than {MAX_REFERENCES} signs such as '&', '<' or '>', shorten it"
        )
    script = _SCRIPT.search(html)
    if _UNCLEAR.search(html) or (script and html.find("<!--", script.end()) >= 0):
        _check_unclear(html)
    else:
        _check_tags(_tags(html))


def _check_unclear(html: str) -> None:
    tags = html.count("<")
    if len(html) > MAX_UNCLEAR or tags * (len(html) + NODE_SIZE * tags) > MAX_COPIED_UNCLEAR:
        raise ValueError(
            f"holds a drawing, a form or a script in more than {MAX_UNCLEAR} characters"
            " of HTML, or beside much formatting, remove it"
        )


class _Tag(NamedTuple):
    """A tag, or a comment, whose name is empty."""

    name: str
    is_end: bool
    #: Its length in characters.
    size: int
    #: Whether text that is not white space stands before it.
    follows_text: bool


def _tags(html: str) -> Iterator[_Tag]:
    position = 0
    while token := _TOKEN.search(html, position):
        if len(_EACH_ATTRIBUTE.findall(token["attributes"] or "")) > MAX_ATTRIBUTES:
            problem = f"has an HTML tag with more than {MAX_ATTRIBUTES} attributes, remove them"
            raise ValueError(problem)
        name = (token["name"] or "").lower()
        text = html[position : token.start()]
        yield _Tag(name, bool(token["end"]), len(token[0]), bool(text.strip()))
        position = token.end()
        if name in _RAW and not token["end"]:
            end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, position)
            position = end.end() if end else len(html)


def _check_tags(tags: Iterator[_Tag]) -> None:
    #: The name of each open element, and its size if it is formatting.
    elements = [("", 0)]
    formatting = copied = tables = misplaced = 0
    is_in_cell = False
    for tag in tags:
        if tag.is_end and tag.name == elements[-1][0]:
            formatting -= elements.pop()[1]
        else:
            copied += formatting
        if not tag.is_end and tag.name not in _WITHOUT_ELEMENTS:
            size = tag.size + NODE_SIZE if tag.name in _FORMATTING else 0
            elements.append((tag.name, size))
            formatting += size
        is_misplaced = tables > 0 and not is_in_cell
        misplaced += is_misplaced and tag.follows_text
        if tag.name == "table":
            tables = max(tables - 1, 0) if tag.is_end else tables + 1
            # A table inside another one ends in a cell: anywhere else, it has ended the outer one.
            is_in_cell = tag.is_end
        elif tag.name in _TABLE_PARTS:
            is_in_cell = tag.name in _CELLS and not tag.is_end
        elif tag.name:
            misplaced += is_misplaced
        if len(elements) > MAX_NESTED + 1:
            raise ValueError(f"nests HTML deeper than {MAX_NESTED} elements, close or flatten them")
        if copied > MAX_COPIED:
            raise ValueError("leaves formatting such as <b> open over much HTML, close it")
        if misplaced > MAX_MISPLACED:
            raise ValueError(
                f"has a table with more than {MAX_MISPLACED} elements in no cell, put them in one"
            )
