"""The parts of a static site: their fingerprints, and their documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import feeds
from feeds.config import Config
from feeds.formats import FORMATS, opml
from feeds.history import AnyArchive, Archive, Month, YearArchive
from feeds.index.snapshot import FeedHashes, Snapshot
from feeds.index.survey import ListedFeed, public_feeds
from feeds.pages import LISTS, Pages
from feeds.pages.assets import AT_TOP, assets
from feeds.pages.embedding import FRAME, EmbedOptions
from feeds.publish import (
    ROBOTS,
    Document,
    publish_formats,
    publish_list,
    publish_robots,
    publish_sitemap,
)
from feeds.selection import EVERYTHING, Selection
from feeds.static_site.output import SiteError, file_of

#: The libraries that the bytes of documents depend on.
_LIBRARIES = ("babel", "brotli", "feedgen", "jinja2", "lxml", "msgspec")
#: The suffixes of our own files that they depend on.
_CODE_SUFFIXES = (".py", ".html")

#: An address and its document, or None if it is not public any more.
AddressedDocument = tuple[str, Document | None]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Documents that are made together, and made anew when their fingerprint changes."""

    fingerprint: str
    #: None for the home page, the lists and the static files.
    selection: Selection | None = None
    #: None for the current feed and page.
    month: Month | None = None
    has_pages: bool = True
    has_feeds: bool = True

    @property
    def name(self) -> str:
        """The part's name among all parts of the site."""
        return f"{self.selection.path if self.selection else ''}{self.month or ''}"


def find_parts(index: Snapshot) -> tuple[list[Part], tuple[str, ...]]:
    """Return the parts of a site, and the reason for each feed that cannot have files."""
    code, histories = _code_fingerprint(index.config), index.feed_hashes()
    # The lists, the counts in them and the plot of the builder change with any article.
    parts = [Part(fingerprint=_fingerprint(code, index.status().revision))]
    refused = []
    for item in public_feeds(index):
        try:
            file_of(item.selection.path)
        except SiteError as error:
            refused.append(str(error))
            continue
        history = histories.get((item.selection.kind, item.selection.key), FeedHashes({}, {}))
        parts += _parts_of(item, history.months, item.count > index.config.limit, code)
        for frequency in index.config.digests:
            selection = item.selection.digests(frequency)
            fingerprint = _fingerprint(
                code, selection.path, item.name, history.finished.get(frequency)
            )
            parts.append(Part(fingerprint=fingerprint, selection=selection))
    # Feeds share the entries of a month. Made one after another, they find them in the cache.
    parts.sort(key=lambda part: str(part.month or ""))
    return parts, tuple(refused)


def _parts_of(
    item: ListedFeed, months: dict[Month, bytes], is_long: bool, code: str
) -> Iterator[Part]:
    """Yield the parts of a feed; one that `is_long` has archives in each format."""
    selection, known = item.selection, (code, item.selection.path, item.name, is_long)
    month_hashes = {str(month): hash for month, hash in months.items()}
    # The page of all articles is the home page, which lists other feeds too.
    yield Part(
        fingerprint=_fingerprint(known, month_hashes),
        selection=selection,
        has_pages=selection != EVERYTHING,
    )
    written = list(month_hashes)
    for at, month in enumerate(months):
        shown = written[max(at - 1, 0) : at + 2]
        fingerprint = _fingerprint(known, shown, months[month])
        yield Part(fingerprint=fingerprint, selection=selection, month=month, has_feeds=is_long)
    if is_long:
        # Months without entries are linked from the archives of the months beside them.
        for month in {month.plus(step) for month in months for step in (-1, 1)} - months.keys():
            fingerprint = _fingerprint(known, written)
            yield Part(fingerprint=fingerprint, selection=selection, month=month, has_pages=False)


def _code_fingerprint(config: Config) -> str:
    """Return a hash of the settings, our code and the versions of the libraries."""
    root = Path(feeds.__file__).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in _CODE_SUFFIXES)
    ours = [(str(p.relative_to(root)), hashlib.sha256(p.read_bytes()).digest()) for p in files]
    libraries = [version(name) for name in _LIBRARIES]
    tags = [asset.etag for asset in assets(config).values()]
    shown = config.web_readers, config.digests
    return _fingerprint(config.fingerprint(), shown, tags, ours, libraries)


def _fingerprint(*seen: object) -> str:
    return hashlib.blake2b(repr(seen).encode(), digest_size=16).hexdigest()


def documents(part: Part, pages: Pages) -> Iterator[AddressedDocument]:
    """Yield the documents of a part."""
    selection = part.selection
    if selection is None:
        yield from _lists(pages)
        return
    if selection.frequency:
        yield from _digest_documents(pages, selection)
        return
    archive = Archive(month=part.month) if part.month else None
    if archive is None:
        yield selection.address(FRAME), pages.embed(selection, EmbedOptions())
        yield selection.address("archive/"), pages.months(selection)
    if part.has_pages:
        yield from _walk(archive, lambda archive: _page(pages, selection, archive))
    if part.has_feeds:
        yield from _walk(archive, lambda archive: _feeds(pages, selection, archive))


def _lists(pages: Pages) -> Iterator[AddressedDocument]:
    """Yield the home page, the lists, the builder and the static files."""
    yield from _walk(None, lambda archive: _page(pages, EVERYTHING, archive))
    for kind, path in LISTS.items():
        yield path, pages.names(kind)
    yield f"/{opml.FILE}", publish_list(pages.index, next(iter(FORMATS.values())), pages.base)
    yield f"/{ROBOTS}", publish_robots(pages.base)
    for name, part in publish_sitemap(pages.index, pages.base).items():
        yield f"/{name}", part
    files = assets(pages.index.config)
    for name in AT_TOP:
        yield f"/{name}", files[name]
    for name, asset in files.items():
        yield f"/static/{name}", asset


def _walk(
    archive: Archive | None, make: Callable[[Archive | None], list[AddressedDocument]]
) -> Iterator[AddressedDocument]:
    """Yield the documents of an archive, and of all older parts of the same month."""
    while True:
        made = make(archive)
        yield from made
        published = made[-1][1] if made else None
        previous = published.previous if published else None
        if not isinstance(previous, Archive) or previous.before is None:
            return
        archive = previous


def _digest_documents(pages: Pages, selection: Selection) -> Iterator[AddressedDocument]:
    """Yield the feeds and lists of digests, those of all years, and each digest."""
    archive: YearArchive | None = None
    while found := pages.index.find(selection, archive):
        yield selection.address(archive.page if archive else ""), pages.digests(selection, archive)
        yield from _feeds(pages, selection, archive)
        for digest in found.digests:
            page = pages.digest(selection, digest.period)
            yield selection.address(f"{digest.period.name}/"), page
        previous = found.neighbours.previous
        if not isinstance(previous, YearArchive):
            return
        archive = previous


def _page(pages: Pages, selection: Selection, archive: Archive | None) -> list[AddressedDocument]:
    is_home = selection == EVERYTHING and archive is None
    made = pages.home() if is_home else pages.stories(selection, archive)
    return [(selection.address(archive.page if archive else ""), made)]


def _feeds(
    pages: Pages, selection: Selection, archive: AnyArchive | None
) -> list[AddressedDocument]:
    forms = FORMATS.values()
    made = publish_formats(pages.index, selection, forms, pages.base, archive)
    files = [archive.file(form.suffix) if archive else form.file for form in forms]
    return [(selection.address(file), each) for file, each in zip(files, made, strict=False)]
