"""HTML fragments, as strictly as feed readers and the W3C feed validator take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

#: What every reader shows: text, lists, tables and pictures.
TAGS = frozenset(
    (
        *("a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big"),
        *("blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del"),
        *("details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "ins", "kbd", "li", "mark"),
        *("ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span"),
        *("strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th"),
        *("thead", "time", "tr", "tt", "u", "ul", "var", "wbr"),
    )
)
#: None of them runs, styles, loads or frames anything but a picture.
ATTRIBUTES = frozenset(
    (
        *("align", "alt", "char", "charoff", "cite", "colspan", "datetime", "dir", "headers"),
        *("height", "href", "hreflang", "lang", "rowspan", "scope", "size", "span", "src"),
        *("start", "summary", "title", "width"),
    )
)
ADDRESSES = frozenset(("cite", "href", "src"))
# `https:page` is relative to a page of the same scheme (WHATWG URL section 4.4).
_ABSOLUTE = re.compile(r"https?://[^\s/?#\\]", re.IGNORECASE)
_VOID = frozenset(("br", "col", "hr", "img", "wbr"))


class Html(HTMLParser):
    """The elements and the text of a fragment of HTML."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        #: Names with attributes, in document order.
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._faults: list[str] = []
        self._open: list[str] = []
        self.feed(fragment)
        self.close()

    def values(self, tag: str, attribute: str) -> list[str]:
        """An attribute of each element of a name that has it."""
        return [a[attribute] for name, a in self.tags if name == tag and attribute in a]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self._faults.append(f"</{tag}> ends nothing")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self._faults.append("a comment")

    def faults(self) -> Iterator[str]:
        """Every rule that it breaks."""
        yield from self._faults
        yield from (f"<{tag}> does not end" for tag in self._open)
        for tag, attributes in self.tags:
            if tag not in TAGS:
                yield f"content with <{tag}>"
            yield from (f"content with {key}" for key in attributes.keys() - ATTRIBUTES)
            for key in ADDRESSES & attributes.keys():
                if not _ABSOLUTE.match(attributes[key]):
                    yield f"content with the address {attributes[key]}"
