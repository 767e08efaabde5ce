"""What a setting may be: each check makes its value of a node, or raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from yaml import Node, ScalarNode, SequenceNode

from feeds.articles import clean
from feeds.articles.front_matter import kind as kind_of
from feeds.selection import Kind, slugify

Network = IPv4Network | IPv6Network

T = TypeVar("T", bound=str)

_POSTGRESQL = re.compile(
    r"postgresql\+psycopg://(?:[^@]*@)?(?:\[[^]]*\]|[^:/@]*)(?::[0-9]{1,5})?/[^/?]+(?:\?.*)?"
)


def text(node: Node) -> str:
    """Text on one line."""
    if not isinstance(node, ScalarNode) or kind_of(node) != "str":
        raise ValueError("must be text, put it in quotes")
    return clean.text(node.value)


def title(node: Node) -> str:
    """Text that is not empty."""
    written = text(node)
    if not written:
        raise ValueError("must not be empty")
    return written


def language(node: Node) -> str:
    """A language tag (RFC 5646 section 2.1)."""
    tag = text(node)
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", tag):
        raise ValueError("must be a language tag such as en or pt-BR")
    return tag


def number(least: int, most: int) -> Callable[[Node], int]:
    """A whole number within bounds."""

    def check(node: Node) -> int:
        if not isinstance(node, ScalarNode) or not re.fullmatch(r"-?\d{1,9}", node.value):
            raise ValueError(f"must be a whole number from {least} to {most}")
        if not least <= int(node.value) <= most:
            raise ValueError(f"is {node.value}, must be from {least} to {most}")
        return int(node.value)

    return check


def yes(node: Node) -> bool:
    """`true` or `false`."""
    if not isinstance(node, ScalarNode) or node.value not in ("true", "false"):
        raise ValueError("must be true or false")
    return bool(node.value == "true")


def one_of(known: tuple[T, ...]) -> Callable[[Node], T]:
    """One of a few words."""

    def check(node: Node) -> T:
        written = text(node)
        for word in known:
            if word == written:
                return word
        raise ValueError(f"must be one of {', '.join(known)}")

    return check


def texts(node: Node) -> tuple[str, ...]:
    """A list of text."""
    if isinstance(node, ScalarNode):  # an environment variable's form
        return tuple(part.strip() for part in node.value.split(",") if part.strip())
    if isinstance(node, SequenceNode):
        return tuple(text(item) for item in node.value)
    raise ValueError("must be a list")


def networks(node: Node) -> tuple[Network, ...]:
    """A list of addresses and networks; one of a single address has only that."""
    try:
        return tuple(map(ip_network, texts(node)))
    except ValueError as error:
        problem = f"must be a list of addresses and networks such as 10.0.0.0/8, {error}"
        raise ValueError(problem) from error


def url(node: Node) -> str:
    """The address of a site, without a final slash."""
    written = text(node)
    if "?" in written or "#" in written:
        raise ValueError("must end before the first '?' or '#'")
    return clean.uri(written).rstrip("/") if written else ""


def service(node: Node) -> str:
    """The address of a service, with all that it has."""
    written = text(node)
    if "#" in written:
        raise ValueError("must end before the first '#'")
    return clean.uri(written) if written else ""


def path(node: Node) -> Path:
    """A path, `~` expanded."""
    text(node)
    try:
        # As written: two spaces in a name are two.
        return Path(node.value).expanduser()
    except RuntimeError as error:
        raise ValueError(f"cannot be found, {error}") from error


def database(node: Node) -> str:
    """The URL of a SQLite file, or of a PostgreSQL database whose driver is installed."""
    text(node)
    written = str(node.value).strip()
    if _POSTGRESQL.fullmatch(written):
        try:
            import psycopg  # noqa: F401  # what it needs of the system may be missing too
        except ImportError as error:
            raise ValueError("needs psycopg, run pip install 'feeds[postgresql]'") from error
    elif written and not re.fullmatch(r"sqlite:///.+", written):
        raise ValueError(
            "must be the URL of a SQLite file, such as sqlite:////var/lib/feeds.db, or"
            " of a PostgreSQL database, such as postgresql+psycopg://user@host/feeds"
        )
    return written


def slug(kind: Kind) -> Callable[[Node], str]:
    """A slug that is one already."""

    def check(node: Node) -> str:
        written = text(node)
        if written and written != slugify(kind, written):
            raise ValueError(f"is {written!r}, write {slugify(kind, written)!r}")
        return written

    return check
