"""The configuration with which nginx serves a built site as the application would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from feeds.formats import FORMATS, opml
from feeds.index import Index
from feeds.selection import Kind, slugify
from feeds.static_site.output import SiteError
from feeds.web import SECURITY
from feeds.web.page_routes import FRAME_POLICY
from feeds.web.responses import CORS, PREFLIGHT
from feeds.web.routes import GUESSES

_POLICY = "Content-Security-Policy"
#: What narrows a page or a feed: no file answers these, and none must seem to.
_NARROWING = "topic|provider|exclude|type|min_quality|min_heat|find|page|format"
_PAGES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_SITE = """\
# Include this inside nginx's `http`, where TLS can be set up too.
server {{
    listen {listen};
    server_name {host};
    root {root};
    index index.html;
    server_tokens off;
    absolute_redirect off;

    default_type text/html;
    types {{
{types}
    }}
    charset utf-8;
    charset_types *;

    # Beside each file lie its codings; each has an ETag of its own (RFC 9110 section 8.8.3).
    gzip_static on;
    # With the module ngx_http_brotli_static, which Debian's nginx lacks:
    # brotli_static on;
    # The application takes a later date for a current copy too.
    if_modified_since before;

    set $base {base};
    set $cache "public, max-age={max_age}";
    set $policy {policy};
    set $link "";
    set $hub {hub};
    set $allow "";
    set $methods "";
    set $headers "";
    set $age "";
    add_header Cache-Control $cache;
    add_header Vary Accept-Encoding;
    add_header Link $link;
    add_header Content-Security-Policy $policy always;
    add_header Allow $allow;
    add_header Access-Control-Allow-Methods $methods;
    add_header Access-Control-Allow-Headers $headers;
    add_header Access-Control-Max-Age $age;
{added}

    # Plain, for a feed's address never answers HTML.
    error_page 403 404 =404 @missing;
    error_page 405 @refused;
    location @missing {{
        types {{ }}
        default_type text/plain;
        return 404 "404 Not Found: no such feed or page\\n";
    }}
    location @refused {{
        types {{ }}
        default_type text/plain;
        return 405 "405 Method Not Allowed\\n";
    }}

    if ($request_method = OPTIONS) {{
{preflight}
        set $cache "";
        return 204;
    }}
    # A narrowed feed or page is none of these files.
    if ($args ~ "(?:^|&)(?:{narrowing})=") {{
        return 404;
    }}
    if ($request_uri ~ "/index\\.html(?:\\?|$)") {{
        return 404;
    }}
{guesses}
    location ~ "/\\." {{
        return 404;
    }}
    location ~ "\\.(?:gz|br)$" {{
        return 404;
    }}
{names}
    location ~ "^/static/" {{
        set $cache "public, max-age=86400";
    }}
    location ~ "/embed$" {{
        set $policy {frame};
    }}
    location ~ "/(?:feed|archive/.+)\\.(?:{suffixes})$" {{
        if ($uri !~ "/feed\\.[a-z]+$") {{
            set $hub "";
        }}
        # As it was asked for, for a header holds no other letters.
        if ($request_uri ~ "^(?<under>[^?]*?/)(?<file>(?:feed\\.|archive/)[^?]*)") {{
            set $self '<$base$under$file>; rel="self"';
            set $link '$self, $hub<$base$under>; rel="alternate"; type="text/html"';
        }}
    }}
}}
"""
_GUESS = """\
    if ($request_uri ~ "^((?:/(?:topics|providers)/[^/?]+)?/)(?:{files})(?:\\?|$)") {{
        return 301 $base$1{target};
    }}
"""
_MOVED = """\
    location ~ {address} {{
        if ($request_uri ~ "^/[^/]+/[^/?]+/?([^?]*)") {{
            return 301 $base{target}$1;
        }}
    }}
"""
_GONE = """\
    location ~ {address} {{
        types {{ }}
        default_type text/plain;
        return 410 "410 Gone: this feed was taken away on purpose\\n";
    }}
"""


def configuration(catalogue: Index, folder: Path, now: datetime, listen: str = "80") -> str:
    """The `server` block for a folder. Raises SiteError where nginx could not serve it."""
    config = catalogue.config
    home = urlsplit(config.base_url)
    if home.path:
        raise SiteError("nginx serves a site at the top of its host, base_url has a path")
    types = _PAGES | {form.suffix: form.content_type for form in FORMATS.values()}
    types |= {opml.FILE.partition(".")[2]: opml.CONTENT_TYPE}
    added = {**CORS, **SECURITY}
    del added[_POLICY]
    variables = ("allow", "methods", "headers", "age")
    return _SITE.format(
        listen=listen,
        host=home.hostname,
        root=_quoted(str(folder)),
        types=_lines(f"{kind} {suffix};" for suffix, kind in types.items()),
        base=_quoted(config.base_url),
        hub=_quoted(config.hub and f'<{config.hub}>; rel="hub", '),
        max_age=config.max_age,
        policy=_quoted(SECURITY[_POLICY]),
        frame=_quoted(FRAME_POLICY),
        added=_lines(
            (f"add_header {name} {_quoted(value)} always;" for name, value in added.items()), 1
        ),
        preflight=_lines(
            f"set ${variable} {_quoted(value)};"
            for variable, value in zip(variables, PREFLIGHT.values(), strict=True)
        ),
        narrowing=_NARROWING,
        guesses="".join(_guesses()),
        names="".join(_names(catalogue, now)),
        suffixes="|".join(FORMATS),
    )


def _guesses() -> Iterator[str]:
    """Where files that readers guess are."""
    for form in FORMATS.values():
        files = [re.escape(guess) for guess, name in GUESSES.items() if name == form.suffix]
        if files:
            yield _GUESS.format(files="|".join(files), target=form.file)


def _names(catalogue: Index, now: datetime) -> Iterator[str]:
    """What became of former addresses, and of those that were withdrawn."""
    kinds: tuple[Kind, ...] = ("topic", "provider")
    for kind in kinds:
        for key, name in catalogue.config.names(kind).items():
            known = {slugify(kind, slug) for slug in (key, name.slug, *name.former) if slug}
            for slug in sorted(known):
                address = _quoted(rf"^/{kind}s/{re.escape(slug)}(?:/|$)")
                selection = catalogue.resolve(kind, slug, now)
                withdrawn = selection and catalogue.config.name(selection).withdrawn
                if withdrawn or (selection is None and name.withdrawn):
                    yield _GONE.format(address=address)
                elif selection and selection.slug != slug:
                    yield _MOVED.format(address=address, target=quote(selection.path, safe="/%"))


def _lines(lines: Iterator[str], depth: int = 2) -> str:
    return "\n".join("    " * depth + line for line in lines)


def _quoted(text: str) -> str:
    """A parameter of nginx. Raises SiteError where it would be read otherwise."""
    if re.search(r"\$(?!$|\))|[\0\n\r]", text):
        raise SiteError(f"nginx cannot be told {text!r}, it has a $ or a line break")
    return '"' + text.replace('"', '\\"') + '"'
