"""Ours against its peers, in turn and in the same run.

Run from the root of the project with the extra `bench` installed:
`python -m tests.bench [--quick] [PART ...]`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench import building, finding, rendering, searching, serving, syncing
from tests.bench.bulk import Indexes
from tests.bench.table import print_rows

PARTS = {
    "serving": serving,
    "rendering": rendering,
    "finding": finding,
    "searching": searching,
    "syncing": syncing,
    "building": building,
}

parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
parser.add_argument("--quick", action="store_true", help="few articles, one round")
parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
arguments = parser.parse_args()
with tempfile.TemporaryDirectory(prefix="feeds-bench-") as scratch:
    indexes = Indexes(Path(scratch), large=2_000 if arguments.quick else 1_000_000)
    for name in arguments.parts or PARTS:
        for title, rows in PARTS[name].measure(indexes, arguments.quick):
            print_rows(title, rows)
