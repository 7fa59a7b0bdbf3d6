"""Contestants that record what is published at a given rate; all of it, or they are out.

What counts is the processor time that they take for a message.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from .bags import scratch
from .contestants import Contest, Task
from .live import cpu_s_of, messages_of

_PATIENCE_S = 60.0
_KEPT_S = 5.0
"""What the publisher keeps: what is lost on the way is asked for again with a heartbeat, every
3 s."""


def lockstep(folder: Path, topic: str) -> list[str]:
    """The recorder."""
    words = [str(folder), "--topics", topic, "--storage-preset-profile", "fastwrite"]
    return [sys.executable, "-m", "lockstep.nodes.recorder", *words]


def ros2_bag(folder: Path, topic: str) -> list[str]:
    """The recorder of a distro."""
    if find_spec("ros2bag") is None:
        raise SystemExit("there is no ros2 bag here")
    words = ["--topics", topic, "-o", str(folder), "--storage-preset-profile", "fastwrite"]
    return ["ros2", "bag", "record", *words, "--disable-keyboard-controls"]


def processor(command: Callable[[Path, str], list[str]], rate_hz: float, task: Task) -> Contest:
    """The processor time that a message takes of so many in a second."""
    return Contest(
        partial(_processor_s, command, rate_hz, task),
        lambda _: (task.count, 0.0),
        lambda cpu_s: float(cpu_s) / task.count,
    )


def _processor_s(command: Callable[[Path, str], list[str]], rate_hz: float, task: Task) -> float:
    import rclpy
    from lockstep.bag import Bag
    from lockstep.message.rosidl import message_class
    from lockstep.run.domain import isolated_domain
    from lockstep.run.processes import Processes
    from rclpy.duration import Duration
    from rclpy.qos import QoSProfile

    assert task.plan is not None
    messages = list(messages_of(task, task.count))
    folder = scratch(os.getpid())
    folder.mkdir(parents=True)
    with isolated_domain() as environment, Processes(environment) as processes:
        os.environ.update(environment)
        started = processes.start("recorder", command(folder / "bag", task.topic), folder / "log")
        rclpy.init()
        node = rclpy.create_node("bench", enable_rosout=False, start_parameter_services=False)
        publisher = node.create_publisher(
            message_class(task.plan.type), task.topic, QoSProfile(depth=int(rate_hz * _KEPT_S))
        )
        deadline = time.monotonic() + _PATIENCE_S
        while not publisher.get_subscription_count():
            if time.monotonic() > deadline:
                raise SystemExit(f"it does not subscribe: {(folder / 'log').read_text()}")
            time.sleep(0.01)
        before_s = cpu_s_of(started.child.pid)
        start = time.perf_counter()
        for number, message in enumerate(messages):
            while (early := start + number / rate_hz - time.perf_counter()) > 0:
                time.sleep(early)
            publisher.publish(message)
        publisher.wait_for_all_acked(Duration(seconds=_PATIENCE_S))
        time.sleep(1.0)
        used_s = cpu_s_of(started.child.pid) - before_s
        started.interrupt(grace_s=_PATIENCE_S)
        rclpy.shutdown()
    with Bag(folder / "bag") as bag:
        if bag.count != len(messages):
            raise SystemExit(f"it recorded {bag.count} of {len(messages)} messages")
    shutil.rmtree(folder)
    return used_s
