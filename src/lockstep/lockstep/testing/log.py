"""What a process of a component has logged, for the report of the test that failed."""

from __future__ import annotations

from ..printable import tell
from ..run.processes import Process


def show_log(process: Process, start: int = 0) -> None:
    """Write its log from byte `start` on to stderr, where pytest captures it."""
    with process.log.open("rb") as file:
        file.seek(start)
        text = file.read().decode("utf-8", "replace")
    if text:
        tell(text.removesuffix("\n"))
