"""How deep some HTML is nested, told without building its tree."""

from __future__ import annotations

import re

#: Elements in each other, and attributes of one; real articles have a tenth of that.
MAX_NESTED = 100
MAX_ATTRIBUTES = 100
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
_UNCLEAR = re.compile(
    r"<(?:frameset|math|noscript|plaintext|select|svg|template)\b|<script\b.*<!--",
    re.IGNORECASE | re.DOTALL,
)


def check_nesting(html: str) -> None:
    """Raise ValueError if a parser would take long over some HTML.

    HTML parsers look through all open elements at each tag, and through all attributes
    of a tag at each attribute (html5ever 0.35): 1 MiB of `<div>` takes minutes.
    An end tag counts if it is that of the innermost open element, so what is not
    nested well counts as nested deeper than it is.
    """
    if _UNCLEAR.search(html):
        if len(html) > MAX_UNCLEAR:
            raise ValueError(
                f"holds a drawing, a form or a script in more than {MAX_UNCLEAR} characters"
                " of HTML, remove it"
            )
        return
    opened: list[str] = []
    position = 0
    while found := _TOKEN.search(html, position):
        position = found.end()
        name = (found["name"] or "").lower()
        if found["end"]:
            if opened and opened[-1] == name:
                opened.pop()
        elif name in _RAW:
            position = _end_of_raw(html, name, position)
        elif name and name not in _VOID:
            opened.append(name)
            if len(opened) > MAX_NESTED:
                raise ValueError(
                    f"nests HTML deeper than {MAX_NESTED} elements, close or flatten them"
                )
        if found["attributes"]:
            _check_attributes(found["attributes"])


def _end_of_raw(html: str, name: str, position: int) -> int:
    end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, position)
    return end.end() if end else len(html)


def _check_attributes(written: str) -> None:
    if len(written) > MAX_ATTRIBUTES and len(_EACH.findall(written)) > MAX_ATTRIBUTES:
        raise ValueError(f"has an HTML tag with more than {MAX_ATTRIBUTES} attributes, remove them")
