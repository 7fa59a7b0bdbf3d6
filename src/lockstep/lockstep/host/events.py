"""What a process of a run tells its harness beside its log: JSON lines in the file that
LOCKSTEP_EVENTS names.

`{"event": "progress", "done": 20, "total": 300}`; of a class of nodes `{"event": "declared",
"timers": {"tick": 100000000}, "topics": {"/imu": "imu"}}`; and, before it ends by an error,
`{"event": "error", "kind": "hang", "message": "no answer for 10 s to …"}`, whose kind is one of
KINDS.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CallbackError, Crash, Hang, LockstepError, Loss, RunError, UsageError

EVENTS = "LOCKSTEP_EVENTS"
KINDS: dict[str, type[LockstepError]] = {
    "refused": UsageError,
    "hang": Hang,
    "crash": Crash,
    "loss": Loss,
    "callback": CallbackError,
    "failed": RunError,
}
"""The errors that are told apart; whatever else ends a process is told as the first of its bases.
"""
_TAIL_BYTES = 4096


def tell_progress(done: int, total: int) -> None:
    """Tell how far this process is, if anybody wants to know."""
    _tell({"event": "progress", "done": done, "total": total})


def tell_alive() -> None:
    """Tell that this process has not stopped, though there is nothing else to tell."""
    _tell({"event": "alive"})


def tell_error(error: Exception, message: str, *, refused: bool = False) -> None:
    """Tell why this process is about to end; `refused` if whoever started it is to blame."""
    kind = "refused" if refused else _kind(error)
    _tell({"event": "error", "kind": kind, "message": message})


@dataclass(frozen=True)
class Declared:
    """What a class of nodes has declared, beside what it registers: timers, as periods in ns by
    name, and its topics as they stand in the source, by those that they are."""

    timers: dict[str, int] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)


def tell_declared(declared: Declared) -> None:
    """Tell what a node has declared."""
    _tell({"event": "declared", **asdict(declared)})


def told_declared(file: Path) -> Declared:
    """What a node told that it has declared; nothing if it told nothing."""
    for event in _told(file):
        if event["event"] == "declared":
            return Declared(event["timers"], event["topics"])
    return Declared()


def told_progress(file: Path) -> tuple[int, int] | None:
    """How far the process is that tells its events to a file: (done, total).

    It is asked again and again while the file grows, so only the end of it is read.
    """
    events = [event for event in _told(file, _TAIL_BYTES) if event["event"] == "progress"]
    return (events[-1]["done"], events[-1]["total"]) if events else None


def told_bytes(file: Path) -> int:
    """How much a process has told, of whatever kind; it grows as long as the process goes on."""
    return file.stat().st_size if file.exists() else 0


def told_error(file: Path) -> LockstepError | None:
    """The error that a process told before it ended; None if it was none of its own."""
    for event in reversed(_told(file)):
        if event["event"] == "error":
            return KINDS.get(event["kind"], RunError)(event["message"])
    return None


def _kind(error: Exception) -> str:
    known = {cls: kind for kind, cls in KINDS.items()}
    return next((known[base] for base in type(error).__mro__ if base in known), "failed")


def _tell(event: dict[str, Any]) -> None:
    if file := os.environ.get(EVENTS):
        with open(file, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(event) + "\n")


def _told(file: Path, last_bytes: int | None = None) -> list[dict[str, Any]]:
    """The events so far, or those in the last bytes of the file.

    A line that is not whole yet is left for the next time.
    """
    try:
        with file.open("rb") as stream:
            if last_bytes is not None:
                stream.seek(max(0, told_bytes(file) - last_bytes))
            lines = stream.read().decode("utf-8", "replace").split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [event for line in lines if (event := _event(line)) is not None]


def _event(line: str) -> dict[str, Any] | None:
    """An event; None for a line that is none: any node of the run knows the file and may write to
    it."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    match event.get("event"):
        case "progress" if all(isinstance(event.get(key), int) for key in ("done", "total")):
            return event
        case "declared" if all(isinstance(event.get(key), dict) for key in ("timers", "topics")):
            return event
        case "error" if all(isinstance(event.get(key), str) for key in ("kind", "message")):
            return event
    return None
