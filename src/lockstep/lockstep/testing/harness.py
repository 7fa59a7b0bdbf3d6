"""What drives an implementation through tests, whatever it is and wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..component import Contract
from ..host.execution import Publish

Durations = dict[str, list[int]]
"""Wall times in ns, one for each callback of an input or timer, by its name."""


class Harness(Protocol):
    """Drives one implementation through any number of runs, one after the other.

    Outputs go to `publish`, which `start` is given, before the call that caused them returns or
    raises. All but `discard` raise RunError when the component crashes or hangs, CallbackError when
    a callback raises; then only `discard` may follow.
    """

    contract: Contract

    def start(self, parameters: Mapping[str, Any], publish: Publish) -> None:
        """Begin a run with a new component; raises UsageError for parameters that it cannot
        have."""

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Step time, give input `port` a message in CDR, and wait until it is consumed."""

    def advance(self, time_ns: int) -> None:
        """Step time, and wait until the timers that fall due have fired."""

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set all of them or none; raises UsageError for what the component cannot have."""

    def end(self) -> Durations:
        """End the run."""

    def discard(self) -> None:
        """Give up the run, in whatever state it is; `start` may follow."""

    def close(self) -> None:
        """Leave nothing running."""
