"""What a curator takes back is gone, however the file says it and whatever else it holds."""

from __future__ import annotations

import pytest

from feeds.articles import parse_article
from feeds.articles.folder import MAX_FILE_SIZE
from feeds.articles.withheld import is_unpublished
from feeds.selection import Selection
from tests.support import Collection, article

#: Stand in the place of the line `published: true`.
NOT_PUBLISHED = (
    *("published: false", "published:   no", "published: off", "published: FALSE", "published: 0"),
    *("published: n", "published: ~", "published:", "published:  # not yet", "published: maybe"),
    *("published: never", "published: nobody", "published: 'false'", 'published: "true"'),
    *('"published": false', "'published' : no", "published : false", "Published: FALSE"),
    *("PUBLISHED: no", "published:false", "published false", "published = false", "published"),
    *(" published: false", "  published: false", "\tpublished: false", "- published: false"),
    *("\u00a0published: false", "\ufeffpublished: false", "published: !!bool false"),
    *("published: &no false", "published: !no false", "&a published: false"),
    *("!!str published: false", "? published\n: false", "? 'published'\n: false", "published: *no"),
    *("published\uff1afalse", "published\uff1a false", "published:\u00a0false", "published:\tno"),
    *("published: \u201cfalse\u201d", "\u201cpublished\u201d: false", "published: \u2018no\u2019"),
    *("published: >-\n  false", "published: |\n  no", "x: >-\n  a\n published: false"),
    *("published:\n  false", "published: [false]", "published: {x: true}", "{published: false}"),
    *("{title: x, published: false}", "x: {\npublished: false", "x: 'a\npublished: false"),
    *("published: true\npublished: false", "published: false\npublished: true"),
    *("published: true false", "published: true, no", "published: truely", "published: true\u00a0"),
    *(
        "a: b\u2028published: false",
        "a: b\x85published: no",
        "a: b\rpublished: no",
        "# a\rpublished:",
    ),
)
#: Stand below the line `published: true`.
REMOVED = (
    *("removed: true", "removed: on", "removed: yes", "removed: y", "removed: 1"),
    *("'removed' : yes", 'removed: "true"', " removed: true", "\tremoved: true", "- removed: true"),
    *("removed: !!bool true", "removed: &a true", "removed: soon", "removed true", "removed"),
    *(
        "removed\uff1atrue",
        "removed:\u00a0true",
        "removed: \u201ctrue\u201d",
        "removed: >-\n  true",
    ),
    *("? removed\n: true", "{removed: true}", "removed: false\nremoved: true", "removed: 'false'"),
)
#: Stand in its place, in a file at fault.
STILL_PUBLISHED = (
    *("published: true", "published:  True", "published: yes # now", '"published": true'),
    *("'published' : on", "published: true\nremoved: false", "published: true\nremoved: no # no"),
    *("published: true\nabout: What was published, and removed", "unpublished: false"),
    *("published: true\nabout:\n- a story published: true", "published: true\nwas_removed: true"),
    *("published: true\npublishedDate: never", "", "published: true\n# was it removed"),
)
LINE = "published: true\n"
FAULT = "x: [\n"
SHOWN = Selection(limit=200)


def _public(
    collection: Collection, lines: tuple[str, ...], more: str = "", body: str = ""
) -> set[str]:
    """Save sound articles, then each with other lines; the lines of those that stay public."""
    for number in range(len(lines)):
        collection.write(f"{number}.md", article(str(number)))
    collection.sync()
    for number, line in enumerate(lines):
        text = article(str(number), more=more, body=body)
        collection.write(f"{number}.md", text.replace(LINE, f"{line}\n"))
    collection.sync()
    found = collection.index.find(SHOWN)
    return {lines[int(each.title)] for each in found.articles} if found else set()


@pytest.mark.parametrize("more", ["", FAULT], ids=["otherwise sound", "at fault"])
def test_article_that_is_not_plainly_published_is_taken_back(
    collection: Collection, more: str
) -> None:
    assert _public(collection, NOT_PUBLISHED, more) == set()


@pytest.mark.parametrize("more", ["", FAULT], ids=["otherwise sound", "at fault"])
def test_article_that_is_removed_in_any_way_is_taken_back(
    collection: Collection, more: str
) -> None:
    assert _public(collection, tuple(LINE + line for line in REMOVED), more) == set()


def test_other_fault_takes_nothing_back(collection: Collection) -> None:
    body = "published: false\nremoved: true\n---\npublished: false\n"
    assert _public(collection, STILL_PUBLISHED, FAULT, body) == set(STILL_PUBLISHED)


def test_body_of_a_sound_article_takes_nothing_back(collection: Collection) -> None:
    assert _public(collection, ("published: true",), body="published: false\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("line", ["published: false", "published : 'no'", "removed: soon"])
def test_file_in_any_encoding_takes_its_article_back(line: str, encoding: str) -> None:
    raw = f"---\r\ntitle: [\r\n{line}\r\n---\r\n".encode(encoding)
    assert parse_article(raw, "one.md").withheld_reason == "not published"


@pytest.mark.parametrize("brk", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_machine(brk: str) -> None:
    raw = article(published="false").replace("\n", brk).encode()
    assert parse_article(raw, "one.md").withheld_reason == "not published"


@pytest.mark.parametrize(
    ("text", "withheld"),
    [
        (article(published="false", body="x" * MAX_FILE_SIZE), "not published"),
        (article(published="true", body="x" * MAX_FILE_SIZE), ""),
        (article(published="true", more="x" * MAX_FILE_SIZE), ""),
        (
            article(more="x" * MAX_FILE_SIZE + "\npublished: false\n").replace(LINE, ""),
            "not published",
        ),
        (article(more="x" * MAX_FILE_SIZE), ""),
        ("x" * (MAX_FILE_SIZE + 1), "not published"),
        ("", ""),
        ("---\ntitle: x\n", ""),
        ("---\ntitle: x\npublished: fal", "not published"),
    ],
)
def test_file_whose_end_is_not_read_must_say_that_it_is_published(text: str, withheld: str) -> None:
    # As `read_bytes` does, which reads one byte more than an article may have.
    reading = parse_article(text.encode()[: MAX_FILE_SIZE + 1], "one.md")
    assert reading.faults and reading.withheld_reason == withheld


@pytest.mark.parametrize(
    ("text", "withheld"),
    [
        (article(quality="many", published="false"), "not published"),
        (article(quality="many", more="removed: true\n"), "removed"),
        (article(quality="many", more="removed: fALSE\n"), "removed"),
        (article(quality="many"), ""),
    ],
)
def test_fault_of_a_field_keeps_the_reason(text: str, withheld: str) -> None:
    reading = parse_article(text.encode(), "one.md")
    assert reading.faults and reading.withheld_reason == withheld


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"---\npublished: false\n---\n", True),
        (b"---\ntitle: [\npublished: false\n", True),
        (b"---\ntitle: 'a\npublished: false\n'\npublished: true\n---\n", True),
        (b"---\ntitle: [\r---\r\npublished: false\n---\n", True),
        (b"---\npublished: true\n---\npublished: false\n", False),
        (b"---\n---\npublished: false\n", False),
        (b" ---\npublished: false\n---\n", False),
        (b"---\npublished: false \n---\n", False),
        (b"---\n published: false\n---\n", False),
    ],
)
def test_plain_line_of_a_front_matter_needs_no_parser(raw: bytes, expected: bool) -> None:
    assert is_unpublished(raw) is expected
    assert parse_article(raw, "one.md").withheld_reason or not expected
