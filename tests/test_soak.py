"""A short form of what `python -m tests.soak` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import soak

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_no_subscriber_loses_an_update_or_sees_an_entry_twice() -> None:
    assert soak.run(seconds=6, polls=250, seed=1) == []
