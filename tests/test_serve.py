"""The real command in a process of its own, and the clients that subscribe to it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest
import reader
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.http import parse_date

from feeds.config import Config
from feeds.formats import FORMATS
from tests.process import Process
from tests.support import BASE, SEEDS, Collection, Site, article

STOCKTAKE = "Police 'stocktake' surveillance tech after Clearview AI facial recognition trial"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts servers, and stops those that the test leaves."""
    started: list[Process] = []

    def begin(folder: Path, *options: str, **settings: str) -> Process:
        started.append(Process(folder, *options, **settings))
        return started[-1]

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.stop()


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A copy of the seeds to edit."""
    folder = tmp_path / "seeds"
    shutil.copytree(SEEDS, folder)
    return folder


def test_subscriber_of_each_format_sees_the_story_and_its_update_once(
    start: Callable[..., Process], seeds: Path
) -> None:
    server = start(seeds)
    addresses = [f"{server.base}/topics/ai/feed.{suffix}" for suffix in FORMATS]
    with reader.make_reader(":memory:") as client:
        for address in addresses:
            client.add_feed(address)
        client.update_feeds()
        before = {entry.feed_url: entry for entry in client.get_entries()}
        assert len(before) == client.get_entry_counts().total == len(FORMATS)
        for address in addresses:
            entry, feed = before[address], client.get_feed(address)
            assert (entry.title, entry.authors_str) == (STOCKTAKE, "rnz")
            assert (feed.title, feed.link) == ("AI · News", f"{server.base}/topics/ai/")

        path = next(seeds.glob("000_*"))
        path.write_text(path.read_text().replace("has ordered a stocktake", "orders a stocktake"))
        server.wait_until(lambda: "orders a stocktake" in server.get("/feed.atom").text)
        for address in addresses:
            assert _update(client, address) == (0, 1)
            [entry] = client.get_entries(feed=address)
            assert entry.id == before[address].id
            assert "orders a stocktake" in (entry.summary or "")
            assert _update(client, address) == (0, 0)


def _update(client: reader.Reader, address: str) -> tuple[int, int]:
    """How many entries an update found new and modified."""
    result = client.update_feed(address)
    return (result.new, result.modified) if result else (0, 0)


def test_saved_file_is_on_the_wire_within_a_second(
    start: Callable[..., Process], seeds: Path
) -> None:
    server = start(seeds)
    waits = []
    for title in ("Saved once", "Saved twice"):
        time.sleep(1.2)  # the change before lies in another second
        (seeds / "new.md").write_text(article(title))
        waits.append(server.wait_until(partial(_shows, server, title)))
    # The quickest, for the machine may be busy with something else.
    assert min(waits) < 1


def _shows(server: Process, title: str) -> bool:
    return title in server.get("/feed.atom").text


def test_every_worker_gives_the_same_bytes(start: Callable[..., Process], seeds: Path) -> None:
    server = start(seeds, "--workers", "2")
    seen = set()
    for _ in range(20):  # a new connection each time, so that both workers answer
        response = server.get("/feed.atom")
        headers = response.headers
        seen.add((response.content, headers["ETag"], headers["Last-Modified"]))
    assert len(seen) == 1


def scrape(server: Process) -> dict[tuple[str, str], float]:
    """What the metrics say of requests by kind and status, and of syncs."""
    families = text_string_to_metric_families(server.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {
        (s.name, "".join(map(s.labels.get, ("kind", "status"), "  "))): s.value for s in samples
    }


def test_metrics_add_up_what_all_processes_count(
    start: Callable[..., Process], seeds: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    server = start(seeds, "--workers", "2", FEEDS_METRICS="127.0.0.1", TMPDIR=str(shared))
    answers: list[int] = []
    paths: list[Path] = []

    def both_workers_answered() -> bool:
        # Requests at the same time: of single ones, the same worker may take all.
        with ThreadPoolExecutor(8) as threads:
            answers.extend(threads.map(lambda _: server.get("/feed.atom").status_code, range(16)))
        paths[:] = shared.glob("feeds-metrics-*/counter_*.db")
        return len(paths) == 2

    server.wait_until(both_workers_answered)
    assert {*answers} == {200}
    counter = ("feeds_requests_total", "site200")
    server.wait_until(lambda: scrape(server).get(counter) == len(answers))
    (seeds / "new.md").write_text(article("Just saved"))
    server.wait_until(lambda: scrape(server)["feeds_sync_seconds_count", "  "] >= 3)
    # What a worker counted stays when it dies.
    os.kill(int(paths[0].stem.removeprefix("counter_")), signal.SIGKILL)
    server.wait_until(
        lambda: bool(scrape(server)) and len(list(shared.glob("*/counter_*.db"))) == 3
    )
    assert scrape(server)[counter] >= len(answers)
    server.stop()
    assert list(shared.iterdir()) == []


def test_restart_moves_no_validator(start: Callable[..., Process], seeds: Path) -> None:
    database = f"sqlite:///{seeds.parent}/kept.sqlite3"
    base = {"FEEDS_DATABASE": database, "FEEDS_BASE_URL": "https://news.example"}
    seen = set()
    for _ in range(2):
        server = start(seeds, **base)
        headers = server.get("/topics/ai/feed.atom").headers
        seen.add((headers["ETag"], headers["Last-Modified"]))
        server.stop()
    assert len(seen) == 1


def make_older(database: Path) -> None:
    """Make an index look like one of an older version, which had other tables."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for index in ("newest", "hottest"):
            connection.execute(f"DROP INDEX entries_{index}")
        connection.execute("ALTER TABLE entries DROP COLUMN heat")
        connection.execute("ALTER TABLE meta RENAME TO state")
        connection.execute("UPDATE state SET version = version - 1")
        connection.commit()


def test_upgrade_goes_unnoticed_by_subscribers(start: Callable[..., Process], seeds: Path) -> None:
    database = seeds.parent / "kept.sqlite3"
    settings = {"FEEDS_DATABASE": f"sqlite:///{database}", "FEEDS_BASE_URL": "https://news.example"}
    paths = ("/topics/ai/feed.atom", "/feed.json?limit=1", "/archive/2020-05.rss", "/feeds.opml")
    server = start(seeds, **settings)
    before = [server.get(path) for path in paths]
    server.stop()
    make_older(database)
    server = start(seeds, "--workers", "2", **settings)
    for path, old in zip(paths, before, strict=True):
        new = server.get(path)
        assert (new.status_code, new.content) == (200, old.content)
        assert new.headers["ETag"] == old.headers["ETag"]
        moved = [parse_date(answer.headers["Last-Modified"]) for answer in (old, new)]
        assert moved[0] and moved[1] and moved[0] <= moved[1]
        validators = {
            "If-None-Match": old.headers["ETag"],
            "If-Modified-Since": old.headers["Last-Modified"],
        }
        assert httpx.get(server.base + path, headers=validators).status_code == 304
    assert "5 added, 0 changed, 0 removed." in server.stop()


def test_fresh_indexes_give_the_same_bytes_in_every_process(
    start: Callable[..., Process], serve: Callable[[Collection], Site], seeds: Path, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/other.sqlite3"
    config = Config(articles=seeds, database=database, base_url=BASE)
    here, there = serve(Collection(seeds, config)), start(seeds, FEEDS_BASE_URL=BASE)
    for path in ("/feed.atom", "/topics/ai/feed.atom", "/providers/rnz.co.nz/feed.atom"):
        one, other = here.get(path), there.get(path)
        assert (one.content, one.headers["ETag"]) == (other.content, other.headers["ETag"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_it_cleanly(
    start: Callable[..., Process], seeds: Path, number: signal.Signals
) -> None:
    (seeds / "bad.md").write_text("nothing")
    server = start(seeds)
    output = server.stop(number)
    assert server.popen.returncode == 0
    assert output.splitlines() == [
        "bad.md:1: no front matter, begin the file with a line '---'",
        "6 added, 0 changed, 0 removed.",
        "6 articles: 1 public, 4 not published, 1 at fault.",
        f"The feeds of {seeds} are listed at {server.base}/",
        f"  {server.base}/feed.atom",
        f"  {server.base}/topics/ai/feed.atom",
        f"  {server.base}/topics/computer-vision/feed.atom",
        f"  {server.base}/providers/rnz.co.nz/feed.atom",
    ]


def are_deaf(server: Process, count: int) -> bool:
    """Whether so many workers serve, and block SIGINT.

    Before it serves, one has two threads: one of them waits for its parent to end.
    """
    found = 0
    for worker in server.workers():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines = Path(f"/proc/{worker}/status").read_text().splitlines()
            status = dict(line.split(":\t", 1) for line in lines)
            blocked = int(status["SigBlk"], 16) >> (signal.SIGINT - 1) & 1
            found += int(status["Threads"]) > 2 and blocked
    return found == count


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_interrupt_from_the_terminal_stops_every_worker(
    start: Callable[..., Process], seeds: Path
) -> None:
    server = start(seeds, "--workers", "2")
    server.wait_until(partial(are_deaf, server, 2))
    os.killpg(server.popen.pid, signal.SIGINT)
    # Well before the five seconds after which a worker that hangs is killed.
    server.wait(4)
    assert server.popen.returncode == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_workers_end_with_a_parent_that_is_killed(
    start: Callable[..., Process], seeds: Path
) -> None:
    server = start(seeds, "--workers", "2")
    server.wait_until(partial(are_deaf, server, 2))
    workers = server.workers()
    server.stop(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    # And another takes the port.
    socket.create_server(("127.0.0.1", server.port)).close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_worker_that_is_killed_is_replaced(start: Callable[..., Process], seeds: Path) -> None:
    server = start(seeds)
    [killed] = server.workers()
    os.kill(killed, signal.SIGKILL)
    server.wait_until(lambda: server.workers() not in ([], [killed]))
    server.wait_until(lambda: server.get("/feed.atom").status_code == 200)


def kill(processes: set[int]) -> set[int]:
    for process in processes:
        os.kill(process, signal.SIGKILL)
    return processes


def are_replaced(server: Process, killed: set[int], count: int) -> bool:
    """Whether workers have died, and so many are there again at least."""
    return not killed & set(server.workers()) and len(server.workers()) >= count


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_workers_that_die_again_and_again_are_replaced_while_the_site_answers(
    start: Callable[..., Process], seeds: Path
) -> None:
    server = start(seeds, "--workers", "2")
    server.wait_until(lambda: len(server.workers()) == 2)
    healthy, *_ = server.workers()
    for _ in range(4):
        killed = kill(set(server.workers()) - {healthy})
        server.wait_until(partial(are_replaced, server, killed, 2))
        assert server.get("/feed.atom").status_code == 200
    killed = kill(set(server.workers()))
    server.wait_until(partial(are_replaced, server, killed, 0))
    # Where no worker is left, clients wait for the next one.
    assert server.get("/feed.atom").status_code == 200
    server.wait_until(partial(are_replaced, server, killed, 2))
    server.stop()
    assert server.popen.returncode == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_process_that_follows_the_folder_is_replaced(
    start: Callable[..., Process], seeds: Path
) -> None:
    server = start(seeds)
    workers = server.workers()
    os.kill(server.follower(), signal.SIGBUS)
    (seeds / "new.md").write_text(article("Just saved"))
    server.wait_until(lambda: "Just saved" in server.get("/feed.atom").text)
    assert server.workers() == workers
    assert "the process that follows the folder died" in server.stop()


def test_host_that_is_listened_on_is_answered(start: Callable[..., Process], seeds: Path) -> None:
    server = start(seeds, "--host", "127.0.0.2", host="127.0.0.2")
    response = server.get("/feed.atom")
    assert response.status_code == 200
    assert f'href="http://127.0.0.2:{server.port}/feed.atom"' in response.text
    assert f"are listed at http://127.0.0.2:{server.port}/\n" in server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_on_every_host_says_what_others_need(
    start: Callable[..., Process], seeds: Path, host: str
) -> None:
    output = start(seeds, "--host", host).stop()
    assert re.search(r"are listed at http://localhost:\d+/$", output, re.M)
    assert "Set 'base_url' to serve other machines: until then they are refused.\n" in output


def test_many_feeds_are_not_all_printed(start: Callable[..., Process], tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "one.md").write_text(article(topics=tuple(f"Topic {n}" for n in range(20))))
    server = start(folder, FEEDS_BASE_URL="https://news.example")
    output = server.stop()
    assert output.count("feed.atom") == 10
    assert "  and 12 more\n" in output
    assert "Set 'id' before anybody subscribes" in output


def test_change_is_logged_with_its_time(start: Callable[..., Process], seeds: Path) -> None:
    server = start(seeds)
    (seeds / "new.md").write_text(article("Just saved"))
    server.wait_until(lambda: "Just saved" in server.get("/feed.atom").text)
    output = server.stop()
    assert re.search(r"^\d\d:\d\d:\d\d new\.md: 3 feeds changed$", output, re.M)


def test_log_of_every_process_is_for_programs_where_the_settings_say_so(
    start: Callable[..., Process], seeds: Path
) -> None:
    (seeds / "bad.md").write_text("nothing")
    server = start(seeds, FEEDS_LOG="json", FEEDS_ACCESS_LOG="true")
    missed = server.get("/nowhere")
    (seeds / "new.md").write_text(article("Just saved"))
    server.wait_until(lambda: "Just saved" in server.get("/feed.atom").text)
    records = [json.loads(line) for line in server.stop().splitlines() if line[0] in '{"']
    assert {line["level"] for line in records} == {"info", "warning"}
    assert [line["message"] for line in records if "status" not in line] == [
        "bad.md:1: no front matter, begin the file with a line '---'",
        "000_83583677ea886637.txt: 4 feeds changed",
        "new.md: 3 feeds changed",
    ]
    (answer,) = [line for line in records if line.get("status") == 404]
    assert answer["request"] == missed.headers["X-Request-Id"]
    assert "127.0.0.1" not in json.dumps(records)


def test_last_of_several_header_fields_names_the_client(
    start: Callable[..., Process], seeds: Path
) -> None:
    server = start(seeds, FEEDS_PROXIES="127.0.0.0/8", FEEDS_RATE_LIMIT="2")

    def ask(*forwarded: str) -> int:
        fields = [("X-Forwarded-For", address) for address in forwarded]
        return httpx.get(server.base + "/feed.atom", headers=fields).status_code

    assert [ask(f"6.6.6.{number}", "203.0.113.5") for number in range(3)] == [200, 200, 429]
    assert ask("203.0.113.5", "203.0.113.6") == 200


def test_any_wsgi_server_serves_it(seeds: Path, tmp_path: Path) -> None:
    """`wsgi.py` under Granian's own command, with no index yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    environment = {
        **os.environ,
        "FEEDS_ARTICLES": str(seeds),
        "FEEDS_DATABASE": f"sqlite:///{tmp_path}/fresh.sqlite3",
    }
    popen = subprocess.Popen(
        [*command, "wsgi:app"],
        cwd=SEEDS.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                response = httpx.get(f"http://localhost:{port}/topics/ai/feed.atom", verify=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert response.status_code == 200
        assert "stocktake" in response.text
    finally:
        popen.terminate()
        popen.wait(20)


def test_default_settings_serve_the_seeds() -> None:
    assert Config().articles == Path("seeds")
