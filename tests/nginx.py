"""A real nginx over a built site: Debian's package, in a folder of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MAIN = """\
daemon off;
pid {scratch}/pid;
error_log {scratch}/error.log;
worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    include {scratch}/site.conf;
}}
"""


def find_nginx() -> str | None:
    """Where it is."""
    # Debian's PATH of plain users lacks the folder where it is.
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextmanager
def serving(
    scratch: Path, configure: Callable[[str], str], before: tuple[str, ...] = ()
) -> Iterator[int]:
    """The port of a server; what it serves is configured for where it listens.

    `before` is put before its command.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    (scratch / "site.conf").write_text(configure(f"127.0.0.1:{port}"), encoding="utf-8")
    (scratch / "nginx.conf").write_text(_MAIN.format(scratch=scratch))
    # Its workers are of another user where it runs as root.
    for each in (scratch, *scratch.parents[:3]):
        each.chmod(0o755)
    log = scratch / "error.log"
    command = [*before, find_nginx() or "nginx", "-p", str(scratch), "-e", str(log)]
    process = subprocess.Popen([*command, "-c", str(scratch / "nginx.conf")])
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)
