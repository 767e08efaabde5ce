"""Syncs against the C loader and a bare look at the files, and the time from a save to a feed."""

from __future__ import annotations

import contextlib
import os
import random
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import yaml

from feeds.articles.folder import list_files, read_bytes
from feeds.config import Config
from feeds.index import Index
from feeds.index.sync import sync
from feeds.processes import PROCESSORS
from tests.generate import article_text, write_articles

#: Articles that the C loader reads, for it is slow and each costs the same.
LOADED = 5_000


def main(quick: bool) -> None:
    """Print one row a comparison, and the ratios with their goals."""
    count, rounds = (5_000, 1) if quick else (100_000, 5)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        write_articles(folder, count)
        print(f"{count} articles, 1 in 5 published, medians of {rounds} rounds")
        _compare_first(scratch, folder, count, rounds, quick)
        _compare_again(scratch, folder, count, rounds, quick)
        _compare_saves(scratch, folder, 3 if quick else 20, quick)


def _compare_first(scratch: str, folder: Path, count: int, rounds: int, quick: bool) -> None:
    loads, firsts, most = [], [], 0
    for number in range(rounds):
        loads.append(_timed(lambda: _load(folder)) / min(count, LOADED))
        firsts.append(_timed(lambda n=number: _index(scratch, folder, n)) / count)  # type: ignore[misc]
        # Of all processes that ended, the largest; there is one more than processors.
        most = max(most, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    _row("C loader alone, one process", loads)
    _row(f"first sync, {PROCESSORS} processors", firsts)
    rate = statistics.median(load / first for load, first in zip(loads, firsts, strict=True))
    # Few articles cost mostly what any number costs once.
    print(f"first sync, rate to the C loader's    {rate:6.2f}" + _goal(quick, "8 or more"))
    print(f"first sync, largest process           {most >> 10:6} MB")


def _index(scratch: str, folder: Path, number: int) -> None:
    """A first sync as a curator starts it."""
    settings = {"FEEDS_DATABASE": f"sqlite:///{scratch}/{number}.sqlite3"}
    command = [sys.executable, "-m", "feeds", "index", str(folder)]
    subprocess.run(command, env={**os.environ, **settings}, check=True, capture_output=True)
