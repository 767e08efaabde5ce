"""Publishes a folder of articles as feeds, one for each topic and provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from feeds.config import Config

__all__ = ["create_app"]


def create_app(config: Config | None = None) -> Flask:
    """Return the WSGI application; see `feeds.web.create_app`."""
    # Not with this module: processes that only read articles need no web server.
    from feeds.web import create_app

    return create_app(config)
