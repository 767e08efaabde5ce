"""A hub and a subscriber by the text of the W3C's WebSub, over real HTTP."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx


class Served:
    """An HTTP server of this machine in threads."""

    def __init__(self, port: int = 0) -> None:
        part = self
        #: The target of each request.
        self.requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                part.requests.append(self.path)
                part.get(self)

            def do_POST(self) -> None:
                part.requests.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                part.post(self, body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        answer(request, 404)

    def post(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        answer(request, 404)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Answer a request."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


class Ping(NamedTuple):
    """What a publisher said, when and how."""

    topic: str
    at: float
    headers: dict[str, str]


@dataclass
class Subscription:
    """Who is told of a topic."""

    topic: str
    callback: str
    secret: str


@dataclass
class Trouble:
    """How the hub answers a ping; `seconds` are how long it takes."""

    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0


class Hub(Served):
    """A hub: the next pings meet its `troubles`, in order; all others are taken."""

    def __init__(self, port: int = 0) -> None:
        self.pings: list[Ping] = []
        #: Those that were not taken.
        self.refused: list[Ping] = []
        self.troubles: list[Trouble | None] = []
        self.always: Trouble | None = None
        self.subscriptions: list[Subscription] = []
        #: Topics that were not there when it came for them.
        self.missing: list[str] = []
        #: The most pings that were answered at once.
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        super().__init__(port)

    @property
    def topics(self) -> list[str]:
        """What it was told of, in order."""
        return [ping.topic for ping in self.pings]

    def post(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        params = {name: values for name, values in parse_qs(body.decode()).items()}
        if request.headers["Content-Type"] != "application/x-www-form-urlencoded":
            answer(request, 400)
        elif params["hub.mode"] == ["publish"]:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            self._publish(request, params)
        else:
            self._subscribe(request, params)

    def _publish(self, request: BaseHTTPRequestHandler, params: dict[str, list[str]]) -> None:
        assert params["hub.url"] == params["hub.topic"]
        (topic,) = params["hub.url"]
        ping = Ping(topic, time.time(), dict(request.headers.items()))
        trouble = self.troubles.pop(0) if self.troubles else self.always
        if trouble:
            self.refused.append(ping)
            time.sleep(trouble.seconds)
        else:
            self.pings.append(ping)
        with self._lock:
            self._now -= 1
        if trouble:
            if trouble.status:
                answer(request, trouble.status, headers=trouble.headers)
            return
        answer(request, 202)
        try:
            found = httpx.get(topic, timeout=10, verify=False).raise_for_status()
        except httpx.HTTPError:
            self.missing.append(topic)
            return
        for subscription in self.subscriptions:
            if subscription.topic == topic:
                self._distribute(subscription, found)

    def _subscribe(self, request: BaseHTTPRequestHandler, params: dict[str, list[str]]) -> None:
        """Verify that the subscriber wants it (section 5.3)."""
        (mode,), (topic,), (callback,) = (params[f"hub.{n}"] for n in ("mode", "topic", "callback"))
        challenge = secrets.token_urlsafe()
        values = {"mode": mode, "topic": topic, "challenge": challenge, "lease_seconds": "600"}
        query = urlencode({f"hub.{name}": value for name, value in values.items()})
        verified = httpx.get(f"{callback}?{query}", timeout=10, verify=False)
        if verified.is_success and verified.text == challenge:
            (secret,) = params.get("hub.secret", [""])
            self.subscriptions.append(Subscription(topic, callback, secret))
        answer(request, 202)

    def _distribute(self, subscription: Subscription, found: httpx.Response) -> None:
        """Send the content, signed (sections 7 and 7.1)."""
        links = f'<{self.url}>; rel="hub", <{subscription.topic}>; rel="self"'
        headers = {"Link": links, "Content-Type": found.headers["Content-Type"]}
        if subscription.secret:
            digest = hmac.new(subscription.secret.encode(), found.content, hashlib.sha256)
            headers["X-Hub-Signature"] = f"sha256={digest.hexdigest()}"
        httpx.post(subscription.callback, content=found.content, headers=headers, timeout=10)


class Subscriber(Served):
    """A subscriber that finds the hub in a feed's Link header (section 4)."""

    def __init__(self) -> None:
        #: Each topic's last content, with the time at which it came.
        self.content: dict[str, tuple[bytes, float]] = {}
        self.secret = secrets.token_hex()
        self._wanted: list[str] = []
        super().__init__()

    def subscribe(self, feed: str) -> str:
        """The topic that the hub sends from now on."""
        links = httpx.get(feed).links
        topic = links["self"]["url"]
        self._wanted.append(topic)
        params = {
            "hub.mode": "subscribe",
            "hub.topic": topic,
            "hub.callback": self.url,
            "hub.secret": self.secret,
        }
        assert httpx.post(links["hub"]["url"], data=params).status_code == 202
        return topic

    def has(self, title: str, suffixes: Collection[str]) -> bool:
        """Whether a story has come in a feed of each format."""
        updated = [
            topic for topic, (content, _) in self.content.items() if title.encode() in content
        ]
        return {topic.rpartition(".")[2] for topic in updated} >= {*suffixes}

    def get(self, request: BaseHTTPRequestHandler) -> None:
        params = parse_qs(urlsplit(request.path).query)
        wanted = params["hub.topic"][0] in self._wanted
        answer(request, 200 if wanted else 404, params["hub.challenge"][0].encode())

    def post(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        if request.headers["X-Hub-Signature"] == f"sha256={digest}":
            links = httpx.Headers({"Link": request.headers["Link"]})
            response = httpx.Response(200, headers=links)
            self.content[response.links["self"]["url"]] = body, time.time()
        answer(request, 204)


def wait_for(come: Callable[[], object], seconds: float = 15) -> None:
    """Wait until something comes."""
    deadline = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.01)
