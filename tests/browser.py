"""A real browser: Debian's Chromium, which notes whatever goes wrong in it."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NoReturn, Protocol

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Dialog,
        Frame,
        Page,
        Request,
        Route,
    )

#: The first starts pages three times as fast.
_NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
#: Seconds that a page gets for what it is waited for.
_PATIENCE = 10
#: Every address that is not of this machine.
_FOREIGN = re.compile(r"^(?!https?://(?:127\.0\.0\.1|localhost)[:/])")
_PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => {
  const { violatedDirective, blockedURI, sample } = event;
  reportViolation(`${violatedDirective} forbids ${blockedURI} ${sample}`);
}, true)"""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A page in a browser of its own, and what went wrong since; it may go elsewhere."""

    page: Page
    #: Dialogs, errors and warnings of the console, uncaught errors, failed and foreign
    #: requests, and what a Content-Security-Policy forbade, in every frame.
    faults: list[str] = field(default_factory=list)

    @property
    def frames(self) -> list[Frame]:
        """The page and its frames, but for those that wait to be seen: they never answer."""
        return [frame for frame in self.page.frames if frame.url]

    def settle(self) -> None:
        """Wait until `faults` has all that has happened in any frame."""
        from playwright.sync_api import Error

        deadline = time.monotonic() + _PATIENCE
        for frame in self.frames:
            settled = False
            while not settled:
                # A frame that is sent elsewhere has no context until it is there.
                frame.wait_for_load_state()
                try:
                    # What a frame reports comes in order.
                    frame.evaluate("0")
                    settled = True
                except Error:
                    # It was sent elsewhere meanwhile.
                    assert time.monotonic() < deadline


def wait_until(page: Page, script: str) -> None:
    """Wait until a script says so, asking from outside.

    A page that asks by itself, as the library would have it do, may have a policy that
    forbids it.
    """
    deadline = time.monotonic() + _PATIENCE
    while not page.evaluate(script):
        assert time.monotonic() < deadline, script
        page.wait_for_timeout(10)


class Visiting(Protocol):
    """Opens a page in a browser of its own; what goes wrong in it fails the test at its end.

    A test that expects a fault asserts it and clears `faults`.
    """

    def __call__(
        self,
        url: str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        javascript: bool = True,
    ) -> Visit: ...


#: Serves HTML, one page or several by path, from an origin of its own; returns its address.
Hosting = Callable[[str | dict[str, str]], str]


def missing(what: str) -> NoReturn:
    """Skip a test whose tool is missing; in the gate, fail it."""
    refuse = pytest.fail if os.environ.get("CI") else pytest.skip
    refuse(f"no browser to test in, {what}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of a module: no event loop of it runs beside other tests."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("run pip install -e '.[test]'")
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        missing("run apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        # Belt and braces: nothing here needs a network.
        only_here = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=found, args=[only_here])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visiting]:
    """Opens pages until the test ends."""
    visits: list[Visit] = []

    def start(
        url: str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        javascript: bool = True,
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
            locale="en-US",
        )
        context.set_default_timeout(1000 * _PATIENCE)
        visit = Visit(page=context.new_page())
        visits.append(visit)
        _note_faults(context, visit.faults.append)
        visit.page.goto(url)
        return visit

    yield start
    for each in visits:
        each.settle()
    # Whatever is under way fails as its page closes, which is no fault.
    faults = [fault for each in visits for fault in each.faults]
    for each in visits:
        each.page.context.unroute_all(behavior="ignoreErrors")
        each.page.context.close()
    assert not faults, "\n".join(faults)


def _note_faults(context: BrowserContext, note: Callable[[str], None]) -> None:
    def dialog_opened(dialog: Dialog) -> None:
        note(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def logged(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            note(f"{message.type}: {message.text}")

    def failed(request: Request) -> None:
        # What a page aborts itself is no fault, and `answer` has noted the foreign.
        if request.failure not in ("net::ERR_ABORTED", "net::ERR_BLOCKED_BY_CLIENT"):
            note(f"failed: {request.url} {request.failure}")

    def answer(route: Route, request: Request) -> None:
        if request.resource_type == "image":
            route.fulfill(body=_PNG, content_type="image/png")
        else:
            note(f"foreign: {request.resource_type} {request.url}")
            route.abort("blockedbyclient")

    context.on("dialog", dialog_opened)
    context.on("console", logged)
    context.on("weberror", lambda thrown: note(f"uncaught: {thrown.error}"))
    context.on("requestfailed", failed)
    context.route(_FOREIGN, answer)
    context.expose_binding(
        "reportViolation", lambda source, what: note(f"policy of {source['frame'].url}: {what}")
    )
    context.add_init_script(_REPORT_VIOLATIONS)


@pytest.fixture
def host() -> Iterator[Hosting]:
    """Serves other people's sites until the test ends."""
    servers: list[ThreadingHTTPServer] = []

    def start(html: str | dict[str, str]) -> str:
        pages = {"/": html} if isinstance(html, str) else html

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path.partition("?")[0])
                body = (page or "").encode()
                self.send_response(404 if page is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        # Another site than 127.0.0.1 to the browser, not just another origin.
        return f"http://localhost:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def accessibility_faults(page: Page, *rules: str) -> list[str]:
    """Each rule of axe that the page as it stands breaks, of these or of all, and where."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("run pip install -e '.[test]'")
    only = {"runOnly": [*rules]} if rules else {}
    violations = (
        Axe().run(page, options={"resultTypes": ["violations"], **only}).response["violations"]
    )
    return [
        f"{broken['id']}: {broken['help']}: {node['html']}"
        for broken in violations
        for node in broken["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    element = "document.scrollingElement"
    return int(page.evaluate(f"{element}.scrollWidth - {element}.clientWidth"))
