"""Fields of a real front matter, and the faults that they note."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feeds.articles import clean
from feeds.articles.fields import Fields
from feeds.articles.front_matter import read_front_matter

Faults = list[tuple[int, str]]


def fields(text: str) -> tuple[Fields, Faults]:
    faults: Faults = []
    return Fields(read_front_matter(text), faults), faults


@pytest.mark.parametrize("written", ["", "~", "null", "''", '" \\t "'])
def test_null_and_blank_are_absent(written: str) -> None:
    read, faults = fields(f"a: {written}\n")
    assert read.node("a") is None
    assert (read.text("a"), read.number("a"), read.time("a"), read.uri("a")) == (
        "",
        None,
        None,
        None,
    )
    assert (read.texts("a"), read.maps("a"), read.map("a").text("b")) == ([], [], "")
    assert faults == []


def test_quoted_null_is_text() -> None:
    assert fields("a: 'null'\n")[0].text("a") == "null"


def test_required_field_is_missed_at_its_line_or_at_its_map() -> None:
    read, faults = fields("---\nb: 1\na:\n")
    read.require("a", "b", "c")
    assert faults == [(3, "no 'a', add one"), (2, "no 'c', add one")]


def test_text_is_cleaned_by_the_given_cleaner() -> None:
    read, _ = fields('a: "  x &amp; \\x07y"\n')
    assert read.text("a") == "x &amp; y"
    assert read.text("a", clean.prose) == "x & y"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("12", "'a' is a number, put quotes around it"),
        ("1.5", "'a' is a number, put quotes around it"),
        ("no", "'a' is true or false, put quotes around it"),
        ("2020-01-01", "'a' is a timestamp, put quotes around it"),
        ("[x]", "'a' must be text"),
        ("{x: y}", "'a' must be text"),
    ],
)
def test_other_yaml_type_is_no_text(written: str, problem: str) -> None:
    read, faults = fields(f"---\na: {written}\n")
    assert read.text("a") == ""
    assert faults == [(2, problem)]


def test_fault_of_a_cleaner_names_the_field() -> None:
    read, faults = fields("a: nowhere\n")
    assert read.uri("a") is None
    assert faults == [(1, "'a' is not an absolute http or https URL but 'nowhere', correct it")]


def test_texts_leave_out_the_empty_and_note_each_fault_at_its_line() -> None:
    read, faults = fields("a:\n- x\n- ''\n- 1\n- [y]\n- z\n")
    assert read.texts("a") == ["x", "z"]
    assert faults == [(4, "'a' is a number, put quotes around it"), (5, "'a' must be text")]


@pytest.mark.parametrize(
    ("written", "number"),
    [("0", 0), ("-1", -1), ("+7", 7), ("154", 154), ("999999999", 999_999_999)],
)
def test_whole_number_is_read(written: str, number: int) -> None:
    read, faults = fields(f"a: {written}\n")
    assert read.number("a") == number
    assert faults == []


@pytest.mark.parametrize(
    "written", ["1000000000", "1.0", "1e3", "0x10", "010", "1_000", "'1'", "yes", "[1]", "{1: 1}"]
)
def test_anything_else_is_no_number(written: str) -> None:
    read, faults = fields(f"a: {written}\n")
    assert read.number("a") is None
    assert faults == [(1, "'a' must be a whole number without quotes")]


@pytest.mark.parametrize(
    ("written", "size"),
    [("720", 720), ("'720'", 720), ("0", None), ("-1", None), ("tall", None), ("[1]", None)],
)
def test_size_is_a_positive_number_or_unknown(written: str, size: int | None) -> None:
    read, faults = fields(f"a: {written}\n")
    assert read.size("a") == size
    assert read.size("b") is None
    assert faults == []


@pytest.mark.parametrize(
    "written",
    [
        "2020-05-18T02:41:00Z",
        "2020-05-18t02:41:00z",
        "2020-05-18 02:41:00Z",
        "2020-05-18  02:41:00 Z",
        "'2020-05-18T02:41:00Z '",
        "2020-05-18T02:41:00.999999999Z",
        "2020-05-18T02:41:00.Z",
        "2020-05-18T04:41:00+02:00",
        "2020-05-18T04:41:00+0200",
        "2020-05-17T17:11:00-09:30",
    ],
)
def test_time_is_read_in_utc_and_whole_seconds(written: str) -> None:
    read, faults = fields(f"a: {written}\n")
    assert read.time("a") == datetime(2020, 5, 18, 2, 41, tzinfo=UTC)
    assert read.time("a").tzinfo is UTC  # type: ignore[union-attr]  # it is there
    assert faults == []


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("2020-05-18", "is not a time such as"),
        ("1589769660", "is not a time such as"),
        ("2020-05-18T02:41Z", "is not a time such as"),
        ("[2020-05-18T02:41:00Z]", "is not a time such as"),
        ("2020-05-18T02:41:00", "does not say its time zone"),
        ("2020-13-45T02:41:00Z", "is not a possible time"),
        ("2021-02-29T02:41:00Z", "is not a possible time"),
        ("2020-05-18T02:41:60Z", "is not a possible time"),
        ("2020-05-18T02:41:00+24:00", "is not a possible time"),
        ("9999-12-31T23:59:59-00:01", "is not a possible time"),
        ("0001-01-01T00:00:00+14:00", "is not a possible time"),
        ("1990-01-01T00:00:00+00:01", "is before 1990"),
    ],
)
def test_impossible_time_is_a_fault(written: str, problem: str) -> None:
    read, faults = fields(f"---\na: {written}\n")
    assert read.time("a") is None
    ((line, message),) = faults
    assert line == 2 and message.startswith(f"'a' {problem}")


def test_time_from_1990_on_is_read() -> None:
    read, faults = fields("a: 1990-01-01T00:00:00Z\n")
    assert read.time("a") == datetime(1990, 1, 1, tzinfo=UTC)
    assert faults == []


def test_faults_of_inner_maps_stand_with_the_others() -> None:
    read, faults = fields("a:\n  b: 1\nc:\n- d: 2\n- e\n")
    assert read.map("a").text("b") == ""
    assert [inner.text("d") for inner in read.maps("c")] == ["", ""]
    assert faults == [
        (2, "'b' is a number, put quotes around it"),
        (5, "'c' must be a map of 'name: value' lines"),
        (4, "'d' is a number, put quotes around it"),
    ]


def test_wrong_map_or_list_is_a_fault_and_empty() -> None:
    read, faults = fields("a: x\nb:\n  c: d\n")
    assert read.map("a").text("b") == ""
    assert (read.texts("b"), read.maps("b")) == ([], [])
    must = "'b' must be a list, each item on a line '- ...'"
    assert faults == [(1, "'a' must be a map of 'name: value' lines"), (3, must), (3, must)]
