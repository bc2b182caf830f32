"""The log: one JSON object a line on standard error, without personal data.

What is logged are stable codes, counts and ids of the node's own rows; an error that was not foreseen is logged by its
type and place, never by its text, which may quote what somebody sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

__all__ = ["JsonLines", "configure", "unforeseen"]

_OWN = "lernode"
_FILLED_IN = re.compile(r"[\n\"'(<\[{:=]")
_log = logging.getLogger("lernode.loop")


class JsonLines(logging.Formatter):
    """A record as one line of JSON: ``at``, ``level``, ``logger``, ``message``, and ``error`` where there was one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a logger adds fields of its own with ``extra={"facts": {...}}``."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if record.name.partition(".")[0] == _OWN else _template(record),
        }
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, place = record.exc_info
            line["error"] = kind.__name__
            line["place"] = "".join(traceback.format_tb(place))
        return json.dumps(line, ensure_ascii=False)


def _template(record: logging.LogRecord) -> str:
    # What a library fills in may be anything, also where it did so itself before it logged the text.
    return _FILLED_IN.split(str(record.msg), maxsplit=1)[0].rstrip()


def unforeseen(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody waited for, as an event loop's exception handler; asyncio's own quotes arguments and texts."""
    error = context.get("exception")
    if error is None:
        _log.error("%s", context.get("message"))
    else:
        _log.error("a piece of work failed", exc_info=error)


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Log to ``stream`` (standard error): lernode from ``level`` on, libraries from warnings on."""
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OWN).setLevel(level)
