"""The host of a component whose run has ended: lockstep_cpp's output_gate.cpp is the twin."""

from __future__ import annotations

import os
from typing import Any

from ..component import Component
from ..errors import FAILED, RunError
from ..printable import tell
from .events import tell_error


class Ended:
    """Lets a component publish nothing any more, be it in its destructor, in an exit handler or
    from a thread: it would be lost.

    After a run that went well this ends the process with exit code 3; raising would not, there.
    """

    def __init__(self, component: Component, *, refuses: bool) -> None:
        """Takes the place of the component's host; without `refuses`, what comes is passed
        over."""
        self.logger = component.host.logger
        self._now_ns = component.host.now()
        self._refuses = refuses
        component.host = self

    def now(self) -> int:
        """The time at which the run has ended, in ns."""
        return self._now_ns

    def publish(self, output: str, msg: Any) -> None:
        """Refuse a message."""
        if not self._refuses:
            return
        error = RunError(f"output '{output}' was published after the end of the run")
        tell_error(error, str(error))
        tell(str(error))
        os._exit(FAILED)
