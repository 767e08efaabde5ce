"""The headers and the compression that the application and a static site share."""

from __future__ import annotations

import gzip

import brotli

#: Headers of every response, for browsers.
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https:;"
        " connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'self'"
    ),
}
#: Any site may show a frame, and a frame loads pictures and files of this site only.
FRAME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src https:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors *"
)
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link",
}
PREFLIGHT = {
    "Allow": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "A-IM, If-Modified-Since, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
#: File names that feed readers guess, and the format that they mean; each may end in a slash.
GUESSES = dict.fromkeys(("atom", "atom.xml", "feed", "feed.xml"), "atom") | dict.fromkeys(
    # Hugo calls its RSS feeds `index.xml`.
    ("rss", "rss.xml", "index.xml"),
    "rss",
)


def compress(body: bytes, coding: str) -> bytes:
    """Return a body in the content coding `br` or `gzip`, the same bytes in every process."""
    if coding == "gzip":
        return gzip.compress(body, 6, mtime=0)
    compressed: bytes = brotli.compress(body, quality=5)
    return compressed
