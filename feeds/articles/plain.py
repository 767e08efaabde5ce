"""Front matter written plainly, read without the YAML parser, which takes five times as long."""

from __future__ import annotations

import json
import re

from feeds.articles.front_matter import Mapping, Node, Scalar, Sequence

# Plain is a line that can be read in one way only: `name: value`, `- value` or
# `- name: value`, where the value ends on its line, and stands in quotes or begins with
# a letter or a digit and has neither `: ` nor ` #` in it (YAML 1.1 sections 9.1.1 to 9.1.3).
_NAME = r"[A-Za-z][A-Za-z0-9_]{0,99}"
_DOUBLE = r'"[^"\\\r\n]*+(?:\\["\\nrt][^"\\\r\n]*+)*+"'
_SINGLE = r"'[^'\r\n]*+(?:''[^'\r\n]*+)*+'"
_BARE = r"-?[A-Za-z0-9][^:#\t\r\n]*+(?:(?::|(?<! )#)[^ :#\t\r\n][^:#\t\r\n]*+)*+"

_VALUE = rf"{_DOUBLE}|{_SINGLE}|{_BARE}|\[\]"
_LINES = re.compile(rf"^( *)(- )?(?:({_NAME}):(?: +|$))?({_VALUE})? *$", re.MULTILINE)
_UNPUBLISHED = re.compile(
    rf"---\n(?> *(?:- )?(?:{_NAME}:(?: +|(?=\n)))?(?:{_VALUE})? *\n)*?"
    r"published: false\n".encode()
)
#: Where lines begin at the most: each level takes a column, and 20 levels are refused.
_WIDEST = 12
#: More lines are left to the parser, which counts what it reads.
_MOST = 5_000


def is_unpublished(raw: bytes) -> bool:
    """Whether the front matter of a file says `published: false`, for certain.

    All lines above that one are plain, so it is no part of another value but names a
    field of the whole. Nothing below can make it say anything else: a second
    'published' is a fault, and of a file whose YAML is at fault the line counts too.
    """
    return bool(_UNPUBLISHED.match(raw))


#: Its column, `- `, name, value as written, and number; what is not there is empty.
_Line = tuple[int, str, str, str, int]


def read_plain(text: str) -> Mapping | None:
    """The nodes that YAML makes of front matter; None where it is not plain throughout."""
    # Not printable: tabs, line breaks of all other kinds, and what YAML forbids.
    if not text.startswith("---\n") or not text.replace("\n", "").isprintable():
        return None
    rows = _LINES.findall(text, 4)
    if len(rows) != text.count("\n") or len(rows) > _MOST:
        return None
    lines = [
        (len(spaces), dash, name, value, number)
        for number, (spaces, dash, name, value) in enumerate(rows, 2)
        if dash or name or value
    ]
    lines.reverse()
    if not lines or max(lines)[0] > _WIDEST:
        return None
    whole = _map(lines, lines[-1][0])
    # What has no place is left over.
    return None if lines else whole


def _map(lines: list[_Line], at: int) -> Mapping:
    """The map whose names stand in a column; takes its lines off the end."""
    items: dict[str, Node] = {}
    made = Mapping(items, lines[-1][4])
    while lines:
        column, dash, name, value, number = lines[-1]
        if column != at or dash or not name or name in items:
            break
        lines.pop()
        items[name] = _value(value, number) if value else _below(lines, column, number)
    return made


def _list(lines: list[_Line], at: int) -> Sequence:
    items: list[Node] = []
    made = Sequence(items, lines[-1][4])
    while lines:
        column, dash, name, value, number = lines[-1]
        if column != at or not dash or not (name or value):
            break
        lines.pop()
        if name:
            lines.append((column + 2, "", name, value, number))
            items.append(_map(lines, column + 2))
        else:
            items.append(_value(value, number))
    return made


def _below(lines: list[_Line], at: int, number: int) -> Node:
    """The value on the lines below a name, if any."""
    if lines:
        column, dash, name, value, first = lines[-1]
        # The items of a list may stand in the column of its name.
        if dash and column >= at:
            return _list(lines, column)
        if column > at and name:
            return _map(lines, column)
        if column > at and value == "[]":
            lines.pop()
            return Sequence([], first)
    return Scalar("", True, number)


def _value(written: str, number: int) -> Node:
    mark = written[0]
    if mark == '"':
        return Scalar(json.loads(written) if "\\" in written else written[1:-1], False, number)
    if mark == "'":
        return Scalar(written[1:-1].replace("''", "'"), False, number)
    if mark == "[":
        return Sequence([], number)
    return Scalar(written.rstrip(" "), True, number)
