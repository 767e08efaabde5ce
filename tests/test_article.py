"""Real article files: what is read of them, and every fault that is found."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.articles import Article, clean, parse_article, stem_of
from feeds.articles.folder import MAX_FILE_SIZE
from tests.html_rules import ADDRESSES, Html
from tests.support import SEEDS, article

DATA = Path(__file__).parent / "data"
VALID = sorted((DATA / "valid").glob("*.md"))
INVALID = sorted((DATA / "invalid").glob("*.md"))


def test_there_are_cases() -> None:
    assert len(VALID) > 10 and len(INVALID) > 40


def test_each_file_of_data_belongs_to_a_case() -> None:
    found = {path for path in DATA.rglob("*") if path.is_file()}
    expected = [path.with_suffix(".json") for path in VALID]
    expected += [path.with_suffix(".faults") for path in INVALID]
    assert found == {*VALID, *INVALID, *expected}


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_file_is_read_as_expected(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    reading = parse_article(path.read_bytes(), path.name)
    assert reading.faults == ()
    assert reading.withheld_reason == expected["withheld"]
    assert json.loads(msgspec.json.encode(reading.article)) == expected["article"]


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_file_has_every_fault_named(path: Path) -> None:
    expected = path.with_suffix(".faults").read_text().splitlines()
    reading = parse_article(path.read_bytes(), path.name)
    reported = [re.sub("bad YAML, .*: put", "bad YAML, ...: put", str(f)) for f in reading.faults]
    assert reported == [f"{path.name}:{each}" for each in expected]
    assert reading.article is None


def test_faults_come_in_the_order_of_their_lines() -> None:
    found = parse_article(article(time="never", quality="many").encode(), "a/one.md")
    assert [(fault.path, fault.line) for fault in found.faults] == [
        ("a/one.md", 4),
        ("a/one.md", 7),
    ]


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (
            article().replace("excerpt:", "exerpt:"),
            "3: warning: unknown field 'exerpt', did you mean 'excerpt'?",
        ),
        (
            article(quality="x").replace("excerpt:", "Excerpt:"),
            "3: warning: unknown field 'Excerpt', did you mean 'excerpt'?",
        ),
        (
            article().replace("published:", "publishd:"),
            "8: warning: unknown field 'publishd', did you mean 'published'?",
        ),
        (
            article().replace("  domain:", "  domian:"),
            "11: warning: unknown field 'domian', did you mean 'domain'?",
        ),
        (
            article(more='images:\n  - url: "https://x.example/a"\n    heigth: 3\n'),
            "16: warning: unknown field 'heigth', did you mean 'height'?",
        ),
        (
            article(published="'true'"),
            "8: warning: 'published' is not true or false, so the article is not published",
        ),
        (
            article(published="[true]"),
            "8: warning: 'published' is not true or false, so the article is not published",
        ),
        (
            article("A vector<int>"),
            "3: warning: 'excerpt' shows '<int' as words, remove it if it is markup",
        ),
        # Fields of other programs, and those that look like a field that is there.
        (article(more="subtitle: x\nlayout: x\nsecured: x\ntags: [x]\n"), None),
        (article(more='related:\n- {title: x, ampWebUrl: "x", excerpt: x}\n'), None),
        (article(more=f"{'x' * 60_000}: x\nheat: null\n"), None),
        (article("1 < 2 &lt;i&gt; <b>x</b>", published="off"), None),
        ("nothing", None),
    ],
)
def test_what_looks_like_a_mistake_is_warned_of(text: str, warned: str | None) -> None:
    warnings = [str(warning) for warning in parse_article(text.encode(), "one.md").warnings]
    assert warnings == ([f"one.md:{warned}"] if warned else [])


def test_file_too_large_is_a_fault() -> None:
    (fault,) = parse_article(article(body="x" * MAX_FILE_SIZE).encode(), "one.md").faults
    assert str(fault) == "one.md:1: larger than 1 MiB, shorten it"


def test_file_of_the_size_limits_is_read() -> None:
    body = "x" * clean.MAX_BODY_LENGTH
    room = MAX_FILE_SIZE - len(article(more="#\n", body=body))
    raw = article(more=f"#{' ' * room}\n", body=body).encode()
    assert len(raw) == MAX_FILE_SIZE
    assert parse_article(raw, "one.md").faults == ()
    (fault,) = parse_article(article(body=body + "x").encode(), "one.md").faults
    assert str(fault) == "one.md:15: the body is longer than 262144 characters, shorten it"


def test_stem_is_the_name_without_its_last_ending() -> None:
    assert stem_of("a/b.c.md") == "b.c"
    assert stem_of("cafe\u0301.md") == "caf\u00e9"


def test_reading_a_file_leaves_nothing_to_the_garbage_collector() -> None:
    raw = (DATA / "valid" / "full.md").read_bytes()
    parse_article(raw, "one.md")
    gc.collect()
    parse_article(raw, "one.md")
    assert gc.collect() == 0


def test_seeds_are_sound() -> None:
    readings = [parse_article(path.read_bytes(), path.name) for path in sorted(SEEDS.iterdir())]
    assert [reading.withheld_reason for reading in readings] == ["", *["not published"] * 4]
    assert all(reading.article for reading in readings)


def test_secured_is_kept_nowhere() -> None:
    for path in SEEDS.iterdir():
        secured = re.search(r'^secured: "(.{20})', path.read_text(), re.M)
        assert secured
        reading = parse_article(path.read_bytes(), path.name)
        assert secured[1] not in repr(reading)


def test_secured_is_in_no_fault() -> None:
    reading = parse_article(article(more="secured: [QUJDRA, {x: QUJDRA}\n").encode(), "one.md")
    assert reading.faults
    assert "QUJDRA" not in str(reading)


FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")


def texts(value: object) -> Iterator[str]:
    """Every text of an article, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def check(reading: Article | None) -> None:
    """What every article promises to whoever writes it out."""
    if reading is None:
        return
    assert not [text for text in texts(msgspec.to_builtins(reading)) if FORBIDDEN.search(text)]
    assert reading.title
    urls = [reading.link, reading.via, reading.amp, reading.cdn_amp, reading.frame]
    urls += [i.url for i in reading.images] + [r.link for r in reading.related]
    for url in urls:
        assert url is None or re.fullmatch(r"https?://[!-~]+", url)
    for tag, attributes in Html(reading.content).tags:
        assert tag != "script"
        assert not any("javascript:" in attributes.get(name, "") for name in ADDRESSES)


@given(st.binary(max_size=400))
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    check(parse_article(raw, "one.md").article)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_any_mutation_of_a_file_is_read_without_an_error(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from([p.read_bytes() for p in [*VALID, *sorted(SEEDS.iterdir())]]))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.integers(0, 12)))
        raw = raw[:start] + data.draw(st.binary(max_size=12)) + raw[end:]
    check(parse_article(raw, "one.md").article)


@given(
    title=st.text(min_size=1), excerpt=st.text(), url=st.text(), domain=st.text(), body=st.text()
)
@settings(max_examples=80, deadline=None)
def test_any_text_in_the_fields_is_read_without_an_error(
    title: str, excerpt: str, url: str, domain: str, body: str
) -> None:
    text = (
        f"---\ntitle: {json.dumps(title)}\nexcerpt: {json.dumps(excerpt)}\n"
        f"webUrl: {json.dumps('https://example.org/' + url)}\nquality: 1\n"
        f"publishedDateTime: 2020-01-01T00:00:00Z\nprovider:\n  domain: {json.dumps(domain)}\n"
        f"topics: [{json.dumps(title)}]\nimages:\n- url: {json.dumps('https://' + url)}\n---\n"
    )
    raw = text.encode() + body.encode("utf-8", "surrogatepass")
    check(parse_article(raw, "one.md").article)


@pytest.mark.parametrize("left_out", ["title", "webUrl", "quality"])
def test_related_story_that_lacks_what_a_link_needs_is_left_out(left_out: str) -> None:
    story = {"title": "Told", "webUrl": "https://other.example/", "quality": 80}
    lines = "".join(
        f"{'  - ' if not number else '    '}{name}: {value}\n"
        for number, (name, value) in enumerate([("type", "article"), *story.items()])
        if name != left_out
    )
    for more, count in ((lines, 0), (lines + f"    {left_out}: {story[left_out]}\n", 1)):
        reading = parse_article(article(more=f"related:\n{more}").encode(), "one.md")
        assert reading.article and len(reading.article.related) == count
