"""Work that several processes share, because the threads of Python share one processor."""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

PROCESSORS = os.cpu_count() or 1
#: Items that a process takes at a time.
ITEMS_PER_TASK = 32
#: Fewer files to read are not worth the start of a process.
MIN_ITEMS = 4_000

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    *,
    min_items: int = MIN_ITEMS,
    prepare: Callable[[], None] | None = None,
) -> Generator[Result, None, None]:
    """Yield the result of `work` for each item, in their order, from `jobs` processes.

    Fewer than `min_items` are worked on in this process. Each other process calls `prepare`
    first. All of these must be picklable. The processes end with this one, however it ends.
    Raises ChildProcessError if one of them dies.
    """
    if jobs == 1 or len(items) < min_items:
        yield from map(work, items)
        return
    # A forked process would inherit locks that other threads hold, and database connections.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, (prepare,))
    try:
        # Ctrl-C waits until the processes are started, or some of them would print tracebacks.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            # Not pool.map: when a process dies it cancels what is left at the same moment as the
            # pool says of it that it failed, and the pool does not survive that (CPython 3.11).
            tasks = deque(
                pool.submit(_work_on, work, items[start : start + ITEMS_PER_TASK])
                for start in range(0, len(items), ITEMS_PER_TASK)
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        while tasks:
            yield from tasks.popleft().result()
    except BrokenProcessPool as error:
        raise ChildProcessError("a process that was reading files died, try again") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _work_on(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return list(map(work, items))


def _start(prepare: Callable[[], None] | None) -> None:
    end_with_parent()
    # The garbage collector takes a tenth of the time, and finds nothing.
    gc.set_threshold(100_000)
    if prepare:
        prepare()


def end_with_parent() -> None:
    """End this process when its parent dies, and leave SIGINT to the parent."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    parent = parent_process()
    assert parent

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, daemon=True).start()
