"""Plain text and URLs, cleaned."""

from __future__ import annotations

import re
from urllib.parse import quote

#: Longest URL, in characters. RFC 9110 section 4.1 asks every recipient to support this much.
MAX_URI_LENGTH = 8000

# C0 and C1 except white space, surrogates, U+FFFD, and the non-characters that
# XML 1.0 section 2.2 excludes.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
# A URI of RFC 3986 section 3 whose host has letters, digits and hyphens: it stays as it is.
_PLAIN_URI = re.compile(
    r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,4})?"
    r"(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?=[/?#]|\Z)")
_ANY_URI = re.compile(r"https?://[^\s/?#\\]+(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_SAFE = "!$&'()*+,;=:@/?%"


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts, such as `1 feed` and `2,000 feeds`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clean_text(raw: str) -> str:
    """Return plain text: white space folded to single spaces, control characters out."""
    return " ".join(_CONTROLS.sub("", raw).split())


def uri(raw: str) -> str:
    """Return the absolute http or https URI (RFC 3986) of an IRI (RFC 3987 section 3.1).

    A valid URI is returned unchanged. Raises ValueError, which says what to do.
    """
    raw = raw.strip()
    if len(raw) > MAX_URI_LENGTH:
        raise ValueError(f"is longer than {MAX_URI_LENGTH} characters, shorten it")
    if _PLAIN_URI.fullmatch(raw):
        return raw
    if not _ANY_URI.fullmatch(raw):
        raise ValueError(f"is not an absolute http or https URL but {raw[:80]!r}, correct it")
    # Not with this module: Werkzeug 3.1 imports its server too, and few processes get here.
    from werkzeug.urls import iri_to_uri

    try:
        made = iri_to_uri(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", _CONTROLS.sub("", raw)))
    except ValueError as error:  # or UnicodeError, its subclass, for a host that IDNA refuses
        raise ValueError(f"is not a valid URL but {raw[:80]!r}, correct it") from error
    scheme, _, rest = made.partition("://")
    host = _HOST.match(rest)
    if not host:
        # The message does not quote the host, because a password may stand before an @.
        raise ValueError("has no valid host, correct it")
    # iri_to_uri of Werkzeug 3.1 keeps characters that RFC 3986 forbids.
    before, mark, fragment = rest[host.end() :].partition("#")
    return f"{scheme.lower()}://{host[0]}{quote(before, _SAFE)}{mark}{quote(fragment, _SAFE)}"
