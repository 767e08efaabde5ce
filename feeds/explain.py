"""Why an article is in the feeds that it is in, or in none."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes

from feeds.articles import Article, ArticleError, ParseResult, stem_of
from feeds.articles.folder import list_files, read_bytes
from feeds.index import Index
from feeds.index.survey import public_feeds
from feeds.indexed import memberships
from feeds.text import uri

#: Fields of a front matter, read without a parser, because the file may be at fault.
_ADDRESS = re.compile(rb"^(?:webUrl|originalUrl):[ \t]*[\"']?(\S+?)[\"']?[ \t]*\r?$", re.M)


def find_files(directory: Path, wanted: str) -> dict[str, str]:
    """Return the article files that are meant by a path, a stem or the address of an article.

    The value of each is the file that owns its stem. All paths are relative to the folder.
    Raises OSError if a file cannot be read.
    """
    listed = sorted(list_files(directory).paths)
    # The first file of several with the same stem owns it.
    owners = {stem_of(path): path for path in reversed(listed)}
    if "://" in wanted:
        url = unquote_to_bytes(os.fsencode(wanted))
        read = {path: _ADDRESS.findall(read_bytes(directory, path)) for path in listed}
        found = [path for path in listed if url in map(unquote_to_bytes, read[path])]
    else:
        root, file = directory.resolve(), Path(wanted)
        # A link in the folder is an article itself; a link elsewhere stands for its target.
        places = (file.parent.resolve() / file.name, file.resolve())
        below = [place.relative_to(root).as_posix() for place in places if root in place.parents]
        found = [path for path in below if path in listed][:1]
        found = found or [path for path in listed if wanted in (path, stem_of(path))]
    return {path: owners[stem_of(path)] for path in found}


def explain_address(index: Index, address: str) -> str | None:
    """Return how the site answers an address; None if that is no address of the site."""
    try:
        # As a browser sends it: percent-encoded, and without the fragment.
        address = uri(address).partition("#")[0]
    except ValueError:
        return None
    # Without `base_url`, the site is at the trusted hosts.
    hosts = "|".join(map(re.escape, index.config.trusted_hosts))
    base = re.escape(index.config.base_url) or rf"https?://(?:{hosts})(?::[0-9]{{1,5}})?"
    found = re.fullmatch(rf"({base})(|/(?!/).*)", address)
    if not found:
        return None
    # Slow to import, and nothing else here needs it.
    from feeds.web import create_app

    host = "http://localhost" if index.config.base_url else found[1]
    answer = create_app(index.config).test_client().get(host + found[2])
    return answer.status if answer.status_code == 200 else answer.text.strip()


def explain(
    index: Index, stem: str, parsed: ParseResult, fault: ArticleError | None, now: datetime
) -> list[str]:
    """Return lines that say which feeds an article is in, or why it is in none.

    The index must be up to date with the file. `fault` is its fault there, if it has one.
    """
    shown = _shown_in(index, stem)
    lines = [f"in {index.config.base_url}{path}" for path in shown]
    if fault:
        if lines:
            lines = [f"{line} (its last good version)" for line in lines]
        reason = parsed.withheld_reason or f"faulty at line {fault.line}: {fault.problem}"
        return [*lines, reason if lines else f"in no feed: {reason}"]
    if parsed.withheld_reason or parsed.article is None:
        return [f"in no feed: {parsed.withheld_reason}"]
    if parsed.article.published > now:
        return [f"in no feed yet: due on {parsed.article.published:%Y-%m-%d %H:%M} UTC"]
    return lines or [f"in no feed: {_obstacle(index, parsed.article)}"]


def _shown_in(index: Index, stem: str) -> list[str]:
    """Return the pages of all feeds that show an article now."""
    shown = []
    for item in public_feeds(index):
        found = index.find(item.selection)
        if found and any(article.stem == stem for article in found.articles):
            shown.append(item.selection.path)
    return shown


def _obstacle(index: Index, article: Article) -> str:
    """Return why no feed shows an article that is published and due."""
    config = index.config
    lowest = min(
        m.threshold
        for m in memberships(article, config)
        if not config.settings_of(m.selection).withdrawn
    )
    if article.quality < lowest:
        return f"quality {article.quality} is below the threshold {lowest}"
    return f"older than the {config.limit} newest articles of each"
