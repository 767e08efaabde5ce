"""Which articles a feed holds, and the one address that names it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

Kind = Literal["site", "topic", "provider"]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Everything, or one topic, or one provider."""

    kind: Kind = "site"
    #: A topic's folded name or a provider's domain; empty for the site.
    key: str = ""
    #: How addresses write the key.
    slug: str = ""

    @property
    def path(self) -> str:
        """The canonical path of the selection's page; its feeds lie under it."""
        return "/" if self.kind == "site" else f"/{self.kind}s/{quote(self.slug)}/"


EVERYTHING = Selection()


def fold(name: str) -> str:
    """A topic's key: its name, case and spaces aside (Unicode NFKC and case folding)."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def domain_key(domain: str) -> str:
    """A provider's key: its domain in lower case, without `www.` and a final dot."""
    return domain.strip().lower().rstrip(".").removeprefix("www.")


def slugify(kind: Kind, name: str) -> str:
    """The slug a name has of itself: letters of every script, `C++` as `cplusplus`.

    A provider keeps the dots of its domain. Never empty: a name without letters
    and digits becomes the hash of its key.
    """
    if kind == "provider":
        return re.sub(r"[^\w.]+", "-", domain_key(name)).strip("-.") or short_hash(name)
    key = fold(name)
    spelled = key.replace("+", "plus").replace("#", "sharp")
    # Marks stay: without them many scripts cannot be read.
    letters = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in spelled)
    return "-".join(letters.split()) or short_hash(key)


def short_hash(key: str) -> str:
    """Six hexadecimal digits, the same for the same key everywhere."""
    return hashlib.sha256(key.encode()).hexdigest()[:6]
