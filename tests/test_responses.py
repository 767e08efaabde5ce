"""Conditional requests, content codings and caching headers over real HTTP."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import pairwise

import brotli
import httpx
import pytest

from feeds.config import Name
from feeds.publish import Published
from feeds.web.responses import lifetime
from tests.support import NOW, Collection, Site, article

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


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_coded_bytes_are_the_same_each_time_and_on_every_server(
    collection: Collection, serve: Callable[[Collection], Site], coding: str
) -> None:
    collection.write("one.md", article())
    sites = [serve(collection), serve(collection)]
    first = sites[0].raw(FEED, Accept_Encoding=coding)
    time.sleep(1.01)  # a gzip header has room for the second it was made in
    for site in sites:
        assert site.raw(FEED, Accept_Encoding=coding).body == first.body


def test_restart_moves_no_validator(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("one.md", article())
    before = serve(collection).raw(FEED)
    time.sleep(1.01)
    after = serve(collection).raw(FEED)
    assert after.body == before.body
    assert after.headers["ETag"] == before.headers["ETag"]
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]


def test_two_edits_in_one_second_are_told_apart_by_tag_and_by_date(site: Site) -> None:
    seen = [site.get(FEED)]
    for number in range(2):
        site.collection.write("one.md", article(f"Edit {number}"))
        site.sync()
        seen.append(site.get(FEED))
        assert modified(seen[-1]) <= datetime.now(UTC)
    for old, new in pairwise(seen):
        assert f"Edit {seen.index(new) - 1}" in new.text
        assert new.headers["ETag"] != old.headers["ETag"]
        assert modified(new) >= modified(old) + timedelta(seconds=1)
        since = old.headers["Last-Modified"]
        assert site.get(FEED, if_modified_since=since).status_code == 200


def test_withdrawal_of_the_newest_article_moves_the_date_forward(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    collection.write("old.md", article("Old", time="2019-01-01T00:00:00Z"))
    collection.write("new.md", article("Newest", time="2020-01-01T00:00:00Z"))
    site = serve(collection)
    before = site.get(FEED)
    collection.write("new.md", article("Newest", published="false"))
    site.sync()
    after = site.get(FEED)
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


@pytest.mark.parametrize(
    ("due", "age"),
    [(None, 1800), (9999, 1800), (1799.5, 1800), (2.5, 3), (0.1, 1), (0, 1), (-5, 1)],
)
def test_max_age_ends_in_the_second_in_which_an_article_comes(due: float | None, age: int) -> None:
    """Never before it; nor is it none while the index is away, and time goes on."""
    at = None if due is None else NOW + timedelta(seconds=due)
    made = Published(body=b"", content_type="", etag="", modified=None, due=at)
    assert lifetime(made, NOW, 1800) == age


def test_due_article_caps_max_age_of_its_feeds_alone(
    collection: Collection, serve: Callable[[Collection], Site]
) -> None:
    due = soon(600)
    collection.write("one.md", article(topics=("AI", "Law")))
    collection.write("due.md", article("Due", time=due.isoformat(), topics=("AI",)))
    site = serve(collection)
    first = site.get(FEED)
    for response in (
        first,
        site.get("/"),
        site.get("/feed.atom"),
        site.get("/topics/ai/"),
        site.get(FEED, if_none_match=first.headers["ETag"]),
    ):
        age = int(response.headers["Cache-Control"].removeprefix("public, max-age="))
        assert 590 < age <= 601
    other = site.get("/topics/law/feed.atom")
    assert other.headers["Cache-Control"] == "public, max-age=1800"


def test_due_article_appears_by_itself_with_new_validators(
    make_collection: Callable[..., Collection], serve: Callable[[Collection], Site]
) -> None:
    collection = make_collection(topics={"soon": Name(former=("before",))})
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
    assert modified(after) == due
    assert modified(before) + timedelta(seconds=1) <= modified(after)
    assert after.headers["Cache-Control"] == "public, max-age=1800"
    since = before.headers["Last-Modified"]
    assert site.get(FEED, if_modified_since=since).status_code == 200
    assert [site.get(path).status_code for path in hidden] == [200, 301, 301, 200]
    assert "topics/soon/" in site.get("/").text


def test_announced_update_comes_by_itself(site: Site) -> None:
    coming = soon(1)
    site.collection.write("one.md", article(more=f"updatedDateTime: {coming.isoformat()}\n"))
    site.sync()
    before = site.get(FEED)
    assert datetime.now(UTC) < coming, "too slow to tell"
    wait_until(coming)
    after = site.get(FEED)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert modified(after) == coming
    assert modified(before) + timedelta(seconds=1) <= modified(after)


def test_answer_to_a_delta_request_is_the_whole_feed(standing: Site) -> None:
    whole = standing.get(FEED)
    delta = standing.get(FEED, a_im="feed", if_none_match='W/"older"')
    assert (delta.status_code, delta.content) == (200, whole.content)
    assert "IM" not in delta.headers
