"""A short form of what `python -m tests.faults` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import faults

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_killed_processes_leave_a_sound_index_and_right_feeds() -> None:
    assert faults.run(kills=6, seed=7) == []
