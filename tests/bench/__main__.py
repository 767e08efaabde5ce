"""Compares with peers, in turn, in one run: medians over the rounds, ratios and goals.

python -m tests.bench [--quick]
"""

from __future__ import annotations

import argparse

from tests.bench import finding, serving, syncing

parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
parser.add_argument("--quick", action="store_true", help="few articles, one round")
quick = parser.parse_args().quick
for part in (syncing, finding, serving):
    part.main(quick)
    print()
