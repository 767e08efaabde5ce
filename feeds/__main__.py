"""`python -m feeds`: the command line."""

from feeds.cli import main

main(prog_name="python -m feeds")
