"""Articles, each of which is read from a file."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from feeds.articles import clean, front_matter
from feeds.articles.fields import EARLIEST, Fields, find_warnings
from feeds.articles.folder import MAX_FILE_SIZE
from feeds.articles.front_matter import FrontMatterError
from feeds.articles.withheld import is_unpublished, is_withheld_at_fault, why_withheld
from feeds.selection import domain_key, fold
from feeds.text import clean_text

_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")


class ArticleError(ValueError):
    """A fault of an article file, or a warning: `path:line: problem, what to do`."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        # All three, so that pickle can make it again in another process.
        super().__init__(path, line, problem)
        self.path = path
        #: Counts from 1.
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """The publisher of an article."""

    name: str
    #: Lower case, without `www.`.
    domain: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A picture. Its sizes are in pixels, and None where they are unknown."""

    url: str
    width: int | None = None
    height: int | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Related:
    """Another article about the same story."""

    title: str
    link: str
    provider: str
    quality: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """An article in the words of RFC 4287. Times are in UTC and whole seconds."""

    #: The file name without its suffix. It identifies the article for ever.
    stem: str
    title: str
    link: str
    published: datetime
    provider: Provider
    quality: int
    #: None unless the file says that it was updated after it was published.
    updated: datetime | None = None
    #: Plain text.
    summary: str = ""
    #: Safe HTML of the Markdown body.
    content: str = ""
    #: The original address of the story, if it is not `link`.
    via: str | None = None
    amp: str | None = None
    cdn_amp: str | None = None
    type: str = "article"
    category: str = ""
    heat: int | None = None
    topics: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    related: tuple[Related, ...] = ()
    #: The address of a player, for a video.
    frame: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ParseResult:
    """The article of a file, or its faults."""

    #: None if there are faults.
    article: Article | None
    #: Why the file says that the article must not be public; empty if it does not say so.
    withheld_reason: str
    faults: tuple[ArticleError, ...] = ()
    #: What looks like a mistake, but does not prevent the file from being read.
    warnings: tuple[ArticleError, ...] = ()


def stem_of(path: str) -> str:
    """Return the identity of an article file, in Unicode NFC because file systems differ."""
    name = path[path.rfind("/") + 1 :]
    return unicodedata.normalize("NFC", name.rpartition(".")[0] or name)


def parse_article(raw: bytes, path: str) -> ParseResult:
    """Parse the bytes of the file at `path`, and find all of its faults."""
    try:
        if len(raw) > MAX_FILE_SIZE:
            raise FrontMatterError(1, f"larger than {MAX_FILE_SIZE >> 20} MiB, shorten it")
        head, body = front_matter.split(_decode(raw))
        node = front_matter.read_front_matter(head)
    except FrontMatterError as error:
        is_withheld = is_withheld_at_fault(raw, cut=len(raw) > MAX_FILE_SIZE)
        fault = ArticleError(path, error.line, error.problem)
        reason = "not published" if is_withheld else ""
        return ParseResult(article=None, withheld_reason=reason, faults=(fault,))
    reason = why_withheld(node) or ("not published" if is_unpublished(raw) else "")
    found: list[tuple[int, str]] = []
    top = Fields(node, found)
    article = _read(stem_of(path), top, _content(body, head, found))
    faults = tuple(ArticleError(path, line, problem) for line, problem in sorted(found))
    warnings = tuple(
        ArticleError(path, line, f"warning: {problem}")
        for line, problem in find_warnings(top, article.summary)
    )
    return ParseResult(
        article=None if faults else article,
        withheld_reason=reason,
        faults=faults,
        warnings=warnings,
    )


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FrontMatterError(line, "not UTF-8, save the file as UTF-8") from error


def _content(body: str, head: str, faults: list[tuple[int, str]]) -> str:
    try:
        return clean.markdown(body) if body and not body.isspace() else ""
    except ValueError as error:
        faults.append((head.count("\n") + 2, f"the body {error}"))
        return ""


def _read(stem: str, fields: Fields, content: str) -> Article:
    """Return the article, with the default of each field that is at fault."""
    fields.require("title", "publishedDateTime", "quality")
    if fields.node("originalUrl") is None:
        fields.require("webUrl")
    original = fields.uri("originalUrl")
    link = fields.uri("webUrl") or original or ""
    published = fields.time("publishedDateTime") or EARLIEST
    updated = fields.time("updatedDateTime")
    topics = {fold(topic): topic for topic in reversed(fields.texts("topics"))}
    return Article(
        stem=stem,
        title=fields.text("title", _visible),
        link=link,
        published=published,
        # The publication may have moved to a date after the update.
        updated=updated if updated and updated > published else None,
        summary=fields.text("excerpt", clean.prose) or clean.summary(content),
        content=content,
        via=original if original != link else None,
        amp=fields.uri("ampWebUrl"),
        cdn_amp=fields.uri("cdnAmpWebUrl"),
        type=fields.text("type") or "article",
        category=fields.text("category"),
        quality=fields.number("quality") or 0,
        heat=fields.number("heat"),
        provider=_provider(fields.map("provider"), link),
        # Sorted, because FreshRSS hashes the categories, and their order in the file may change.
        topics=tuple(topics[key] for key in sorted(topics)),
        images=_images(fields),
        related=_related(fields),
        frame=fields.uri("featuredContent", clean.frame),
    )


def _visible(raw: str) -> str:
    if cleaned := clean_text(raw):
        return cleaned
    raise ValueError("has no visible character, write one")


def _provider(fields: Fields, link: str) -> Provider:
    domain = domain_key(fields.text("domain")) or domain_key(urlsplit(link).hostname or "")
    if domain and not _is_domain(domain):
        problem = f"'domain' {domain[:80]!r} is not a domain such as 'example.org', correct it"
        fields.add_fault("domain", problem)
    return Provider(name=fields.text("name") or domain, domain=domain)


def _is_domain(domain: str) -> bool:
    try:
        return bool(_DOMAIN.fullmatch(domain) and clean.uri(f"https://{domain}/"))
    except ValueError:
        return False


def _images(fields: Fields) -> tuple[Image, ...]:
    return tuple(
        Image(url=url, width=about.size("width"), height=about.size("height"), title=title)
        for about in fields.maps("images")
        for url, title in [(about.uri("url"), about.text("title"))]
        if url
    )


def _related(fields: Fields) -> tuple[Related, ...]:
    related = []
    for about in fields.maps("related"):
        title, quality = about.text("title"), about.number("quality")
        link = about.uri("webUrl") or about.uri("originalUrl") or ""
        provider = _provider(about.map("provider"), link).name
        if title and link and quality is not None:
            related.append(Related(title=title, link=link, provider=provider, quality=quality))
    return tuple(related)
