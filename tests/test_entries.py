"""Tests of the cache of written entries."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from feeds.formats.entries import cache_entries


@pytest.mark.parametrize("kind", [bytes, msgspec.Raw])
def test_entries_are_written_once_while_there_is_room(
    monkeypatch: pytest.MonkeyPatch, kind: type
) -> None:
    monkeypatch.setattr("feeds.formats.entries.MAX_CACHED_BYTES", 100)
    written: list[int] = []

    def write(size: Any) -> Any:
        written.append(size)
        return kind(b"x" * size)

    known: Any = cache_entries(write)
    for size in (20, 20, 20, 51, 51, 20, 10, 20, 21, 20, 10):
        assert known(size) == kind(b"x" * size)
    # 51 has no room; 21 takes that of 10, which was asked for least lately.
    assert written == [20, 51, 51, 10, 21, 10]
