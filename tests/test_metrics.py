"""What Prometheus reads, from a real site."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event
from werkzeug.test import Client

from feeds.web import create_app
from feeds.web.metrics import SHARED
from tests.support import Collection, article

LOCAL = (ip_network("127.0.0.1"), ip_network("2001:db8::/32"))
HERE = {"REMOTE_ADDR": "127.0.0.1"}
FEED = "/topics/ai/feed.atom"


@pytest.fixture
def client(make_collection: Callable[..., Collection]) -> Client:
    """A client of a site with one good article, one at fault and one that is not public."""
    collection = make_collection(metrics=LOCAL)
    collection.write("one.md", article())
    collection.write("bad.md", "nothing")
    collection.write("secret.md", article("Secret", published="false", topics=("Secret topic",)))
    collection.sync(datetime.now(UTC))
    return Client(create_app(collection.config))


def read(client: Client) -> dict[str, float]:
    """Each number by its name and labels, as Prometheus's own parser reads them."""
    response = client.get("/metrics", environ_overrides=HERE)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = " ".join(sample.labels[n] for n in sorted(sample.labels))
            found[f"{sample.name} {labels}".strip()] = sample.value
    return found


def test_requests_are_counted_by_what_they_are_for(client: Client) -> None:
    tag = client.get(FEED).headers["ETag"]
    client.get(FEED)
    client.get(FEED, headers={"If-None-Match": tag})
    client.get(FEED, headers={"If-None-Match": f'"x", {tag}'})
    client.get(FEED, headers={"If-None-Match": '"x"'})
    client.get(FEED, headers={"If-Modified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"})
    client.head(FEED)
    client.get("/topics/secret-topic/feed.atom")
    client.get("/feed.atom?utm_source=x")
    client.get("/")
    found = read(client)
    assert {name: n for name, n in found.items() if "requests_total" in name and n} == {
        "feeds_requests_total atom topic 200": 5,
        "feeds_requests_total atom topic 304": 2,
        "feeds_requests_total atom topic 404": 1,
        "feeds_requests_total atom choice 301": 1,
        "feeds_requests_total html page 200": 1,
        "feeds_conditional_requests_total atom topic 200": 2,
        "feeds_conditional_requests_total atom topic 304": 2,
    }
    again = read(client)
    assert again["feeds_requests_total  other 200"] == 1
    assert again["feeds_requests_total atom topic 200"] == 5
    assert again["feeds_conditional_requests_total atom topic 304"] == 2


def test_metrics_show_the_state_of_the_index(client: Client) -> None:
    client.get(FEED)
    found = read(client)
    assert found["feeds_index_up"] == 1
    assert found["feeds_articles"] == 3
    assert found["feeds_visible_articles"] == 1
    assert found["feeds_faults"] == 1
    assert found["feeds_index_revision"] > 1
    published = datetime(2020, 5, 18, 2, 41, tzinfo=UTC).timestamp()
    assert found["feeds_newest_article_timestamp_seconds"] == published
    assert time.time() - 60 < found["feeds_last_sync_timestamp_seconds"] <= time.time()
    assert found["feeds_render_seconds_count"] == 1
    assert 0 < found["feeds_render_seconds_sum"] < 10


def test_nothing_tells_names(client: Client) -> None:
    client.get("/topics/secret-topic/feed.atom")
    client.get("/secret-path?secret=1")
    text = client.get("/metrics", environ_overrides=HERE).text
    assert "ecret" not in text
    assert "example" not in text


def test_empty_site_has_no_newest_article(make_collection: Callable[..., Collection]) -> None:
    found = read(Client(create_app(make_collection(metrics=LOCAL).config)))
    assert found["feeds_visible_articles"] == 0
    assert "feeds_newest_article_timestamp_seconds" not in found


def test_counts_are_reported_while_the_index_cannot_be_read(
    make_collection: Callable[..., Collection],
) -> None:
    collection = make_collection(metrics=LOCAL)
    client = Client(create_app(collection.config))
    client.get("/feed.atom")
    collection.index.close()
    (collection.folder.parent / "articles.sqlite3").unlink()
    found = read(client)
    assert found["feeds_index_up"] == 0
    assert "feeds_visible_articles" not in found
    assert found["feeds_requests_total atom site 200"] == 1


def test_nobody_reads_it_by_default(collection: Collection) -> None:
    client = Client(create_app(collection.config))
    unknown = client.get("/nowhere")
    reply = client.get("/metrics", environ_overrides=HERE)
    assert (reply.status_code, reply.data) == (404, unknown.data)


@pytest.mark.parametrize("address", ["127.0.0.2", "203.0.113.5", "::1", "2001:db9::1", "", "x"])
def test_other_clients_get_404(client: Client, address: str) -> None:
    reply = client.get("/metrics", environ_overrides={"REMOTE_ADDR": address})
    assert (reply.status_code, reply.data) == (404, client.get("/nowhere").data)


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "2001:db8:7::1"])
def test_those_whom_the_settings_name_are_answered(client: Client, address: str) -> None:
    environ = {"REMOTE_ADDR": address}
    assert client.get("/metrics", environ_overrides=environ).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_nobody_reads_it_through_a_proxy(client: Client, header: str) -> None:
    response = client.get("/metrics", headers={header: "127.0.0.1"}, environ_overrides=HERE)
    assert response.status_code == 404


def test_no_other_site_reads_it_in_a_browser_there(client: Client) -> None:
    headers = {"Origin": "https://evil.example"}
    response = client.get("/metrics", headers=headers, environ_overrides=HERE)
    assert response.status_code == 404


def test_processes_of_any_server_add_up_in_a_folder(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    collection = make_collection()
    collection.write("one.md", article())
    collection.sync(datetime.now(UTC))
    ask = (
        "from feeds import create_app\n"
        "client = create_app().test_client()\n"
        "client.get('/feed.atom'), client.get('/feed.atom')\n"
        "here = {'REMOTE_ADDR': '127.0.0.1'}\n"
        "print(client.get('/metrics', environ_overrides=here).text)\n"
    )
    (tmp_path / "shared").mkdir()
    environment = {
        **os.environ,
        "FEEDS_ARTICLES": str(collection.folder),
        "FEEDS_DATABASE": collection.config.database,
        "FEEDS_METRICS": "127.0.0.1",
        SHARED: str(tmp_path / "shared"),
    }
    # A process that is just starting has made its file, and written nothing yet.
    (tmp_path / "shared" / "counter_1.db").touch()
    for count in (2, 4):
        command = [sys.executable, "-c", ask]
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )
        labels = 'format="atom",kind="site",status="200"'
        assert f"feeds_requests_total{{{labels}}} {count}.0\n" in result.stdout
        assert "feeds_visible_articles 1.0\n" in result.stdout


@pytest.mark.parametrize("here", [{"REMOTE_ADDR": "::1"}, {"REMOTE_ADDR": "2001:db8:7::1"}])
def test_operators_see_files_and_faults(client: Client, here: dict[str, str]) -> None:
    response = client.get("/healthz", environ_overrides=here)
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    health = response.get_json()
    assert datetime.fromisoformat(health.pop("last_sync")) <= datetime.now(UTC)
    assert health == {"status": "ok", "articles": 3, "faults": 1, "visible": 1}


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "203.0.113.5"},
        {"REMOTE_ADDR": ""},
        HERE | {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    ],
)
def test_public_sees_counts_of_visible_articles_alone(
    client: Client, environ: dict[str, str]
) -> None:
    response = client.get("/healthz", environ_overrides=environ)
    assert response.json and response.json.keys() == {"status", "visible", "last_sync"}


def test_articles_are_counted_once_a_second_however_many_ask(collection: Collection) -> None:
    statements = list[str]()
    app = create_app(collection.config)

    def note(*about: Any) -> None:
        statements.append(about[2])

    event.listen(Engine, "before_cursor_execute", note)
    began = time.monotonic()
    try:
        for _ in range(50):
            assert Client(app).get("/healthz").status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    counted = [statement for statement in statements if "count(" in statement]
    assert 0 < len(counted) <= 3 * (2 + time.monotonic() - began)
