"""Contestants that replay a bag at recorded speed; what counts is how late its messages come.

Each plays in a process of its own, on a graph of its own, to a subscription in this process that
polls, before all others where it may: what is late here is to be the sender's. The schedule is that
of the log times, from the message on that came earliest of all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from statistics import quantiles
from typing import Any

from .bags import scratch
from .contestants import Contest, Task

_PATIENCE_S = 30.0
_PLAIN = """
import sys, time
import rclpy
from lockstep.bag import Bag
from lockstep.message.rosidl import message_class

with Bag(sys.argv[1]) as bag:
    messages = list(bag.messages())
    kind = message_class(bag.topics[sys.argv[2]].type)
rclpy.init()
node = rclpy.create_node("plain_player")
publisher = node.create_publisher(kind, sys.argv[2], 10)
while not publisher.get_subscription_count():
    time.sleep(0.01)
time.sleep(0.5)
start = time.monotonic()
for message in messages:
    due = start + (message.log_time_ns - messages[0].log_time_ns) * 1e-9
    time.sleep(max(0.0, due - time.monotonic()))
    publisher.publish(message.data)
time.sleep(0.5)
"""


def lockstep(task: Task) -> list[str]:
    """The player."""
    options = ["--wait-for-subscribers", "--topic", task.topic, "--clock", "none"]
    return [sys.executable, "-m", "lockstep.nodes.player", str(task.path), *options]


def plain_rclpy(task: Task) -> list[str]:
    """A loop of sleep and publish, to absolute deadlines, with all messages in memory."""
    return [sys.executable, "-c", _PLAIN, str(task.path), task.topic]


def ros2_bag(task: Task) -> list[str]:
    """The player of a distro."""
    if find_spec("ros2bag") is None:
        raise SystemExit("there is no ros2 bag here")
    # It waits for nobody, so that the subscription has to meet it meanwhile.
    options = ["--delay", "2", "--disable-keyboard-controls"]
    return ["ros2", "bag", "play", str(task.path), *options]


def p99_lateness(command: Callable[[Task], list[str]], task: Task) -> Contest:
    """The 99th percentile of how late messages are."""
    return Contest(
        partial(_lateness_s, command(task), task),
        lambda lateness: (len(lateness), 0.0),
        lambda lateness: quantiles(lateness, n=100)[98],
    )


def _lateness_s(command: list[str], task: Task) -> list[float]:
    import rclpy
    from lockstep.bag import Bag
    from lockstep.message.rosidl import message_class
    from lockstep.run.domain import isolated_domain
    from lockstep.run.processes import Processes
    from rclpy.qos import QoSProfile

    with Bag(task.path) as bag:
        times = (bag.times(task.topic) * 1e-9).tolist()
        kind = message_class(bag.topics[task.topic].type)
    folder = scratch(os.getpid())
    folder.mkdir(parents=True)
    with isolated_domain() as environment, Processes(environment) as processes:
        os.environ.update(environment)
        _go_first(os.SCHED_RR)  # as the threads of the middleware do, which are started here
        rclpy.init()
        node = rclpy.create_node("bench", enable_rosout=False, start_parameter_services=False)
        _go_first(os.SCHED_RR | os.SCHED_RESET_ON_FORK)  # which the contestant is not to inherit
        subscription = node.create_subscription(
            kind, task.topic, lambda _: None, QoSProfile(depth=1000), raw=True
        )
        processes.start("player", command, folder / "log")
        arrivals = _arrivals(partial(subscription.handle.take_message, kind, True), len(times))
        rclpy.shutdown()
    shutil.rmtree(folder)
    delays = [arrival - due for arrival, due in zip(arrivals, times, strict=True)]
    return [delay - min(delays) for delay in delays]


def _go_first(policy: int) -> None:
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(1))


def _arrivals(take: Callable[[], Any], count: int) -> list[float]:
    arrivals: list[float] = []
    heard_s = time.perf_counter()
    while len(arrivals) < count:
        if take() is not None:
            heard_s = time.perf_counter()
            arrivals.append(heard_s)
        elif time.perf_counter() - heard_s > _PATIENCE_S:
            raise SystemExit(f"only {len(arrivals)} of {count} messages came")
        else:
            time.sleep(2e-5)
    return arrivals
