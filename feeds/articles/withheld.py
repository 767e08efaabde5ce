"""Whether the curator keeps an article from the public."""

from __future__ import annotations

import re

from yaml import MappingNode, Node, ScalarNode

from feeds.articles import front_matter
from feeds.articles.front_matter import FrontMatterError, is_null, kind, line_of

_NO = ("false", "no", "off")
# A line that begins with the name after signs, tags and anchors, or the name and a colon
# anywhere else. Each match takes the rest of its line, so that time grows with the length alone.
_NAMED = re.compile(
    r"(?:^(?:[!&]\S*+|[^\w\n])*+(?P<name>published|removed)(?!\w)"
    r"|(?<!\w)(?P<inner>published|removed)(?!\w)(?=[^\w\n]*[:\uff1a]))(?P<rest>.*)",
    re.IGNORECASE | re.MULTILINE,
)
_PLAINLY = {
    "published": re.compile(r"[\"']?[ \t]*:[ \t]+(?:true|yes|on)[ \t]*(?:(?<=[ \t])#.*)?", re.I),
    "removed": re.compile(r"[\"']?[ \t]*:[ \t]+(?:false|no|off)[ \t]*(?:(?<=[ \t])#.*)?", re.I),
}


def is_unpublished(raw: bytes) -> bool:
    """Whether the front matter of a file has the line `published: false`.

    That line withholds an article whatever stands around it, so most files need no parser.
    """
    at = raw.find(b"\npublished: false\n")
    return at >= 0 and raw.startswith(b"---\n") and raw.find(b"\n---", 3, at) < 0


def why_withheld(fields: MappingNode) -> str:
    """Why an article is withheld, empty if it is not; whatever is unclear withholds it."""
    items = {key.value: value for key, value in fields.value}
    removed, published = items.get("removed"), items.get("published")
    if removed is not None and not _is_no(removed):
        return "removed"
    if published is None:
        return "not published ('published' is absent)"
    if not is_boolean(published):
        line = line_of(published)
        return f"not published ('published' on line {line} is not true or false)"
    return "not published" if published.value.lower() in _NO else ""


def is_boolean(node: Node) -> bool:
    """Whether YAML reads a node as true or false."""
    return isinstance(node, ScalarNode) and kind(node) == "bool"


def _is_no(node: Node) -> bool:
    plain = isinstance(node, ScalarNode) and not node.style
    return is_null(node) or (plain and node.value.lower() in _NO)


def is_withheld_at_fault(raw: bytes, *, cut: bool) -> bool:
    """Whether a file that cannot be parsed withholds its article; `cut` if it has more bytes.

    It does if its front matter has 'published' in any way that is not plainly true, or
    'removed' in any way that is not plainly false. Where no end of the front matter is
    found, all of the file is searched; if more follows, it must say `published: true`.
    """
    if is_unpublished(raw):
        return True
    # UTF-16 without its zero bytes shows the names as well; YAML ends lines at a CR too.
    text = raw.replace(b"\0", b"").decode("utf-8-sig", "replace").replace("\r", "\n")
    try:
        text, _ = front_matter.split(text)
        cut = False
    except FrontMatterError:
        pass
    names = set()
    for found in _NAMED.finditer(text):
        name = (found["name"] or found["inner"]).lower()
        if not _PLAINLY[name].fullmatch(found["rest"]):
            return True
        names.add(name)
    return cut and "published" not in names
