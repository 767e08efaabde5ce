"""Behaviour over real HTTP."""

from __future__ import annotations

from support import Site


def test_feed_is_served(site: Site) -> None:
    response = site.get("/topics/ai/feed.atom")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
