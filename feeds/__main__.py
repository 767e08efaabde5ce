"""The command `feeds`, which is `python -m feeds` too."""


def main() -> None:
    """Run the command line."""
    # Not with this module: each process that multiprocessing spawns imports it again, and
    # those that read articles need no commands.
    from feeds.cli import main

    main()


if __name__ == "__main__":
    main()
