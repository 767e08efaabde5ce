"""Publishes a folder of articles as Atom feeds, one for each topic and provider."""

from feeds.web import create_app

__all__ = ["create_app"]
