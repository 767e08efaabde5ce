"""What the application and a built site have in common over HTTP."""

from __future__ import annotations

import gzip

import brotli

#: What every response says to browsers.
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https:;"
        " connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'self'"
    ),
}
#: A frame is for every site, and loads nothing but pictures and what is ours.
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
#: Files that readers guess, and the format meant.
GUESSES = dict.fromkeys(("atom.xml", "feed.xml", "feed", "feed/"), "atom") | {"rss.xml": "rss"}


def compress(body: bytes, coding: str) -> bytes:
    """A body in the content coding `br` or `gzip`, the same bytes in every process."""
    if coding == "gzip":
        return gzip.compress(body, 6, mtime=0)
    compressed: bytes = brotli.compress(body, quality=5)
    return compressed
