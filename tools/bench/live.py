"""Contestants that answer on a live graph: VectorNormalizer as a node in a process of its own.

The publisher and the subscription are the same for all, in this process, and hand over serialized
messages. Each contestant returns a Contest as those in `contestants` do, with a time of its own.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from .bags import scratch
from .contestants import Contest, Task

_TYPE = "geometry_msgs/msg/Vector3Stamped"
_PORTS = ("vector", "normalized")
_WARM_UP = 200
_PERIOD_S = 1e-4
_PATIENCE_S = 60.0
_WINDOW = 8
"""Messages that no queue on the way loses."""


class Graph(NamedTuple):
    """A node that answers; `publish` takes a serialized message, `take` gives an answer or None."""

    publish: Callable[[bytes], None]
    take: Callable[[], Any]
    pid: int


def lockstep_cpp() -> list[str]:
    """The component in C++."""
    return [_executable("lockstep_examples_cpp/vector_normalizer")]


def lockstep_python() -> list[str]:
    """The component in Python."""
    from lockstep.run.implementation import host_command

    return host_command("lockstep_examples:VectorNormalizer")


def rclcpp() -> list[str]:
    """A node of rclcpp that does the same, spun by a SingleThreadedExecutor."""
    return [_executable("lockstep_rclcpp/vector_normalizer", "there is no rclcpp here")]


def median_trip(command: Callable[[], list[str]], task: Task) -> Contest:
    """The median of round trips, one at a time."""
    return Contest(partial(_trips, command(), task), _nothing_lost, median)


def slow_trip(command: Callable[[], list[str]], task: Task) -> Contest:
    """The 99th percentile of round trips, one at a time."""
    return Contest(
        partial(_trips, command(), task), _nothing_lost, lambda t: quantiles(t, n=100)[98]
    )


def processor(command: Callable[[], list[str]], task: Task) -> Contest:
    """The processor time that the node takes for a message, of 10,000 in a second."""
    count = task.count
    return Contest(
        partial(_processor_s, command(), task),
        lambda _: (count, 0.0),
        lambda cpu_s: float(cpu_s) / count,
    )


def _executable(name: str, otherwise: str = "") -> str:
    from lockstep.errors import UsageError
    from lockstep.run.implementation import find_executable

    try:
        return str(find_executable("bench", name))
    except UsageError as error:
        raise SystemExit(otherwise or str(error)) from error


def _nothing_lost(trips: list[float]) -> tuple[int, float]:
    return len(trips), 0.0


def _trips(command: list[str], task: Task) -> list[float]:
    """Seconds from before publishing until the answer is taken, without a pause between."""
    trips = []
    with _graph(command, 1) as graph:
        for message in messages_of(task, _WARM_UP + task.count):
            start = time.perf_counter()
            graph.publish(message)
            while graph.take() is None:
                if time.perf_counter() - start > _PATIENCE_S:
                    raise SystemExit("the node does not answer")
            trips.append(time.perf_counter() - start)
    return trips[_WARM_UP:]


def _processor_s(command: list[str], task: Task) -> float:
    """Processor time of the node in seconds, for all messages."""
    messages = list(messages_of(task, _WARM_UP + task.count))
    with _graph(command, _WINDOW) as graph:
        _send(graph, messages[:_WARM_UP])
        cpu_s = cpu_s_of(graph.pid)
        _send(graph, messages[_WARM_UP:])
        return cpu_s_of(graph.pid) - cpu_s


def _send(graph: Graph, messages: list[bytes]) -> None:
    """Publish on time, but never more than a few messages ahead of the answers: none is lost."""
    start = time.perf_counter()
    answers = 0
    for number in range(len(messages) + _WINDOW):
        while answers < number - _WINDOW + 1:
            if graph.take() is not None:
                answers += 1
            elif time.perf_counter() - start > _PATIENCE_S:
                raise SystemExit("the node does not answer, or not to every message")
        while (early := start + number * _PERIOD_S - time.perf_counter()) > 0:
            time.sleep(early)
        if number < len(messages):
            graph.publish(messages[number])


def messages_of(task: Task, count: int) -> Iterator[bytes]:
    assert task.plan is not None
    blocks = task.plan.messages(count)
    return islice((bytes(row) for _, payloads in blocks for row in payloads), count)


def cpu_s_of(pid: int) -> float:
    """User and system time of a process (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _graph(command: list[str], depth: int) -> Iterator[Graph]:
    """Start the node on a domain of its own, and wait until both topics are connected."""
    import rclpy
    from lockstep.message.rosidl import message_class
    from lockstep.run.domain import isolated_domain
    from lockstep.run.processes import Processes
    from rclpy.qos import QoSProfile

    folder = scratch(os.getpid())
    folder.mkdir(parents=True)
    with isolated_domain() as environment, Processes(environment) as processes:
        os.environ.update(environment)
        started = processes.start("node", command, folder / "node.log")
        rclpy.init()
        node = rclpy.create_node("bench", enable_rosout=False, start_parameter_services=False)
        message_type, there, back = message_class(_TYPE), *_PORTS
        publisher = node.create_publisher(message_type, there, 10)
        subscription = node.create_subscription(
            message_type, back, lambda _: None, QoSProfile(depth=depth), raw=True
        )
        deadline = time.monotonic() + _PATIENCE_S
        while not (publisher.get_subscription_count() and subscription.get_publisher_count()):
            if time.monotonic() > deadline:
                raise SystemExit(f"the node does not connect: {(folder / 'node.log').read_text()}")
            time.sleep(0.01)
        take = partial(subscription.handle.take_message, message_type, True)
        yield Graph(publisher.publish, take, started.child.pid)
        rclpy.shutdown()
    shutil.rmtree(folder)
