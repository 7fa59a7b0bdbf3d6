"""Keys of a terminal that drive a player, the same as those of `ros2 bag play`."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from typing import TYPE_CHECKING, Any

from .controls import RATE_STEP, Controls

if TYPE_CHECKING:
    from typing_extensions import Self

KEYS = "space: pause or resume, →: next message, ↑/↓: rate ±0.1"
_RIGHT, _UP, _DOWN = "\x1b[C", "\x1b[A", "\x1b[B"


class Keyboard:
    """Reads keys while it is entered, if stdin is a terminal that is ours to read."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        if _is_ours():
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None and _is_ours():
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def serve(self) -> None:
        """Do what the keys say that were pressed meanwhile."""
        if self._before is None or not _is_ours():
            return
        while select.select([sys.stdin], [], [], 0)[0]:
            if not (keys := os.read(sys.stdin.fileno(), 64)):
                return
            press(keys.decode("utf-8", "replace"), self._controls)


def press(keys: str, controls: Controls) -> None:
    """What each key does; all others nothing."""
    keys = keys.replace("\x1bO", "\x1b[")  # arrows of a terminal in application mode
    while keys:
        key = next((k for k in (_RIGHT, _UP, _DOWN) if keys.startswith(k)), keys[0])
        keys = keys[len(key) :]
        if key == " ":
            controls.toggle()
        elif key == _RIGHT and controls.paused:
            controls.burst(1, lambda played: None)
        elif key in (_UP, _DOWN):
            controls.change_rtf(RATE_STEP if key == _UP else -RATE_STEP)


def _is_ours() -> bool:
    """A process in the background would be stopped for reading from the terminal."""
    try:
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
