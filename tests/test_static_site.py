"""Tests of the built site: the same bytes as served, touched only where they change."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote, urljoin

import brotli
import msgspec
import pytest
from click.testing import CliRunner
from lxml import etree
from werkzeug.http import parse_date

from feeds.cli import main
from feeds.config import FeedSettings
from feeds.index.digests import MAX_DIGESTS
from feeds.pages import MAX_NAMES
from feeds.pages.assets import AT_TOP
from feeds.static_site import Built, build
from feeds.static_site.output import SiteError, file_of
from tests.hostile import write_hostile
from tests.support import BASE, NOW, Collection, Site, article, publish_feed

pytestmark = pytest.mark.slow

Make = Callable[..., Collection]
#: So many that their feeds are worth more than one process.
STORIES = 30
#: Links of pages, of Atom and RSS documents and of JSON feeds.
_LINKS = re.compile(rb'(?:href|src)="([^"]+)"|"(?:next_url|feed_url|home_page_url)":"([^"]+)"')


def build_site(collection: Collection, out: Path) -> Built:
    """Build with the index as it stands."""
    return build(collection.config.database, collection.config, out)


def files(out: Path) -> dict[str, bytes]:
    """Every plain file of the site, by its path."""
    found = [path for path in out.rglob("*.*") if path.is_file()]
    found = [path for path in found if path.suffix not in (".gz", ".br")]
    by_name = {path.relative_to(out).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in by_name.items() if not name.startswith(".")}


def times(out: Path) -> dict[str, int]:
    """When each file was last written, and what number it has."""
    return {str(p): p.stat().st_ino for p in out.rglob("*") if p.is_file() and p.name[0] != "."}


def address_of(file: str) -> str:
    return "/" + quote(re.sub(r"(^|/)index\.html$", r"\1", file))


@pytest.fixture
def large(make_collection: Make) -> Collection:
    """Feeds longer than their limit, months without articles, and names of many scripts."""
    made = make_collection(
        base_url=BASE,
        limit=3,
        topics={
            "ai": FeedSettings(slug="machines", former=("ml",)),
            "secret": FeedSettings(withdrawn=True),
        },
    )
    for number in range(24):
        month = (1, 3, 3, 3, 3, 12)[number % 6]
        made.write(
            f"{number}.md",
            article(
                f"Story {number}",
                time=f"2020-{month:02}-{number % 28 + 1:02}T10:00:00Z",
                topics=(("AI",), ("人工知能", "Ürümqi"), ("Secret",))[number % 3],
                domain=f"p{number % 2}.example",
            ),
        )
    made.sync(datetime.now(UTC))
    return made


@pytest.fixture
def many(make_collection: Make) -> Collection:
    """A topic and a provider for each of STORIES articles."""
    made = make_collection(base_url=BASE)
    for number in range(STORIES):
        text = article(
            f"Story {number} ",
            time=f"2020-{number % 12 + 1:02}-05T10:00:00Z",
            topics=(f"Topic {number}",),
            domain=f"p{number}.example",
        )
        made.write(f"{number}.md", text)
    made.sync(datetime.now(UTC))
    return made


def stop_build(
    collection: Collection, out: Path, number: signal.Signals, shown: bytes = b""
) -> list[int]:
    """Stop a command that builds, once topics show something; the workers it had."""
    command = [sys.executable, "-m", "feeds", "build", str(out), str(collection.folder)]
    settings = {"FEEDS_DATABASE": collection.config.database, "FEEDS_BASE_URL": BASE}
    process = subprocess.Popen(
        [*command, "--jobs", "2"],
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: any(shown in p.read_bytes() for p in out.glob("topics/*/feed.atom")))
    lists = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = [int(pid) for path in lists for pid in path.read_text().split()]
    process.send_signal(number)
    assert process.wait(60) != 0
    assert children
    return children


def wait_until(come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_file_is_what_the_server_answers(
    large: Collection, serve: Callable[[Collection], Site], tmp_path: Path
) -> None:
    build_site(large, tmp_path / "out")
    site = serve(large)
    built = files(tmp_path / "out")
    assert len(built) > 100
    for file, body in built.items():
        answer = site.get(address_of(file))
        assert answer.status_code == 200, file
        if file.endswith("index.html") and "embed/" not in file:
            # Pages leave out what needs the application, and say nothing else.
            assert {*body.splitlines()} <= {*answer.content.splitlines()}, file
        else:
            assert (file, answer.content) == (file, body)
        path = tmp_path / "out" / file
        assert gzip.decompress(Path(f"{path}.gz").read_bytes()) == body
        assert brotli.decompress(Path(f"{path}.br").read_bytes()) == body
        if answer.content == body and not file.startswith("static/"):
            for coding, suffix in (("gzip", ".gz"), ("br", ".br")):
                coded = site.raw(address_of(file), Accept_Encoding=coding).body
                assert coded == Path(f"{path}{suffix}").read_bytes()


def test_the_time_of_a_file_is_its_last_modified(
    large: Collection, serve: Callable[[Collection], Site], tmp_path: Path
) -> None:
    build_site(large, tmp_path)
    site = serve(large)
    for file in ("feed.atom", "topics/machines/feed.rss", "providers/p0.example/feed.json"):
        modified = parse_date(site.get(f"/{file}").headers["Last-Modified"])
        assert modified
        for suffix in ("", ".gz", ".br"):
            assert (tmp_path / f"{file}{suffix}").stat().st_mtime == modified.timestamp()


@pytest.mark.parametrize("prefix", ["", "/under/it"])
def test_every_link_leads_to_a_file(large: Collection, tmp_path: Path, prefix: str) -> None:
    out, base = tmp_path / "out", BASE + prefix
    for number in range(MAX_NAMES):
        large.write(f"name{number}.md", article(topics=(f"Name {number}",)))
    large.sync()
    config = msgspec.structs.replace(large.config, base_url=base)
    build(large.config.database, config, out)
    built = files(out)
    followed = set()
    for file, body in built.items():
        for link in _LINKS.finditer(body):
            written = unescape((link[1] or link[2]).decode())
            target = urljoin(base + address_of(file), written.removeprefix("feed:"))
            path, _, query = target.partition("#")[0].partition("?")
            if path.startswith(f"{BASE}/"):
                followed.add(file_of(path.removeprefix(base)))
                # Caches keep a static file long, so its address tells its version.
                assert not query or (path.startswith(f"{base}/static/") and query[:2] == "v=")
    # Nothing leads to the documents of another format, or to the files of a script.
    assert followed - built.keys() == set()
    unseen = {
        *AT_TOP,
        "robots.txt",
        "sitemap.xml",
        *(f"static/{p.name}" for p in (out / "static").iterdir()),
    }
    assert {file for file in built.keys() - followed - unseen if "embed" not in file} == set()
    pages = b"".join(body for file, body in built.items() if file.endswith(".html"))
    assert [word for word in (b"<form", b"oembed", b"oEmbed", b"opensearch") if word in pages] == []


def test_a_walk_through_the_archives_meets_each_entry_once(
    large: Collection, tmp_path: Path
) -> None:
    build_site(large, tmp_path)
    ids, file = [], "feed.json"
    while file:
        document = msgspec.json.decode((tmp_path / file).read_bytes())
        ids += [item["id"] for item in document["items"]]
        following = document.get("next_url")
        file = following and file_of(following.removeprefix(BASE))
    assert len(ids) == len(set(ids)) == 24


def test_withdrawn_and_former_addresses_have_no_file(large: Collection, tmp_path: Path) -> None:
    build_site(large, tmp_path)
    assert sorted(path.name for path in (tmp_path / "topics").iterdir() if path.is_dir()) == [
        "machines",
        "ürümqi",
        "人工知能",
    ]


def test_hostile_articles_stay_inside(make_collection: Make, tmp_path: Path) -> None:
    collection = make_collection(base_url=BASE)
    write_hostile(collection.folder, 20, 3)
    for number, domain in enumerate(("index.html", "x" * 253, "a..b", ".hidden")):
        collection.write(f"p{number}.md", article(domain=domain, topics=("../..", "é" * 200)))
    collection.sync(datetime.now(UTC))
    built = build_site(collection, tmp_path / "inside" / "out")
    assert {path.name for path in (tmp_path / "inside").iterdir()} == {"out"}
    assert any("index.html" in refused for refused in built.refused)
    assert any("%C3%A9%C3%A9" in refused for refused in built.refused)


@pytest.mark.parametrize(
    "address",
    ["/../x", "/x/../../y", "/%2e%2e/x", "/a//b", "/.x", "/a\0b", f"/{'x' * 253}", "/index.html/x"],
)
def test_no_address_leads_out_of_the_folder(address: str) -> None:
    with pytest.raises(SiteError):
        file_of(address)


def test_a_link_in_the_folder_is_not_followed(large: Collection, tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / "topics").symlink_to(outside)
    with pytest.raises(SiteError, match="topics is behind a link"):
        build_site(large, out)
    assert list(outside.rglob("*")) == []


def test_nothing_is_removed_behind_a_link(large: Collection, tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    build_site(large, out)
    (out / "topics" / "gone").mkdir()
    (out / "topics" / "gone" / "feed.atom").write_text("")
    (out / "topics" / "gone").rename(outside)
    (out / "topics" / "gone").symlink_to(outside)
    assert build_site(large, out).removed == 0
    assert (outside / "feed.atom").exists()


def test_a_second_build_touches_nothing(large: Collection, tmp_path: Path) -> None:
    first = build_site(large, tmp_path)
    before = times(tmp_path)
    again = build_site(large, tmp_path)
    assert (again.written, again.unchanged) == (0, first.written)
    assert times(tmp_path) == before


def test_a_build_from_nothing_gives_the_same_site(large: Collection, tmp_path: Path) -> None:
    build_site(large, tmp_path / "one")
    large.write("30.md", article("Another", time="2020-12-05T10:00:00Z", domain="p0.example"))
    large.write("late.md", article("Late", time="2024-02-05T10:00:00Z", domain="p7.example"))
    (large.folder / "4.md").unlink()
    large.sync(datetime.now(UTC))
    some = build_site(large, tmp_path / "one")
    every = build_site(large, tmp_path / "two")
    assert 0 < some.written < every.written
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_edits_a_build_gives_the_same_site_as_one_from_nothing(
    make_collection: Make, tmp_path: Path, seed: int
) -> None:
    """Months come and go, names change, articles and updates come due."""
    dice, now = random.Random(seed), NOW
    collection = make_collection(
        base_url=BASE, limit=2, topics={"law": FeedSettings(min_quality=70)}
    )
    for number in range(22):  # more than any list shows
        time = "2025-08-05T10:00:00Z"
        collection.write(f"old{number}.md", article(f"{number}", time=time, domain="a.example"))
    for step in range(4):
        for _ in range(dice.randint(1, 3)):
            file, chance = collection.folder / f"{dice.randrange(9)}.md", dice.random()
            if file.exists() and chance < 0.4:
                file.unlink()
                continue
            if file.exists() and chance < 0.6:
                # What only the plot shows.
                changed = re.sub("quality: .*", f"quality: {70 + step}", file.read_text())
                collection.write(file.name, changed)
                continue
            soon = now + timedelta(hours=dice.randint(1, 30))
            dated = f"2025-{dice.choice((1, 2, 3, 6, 7, 12)):02}-05T10:00:00Z"
            text = article(
                f"Story {dice.randrange(99)}",
                time=soon.isoformat() if dice.random() < 0.2 else dated,
                topics=tuple(dice.sample(("AI", "ai", "Law", "art"), dice.randint(1, 2))),
                quality=dice.choice((59, 65, 75)),
                domain=dice.choice(("a.example", "b.example")),
                provider=dice.choice(("One", "Two")),
                more=f"updatedDateTime: {soon.isoformat()}\n" if dice.random() < 0.2 else "",
            )
            collection.write(file.name, text)
        now += timedelta(hours=dice.randint(1, 20))
        collection.sync(now)
        collection.advance(now)
        build_site(collection, tmp_path / "one")
        build_site(collection, tmp_path / f"{step}")
        assert files(tmp_path / "one") == files(tmp_path / f"{step}")
        built = (tmp_path / "one").rglob("*")
        assert {str(p.relative_to(tmp_path / "one")) for p in built} == {
            str(p.relative_to(tmp_path / f"{step}")) for p in (tmp_path / f"{step}").rglob("*")
        }


def test_one_changed_article_touches_only_its_feeds_and_months(
    large: Collection, tmp_path: Path
) -> None:
    build_site(large, tmp_path)
    before = times(tmp_path)
    large.write("0.md", article("Told anew", time="2020-01-01T10:00:00Z", domain="p0.example"))
    large.sync(datetime.now(UTC))
    build_site(large, tmp_path)
    after = times(tmp_path)
    changed = {path.removeprefix(f"{tmp_path}/") for path in after if after[path] != before[path]}
    digests = {path for path in changed if "weekly/" in path}
    changed -= digests
    months = {re.sub(r"archive/2020-01(/|\.).*", "archive/2020-01", path) for path in changed}
    assert months == {
        "archive/2020-01",
        "topics/machines/archive/2020-01",
        "providers/p0.example/archive/2020-01",
    }
    # Of the digests, the one of that week, the feeds and lists that have it, and their codings.
    assert {path.partition("weekly/")[0] for path in digests} == {
        *("", "topics/machines/", "providers/p0.example/")
    }
    assert {path for path in digests if "/20" in path and "W01" not in path} == set()


def test_digests_follow_a_quality_and_older_ones_are_in_archives_of_years(
    make_collection: Make, tmp_path: Path
) -> None:
    made = make_collection(base_url=BASE, digests=("daily",))
    first = datetime(2019, 12, 31, tzinfo=UTC)
    for number in range(MAX_DIGESTS + 2):
        day = first + timedelta(days=number)
        made.write(f"{number}.md", article(f"Story {number}", time=day.isoformat()))
    made.sync(datetime.now(UTC))
    made.write("also.md", article("Also", time=first.isoformat(), quality=70))
    made.sync(datetime.now(UTC))
    build_site(made, tmp_path / "out")
    page = tmp_path / f"out/daily/{first:%Y-%m-%d}/index.html"
    assert page.read_text().index("Story 0</a>") < page.read_text().index("Also</a>")
    made.write("also.md", article("Also", time=first.isoformat(), quality=90))
    made.sync(datetime.now(UTC))
    build_site(made, tmp_path / "out")
    assert page.read_text().index("Also</a>") < page.read_text().index("Story 0</a>")
    days = {path.name for path in (tmp_path / "out/daily").iterdir() if path.name[:2] == "20"}
    assert days == {f"{first + timedelta(days=n):%Y-%m-%d}" for n in range(MAX_DIGESTS + 2)}
    for year, title in ((2019, "31 December 2019"), (2020, "1 January 2020")):
        archive = tmp_path / f"out/daily/archive/{year}.atom"
        assert title in archive.read_text()
        assert (archive.parent / f"{year}/index.html").exists()


def test_new_bytes_have_a_later_time(large: Collection, tmp_path: Path) -> None:
    build_site(large, tmp_path)
    file = tmp_path / "feed.atom"
    late = int(file.stat().st_mtime) + 1000
    for suffix in ("", ".gz", ".br"):
        os.utime(f"{file}{suffix}", (late, late))
    large.write("late.md", article(time="2024-02-05T10:00:00Z"))
    large.sync(datetime.now(UTC))
    build_site(large, tmp_path)
    assert [Path(f"{file}{suffix}").stat().st_mtime for suffix in ("", ".gz", ".br")] == [
        late + 1
    ] * 3


def test_no_file_has_a_time_of_the_future(large: Collection, tmp_path: Path) -> None:
    large.write("late.md", article(time="2024-02-05T10:00:00Z"))
    large.sync(datetime.now(UTC) + timedelta(hours=1))
    build_site(large, tmp_path)
    assert max(path.stat().st_mtime for path in tmp_path.rglob("*")) <= time.time()


def test_a_later_last_modified_alone_touches_nothing(large: Collection, tmp_path: Path) -> None:
    build_site(large, tmp_path)
    before = times(tmp_path)
    # Nobody sees what is hot now, but for who asks for it.
    edited = (large.folder / "0.md").read_text().replace("quality:", "heat: 9\nquality:")
    large.write("0.md", edited)
    large.sync(datetime.now(UTC) + timedelta(hours=1))
    assert build_site(large, tmp_path).written == 0
    assert times(tmp_path) == before


@pytest.mark.parametrize("broken", ["feed.atom", "feed.atom.gz", "feed.atom.br"])
def test_a_lost_or_broken_file_is_made_again(
    large: Collection, tmp_path: Path, broken: str
) -> None:
    build_site(large, tmp_path)
    good = (tmp_path / broken).read_bytes()
    (tmp_path / broken).write_bytes(b"half")
    build_site(large, tmp_path)
    assert (tmp_path / broken).read_bytes() == good
    (tmp_path / broken).unlink()
    build_site(large, tmp_path)
    assert (tmp_path / broken).read_bytes() == good


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_is_completed(
    many: Collection, tmp_path: Path, number: signal.Signals
) -> None:
    build_site(many, tmp_path / "whole")
    whole, out = files(tmp_path / "whole"), tmp_path / "out"
    children = stop_build(many, out, number)
    some = files(out)
    assert 0 < len(some) < len(whole)
    assert some.items() <= whole.items()
    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    build_site(many, out)
    assert files(out) == whole
    assert not list(out.glob(".feeds-*.tmp"))


def test_what_an_interrupted_build_wrote_of_a_withdrawn_article_is_removed(
    many: Collection, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    stop_build(many, out, signal.SIGKILL)
    for number in range(0, STORIES, 2):
        many.write(f"{number}.md", article(f"Story {number} ", published="false"))
    many.sync(datetime.now(UTC))
    build_site(many, out)
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert b"Story 1 " in written
    assert [n for n in range(0, STORIES, 2) if f"Story {n} ".encode() in written] == []


def test_an_interrupted_build_does_not_vouch_for_what_it_changed(
    many: Collection, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    build_site(many, out)
    before = {number: (many.folder / f"{number}.md").read_text() for number in range(STORIES)}
    for number, text in before.items():
        many.write(f"{number}.md", text.replace("Story", "Report"))
    many.sync(datetime.now(UTC))
    stop_build(many, out, signal.SIGKILL, b"Report")
    for number, text in before.items():
        many.write(f"{number}.md", text)
    many.sync(datetime.now(UTC))
    build_site(many, out)
    build_site(many, tmp_path / "new")
    assert files(out) == files(tmp_path / "new")


def test_an_article_that_came_due_is_built(make_collection: Make, tmp_path: Path) -> None:
    collection = make_collection(base_url=BASE)
    collection.write("now.md", article(more="updatedDateTime: 2030-01-01T00:00:00Z\n"))
    collection.write("soon.md", article("Soon", time="2031-01-01T00:00:00Z"))
    collection.sync()
    feed = tmp_path / "feed.json"
    build_site(collection, tmp_path)
    assert b"2030-01-01" not in feed.read_bytes()
    collection.advance(datetime(2030, 1, 2, tzinfo=UTC))
    build_site(collection, tmp_path)
    assert b"2030-01-01" in feed.read_bytes()
    assert b"Soon" not in feed.read_bytes()
    collection.advance(datetime(2031, 1, 2, tzinfo=UTC))
    build_site(collection, tmp_path)
    assert b"Soon" in feed.read_bytes()


def test_a_topic_that_time_renames_is_built_as_from_nothing(
    make_collection: Make, tmp_path: Path
) -> None:
    collection = make_collection(limit=1, base_url=BASE)
    due = NOW + timedelta(hours=1)
    for name, at, topic in (
        ("a.md", "2020-01-05T00:00:00Z", "ai"),
        ("b.md", "2020-03-05T00:00:00Z", "ai"),
        ("c.md", due.isoformat(), "AI"),
        ("d.md", "2026-01-01T00:00:00Z", "ai"),
    ):
        collection.write(name, article(name, time=at, topics=(topic,)))
    collection.sync(NOW)
    build_site(collection, tmp_path / "one")
    collection.advance(due)
    for out in ("one", "two"):
        build_site(collection, tmp_path / out)
    one, two = (files(tmp_path / out) for out in ("one", "two"))
    assert one == two
    # A month without articles, between others, has the title too.
    assert b"<title>AI " in one["topics/ai/archive/2020-02.atom"]


def test_no_built_file_reveals_scheduled_articles(make_collection: Make, tmp_path: Path) -> None:
    collection = make_collection(base_url=BASE)
    collection.write("now.md", article(more="updatedDateTime: 2030-01-01T00:00:00Z\n"))
    collection.write("soon.md", article("Soon", time="2031-01-01T00:00:00Z", topics=("Later",)))
    collection.sync()
    out = tmp_path / "out"
    build_site(collection, out)
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for year in (2030, 2031):
        moment = datetime(year, 1, 1, tzinfo=UTC)
        for stamp in (f"{year}-01", f"{moment.timestamp():.0f}"):
            assert stamp.encode() not in written
    assert b"later" not in (out / ".feeds.json").read_bytes().lower()


def test_a_changed_setting_builds_everything_anew(
    make_collection: Make, large: Collection, tmp_path: Path
) -> None:
    build_site(large, tmp_path)
    renamed = make_collection("renamed", base_url=BASE, title="Other")
    renamed.write("0.md", article())
    renamed.sync(datetime.now(UTC))
    build_site(renamed, tmp_path)
    assert b"Other" in (tmp_path / "index.html").read_bytes()


def test_a_changed_colour_is_in_the_style_and_in_its_address(
    make_collection: Make, tmp_path: Path
) -> None:
    styles = []
    for accent in ("", "#07a"):
        collection = make_collection("site" + accent, base_url=BASE, accent=accent)
        collection.write("0.md", article())
        collection.sync(NOW)
        build_site(collection, tmp_path / "out")
        page = (tmp_path / "out" / "index.html").read_bytes()
        [link] = re.findall(rb'href="([^"]*style\.css[^"]*)"', page)
        styles.append((link, (tmp_path / "out" / "static" / "style.css").read_bytes()))
    (old, plain), (new, coloured) = styles
    assert old != new
    assert b"#07a" in coloured.removeprefix(plain)


def test_old_files_of_the_site_are_removed_and_other_files_stay(
    large: Collection, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    mine = ["mine.html", "ads.txt", "CNAME", "static/mine.css", "topics/mine/note.txt"]
    mine += ["providers/p1.example/mine.txt", ".well-known/feed.atom", "blog/archive/index.html"]
    mine += ["topics/mine/2020.json", "archive/mine.json", "daily/2020.txt", "2020/index.html"]
    for name in mine:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine")
    build_site(large, out)
    for number in range(1, 24, 2):
        (large.folder / f"{number}.md").unlink()
    large.sync(datetime.now(UTC))
    assert (out / "providers/p1.example/archive/2020-03").exists()
    assert build_site(large, out).removed > 0
    assert not (out / "providers/p1.example/archive/2020-03").exists()
    assert (out / "providers/p1.example/feed.atom").exists()
    build_site(large, tmp_path / "new")
    assert files(out) == files(tmp_path / "new") | {
        name: b"mine" for name in mine if not name.startswith(".") and name != "CNAME"
    }
    assert {(out / name).read_text() for name in mine} == {"mine"}
    assert build_site(large, out).removed == 0


@pytest.mark.parametrize("name", ["index.html", "topics/ai/archive/2020-05.atom", "feed.rss.gz"])
def test_a_folder_with_the_files_of_another_site_is_refused(
    large: Collection, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    for _ in range(2):
        with pytest.raises(SiteError, match=f"such as {name}"):
            build_site(large, tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_what_a_withdrawn_article_was_in_is_removed(large: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    large.write("x.md", article("Regretted", time="2020-06-05T10:00:00Z", domain="p0.example"))
    large.sync(datetime.now(UTC))
    build_site(large, out)
    # What was current then leads to a part of a month that nothing leads to any more.
    for number in range(2):
        late = article(f"Late {number}", time="2024-02-05T10:00:00Z", domain="p0.example")
        large.write(f"late{number}.md", late)
        large.sync(datetime.now(UTC))
        build_site(large, out)
    large.write("x.md", article("Regretted", published="false"))
    large.sync(datetime.now(UTC))
    build_site(large, out)
    for path in out.rglob("*"):
        if path.is_file():
            assert b"Regretted" not in path.read_bytes(), path


def test_two_builds_do_not_write_to_one_folder(large: Collection, tmp_path: Path) -> None:
    def build_another(done: int, total: int) -> None:
        with pytest.raises(SiteError, match="another build"):
            build_site(large, tmp_path)

    build(large.config.database, large.config, tmp_path, progress=build_another)


@pytest.mark.parametrize("content", [b"{", b'{"parts": {}, "gone": []}', b"[]", b"\xff"])
def test_a_broken_note_of_the_last_build_is_as_none(
    large: Collection, tmp_path: Path, content: bytes
) -> None:
    build_site(large, tmp_path)
    before = times(tmp_path)
    (tmp_path / ".feeds.json").write_bytes(content)
    assert build_site(large, tmp_path).written == 0
    assert times(tmp_path) == before


def test_several_processes_build_the_same_site(many: Collection, tmp_path: Path) -> None:
    build_site(many, tmp_path / "one")
    done: list[tuple[int, int]] = []
    build(
        many.config.database,
        many.config,
        tmp_path / "two",
        jobs=2,
        progress=lambda *seen: done.append(seen),
    )
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert done[0][0] == 0
    assert done[-1] == (len(done) - 1, len(done) - 1)


def test_process_that_dies_is_reported_in_one_line(many: Collection, tmp_path: Path) -> None:
    def kill(done: int, total: int) -> None:
        for worker in multiprocessing.active_children():
            worker.kill()

    with pytest.raises(SiteError, match="died, build again"):
        build(many.config.database, many.config, tmp_path / "out", jobs=2, progress=kill)


def test_a_change_while_several_processes_build_is_not_lost(
    many: Collection, tmp_path: Path
) -> None:
    """The index goes back to what it was when the parts of the site were found."""
    before = (many.folder / "0.md").read_text()

    def change(done: int, total: int) -> None:
        if not done:
            many.write("0.md", before.replace("Story 0 ", "Meanwhile"))
            many.sync(datetime.now(UTC))

    out = tmp_path / "out"
    build(many.config.database, many.config, out, jobs=2, progress=change)
    assert b"Meanwhile" in (out / "topics/topic-0/feed.atom").read_bytes()
    many.write("0.md", before)
    many.sync(datetime.now(UTC))
    build_site(many, out)
    build_site(many, tmp_path / "new")
    assert files(out) == files(tmp_path / "new")


def test_feed_removed_during_a_build_is_left_out(many: Collection, tmp_path: Path) -> None:
    def replace(done: int, total: int) -> None:
        if not done:
            many.index.close()
            Path(many.config.database.removeprefix("sqlite:///")).unlink()
            (many.folder / "0.md").unlink()
            many.sync(datetime.now(UTC))

    out = tmp_path / "out"
    build(many.config.database, many.config, out, jobs=2, progress=replace)
    assert not (out / "topics/topic-0").exists()
    build_site(many, out)
    build_site(many, tmp_path / "new")
    assert files(out) == files(tmp_path / "new")


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and the output of a command line."""
    made = CliRunner().invoke(main, [*arguments], env={"FEEDS_BASE_URL": BASE})
    return made.exit_code, made.output


def test_the_command_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDS_DATABASE", f"sqlite:///{tmp_path}/index.sqlite3")
    folder, out = tmp_path / "articles", str(tmp_path / "out")
    folder.mkdir()
    (folder / "a.md").write_text(article(domain="index.html"))
    code, stamp = run("build", out, str(folder))
    assert (code, "1 added" in stamp, " written, 0 unchanged, 0 removed." in stamp) == (
        0,
        True,
        True,
    )
    assert "/providers/index.html/ cannot be a file" in stamp
    (folder / "a.md").unlink()
    assert re.search(r", [1-9]\d* removed", run("build", out, str(folder))[1])


def test_the_command_brings_in_what_has_come_due(
    make_collection: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = make_collection(base_url=BASE)
    collection.write("a.md", article("Due", time="2020-05-18T02:41:00Z"))
    collection.sync(datetime(2020, 1, 1, tzinfo=UTC))
    monkeypatch.setenv("FEEDS_DATABASE", collection.config.database)
    assert run("build", str(tmp_path / "out"), str(collection.folder))[0] == 0
    assert b"Due" in (tmp_path / "out/feed.atom").read_bytes()


def test_the_command_needs_a_base_url(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["build", str(tmp_path / "out"), str(tmp_path)])
    assert made.exit_code == 1
    assert made.output == "Error: a static site needs whole addresses, set 'base_url'\n"


def test_command_prints_errors_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDS_DATABASE", f"sqlite:///{tmp_path}/index.sqlite3")
    articles, out = tmp_path / "articles", tmp_path / "out"
    articles.mkdir()
    out.mkdir()
    (out / "index.html").write_text("mine")
    code, stamp = run("build", str(out), str(articles))
    assert code == 1
    assert stamp.splitlines()[-1].startswith(f"Error: {out} has files that no build wrote")
    (out / "index.html").unlink()
    (out / "topics").write_text("a file")
    code, stamp = run("build", str(out), str(articles))
    assert (code, stamp.splitlines()[-1]) == (1, f"Error: {out}/topics: File exists")


def test_a_feed_is_written_as_one_document(make_collection: Make) -> None:
    """Entries are written one by one, and repeat no declaration of the document's root."""
    collection = make_collection(base_url=BASE)
    write_hostile(collection.folder, 200, 3)
    collection.sync()
    for suffix, tag in (("atom", b"<entry>"), ("rss", b"<item>")):
        body = publish_feed(collection, suffix=suffix).body
        assert body.count(tag) == 50
        whole = etree.tostring(etree.fromstring(body), encoding="UTF-8", xml_declaration=True)
        assert whole == body
    document = publish_feed(collection, suffix="json").body
    assert msgspec.json.encode(msgspec.json.decode(document)) == document


def test_codings_of_a_file_are_the_same_each_time(large: Collection, tmp_path: Path) -> None:
    build_site(large, tmp_path / "one")
    build_site(large, tmp_path / "two")
    for path in (tmp_path / "one").rglob("*.*"):
        if path.is_file() and path.name[0] != ".":
            assert path.read_bytes() == Path(str(path).replace("/one/", "/two/")).read_bytes()


def test_file_that_a_killed_build_left_unfinished_is_removed(
    make_collection: Callable[..., Collection], tmp_path: Path
) -> None:
    collection = make_collection(base_url="https://news.example")
    collection.write("one.md", article())
    collection.sync()
    build_site(collection, tmp_path / "out")
    unfinished = tmp_path / "out" / ".feeds-123.tmp"
    unfinished.write_text("half")
    assert build_site(collection, tmp_path / "out").written == 0
    assert not unfinished.exists()
