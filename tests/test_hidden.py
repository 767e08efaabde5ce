"""What the curator keeps in leaves no trace: a site without it answers the same."""

from __future__ import annotations

import re
import tempfile
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from feeds.config import Config
from feeds.static_site import build
from tests.support import BASE, NOW, Collection, Raw, Site, article

#: To make an example smaller would take minutes: each is a site that is crawled.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

#: Stands in every text of what is hidden, and nowhere else.
MARK = "Qzhidden"
SECRET = "UXpzZWNyZXQ"
SECURED = f'secured: "{SECRET}AAAA;AAAAAAAAAAAAAAAAAAAAAA=="\n'
#: Topics and spellings that visible and hidden articles share, and slugs that collide.
TOPICS = ["AI", "ai", "Law", "C++", "cplusplus", "C#", "csharp"]
_LINKS = re.compile(
    r"(?:href|src|xmlUrl|htmlUrl|action)=\"([^\"]+)\"|\"[a-z_]*url\":\"([^\"]+)\""
    r"|<(?:link|id)>(https:[^<]+)<|<(https:[^>]+)>;"
)
#: Where somebody would look who guesses.
GUESSES = [
    "/",
    "/healthz",
    "/feeds.opml?format=json",
    *(f"/{kind}/?find={MARK[:4]}" for kind in ("topics", "providers")),
    f"/?find={MARK}",
    *(f"{at}?topic={MARK[:-1]}" for at in ("/feed.atom", "/build/", "/", "/embed/")),
    f"/feed.rss?provider={MARK[:-1]}.example",
    f"/feed.json?type={MARK[:-1]}&exclude={MARK[:-1]}",
    "/feed.json?min_quality=61&limit=200",
    "/feed.json?min_heat=1&limit=200",
    f"/topics/{MARK.lower()}x/",
    f"/topics/{MARK.lower()}/feed.atom",
    f"/providers/{MARK.lower()}.example/archive/",
    f"/topics/{MARK}/",
    "/archive/2018-02/",
    "/archive/2018-02.json",
    *(f"{at}?q={MARK.lower()}" for at in ("/", "/feed.atom", "/topics/ai/feed.json", "/embed/")),
    *(f"{at}?q={MARK[:4].lower()}%2A" for at in ("/", "/build/", "/feed.rss", "/archive/")),
    f"/?q=seen%20{MARK.lower()}",
    *(f"/oembed?url={quote(f'{BASE}/topics/{slug}/')}" for slug in ("ai", MARK.lower())),
]


def _faulty(text: str) -> str:
    return text.replace("quality: ", "quality: many ")


def _broken(text: str) -> str:
    return text.replace("---\n", "---\nx: [\n", 1)


def _same(text: str) -> str:
    return text


def _text(
    mark: str, topics: list[str], quality: int, day: int, published: str = "true", more: str = ""
) -> str:
    return article(
        f"{mark} title {day}",
        published=published,
        quality=quality,
        url=f"https://example.org/{mark}{day}",
        topics=(*topics, *([f"{mark}"] if mark == MARK else [])),
        provider=f"{mark} provider",
        domain=f"{mark}.example",
        time="2099-02-03T00:00:00Z" if more == "due" else f"2018-02-{day:02}T00:00:00Z",
        more=("" if more == "due" else more)
        + f"{SECURED}type2: {mark}\nheat: {day}\n"
        + f"images:\n  - url: https://images.example/{mark}{day}.png\n",
        body=f"The {mark} body.\n",
    ).replace("type: article", f"type: {mark}" if mark == MARK else "type: article")


#: Whoever asks from elsewhere.
PUBLIC = {"X_Forwarded_For": "203.0.113.9"}
_topics = st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3, unique=True)
_days = st.integers(1, 9)
_visible = st.builds(_text, st.just("Seen"), _topics, st.sampled_from([60, 61, 90]), _days)
_kept_in = st.one_of(
    st.builds(_text, st.just(MARK), _topics, st.just(99), _days, st.just("false")),
    st.builds(_text, st.just(MARK), _topics, st.just(99), _days, st.just("maybe")),
    st.builds(_text, st.just(MARK), _topics, st.just(59), _days),
    st.builds(
        _text,
        *(st.just(MARK), _topics, st.just(99), _days, st.just("true")),
        st.sampled_from(["removed: true\n", "due"]),
    ),
    st.builds(
        lambda spoil, text: spoil(text),
        st.sampled_from([_faulty, _broken]),
        st.builds(_text, st.just(MARK), _topics, st.just(99), _days),
    ),
)
#: What is saved at a time: texts to show, texts to hide, and names of files that go.
_step = st.tuples(
    st.dictionaries(st.sampled_from("abcde"), _visible, max_size=3),
    st.dictionaries(st.sampled_from("vwxyz"), _kept_in, min_size=1, max_size=4),
    st.sets(st.sampled_from("abcde"), max_size=1),
)


@dataclass
class Half:
    """One of two collections that differ in what is hidden."""

    collection: Collection
    site: Site

    def apply(self, texts: dict[str, str], gone: set[str], now: datetime) -> list[str]:
        """Save, delete and compare; what a curator is told."""
        for name, text in texts.items():
            self.collection.write(f"{name}.md", text)
        for name in gone - texts.keys():
            (self.collection.folder / f"{name}.md").unlink(missing_ok=True)
        return [str(fault) for fault in self.collection.sync(now).faults]

    def crawl(self) -> dict[str, Raw]:
        """Every address that the site leads to, and those that somebody guesses."""
        found: dict[str, Raw] = {}
        left = deque(GUESSES)
        while left and len(found) < 250:
            target = left.popleft().partition("#")[0]
            if target in found:
                continue
            found[target] = raw = self.site.raw(target, "news.example", **PUBLIC)
            document = raw.body.decode() + "".join(
                f"<{url}>;" for url in raw.headers.get_all("Location", [])
            )
            for groups in _LINKS.findall(document + str(raw.headers)):
                url = unescape("".join(groups)).removeprefix(BASE)
                if url.startswith("/") and not url.startswith("//"):
                    left.append(url)
        return found


def _half(scratch: Path, name: str) -> Half:
    folder = scratch / name
    folder.mkdir()
    config = Config(
        articles=folder,
        database=f"sqlite:///{scratch}/{name}.sqlite3",
        base_url=BASE,
        limit=3,
        index_polls_per_second=0,
    )
    collection = Collection(folder, config)
    # Made before the first request, at the time of the test.
    collection.sync(NOW)
    with pytest.MonkeyPatch.context() as patch:
        # What is counted is compared at once.
        patch.setattr("feeds.web.routes.MAX_HEALTH_AGE", 0)
        return Half(collection, Site(collection, NOW))


def _compare(with_it: dict[str, Raw], without: dict[str, Raw]) -> None:
    assert with_it.keys() == without.keys()
    for target, raw in with_it.items():
        whole = raw.body.decode() + str(raw.headers)
        requested = MARK in target or MARK.lower() in target
        assert requested or MARK.lower() not in whole.lower(), target
        assert SECRET not in whole, target
        other = without[target]
        assert (target, raw.status, raw.body) == (target, other.status, other.body)
        assert _lasting(raw) == _lasting(other), target


def _lasting(raw: Raw) -> list[tuple[str, str]]:
    moving = ("Date", "X-Request-Id")
    return [(name, value) for name, value in raw.headers.items() if name not in moving]


def _files(out: Path) -> dict[str, bytes]:
    paths = [path for path in out.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


@given(st.lists(_step, min_size=1, max_size=2))
@settings(max_examples=5, deadline=None, phases=PHASES)
def test_hidden_articles_leave_no_trace(
    history: list[tuple[dict[str, str], dict[str, str], set[str]]],
) -> None:
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        halves = [_half(scratch, "with"), _half(scratch, "without")]
        try:
            for step, (shown, hidden, gone) in enumerate(history):
                now = NOW + timedelta(minutes=step)
                reported = halves[0].apply(shown | hidden, gone, now)
                assert halves[1].apply(shown, gone, now) == []
                assert SECRET not in str(reported)
                _compare(*(half.crawl() for half in halves))
            for half in halves:
                build(
                    half.collection.config.database,
                    half.collection.config,
                    scratch / f"built-{half.collection.folder.name}",
                )
        finally:
            for half in halves:
                half.site.close()
                half.collection.index.close()
        built = _files(scratch / "built-with")
        assert built == _files(scratch / "built-without")
        for path in scratch.glob("*.sqlite3*"):
            assert SECRET.encode() not in path.read_bytes()
        assert SECRET.encode() not in b"".join(built.values())


@given(_visible, _kept_in.filter(lambda text: "removed" in text or "false" in text))
@settings(max_examples=4, deadline=None, phases=PHASES)
def test_article_taken_back_is_gone(shown: str, withdrawn: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        half = _half(Path(made), "articles")
        try:
            marked = shown.replace("Seen title", f"{MARK} title").replace("Seen body", MARK)
            half.apply({"a": marked, "b": shown}, set(), NOW)
            assert MARK in half.site.raw("/feed.json", "news.example").body.decode()
            half.apply({"a": withdrawn}, set(), NOW + timedelta(minutes=1))
            for target, raw in half.crawl().items():
                assert MARK not in raw.body.decode() or MARK in target, target
        finally:
            half.site.close()
            half.collection.index.close()
