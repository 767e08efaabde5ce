"""The log of a running site, one line for each event, for people or for programs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Literal

LogFormat = Literal["text", "json"]

LOGGER = logging.getLogger("feeds")


def configure(log_format: LogFormat) -> None:
    """Write the log to standard error in a format."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")
    handler.setFormatter(_JSON() if log_format == "json" else text)
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)


class _JSON(logging.Formatter):
    """Writes a JSON object on one line, even where the message has several lines.

    A record may have `fields`, which are members of their own.
    """

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
