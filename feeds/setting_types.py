"""Functions that make the value of a setting from its text.

Each raises ValueError, which says what to do.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from os.path import expanduser
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from feeds.periods import FREQUENCIES, Frequency
from feeds.text import clean_text, uri

Network = IPv4Network | IPv6Network

_POSTGRESQL = re.compile(
    r"postgresql\+psycopg://(?:[^@]*@)?(?:\[[^]]*\]|[^:/@]*)(?::[0-9]{1,5})?/[^/?]+(?:\?.*)?"
)


def title(written: str) -> str:
    """Return text that is not empty."""
    if cleaned := clean_text(written):
        return cleaned
    raise ValueError("must not be empty")


def language(written: str) -> str:
    """Return a language tag (RFC 5646 section 2.1)."""
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", clean_text(written)):
        raise ValueError("must be a language tag such as en or pt-BR")
    return clean_text(written)


def time_zone(written: str) -> str:
    """Return the IANA name of a time zone."""
    try:
        return ZoneInfo(written).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("must be an IANA time zone such as Europe/Berlin or UTC") from error


def frequency(written: str) -> Frequency:
    """Return how often digests are made."""
    for known in FREQUENCIES:
        if known == written:
            return known
    raise ValueError(f"must be of {', '.join(FREQUENCIES)}")


def service_url(written: str) -> str:
    """Return the URL of a service; empty text stays empty."""
    if "#" in written:
        raise ValueError("must end before the first '#'")
    return uri(written) if written else ""


def site_url(written: str) -> str:
    """Return the URL of a site, to which paths are added; empty text stays empty."""
    if "?" in written:
        raise ValueError("must end before the first '?'")
    return service_url(written).rstrip("/")


def network(written: str) -> Network:
    """Return a network; a single address is a network of one."""
    try:
        return ip_network(written)
    except ValueError as error:
        raise ValueError(f"must be addresses or networks such as 10.0.0.0/8, {error}") from error


def path(written: str) -> Path:
    """Return a path as it is written, spaces included, with `~` expanded."""
    return Path(expanduser(written))


def icon(written: str) -> Path:
    """Return the path of a PNG or SVG file, with `~` expanded."""
    if not written.lower().endswith((".png", ".svg")):
        raise ValueError("must be a PNG or SVG file, with the suffix .png or .svg")
    return path(written)


def colour(written: str) -> str:
    """Return a colour of CSS in hexadecimal digits; empty text stays empty."""
    if not re.fullmatch(r"(?:#(?:[0-9a-fA-F]{3}){1,2})?", written):
        raise ValueError("must be a colour such as '#0077aa' or '#07a', in quotes")
    return written


def database(written: str) -> str:
    """Return the URL of a SQLite file, or of a PostgreSQL database whose driver is installed."""
    url = written.strip()
    if _POSTGRESQL.fullmatch(url):
        try:
            import psycopg  # noqa: F401  # find_spec would not see that libpq is missing
        except ImportError as error:
            raise ValueError("needs psycopg, run pip install 'feeds[postgresql]'") from error
    elif url and not re.fullmatch(r"sqlite:///.+", url):
        raise ValueError(
            "must be the URL of a SQLite file, such as sqlite:////var/lib/feeds.db, or"
            " of a PostgreSQL database, such as postgresql+psycopg://user@host/feeds"
        )
    return url
