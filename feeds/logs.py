"""What a running site says of itself: a line each, for people or for programs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

Form = Literal["text", "json"]
FORMS: tuple[Form, ...] = ("text", "json")

LOGGER = logging.getLogger("feeds")


def configure(form: Form) -> None:
    """Write the log to standard error, in one form."""
    handler = _Stderr()
    handler.setFormatter(_JSON() if form == "json" else _TEXT)
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)


def log(level: int, line: str, **fields: object) -> None:
    """A line, with what programs want apart."""
    LOGGER.log(level, line, extra={"fields": fields})


_TEXT = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at the time."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # as in logging's own last resort
        return sys.stderr


class _JSON(logging.Formatter):
    """One object a line, whatever the line says."""

    def format(self, record: logging.LogRecord) -> str:
        fields: Mapping[str, object] = getattr(record, "fields", {})
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **fields,
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
