"""Work spread over processes, for Python's threads share one processor."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

PROCESSORS = os.cpu_count() or 1
#: Items that a process takes at a time, and fewer of which are not worth a process.
TOGETHER, FEW = 64, 4_000

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Generator[Result, None, None]:
    """What `work` makes of each item, in their order, made by `jobs` processes.

    Few items are worth none. `work`, items and results must be fit for pickle. Raises
    ChildProcessError if a process dies; whatever ends this one ends them all.
    """
    if jobs == 1 or len(items) < FEW:
        yield from map(work, items)
        return
    # A forked process would copy locks that other threads hold.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start)
    try:
        # Ctrl-C waits until the processes are started: half of one would print its traceback.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            results = pool.map(work, items, chunksize=TOGETHER)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        yield from results
    except BrokenProcessPool as error:
        raise ChildProcessError("a process that was reading files died, try again") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    end_with_parent()
    # The garbage collector takes a fifth of the time, and finds next to nothing.
    gc.freeze()
    gc.set_threshold(100_000)


def end_with_parent() -> None:
    """End this process when its parent dies, and leave SIGINT to the parent."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    parent = parent_process()
    assert parent

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, daemon=True).start()
