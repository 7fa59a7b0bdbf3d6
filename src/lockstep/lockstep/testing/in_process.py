"""Python components under test, in pytest's own process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..component import Component, contract_of
from ..host.in_process import InProcess, Publish
from ..host.python_component import make
from .harness import Durations


class InProcessHarness:
    """Makes a new component for each run."""

    def __init__(self, component_class: type[Component]) -> None:
        self.contract = contract_of(component_class)
        self._class = component_class
        self._run: InProcess | None = None

    @property
    def _current(self) -> InProcess:
        assert self._run is not None, "start comes first"
        return self._run

    def start(self, parameters: Mapping[str, Any], publish: Publish) -> None:
        """Begin a run."""
        self._run = InProcess(make(self._class), dict(parameters), publish)

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Deliver a message."""
        self._current.deliver(port, time_ns, data)

    def advance(self, time_ns: int) -> None:
        """Step time."""
        self._current.advance(time_ns)

    def set_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set parameters while the component runs."""
        self._current.set_parameters(dict(parameters))

    def end(self) -> Durations:
        """End the run."""
        durations = {name: list(times) for name, times in self._current.durations_ns.items()}
        self.discard()
        return durations

    def discard(self) -> None:
        """Forget the component."""
        self._run = None

    def close(self) -> None:
        """Nothing runs outside this process."""
        self.discard()
