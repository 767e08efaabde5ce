"""Text and URLs that may reach the wire."""

from __future__ import annotations

import re

from werkzeug.urls import iri_to_uri

#: Longest address, in characters, for no longer one is sure to be read (RFC 9110 section 4.1).
MAX_URI = 8000

# C0 and C1 but for white space, surrogates, U+FFFD and the non-characters that
# XML 1.0 section 2.2 leaves out.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
# RFC 3986 section 3 with a host of letters, digits and hyphens: nothing to do.
_PLAIN_URI = re.compile(
    r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,4})?"
    r"(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_ANY_URI = re.compile(r"https?://[^\s/?#\\]+(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)


def text(raw: str) -> str:
    """Plain text: white space folded to single spaces, control characters out."""
    return " ".join(_CONTROLS.sub("", raw).split())


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
