"""The parameters of addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from flask import abort
from werkzeug.datastructures import MultiDict

from feeds.periods import Frequency
from feeds.search import Search, SearchError, parse_search
from feeds.selection import Kind
from feeds.web.errors import BadSearch

#: Each parameter of a feed, and what it does.
PARAMETERS = {
    "topic": "Any of these topics; repeat it for several.",
    "provider": "Any of these providers; repeat it for several.",
    "exclude": "None of these topics and providers; repeat it for several. "
    "A provider without a dot is written with one at its end: `intranet.`.",
    "q": "Only articles that have all of these [words](#words).",
    "type": "Only articles of this type, such as `video`; repeat it for several.",
    "min_quality": "Only articles whose quality is this or more.",
    "min_heat": "Only articles whose heat is this or more now.",
    "limit": "How many entries, from 1 to 200; how many stories in a digest, from 1 to 50.",
}
#: Parameters that other sites add to links, and that feeds ignore. Feeds refuse any other unknown
#: one, because a misspelt parameter would give a subscriber another feed for ever.
TRACKING = frozenset({"fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "ref"})
#: Parameters in one address.
MAX_PARAMETERS = 50

Arguments = MultiDict[str, str]


def known_parameters(
    kind: Kind, archive: bool = False, frequency: Frequency | None = None
) -> list[str]:
    """Return the parameters that the feeds of a kind take, or their archives."""
    left_out: set[str] = {kind}
    if archive:
        # Heat is of the present. An archive has all stories of a month, or the best of each digest.
        left_out |= {"min_heat"} if frequency else {"min_heat", "limit"}
    return [name for name in PARAMETERS if name not in left_out]


def refuse_unknown(arguments: Arguments, known: Iterable[str]) -> None:
    """Abort with 400 at a parameter that is neither known here nor added by other sites."""
    listed = ", ".join(known) or "none"
    for name in arguments:
        if name not in known and name not in TRACKING and not name.startswith("utm_"):
            abort(400, f"unknown parameter {shown(name)}, known here: {listed}")


def keep_known(arguments: Arguments, known: Iterable[str]) -> Arguments:
    """Return the parameters that a page knows; `Site.require` then redirects to it without others.

    A link to a page that was shared carries parameters of the site that it was shared on.
    """
    known = set(known)
    return MultiDict(pair for pair in arguments.items(multi=True) if pair[0] in known)


def refuse_many(arguments: Arguments) -> None:
    """Abort with 400 at more parameters than any selection needs."""
    if sum(len(arguments.getlist(name)) for name in arguments) > MAX_PARAMETERS:
        abort(400, f"more than {MAX_PARAMETERS} parameters")


def values(arguments: Arguments, name: str) -> list[str]:
    """Return the values of a parameter, without the empty ones that a form sends."""
    return [value.strip() for value in arguments.getlist(name) if value.strip()]


def number(arguments: Arguments, name: str, least: int, most: int) -> int | None:
    """Return the whole number in a parameter; None without the parameter."""
    written = _single(arguments, name)
    if written is None:
        return None
    # ASCII: \d alone takes the digits of every script.
    value = int(written) if re.fullmatch(r"[+-]?[0-9]{1,9}", written) else None
    if value is None or not least <= value <= most:
        abort(400, f"{name} is {shown(written)}, must be a whole number from {least} to {most}")
    return value


def _single(arguments: Arguments, name: str) -> str | None:
    written = values(arguments, name)
    if len(written) > 1:
        abort(400, f"{name} stands {len(written)} times, once is enough")
    return written[0] if written else None


def search(arguments: Arguments) -> Search:
    """Return the search in the parameter `q`."""
    written = _single(arguments, "q")
    if written is None:
        return ()
    try:
        return parse_search(written)
    except SearchError as error:
        raise BadSearch(written, error) from error


def shown(text: str) -> str:
    """Return text of a request for a message: cut, and percent-encoded unless it is a word."""
    text = text[:80]
    return text if re.fullmatch(r"[\w.-]+", text) else quote(text, safe="")
