"""The log of a component in a direct run, line by line as in a live node.

lockstep_cpp's log.cpp is the twin.
"""

from __future__ import annotations

import logging

from ..printable import tell

LOG_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
"""The levels of rcutils, and what Python calls them."""


def log_as_ros(logger: str, level: str) -> None:
    """Write what Python's loggers get, from a level of LOG_LEVELS on, as a ROS logger does."""
    logging.basicConfig(level=LOG_LEVELS[level], handlers=[_Lines(logger)])


class _Lines(logging.Handler):
    """Lines as RCUTILS writes them."""

    def __init__(self, logger: str) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        level = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(record.levelname, record.levelname)
        tell(f"[{level}] [{record.created:.9f}] [{self._logger}]: {record.getMessage()}")
