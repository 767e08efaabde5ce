"""Text, URLs and HTML as they may reach the wire."""

from __future__ import annotations

import html
import re

import nh3
import pyromark
from werkzeug.urls import iri_to_uri

from feeds.articles.nesting import check_nesting

#: Longest body that is made HTML, in characters.
MAX_BODY = 1 << 18
#: Longest address, in characters, for no longer one is sure to be read (RFC 9110 section 4.1).
MAX_URI = 8000

# C0 and C1 but for white space, surrogates, U+FFFD and the non-characters that
# XML 1.0 section 2.2 leaves out.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
_CONTROLS_OF_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")
# RFC 3986 section 3 with a host of letters, digits and hyphens: nothing to do.
_PLAIN_URI = re.compile(
    r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,4})?"
    r"(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_ANY_URI = re.compile(r"https?://[^\s/?#\\]+(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
# Not `data-src`; and never past another tag, or a file of open tags takes minutes.
_IFRAME = re.compile(
    r"<iframe\b[^<>]*?(?<![\w-])src\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I
)
#: A picture whose address was not fit to stay.
_NO_PICTURE = re.compile(r"<img(?:\s++(?!src=)[\w-]++=\"[^\"]*+\")*+\s*+/?>")
#: A tag of HTML that is safe, where a `>` in an attribute is written `&gt;`.
_TAG = re.compile(r"<[^<>]*>")
_TEXT = nh3.Cleaner(tags=set())
_MARKDOWN = pyromark.Markdown(
    options=pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH
)


def text(raw: str) -> str:
    """Plain text: white space folded to single spaces, control characters out."""
    return " ".join(_CONTROLS.sub("", raw).split())


def prose(raw: str) -> str:
    """Plain text out of text with stray markup: tags out, entities decoded once.

    Raises ValueError, saying what to do.
    """
    if "<" in raw:
        check_nesting(raw)
        raw = _TEXT.clean(raw)
    return text(_unescape(raw))


def _visible(safe: str) -> str:
    """The plain text of safe HTML."""
    return text(html.unescape(_TAG.sub("", safe)))


def _unescape(raw: str) -> str:
    try:
        return html.unescape(raw)
    except ValueError as error:  # Python reads no number of more than 4300 digits
        raise ValueError("has an entity '&#...;' of too many digits, correct it") from error


def summary(content: str) -> str:
    """The beginning of some HTML as plain text, at most 300 characters."""
    words = _visible(content)
    if len(words) <= 300:
        return words
    head, _, word = words[:299].rpartition(" ")
    # Many scripts write no spaces; there, the cut is between any two letters.
    return (head if len(word) < 40 else words[:298]) + " …"


def uri(raw: str) -> str:
    """An absolute http or https URI (RFC 3986) of an IRI (RFC 3987 section 3.1).

    A valid URI comes back byte for byte. Raises ValueError, saying what to do.
    """
    raw = raw.strip()
    if len(raw) > MAX_URI:
        raise ValueError(f"is longer than {MAX_URI} characters, shorten it")
    if _PLAIN_URI.fullmatch(raw):
        return raw
    if not _ANY_URI.fullmatch(raw):
        raise ValueError(f"is not an absolute http or https URL but {raw[:80]!r}, correct it")
    try:
        made = iri_to_uri(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", _CONTROLS.sub("", raw)))
    except ValueError as error:  # includes UnicodeError, of a host that IDNA refuses
        raise ValueError(f"is not a valid URL but {raw[:80]!r}, correct it") from error
    scheme, _, rest = made.partition("://")
    host = re.match(r"[^/?#]*", rest)
    if not host or not _HOST.fullmatch(host[0]):
        # Not quoted: what stands before an @ may be a password.
        raise ValueError("has no valid host, correct it")
    return f"{scheme.lower()}://{host[0]}" + _quote(rest[host.end() :])


def _quote(path: str) -> str:
    """Percent-encode what iri_to_uri lets stand though RFC 3986 forbids it."""
    head, mark, fragment = path.partition("#")
    return _escape(head) + mark + _escape(fragment)


def _escape(part: str) -> str:
    def encode(found: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in found[0].encode())

    return re.sub(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]", encode, part)


def _attribute(tag: str, name: str, value: str) -> str | None:
    """An attribute of a body, None to drop it: `https:page` is relative in spite of its scheme."""
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
    tags=set(nh3.ALLOWED_TAGS) - {"map", "area", "nav"},
)


def markdown(raw: str) -> str:
    """HTML of CommonMark, without script, frame, form, style or relative address.

    Empty where nothing that shows is left of it. Raises ValueError, saying what to do.
    """
    if len(raw) > MAX_BODY:
        raise ValueError(f"is longer than {MAX_BODY} characters, shorten it")
    rendered = _MARKDOWN.html(raw)
    check_nesting(rendered)
    safe = _NO_PICTURE.sub("", _HTML.clean(rendered))
    # Last, for an entity such as `&#12;` is decoded on the way.
    safe = _CONTROLS_OF_HTML.sub("", safe).strip()
    return safe if "<img" in safe or _visible(safe) else ""


def frame(raw: str) -> str:
    """The address that the first iframe of some HTML shows; empty without one."""
    found = _IFRAME.search(raw)
    if not found:
        return ""
    address = _unescape(found[1] or found[2] or found[3] or "").strip()
    return uri("https:" + address if address.startswith("//") else address)
