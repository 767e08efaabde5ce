"""The configuration with which nginx serves a built site as the application would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import StrictUndefined, Template

from feeds.formats import FORMATS, opml, sitemap
from feeds.index import Index
from feeds.pages import LISTS
from feeds.pages.assets import TYPES
from feeds.periods import FREQUENCIES
from feeds.selection import slugify
from feeds.static_site.output import SiteError
from feeds.wire import CORS, FRAME_POLICY, GUESSES, PREFLIGHT, SECURITY

_POLICY = "Content-Security-Policy"


def configuration(index: Index, folder: Path, listen: str = "80") -> str:
    """Return the `server` block for a folder. Raise SiteError if nginx could not serve it."""
    config = index.config
    home = urlsplit(config.base_url)
    if home.path:
        raise SiteError("nginx serves a site at the top of its host, base_url has a path")
    types = {"html": "text/html", "txt": "text/plain", "xml": sitemap.CONTENT_TYPE} | TYPES
    types |= {form.suffix: form.content_type for form in FORMATS.values()}
    template = Template(
        Path(__file__).with_name("nginx.conf").read_text(encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    rendered: str = template.render(
        quoted=_quoted,
        listen=listen,
        host=home.hostname,
        root=str(folder),
        types=types | {opml.FILE.partition(".")[2]: opml.CONTENT_TYPE},
        base=config.base_url,
        hub=config.hub,
        max_age=config.max_age,
        policy=SECURITY[_POLICY],
        frame_policy=FRAME_POLICY,
        always={name: value for name, value in (CORS | SECURITY).items() if name != _POLICY},
        preflight=PREFLIGHT,
        guesses=list(_guesses()),
        names=list(_names(index)),
        suffixes="|".join(FORMATS),
        frequencies="|".join(FREQUENCIES),
    )
    return rendered


def _guesses() -> Iterator[tuple[str, str]]:
    """Yield a pattern of the names that readers guess for each format, and its file."""
    for form in FORMATS.values():
        files = [re.escape(guess) for guess, name in GUESSES.items() if name == form.suffix]
        if files:
            yield "|".join(files), form.file


def _names(index: Index) -> Iterator[tuple[str, str]]:
    """Yield a pattern of each former address, and the new one; "" if it was withdrawn."""
    for kind in LISTS:
        for key, settings in index.config.settings_by_key(kind).items():
            slugs = key, settings.slug, *settings.former
            known = {slugify(kind, slug) for slug in slugs if slug}
            for slug in sorted(known):
                address = rf"^/{kind}s/{re.escape(slug)}(?:/|$)"
                selection = index.resolve(kind, slug)
                withdrawn = selection and index.config.settings_of(selection).withdrawn
                if withdrawn or (selection is None and settings.withdrawn):
                    yield address, ""
                elif selection and selection.slug != slug:
                    yield address, quote(selection.path, safe="/%")


def _quoted(text: str) -> str:
    """Return text as a parameter of nginx. Raise SiteError if nginx would change it."""
    if re.search(r"\$(?!$|\))|[\0\n\r]", text):
        raise SiteError(f"nginx cannot be told {text!r}, it has a $ or a line break")
    return '"' + text.replace('"', '\\"') + '"'
