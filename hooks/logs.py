"""Logs as one JSON object a line on standard error. What is logged holds no patient, no token and no path."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from hooks.settings import Settings

OWN = "firstline"
FACTS = "facts"
"""The name under which a log record carries its facts: ``log.info("answered", extra={"facts": {…}})``."""


class JsonLines(logging.Formatter):
    """Time, level, logger, message, facts; of an exception its kind alone: a message may quote what was read."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FACTS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure(settings: Settings) -> None:
    """Sends every log of this process to standard error. Firstline's own from the level of the settings on; those of
    libraries from warnings on: at lower levels some quote addresses and parameters."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OWN).setLevel(settings.log_level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
