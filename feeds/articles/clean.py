"""HTML and Markdown of articles, cleaned."""

from __future__ import annotations

import html
import re

import nh3
import pyromark

from feeds.articles.nesting import check_nesting, element_names
from feeds.text import clean_text
from feeds.text import uri as uri

#: Longest body that is made HTML, in characters.
MAX_BODY_LENGTH = 1 << 18

_CONTROLS_OF_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")
# Not `data-src`; and never past another tag, or a file of open tags takes minutes.
_IFRAME = re.compile(
    r"<iframe\b[^<>]*?(?<![\w-])src\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I
)
#: A picture whose address was not fit to stay.
_NO_PICTURE = re.compile(r"<img(?:\s++(?!src=)[\w-]++=\"[^\"]*+\")*+\s*+/?>")
#: Elements that a body may have.
_TAGS = nh3.ALLOWED_TAGS - {"map", "area", "nav"}
#: Elements that stand within a line; all others of prose part words.
_INLINE = element_names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd mark q rp rt rtc"
    " ruby s samp small span strike strong sub sup time tt u var wbr"
)
_PROSE = _TAGS | _INLINE | element_names("address main section tfoot")
#: Elements whose content is no prose.
_HIDDEN = element_names("audio iframe object script style svg video")
_NAMES = sorted(_PROSE | _HIDDEN)
# Small letters or capitals, so `Vec<Table>` is no markup; nor is `a <b and c> d`, where no
# attribute has a value. No match goes past another `<`, so time grows with the length alone.
_MARKUP = re.compile(
    rf"<!--|-->|<(?P<slash>/?)(?P<name>{'|'.join(_NAMES + [n.upper() for n in _NAMES])})"
    r"(?=\s*+/?>|\s[^<>]*=)"
    r"(?:\s++[\w:-]++(?:\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'|[^\s\"'<>=`]++))?+)*+\s*+/?>"
)
_MARKDOWN = pyromark.Markdown(
    options=pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH
)


def prose(raw: str) -> str:
    """Return plain text of text with stray markup: tags out, entities decoded once.

    Markup is what is written as a tag of an element of prose: one that stands within a line
    vanishes, any other becomes a space. Comments and scripts go with their content, if they
    end. All else, such as `vector<int>` or a lone `<script>`, is words. The result is no HTML,
    and each format escapes it. Raises ValueError, saying what to do.
    """
    parts: list[str] = []
    # Where what is hidden begins among the parts, by the name that must end it.
    hidden: dict[str, int] = {}
    position = 0
    for found in _MARKUP.finditer(raw):
        parts.append(raw[position : found.start()])
        position = found.end()
        name = (found["name"] or "!--").lower()
        is_end = found["slash"] or found[0] == "-->"
        if name in _PROSE:
            parts.append("" if name in _INLINE else " ")
        elif is_end and name in hidden:
            del parts[hidden[name] :]
            hidden = {other: at for other, at in hidden.items() if at < len(parts)}
        else:
            if not is_end:
                hidden.setdefault(name, len(parts))
            parts.append(found[0])
    return clean_text(_unescape("".join(parts) + raw[position:]))


def _unescape(raw: str) -> str:
    try:
        return html.unescape(raw)
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise ValueError("has an entity '&#...;' of too many digits, correct it") from error


def summary(content: str) -> str:
    """Return the beginning of some safe HTML as plain text, at most 300 characters."""
    words = prose(content)
    if len(words) <= 300:
        return words
    head, _, word = words[:299].rpartition(" ")
    # Many scripts write no spaces; there, the cut is between any two letters.
    return (head if len(word) < 40 else words[:298]) + " …"


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Return an attribute of a body, or None to drop it; `https:page` is a relative address."""
    if name not in ("href", "src", "cite"):
        return value
    try:
        return uri(value)
    except ValueError:
        return None


_HTML = nh3.Cleaner(
    attribute_filter=_attribute,
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel=None,
    tags=set(_TAGS),
)


def markdown(raw: str) -> str:
    """Return HTML of CommonMark, without script, frame, form, style or relative address.

    Empty where nothing that shows is left of it. Raises ValueError, saying what to do.
    """
    if len(raw) > MAX_BODY_LENGTH:
        raise ValueError(f"is longer than {MAX_BODY_LENGTH} characters, shorten it")
    rendered = _MARKDOWN.html(raw)
    check_nesting(rendered)
    safe = _NO_PICTURE.sub("", _HTML.clean(rendered))
    # Last, for an entity such as `&#12;` is decoded on the way.
    safe = _CONTROLS_OF_HTML.sub("", safe).strip()
    return safe if "<img" in safe or prose(safe) else ""


def frame(raw: str) -> str:
    """Return the address that the first iframe of some HTML shows; empty without one."""
    found = _IFRAME.search(raw)
    if not found:
        return ""
    address = _unescape(found[1] or found[2] or found[3] or "").strip()
    return uri("https:" + address if address.startswith("//") else address)
