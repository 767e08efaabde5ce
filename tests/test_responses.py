"""Conditional requests, content codings and caching headers over real HTTP."""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import pairwise
from typing import Any

import brotli
import httpx
import pytest
from sqlalchemy import Engine, event

from feeds.config import FeedSettings
from feeds.index import Index
from tests.support import Collection, Site, article

FEED = "/topics/ai/feed.atom"
#: What a 304 repeats of the 200 (RFC 9110 section 15.4.5), and what CORS needs.
REPEATED = (
    "ETag",
    "Last-Modified",
    "Cache-Control",
    "Vary",
    "Link",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
)


def tag(response: httpx.Response) -> str:
    """The entity tag without W/ and quotes."""
    return response.headers["ETag"].removeprefix("W/").strip('"')


def modified(response: httpx.Response) -> datetime:
    return parsedate_to_datetime(response.headers["Last-Modified"])


def dated(site: Site, path: str = FEED) -> httpx.Response:
    """An answer with its date, which is left out until its second has come."""
    deadline = time.monotonic() + 10
    while "Last-Modified" not in (response := site.get(path)).headers:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert modified(response) <= datetime.now(UTC)
    return response


def soon(seconds: float) -> datetime:
    """The next whole second at least so many seconds from now."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds + 1)


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()) + 0.02)


@pytest.mark.parametrize("path", ["/feed.atom", FEED, "/providers/example.org/feed.atom"])
def test_feed_has_validators_and_its_exact_type(standing: Site, path: str) -> None:
    response = standing.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert response.headers["ETag"] == f'W/"{tag(response)}"'
    assert len(tag(response)) == 32
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Last-Modified"].endswith(" GMT")
    page = standing.base + path.removesuffix("feed.atom")
    assert response.headers["Link"] == (
        f'<{standing.base}{path}>; rel="self", <{page}>; rel="alternate"; type="text/html"'
    )


@pytest.mark.parametrize(
    "form",
    [
        'W/"{}"',
        '"{}"',
        'W/"other", W/"{}"',
        '"other","{}" , "another"',
        "*",
        'W/"{}-gzip"',
        '"{}-gzip"',
        'W/"{}-br"',
        '"{}-zstd"',
    ],
)
def test_known_etag_is_not_modified(standing: Site, form: str) -> None:
    known = tag(standing.get(FEED))
    assert standing.get(FEED, if_none_match=form.format(known)).status_code == 304


@pytest.mark.parametrize("form", ['W/"other"', '"*"', '"x{}"', '"{}x"', '"{}-deflate"', '""', ""])
def test_other_etag_is_modified(standing: Site, form: str) -> None:
    known = tag(standing.get(FEED))
    assert standing.get(FEED, if_none_match=form.format(known)).status_code == 200


def test_etag_overrules_modified_since(standing: Site) -> None:
    first = standing.get(FEED)
    date = first.headers["Last-Modified"]
    other = standing.get(FEED, if_none_match='W/"other"', if_modified_since=date)
    assert other.status_code == 200
    old = format_datetime(modified(first) - timedelta(days=1), usegmt=True)
    same = standing.get(FEED, if_none_match=first.headers["ETag"], if_modified_since=old)
    assert same.status_code == 304


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, 304), (-1, 200), (-86400, 200), (86400, 200)],
    ids=["equal", "earlier", "old", "future"],
)
def test_modified_since_decides_without_an_etag(standing: Site, seconds: int, status: int) -> None:
    date = modified(standing.get(FEED)) + timedelta(seconds=seconds)
    since = format_datetime(date, usegmt=True)
    assert standing.get(FEED, if_modified_since=since).status_code == status


def test_modified_since_a_later_past_time_is_not_modified(standing: Site) -> None:
    later = modified(standing.get(FEED)) + timedelta(seconds=1)
    wait_until(later)
    since = format_datetime(later, usegmt=True)
    assert standing.get(FEED, if_modified_since=since).status_code == 304


@pytest.mark.parametrize(
    "garbage",
    [
        "yesterday",
        "0",
        "Thu, 01 Jan 2020 00:00:00 +9999999999",
        "Thu, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Thu, 99 Foo 2020 77:00:00 GMT",
    ],
)
def test_modified_since_garbage_is_ignored(standing: Site, garbage: str) -> None:
    assert standing.get(FEED, if_modified_since=garbage).status_code == 200


def test_not_modified_has_no_body_and_repeats_what_readers_store(standing: Site) -> None:
    full = standing.get(FEED, accept_encoding="gzip")
    for validator in (
        {"If_None_Match": full.headers["ETag"]},
        {"If_Modified_Since": full.headers["Last-Modified"]},
    ):
        response = standing.raw(
            FEED, host=standing.base.removeprefix("http://"), Accept_Encoding="gzip", **validator
        )
        assert response.status == 304
        assert response.body == b""
        for name in REPEATED:
            assert response.headers.get_all(name) == [full.headers[name]], name
        for name in ("Content-Type", "Content-Length", "Content-Encoding"):
            assert name not in response.headers


def test_not_modified_script_has_no_date_as_it_had_none(standing: Site) -> None:
    full = standing.get("/embed.js")
    assert "Last-Modified" not in full.headers
    response = standing.get("/embed.js", if_none_match=full.headers["ETag"])
    assert response.status_code == 304
    assert "Last-Modified" not in response.headers
    since = full.headers["Date"]
    assert standing.get("/embed.js", if_modified_since=since).status_code == 200


@pytest.mark.parametrize("path", ["/", FEED, "/topics/ai/", "/topics/none/", "/nothing", "/?x=1"])
@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_head_has_the_headers_of_get(standing: Site, path: str, coding: str) -> None:
    get = standing.get(path, accept_encoding=coding)
    head = standing.request("HEAD", path, accept_encoding=coding)
    assert (head.status_code, head.content) == (get.status_code, b"")
    own = dict.fromkeys(("date", "x-request-id"), "")
    assert {**head.headers, **own} == {**get.headers, **own}
    assert int(head.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("deflate", None),
        ("identity", None),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0.9, gzip;q=0.2", "br"),
        ("gzip;q=0", None),
        ("gzip;q=0, br;q=0", None),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("*;q=0", None),
        ("gzip;q=nonsense", None),
        ("zstd", None),
    ],
)
def test_coding_is_what_the_client_likes_best(
    standing: Site, accept: str, coding: str | None
) -> None:
    response = standing.raw(FEED, Accept_Encoding=accept)
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    decode: dict[str | None, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        None: bytes,
    }
    assert decode[coding](response.body) == standing.raw(FEED).body


def test_etag_is_the_same_over_every_coding(standing: Site) -> None:
    tags = {standing.get(FEED, accept_encoding=c).headers["ETag"] for c in ("", "gzip", "br")}
    assert len(tags) == 1


def test_compressed_bytes_are_the_same_each_time_and_on_every_server(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article())
    sites = [serve(collection), serve(collection)]
    first = sites[0].raw(FEED, Accept_Encoding="gzip")
    time.sleep(1.01)  # a gzip header has room for the second it was made in
    for site in sites:
        assert site.raw(FEED, Accept_Encoding="gzip").body == first.body


def test_restart_moves_no_validator(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article())
    before = serve(collection).raw(FEED)
    collection.sync(datetime.now(UTC) + timedelta(hours=1))
    after = serve(collection).raw(FEED)
    assert after.body == before.body
    assert after.headers["ETag"] == before.headers["ETag"]
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]


def test_two_edits_in_one_second_differ_in_tag_and_date(site: Site) -> None:
    seen = [dated(site)]
    for number in range(2):
        site.collection.write("one.md", article(f"Edit {number}"))
        site.sync()
        at_once = site.get(FEED)
        assert f"Edit {number}" in at_once.text
        since = seen[-1].headers["Last-Modified"]
        assert site.get(FEED, if_modified_since=since).status_code == 200
        seen.append(dated(site))
        assert seen[-1].headers["ETag"] == at_once.headers["ETag"]
    for old, new in pairwise(seen):
        assert new.headers["ETag"] != old.headers["ETag"]
        assert modified(new) >= modified(old) + timedelta(seconds=1)
        since = old.headers["Last-Modified"]
        assert site.get(FEED, if_modified_since=since).status_code == 200


def test_many_edits_in_one_second_wait_for_nothing(site: Site) -> None:
    began = time.monotonic()
    tags = set()
    for number in range(20):
        site.collection.write("one.md", article(f"Edit {number}"))
        site.sync()
        tags.add(site.get(FEED).headers["ETag"])
    assert len(tags) == 20
    assert time.monotonic() - began < 15


def test_withdrawal_of_the_newest_article_moves_the_date_forward(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("old.md", article("Old", time="2019-01-01T00:00:00Z"))
    collection.write("new.md", article("Newest", time="2020-01-01T00:00:00Z"))
    site = serve(collection)
    before = dated(site)
    collection.write("new.md", article("Newest", published="false"))
    site.sync()
    after = dated(site)
    assert "Newest" in before.text and "Newest" not in after.text
    assert after.headers["ETag"] != before.headers["ETag"]
    assert modified(before) + timedelta(seconds=1) <= modified(after) <= datetime.now(UTC)


@pytest.mark.parametrize(
    "edit",
    [
        article(quality=61),
        article(more="heat: 77\n"),
        article(more='secured: "QUJD;REVG"\n'),
    ],
    ids=["quality", "heat", "secured"],
)
def test_edit_that_no_subscriber_sees_moves_no_validator(site: Site, edit: str) -> None:
    before = site.get(FEED)
    site.collection.write("one.md", edit)
    assert site.sync().changed == 1
    after = site.get(FEED)
    assert after.content == before.content
    assert after.headers["ETag"] == before.headers["ETag"]
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]


def test_max_age_is_half_an_hour_and_nothing_forbids_keeping(standing: Site) -> None:
    for path in (FEED, "/", "/topics/ai/"):
        response = standing.get(path)
        assert response.headers["Cache-Control"] == "public, max-age=1800"
        assert "Expires" not in response.headers
        assert "Pragma" not in response.headers


def test_max_age_is_a_setting(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(max_age=3600)
    collection.write("one.md", article())
    assert serve(collection).get(FEED).headers["Cache-Control"] == "public, max-age=3600"


def test_due_article_changes_no_max_age(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article())
    collection.write("due.md", article("Due", time=soon(600).isoformat()))
    site = serve(collection)
    first = site.get(FEED)
    paths = ("/", "/feed.atom", "/topics/ai/")
    fresh = site.get(FEED, if_none_match=first.headers["ETag"])
    for response in (first, fresh, *map(site.get, paths)):
        assert response.headers["Cache-Control"] == "public, max-age=1800"


def test_due_article_appears_by_itself_with_new_validators(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(topics={"soon": FeedSettings(former=("before",))})
    collection.write("one.md", article("Old"))
    due = soon(3)
    collection.write(
        "due.md", article("Secret", time=due.isoformat(), topics=("AI", "Soon"), domain="soon.ex")
    )
    site = serve(collection)
    before = site.get(FEED)
    hidden = {
        path: site.get(path)
        for path in (
            "/topics/soon/feed.atom",
            "/topics/SOON/",
            "/topics/before/",
            "/providers/soon.ex/",
        )
    }
    pages = [site.get(path).text for path in ("/", "/topics/ai/", "/feed.atom")]
    now = datetime.now(UTC)
    assert now < due, "too slow to tell"
    assert {response.status_code for response in hidden.values()} == {404}
    assert not [page for page in (*pages, before.text) if "soon" in page.lower()]
    assert "Secret" not in before.text

    wait_until(due)
    after = site.get(FEED)
    assert "Secret" in after.text
    assert after.headers["ETag"] != before.headers["ETag"]
    assert due <= modified(dated(site))
    assert modified(before) + timedelta(seconds=1) <= modified(dated(site))
    assert after.headers["Cache-Control"] == "public, max-age=1800"
    since = before.headers["Last-Modified"]
    assert site.get(FEED, if_modified_since=since).status_code == 200
    assert [site.get(path).status_code for path in hidden] == [200, 301, 301, 200]
    assert "topics/soon/" in site.get("/").text


def test_announced_update_comes_by_itself(site: Site) -> None:
    scheduled = soon(1)
    site.collection.write("one.md", article(more=f"updatedDateTime: {scheduled.isoformat()}\n"))
    site.sync()
    before = site.get(FEED)
    assert datetime.now(UTC) < scheduled, "too slow to tell"
    wait_until(scheduled)
    after = site.get(FEED)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert scheduled <= modified(dated(site))


def test_choice_by_quality_or_heat_has_a_tag_alone(standing: Site) -> None:
    for query in ("min_quality=70", "min_heat=5"):
        for path in (f"/feed.atom?{query}", f"/topics/ai/?{query}", f"/topics/ai/embed/?{query}"):
            whole = standing.get(path)
            assert (whole.status_code, "Last-Modified" in whole.headers) == (200, False)
            fresh = standing.get(path, if_none_match=whole.headers["ETag"])
            assert (fresh.status_code, "Last-Modified" in fresh.headers) == (304, False)
            # Nobody has such a date of ours.
            since = format_datetime(datetime.now(UTC), usegmt=True)
            assert standing.get(path, if_modified_since=since).status_code == 200


HOT, GOOD = "/feed.atom?min_heat=5", "/feed.json?min_quality=70"
#: Whatever is no feed of the site, a topic or a provider.
OTHERS = (
    *("/", "/topics/", "/topics/ai/", "/topics/ai/archive/", "/embed/", "/build/", "/feeds.opml"),
    *("/feed.rss?limit=3", "/archive/2020-05.atom", "/topics/ai/archive/2020-05/"),
)


@pytest.mark.parametrize(
    ("changed", "still", "rank"),
    [(HOT, GOOD, (80, 4)), (GOOD, HOT, (69, 5))],
    ids=["heat", "quality"],
)
def test_change_of_rank_changes_the_choices_that_show_it_alone(
    collection: Collection,
    serve: Callable[[Collection], Site],
    changed: str,
    still: str,
    rank: tuple[int, int],
) -> None:
    collection.write("one.md", article(more="heat: 5\n"))
    site = serve(collection)
    # The form shows how many articles each quality would leave.
    others = [path for path in (FEED, still, *OTHERS) if path not in ("/", "/build/")]
    before = {path: site.get(path) for path in (changed, *others)}
    collection.write("one.md", article(quality=rank[0], more=f"heat: {rank[1]}\n"))
    site.sync()
    for path, old in before.items():
        new = site.get(path, if_none_match=old.headers["ETag"])
        assert (path, new.status_code) == (path, 200 if path == changed else 304)


@pytest.mark.parametrize("path", [*OTHERS, HOT, GOOD])
def test_tag_stays_and_the_date_goes_forward_alone_with_a_change_elsewhere(
    collection: Collection, serve: Callable[[Collection], Site], path: str
) -> None:
    collection.write("one.md", article(more="heat: 5\n"))
    collection.write("law.md", article("Law", topics=("Law",), time="2019-01-01T00:00:00Z"))
    site = serve(collection)
    before = site.get(path)
    collection.write("one.md", article(quality=81, more="heat: 6\n"))
    site.sync()
    after = site.get(path)
    if path not in ("/", "/build/"):
        assert (after.headers["ETag"], after.content) == (before.headers["ETag"], before.content)
    if path not in (HOT, GOOD):
        assert modified(dated(site, path)) >= modified(before)


@pytest.mark.databases("sqlite", "postgresql")
def test_servers_of_one_index_give_the_same_validators(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(base_url="https://news.example")
    collection.write("one.md", article(more="heat: 5\n"))
    sites = [serve(collection), serve(collection)]
    for heat in (5, 4):
        collection.write("one.md", article(f"Heat {heat}", more=f"heat: {heat}\n"))
        sites[0].sync()
        for path in (FEED, HOT, GOOD, *OTHERS):
            dates = [dated(site, path) for site in sites if path not in (HOT, GOOD)]
            one, two = dates or (site.get(path) for site in sites)
            assert one.content == two.content
            for name in ("ETag", "Last-Modified"):
                assert one.headers.get(name) == two.headers.get(name)


@contextlib.contextmanager
def reading(collection: Collection) -> Iterator[Callable[[], object]]:
    """Tells the version of a SQLite file, which each write of another connection changes."""
    path = collection.config.database.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        yield lambda: connection.execute("PRAGMA data_version").fetchone()


def test_no_request_writes_to_the_index(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article(more="heat: 5\n"))
    collection.write("due.md", article("Due", time=soon(600).isoformat()))
    site = serve(collection)
    with reading(collection) as version:
        before = version()
        for path in (FEED, HOT, GOOD, *OTHERS, "/nowhere", "/?find=x", "/healthz"):
            site.get(path)
        assert version() == before
        collection.write("two.md", article("Two"))
        site.sync()
        assert version() != before


def test_index_that_cannot_be_written_is_served(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    def forbid(connection: Any, _: Any) -> None:
        # As a file without the permission; that does not stop root.
        connection.execute("PRAGMA query_only = 1")

    collection.write("one.md", article(more="heat: 5\n"))
    due = soon(0.5)
    collection.write("due.md", article("Due", time=due.isoformat()))
    site = serve(collection)
    event.listen(Engine, "connect", forbid)
    try:
        wait_until(due)
        for path in (FEED, HOT, GOOD, *OTHERS):
            assert site.get(path).status_code == 200
        assert "Due" not in site.get(FEED).text
    finally:
        event.remove(Engine, "connect", forbid)


def test_request_during_a_sync_is_answered_at_once(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article())
    due = soon(0.5)
    collection.write("due.md", article("Due", time=due.isoformat()))
    site = serve(collection)
    wait_until(due)
    with Index(collection.config.database, collection.config).write_transaction():
        began = time.monotonic()
        for number in range(1, 9):
            assert site.get(f"/feed.atom?limit={number}").status_code == 200
        assert time.monotonic() - began < 8


def test_answer_to_a_delta_request_is_the_whole_feed(standing: Site) -> None:
    whole = standing.get(FEED)
    delta = standing.get(FEED, a_im="feed", if_none_match='W/"older"')
    assert (delta.status_code, delta.content) == (200, whole.content)
    assert "IM" not in delta.headers
