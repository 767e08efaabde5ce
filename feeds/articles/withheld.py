"""Whether an article file says that the article must not be public."""

from __future__ import annotations

import re

from yaml import MappingNode, Node

from feeds.articles import front_matter
from feeds.articles.front_matter import FrontMatterError, is_null, line_of, yaml_type

# One of the two names at the beginning of a line, perhaps after punctuation, tags and anchors; or
# anywhere, if a colon follows. A match takes the rest of its line, so that time stays linear.
_MENTION = re.compile(
    r"(?:^(?:[!&]\S*+|[^\w\n])*+(?P<name>published|removed)(?!\w)"
    r"|(?<!\w)(?P<inner>published|removed)(?!\w)(?=[^\w\n]*[:\uff1a]))(?P<rest>.*)",
    re.IGNORECASE | re.MULTILINE,
)
_CLEARLY_PUBLIC = {
    "published": re.compile(r"[\"']?[ \t]*:[ \t]+(?:true|yes|on)[ \t]*(?:(?<=[ \t])#.*)?", re.I),
    "removed": re.compile(r"[\"']?[ \t]*:[ \t]+(?:false|no|off)[ \t]*(?:(?<=[ \t])#.*)?", re.I),
}


def is_unpublished(raw: bytes) -> bool:
    """Return whether the front matter of a file has the line `published: false`.

    This line withholds an article whatever the other lines say, so most files are not parsed.
    """
    at = raw.find(b"\npublished: false\n")
    return at >= 0 and raw.startswith(b"---\n") and raw.find(b"\n---", 3, at) < 0


def why_withheld(fields: MappingNode) -> str:
    """Return why an article is withheld; empty if it is not. An unclear value withholds it."""
    items = {key.value: value for key, value in fields.value}
    removed, published = items.get("removed"), items.get("published")
    if removed and not is_null(removed) and not _is_false(removed):
        return "removed"
    if not published:
        return "not published ('published' is absent)"
    if yaml_type(published) != "bool":
        line = line_of(published)
        return f"not published ('published' on line {line} is not true or false)"
    return "not published" if _is_false(published) else ""


def _is_false(node: Node) -> bool:
    return yaml_type(node) == "bool" and node.value.lower() in ("false", "no", "off")


def is_withheld_at_fault(raw: bytes, *, cut: bool) -> bool:
    """Return whether a file that cannot be parsed withholds its article.

    It does if its front matter has 'published' in any form that is not plainly true, or
    'removed' in any form that is not plainly false. Without an end of the front matter, all
    of the bytes are searched. If they are not all of the file (`cut`), the article is withheld
    unless they have `published: true`.
    """
    if is_unpublished(raw):
        return True
    # Without its zero bytes UTF-16 shows the names too. In YAML, CR ends a line too.
    text = raw.replace(b"\0", b"").decode("utf-8-sig", "replace").replace("\r", "\n")
    try:
        text, _ = front_matter.split(text)
        cut = False
    except FrontMatterError:
        pass
    names = set()
    for found in _MENTION.finditer(text):
        name = (found["name"] or found["inner"]).lower()
        if not _CLEARLY_PUBLIC[name].fullmatch(found["rest"]):
            return True
        names.add(name)
    return cut and "published" not in names
