"""Work in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from feeds import processes
from feeds.index.survey import public_feeds
from feeds.index.sync import sync
from feeds.processes import MIN_ITEMS, spread
from tests.support import NOW, Collection, article

#: What `eval` makes of it is told by the process that does.
WHO = "__import__('os').getpid()"


def is_there(process: int) -> bool:
    """Whether a process still runs."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in listed.split()]


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(spread(str, range(MIN_ITEMS + 7), 2)) == [str(n) for n in range(MIN_ITEMS + 7)]


def meet(folder: Path) -> int:
    """Wait until another process is here too; the number of this one."""
    (folder / str(os.getpid())).touch()
    wait_until(lambda: len(list(folder.iterdir())) > 1)
    return os.getpid()


def test_many_items_are_shared_and_the_processes_end(tmp_path: Path) -> None:
    workers = set(spread(meet, [tmp_path] * MIN_ITEMS, 2))
    assert len(workers) == 2 and os.getpid() not in workers
    assert not any(map(is_there, workers))


@pytest.mark.parametrize(("count", "jobs"), [(MIN_ITEMS - 1, 2), (MIN_ITEMS, 1)])
def test_few_items_or_one_processor_start_no_process(count: int, jobs: int) -> None:
    assert set(spread(eval, [WHO] * count, jobs)) == {os.getpid()}


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns as often as they can, so that what two do at once is met."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("attempt", range(5))
def test_process_that_dies_is_an_error(attempt: int, hasty_threads: None) -> None:
    # An exception in a thread of the pool fails the test too.
    with pytest.raises(ChildProcessError, match="a process that was reading files died"):
        list(spread(os._exit, range(MIN_ITEMS), 2))


def test_closed_generator_ends_its_processes() -> None:
    results = spread(eval, [WHO] * MIN_ITEMS, 2)
    worker = next(results)
    assert is_there(worker)
    results.close()
    assert not is_there(worker)


def test_processes_end_with_the_one_that_started_them() -> None:
    code = (
        "import sys, time; from feeds.processes import *\n"
        "made = spread(eval, [sys.argv[1]] * MIN_ITEMS, 2)\n"
        "print(next(made), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, WHO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        assert is_there(worker)
        parent.kill()
    wait_until(lambda: not is_there(worker))


def test_ctrl_c_ends_a_first_sync_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(MIN_ITEMS + 2000):
        (folder / f"{number}.md").write_text(article(f"A {number}"))
    environment = {**os.environ, "FEEDS_DATABASE": f"sqlite:///{tmp_path}/x.sqlite3"}
    command = [sys.executable, "-m", "feeds", "index", str(folder)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: len(children(process.pid)) >= min(2, processes.PROCESSORS))
        workers = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, output = process.communicate(timeout=60)
    assert process.returncode == 1 and output.strip() == "Aborted!"
    wait_until(lambda: not any(map(is_there, workers)))


def test_processes_that_read_files_import_no_more_than_they_need() -> None:
    # Each of them imports the module of the command too.
    code = "import sys, feeds.__main__, feeds.indexed; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert not {"click", "flask", "sqlalchemy", "werkzeug"} & set(imported.split())


def test_several_processes_make_the_same_index(
    make_collection: Callable[..., Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.index.sync.spread", partial(spread, min_items=20))
    one, two = make_collection("one"), make_collection("two")
    for collection in (one, two):
        for number in range(200):
            topics = (f"T {number % 7}", f"t {number % 5}")
            published = ("true", "true", "no", "false")[number % 4]
            text = article(f"A {number}", topics=topics, published=published)
            collection.write(f"{number}.md", text if number % 9 else text[:40])
    reports = [sync(one.index, one.folder, NOW)]
    reports.append(sync(two.index, two.folder, NOW, jobs=2))
    assert [str(fault) for fault in reports[0].faults] == [str(f) for f in reports[1].faults]
    assert reports[0].added == reports[1].added == 200
    assert public_feeds(one.index) == public_feeds(two.index)
