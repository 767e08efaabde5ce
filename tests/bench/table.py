"""The rows of the benchmark's one table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One comparison: what was measured, by us and by a peer in the same run."""

    what: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    #: What the ratio, or our figure where there is none, should be.
    goal: str = ""


def timed(work: Callable[[], object]) -> float:
    """The seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """The median of the ratios of measurements that were taken in turn."""
    return statistics.median(one / other for one, other in zip(ours, peers, strict=True))


def print_rows(title: str, rows: Sequence[Row]) -> None:
    """Print a part of the table."""
    print(f"\n{title}")
    print(f"  {'':40} {'ours':>12}  {'peer':36} {'ratio':>7}  goal".rstrip())
    for row in rows:
        shown = "" if row.ratio is None else f"{row.ratio:.3g}"
        print(f"  {row.what:40} {row.ours:>12}  {row.peer:36} {shown:>7}  {row.goal}".rstrip())
