"""Style sheets, scripts and icons, with the icon and the colour of the site's settings."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from feeds.config import Config
from feeds.pages.embedding import SCRIPT
from feeds.publish import Document

#: The folder of the files that are served under `/static/`.
STATIC = Path(__file__).parent / "static"
#: Files that are at the top of the site too, where other sites and browsers look for them.
AT_TOP = (SCRIPT, "favicon.ico", "apple-touch-icon.png")
#: Media types by the end of a file's name.
TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
}

# Dark enough to read on the light pages, and light enough on the dark ones.
_ACCENT = """
:root {{ --accent: light-dark(oklch(from {0} min(l, 0.5) c h), oklch(from {0} max(l, 0.78) c h)); }}
"""
_PNG_IN_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
    '<image width="64" height="64" href="data:image/png;base64,{}"/></svg>'
)


def assets(config: Config) -> Mapping[str, Document]:
    """Return the files under `/static/` by name; they do not change while the process runs."""
    return _assets(config.accent, config.icon)


@cache
def _assets(accent: str, icon: Path | None) -> Mapping[str, Document]:
    files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}
    if accent:
        files["style.css"] += _ACCENT.format(accent).encode()
    if icon:
        files |= _icons(icon)
    return {name: _document(name, body) for name, body in files.items()}


def _icons(path: Path) -> dict[str, bytes]:
    """Return the files that the icon of the curator replaces.

    A PNG replaces all of them, because browsers go by the bytes of a picture, not by its name.
    """
    body = path.read_bytes()
    if path.suffix.lower() == ".svg":
        return {"icon.svg": body}
    wrapped = _PNG_IN_SVG.format(b64encode(body).decode()).encode()
    return {"icon.svg": wrapped, "favicon.ico": body, "apple-touch-icon.png": body}


def _document(name: str, body: bytes) -> Document:
    kind = TYPES[name.rpartition(".")[2]]
    charset = "; charset=utf-8" if kind.startswith("text/") or kind.endswith("+xml") else ""
    return Document(body=body, content_type=kind + charset)
