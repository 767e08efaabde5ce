"""The log of a running site, one line for each event, for people or for programs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

LogFormat = Literal["text", "json"]

LOGGER = logging.getLogger("feeds")


def configure(log_format: LogFormat) -> None:
    """Write the log to standard error in a format."""
    handler = _Stderr()
    handler.setFormatter(_JSON() if log_format == "json" else _TEXT)
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)


def log(level: int, line: str, **fields: object) -> None:
    """Write a line, and in the format `json` the fields as members of their own."""
    LOGGER.log(level, line, extra={"fields": fields})


_TEXT = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at that moment, as logging's handler of last resort does."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # read-only here
        return sys.stderr


class _JSON(logging.Formatter):
    """Writes a JSON object on one line, even where the message has several lines."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
