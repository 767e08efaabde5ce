"""Lines of the log, as programs and people read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from feeds.logs import LOGGER, LogFormat, configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = LOGGER.handlers[:], LOGGER.level
    yield
    LOGGER.handlers[:] = before[0]
    LOGGER.setLevel(before[1])


def written(
    capsys: pytest.CaptureFixture[str], log_format: LogFormat, line: str, **fields: object
) -> str:
    configure(log_format)
    configure(log_format)
    LOGGER.warning(line, extra={"fields": fields})
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


def test_people_get_the_time_and_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d 100% of it\n", written(capsys, "text", "100% of it", a=1))


def test_programs_get_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = written(capsys, "json", 'ein "ü"\n100%', status=200)
    assert line.count("\n") == 1
    record = json.loads(line)
    at = datetime.fromisoformat(record.pop("time"))
    assert at.tzinfo == UTC and abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert record == {"level": "warning", "message": 'ein "ü"\n100%', "status": 200}


def test_traceback_is_in_the_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    try:
        raise KeyError("x")
    except KeyError:
        LOGGER.exception("failed")
    record = json.loads(capsys.readouterr().err)
    assert (record["level"], record["message"]) == ("error", "failed")
    assert record["traceback"].endswith("KeyError: 'x'")
