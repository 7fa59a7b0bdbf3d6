"""An ordinary live node: messages are delivered as they arrive, on the ROS clock.

lockstep_cpp's free_run.cpp is the twin.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rclpy.node import Node

from ..host.execution import Execution
from ..message.time import NS_PER_S
from .inbox import SERVE_PERIOD_S, Inbox
from .ports import Ports
from .process import Stop


class FreeRun:
    """The host of a component that runs on its own."""

    def __init__(
        self, node: Node, inbox: Inbox, ports: Ports, execution: Execution, stop: Stop
    ) -> None:
        self.logger = node.get_logger()
        self._clock: Any = node.get_clock()  # a ROSClock, which rclpy declares to be a Clock
        self._inbox = inbox
        self._ports = ports
        self._execution = execution
        self._stop = stop
        self._responses: dict[str, Any] = {}
        for name, service in ports.services.items():
            self._responses[service.responses.name] = None
            answer = partial(self._answer, name, service.responses.name)
            inbox.watch(node.create_service(service.service_type, service.topic, answer))

    def now(self) -> int:
        """The run's time in ns."""
        return self._execution.now_ns

    def publish(self, output: str, msg: Any) -> None:
        """Send a message of one output; a response goes to whoever has asked."""
        if output in self._responses:
            self._responses[output] = msg
            return
        self._ports.outputs[output].publish(msg)

    def run(self) -> None:
        """Run until Stopped is raised; raises RunError if a callback fails."""
        self._execution.start()
        while True:
            self._stop.check()
            self._advance()
            for subscription in self._inbox.wait(self._patience_s()):
                taken = self._inbox.take(subscription)
                if taken is not None:
                    self._advance()
                    self._execution.deliver(self._ports.inputs[subscription], taken[0])
            self._inbox.serve()

    def _answer(self, name: str, responses: str, request: Any, _: Any) -> Any:
        self._advance()
        self._execution.deliver(name, request)
        return self._responses[responses]

    def _advance(self) -> None:
        self._execution.advance(self._clock.now().nanoseconds)

    def _patience_s(self) -> float:
        due_ns = self._execution.next_due_ns
        if due_ns is None or self._clock.ros_time_is_active:
            return SERVE_PERIOD_S
        left_ns: int = max(0, due_ns - self._clock.now().nanoseconds)
        return min(SERVE_PERIOD_S, left_ns / NS_PER_S)
