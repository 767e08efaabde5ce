"""Hostile articles of every kind, on the whole way to every format.

python -m tests.fuzz MINUTES looks further than the test suite does, and prints the
file that broke something; such a file belongs into tests/data.
"""

from __future__ import annotations

import sys
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.articles import parse_article
from feeds.config import Config
from feeds.formats import FORMATS
from feeds.pages import Pages
from feeds.publish import publish, publish_list
from feeds.selection import EVERYTHING
from tests import atom_rules, json_rules, rss_rules
from tests.families import BODIES
from tests.hostile import BODIES as MARKUP
from tests.support import BASE, SEEDS, Collection, article
from tests.test_withheld import LINE, NOT_PUBLISHED, REMOVED
from tests.xml_rules import read_xml

DATA = Path(__file__).parent / "data"
_READ = {
    "atom": atom_rules.faults,
    "rss": rss_rules.faults,
    "json": json_rules.faults,
}
_VALUES = st.sampled_from(
    [
        *("&a x", "*a", "!!python/object/apply:os.system ['x']", "!!binary QQ==", "!x y", "!%0A z"),
        *("9" * 5000, "-0x1F", "1e999", ".nan", "1:30:00", "0o17", "~", "yes", "''", '"\\uD800"'),
        *("9999-12-31T24:00:00Z", "9999-12-31T23:59:59-12:00", "0000-00-00", "2020-02-30"),
        *("1990-01-01T00:00:00+14:00", "2020-05-18T02:41:00Z", "2020-05-18 02:41:00 Z"),
        *("{a: 1, a: 2}", "[a, [b, {c: d}]]", "{? [x] : y}", "|\n  text\n  text", ">-\n  a\n\n  b"),
        *('"\\0\\x85\\u2028\\uFFFE"', "\ufeff", "\u2028", "\x85", "a\rb", "'a\n\n  b'", "- a", "#"),
        *("https://\u00e9.example/\u00fc?<>#a#b", "https://[::1", "http:///", "javascript:x"),
        *("&#" + "1" * 5000 + ";", "&#xD800;", "&#0;", "<b", "<![CDATA[", "]]>", "%zz", "\\"),
    ]
) | st.text(max_size=30)
_KEYS = st.sampled_from(
    (
        *("title", "excerpt", "publishedDateTime", "updatedDateTime", "webUrl", "originalUrl"),
        *("ampWebUrl", "type", "category", "quality", "heat", "published", "removed", "provider"),
        *("topics", "images", "related", "featuredContent", "secured", "<<", "? x", "'title'"),
    )
)
_LISTS = st.builds(
    lambda name, pairs: f"{name}:\n- " + "\n  ".join(map(": ".join, pairs)),
    st.sampled_from(["images", "related", "topics", "provider"]),
    st.lists(
        st.tuples(st.sampled_from(["url", "title", "width", "webUrl", "quality", "name"]), _VALUES),
        max_size=3,
    ),
)
_LINES = st.lists(st.builds("{}: {}".format, _KEYS, _VALUES) | _LISTS, max_size=6).map("\n".join)
_BODIES = st.lists(
    st.sampled_from([*MARKUP, *(make(400) for make in BODIES.values())]) | st.text(max_size=40),
    max_size=5,
).map("\n".join)
#: Sound articles with hostile additions, and front matters made of them alone.
MADE = st.one_of(
    st.builds(lambda more, body: article(more=more + "\n", body=body), _LINES, _BODIES),
    st.builds(lambda lines, body: f"---\n{lines}\n---\n{body}", _LINES, _BODIES),
    st.builds(
        lambda title, body: article(repr(title)[1:-1].replace('"', ""), body=body),
        st.text(max_size=30),
        _BODIES,
    ),
)
#: Articles that are not plainly published, whatever else they hold.
WITHHELD = st.builds(
    lambda line, more, body: article(more=more + "\n", body=body).replace(LINE, f"{line}\n"),
    st.sampled_from([*NOT_PUBLISHED, *(LINE + line for line in REMOVED)]),
    _LINES,
    _BODIES,
)
_FILES = [*sorted(SEEDS.iterdir()), *sorted(DATA.rglob("*.md"))]


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    raw = draw(st.sampled_from(_FILES)).read_bytes()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 12)))
        new = draw(st.binary(max_size=12) | _VALUES.map(lambda v: v.encode(errors="replace")))
        raw = raw[:start] + new + raw[end:]
    return raw


_ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
#: The bytes of an article file.
RAW = _mutated() | st.builds(
    lambda text, encoding: text.encode(encoding, "surrogatepass"), MADE | WITHHELD, _ENCODINGS
)


def publish_all(raws: list[bytes]) -> None:
    """Read files, publish them in every format, and read what came of them strictly."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "articles")
        folder.mkdir()
        config = Config(articles=folder, database=f"sqlite:///{scratch}/x.sqlite3")
        collection = Collection(folder, config)
        for number, raw in enumerate(raws):
            (folder / f"{number}.md").write_bytes(raw)
        faults = collection.sync().faults
        assert all(str(fault).isprintable() and len(str(fault)) < 500 for fault in faults)
        for suffix, rules in _READ.items():
            made = publish(collection.index, EVERYTHING, FORMATS[suffix], BASE)
            assert made and rules(made.body) == [], suffix
        read_xml(publish_list(collection.index, FORMATS["atom"], BASE).body)
        pages = Pages(index=collection.index, base=BASE)
        for page in (pages.home(), pages.stories(EVERYTHING), pages.build(EVERYTHING)):
            assert page
            _Balanced(page.body.decode()).check()
        collection.index.close()


def check_withheld(text: str) -> None:
    """An article that is taken back is withheld, be the rest of it at fault or not."""
    assert parse_article(text.encode(errors="replace"), "one.md").withheld_reason, text


class _Balanced(HTMLParser):
    """A page of which each element that was opened is closed, in its order."""

    _VOID = frozenset(("br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
    #: HTML closes them by itself.
    _LAX = frozenset(("p", "li", "option", "dt", "dd", "tr", "td", "th"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._VOID | self._LAX | {"path", "rect", "line", "circle"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._VOID | self._LAX | {"path", "rect", "line", "circle"}:
            assert self._open.pop() == tag

    def check(self) -> None:
        """Nothing is left open."""
        assert self._open == []


@given(st.lists(RAW, min_size=1, max_size=6))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def _run(raws: list[bytes]) -> None:
    begin = time.process_time()
    for raw in raws:
        parse_article(raw, "one.md")
    assert time.process_time() - begin < len(raws)
    publish_all(raws)


@given(WITHHELD)
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def _run_withheld(text: str) -> None:
    check_withheld(text)


if __name__ == "__main__":
    end = time.monotonic() + 60 * float(sys.argv[1])
    rounds = 0
    while time.monotonic() < end:
        _run()
        _run_withheld()
        rounds += 1
        print(f"{rounds * 200} collections, nothing broke", flush=True)
