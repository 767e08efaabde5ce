"""Work spread over processes, for Python's threads share one processor."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from queue import SimpleQueue
from typing import TypeVar

PROCESSORS = os.cpu_count() or 1
#: Items that a process takes at a time, and fewer of which are not worth a process.
TOGETHER, FEW = 64, 4_000
#: Answers that wait for their turn, for each process.
_AHEAD = 4

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
    with ExitStack() as stack:
        idle: SimpleQueue[Connection] = SimpleQueue()
        for _ in range(jobs):
            idle.put(stack.enter_context(_process(work)))
        # A thread waits for each process; on the way out they end first.
        threads = ThreadPoolExecutor(jobs)
        stack.callback(threads.shutdown, cancel_futures=True)
        waiting: deque[Future[list[Result]]] = deque()
        for start in range(0, len(items), TOGETHER):
            waiting.append(threads.submit(_ask, idle, items[start : start + TOGETHER]))
            if len(waiting) > _AHEAD * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


@contextmanager
def _process(work: Callable[[Item], Result]) -> Iterator[Connection]:
    """A process that answers until the connection is closed, by whatever.

    It imports nothing of the program that runs, shares no lock with its threads, and
    is in a session of its own: Ctrl-C ends it by way of this process.
    """
    ours, theirs = Pipe()
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "feeds.processes", str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            _send(ours, work)
            yield ours
        finally:
            ours.close()
            process.wait()


def _ask(idle: SimpleQueue[Connection], items: Sequence[Item]) -> list[Result]:
    connection = idle.get()
    try:
        _send(connection, items)
        results: list[Result] = pickle.loads(connection.recv_bytes())
        return results
    except (EOFError, OSError) as error:
        raise ChildProcessError("a process that was reading files died, try again") from error
    finally:
        idle.put(connection)


def _send(connection: Connection, value: object) -> None:
    connection.send_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def answer(connection: Connection) -> None:
    """Be such a process."""
    # The collector takes a fifth of the time, and finds next to nothing.
    gc.freeze()
    gc.set_threshold(100_000)
    # Until nobody listens any more.
    with suppress(EOFError, ConnectionError):
        work = pickle.loads(connection.recv_bytes())
        while True:
            _send(connection, [work(item) for item in pickle.loads(connection.recv_bytes())])


if __name__ == "__main__":
    answer(Connection(int(sys.argv[1])))
