"""Ordinary rclpy nodes, each in another style, that tell on /events what they see and when.

`python3 ordinary_nodes.py STYLE`: nothing here knows Lockstep.
"""

import asyncio
import ctypes
import math
import os
import random
import select
import signal
import sys
import threading
import time
import uuid
from contextlib import suppress

import rclpy
from geometry_msgs.msg import Vector3Stamped
from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.executors import (
    ExternalShutdownException,
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Imu
from std_msgs.msg import String
from std_srvs.srv import SetBool

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Watcher(Node):
    """Counts what it gets, and says so."""

    def __init__(self, depth=100, group=None, subscribes=True):
        super().__init__("watcher")
        self.events = self.create_publisher(String, "events", 10)
        self.count = 0
        if subscribes:
            self.create_subscription(Imu, "/imu", self.on_imu, depth, callback_group=group)

    def on_imu(self, msg):
        self.count += 1

    def say(self, what):
        self.events.publish(String(data=f"{what} n={self.count}"))


class Normalizer(Node):
    """Scales vectors to unit length, as the example component does."""

    def __init__(self):
        super().__init__("normalizer")
        self.declare_parameter("epsilon", 1e-12)
        self.publisher = self.create_publisher(Vector3Stamped, "normalized", 10)
        self.create_subscription(Vector3Stamped, "vector", self.on_vector, 10)

    def on_vector(self, msg):
        v = msg.vector
        length = math.sqrt(v.x * v.x + v.y * v.y + v.z * v.z)
        out = Vector3Stamped(header=msg.header)
        if length >= self.get_parameter("epsilon").value:
            out.vector.x, out.vector.y, out.vector.z = v.x / length, v.y / length, v.z / length
        self.publisher.publish(out)


def spin(node, executor):
    executor.add_node(node)
    executor.spin()


def relay():
    node = Node("relay")
    publisher = node.create_publisher(Imu, "out", 10)
    node.create_subscription(Imu, "/imu", publisher.publish, 10)
    rclpy.spin(node)


def clocks():
    """Timers on two clocks, and all clocks that a node can read."""
    node = Watcher()

    def say(what):
        system = Clock(clock_type=ClockType.SYSTEM_TIME).now().nanoseconds
        steady = Clock(clock_type=ClockType.STEADY_TIME).now().nanoseconds
        ros = node.get_clock().now().nanoseconds
        node.say(
            f"{what} ros={ros} system={system} steady={steady} time={time.time_ns()} "
            f"monotonic={time.monotonic_ns()} cpu={time.process_time_ns()}"
        )

    node.create_timer(0.1, lambda: say("steady"), clock=Clock(clock_type=ClockType.STEADY_TIME))
    node.create_timer(1 / 7, lambda: say("ros"))
    rclpy.spin(node)


def first_reading():
    """What a callback reads from the clock first."""
    node = Watcher()
    node.create_timer(0.25, lambda: node.say(f"timer at {node.get_clock().now().nanoseconds}"))
    node.on_imu = lambda msg: node.say(f"imu at {time.time_ns()}")
    node.create_subscription(Imu, "/imu", node.on_imu, 10)
    rclpy.spin(node)


def spin_once():
    node = Watcher()
    while rclpy.ok():
        rclpy.spin_once(node, timeout_sec=0.05)
        node.say(f"{time.monotonic_ns()}")


def sleep():
    node = Watcher()
    while rclpy.ok():
        rclpy.spin_once(node, timeout_sec=0)
        time.sleep(0.013)
        node.say(f"{time.time_ns()}")


def rate():
    node = Watcher()
    threading.Thread(target=rclpy.spin, args=(node,), daemon=True).start()
    beat = node.create_rate(20)
    while rclpy.ok():
        beat.sleep()
        node.say(f"{node.get_clock().now().nanoseconds}")


def event():
    node = Watcher()
    threading.Thread(target=rclpy.spin, args=(node,), daemon=True).start()
    never = threading.Event()
    while rclpy.ok():
        never.wait(0.07)
        node.say(f"{time.time_ns()}")


def busy_poll():
    """Polls without a pause, and says something at every hundredth of a second."""
    node = Watcher()
    last = time.monotonic()
    while rclpy.ok():
        rclpy.spin_once(node, timeout_sec=0)
        if time.monotonic() - last > 0.1:
            last = time.monotonic()
            node.say(f"{last:.6f}")


def executor():
    """Four threads, reentrant callbacks, several timers that are due at the same time."""
    group = ReentrantCallbackGroup()
    node = Watcher(group=group)
    for name in "abc":
        node.create_timer(0.1, lambda name=name: (time.sleep(0.02), node.say(name)), group)
    for name in "de":
        own = MutuallyExclusiveCallbackGroup()
        node.create_timer(0.05, lambda name=name: node.say(f"{name} {time.time_ns()}"), own)
    spin(node, MultiThreadedExecutor(4))


def asynchronous():
    """asyncio drives rclpy, and its own sleeps."""
    node = Watcher()

    async def spin_node():
        while rclpy.ok():
            rclpy.spin_once(node, timeout_sec=0)
            await asyncio.sleep(0.01)

    async def tick():
        for number in range(10**6):
            await asyncio.sleep(0.1)
            node.say(f"tick {number} {time.time_ns()}")

    async def both():
        await asyncio.gather(spin_node(), tick())

    asyncio.run(both())


def late():
    """Subscribes a second after it has started."""
    node = Watcher(subscribes=False)

    def begin():
        timer.cancel()
        node.create_subscription(Imu, "/imu", lambda msg: (node.on_imu(msg), node.say("got")), 10)

    timer = node.create_timer(1.0, begin)
    rclpy.spin(node)


def takes_later():
    """Waits for two topics, and takes the messages of the first with those of the second."""
    node, clock = Watcher(subscribes=False), Node("clock")
    ticks = clock.create_publisher(String, "ticks", 10)
    clock.create_timer(1.0, lambda: ticks.publish(String(data="tick")))
    threading.Thread(target=spin, args=(clock, SingleThreadedExecutor()), daemon=True).start()
    first = node.create_subscription(Imu, "/imu", node.on_imu, 1000).handle
    second = node.create_subscription(String, "ticks", node.say, 10).handle
    while rclpy.ok():
        wait_set = rclpy_implementation.WaitSet(2, 0, 0, 0, 0, 0, node.context.handle)
        wait_set.clear_entities()
        wait_set.add_subscription(first)
        index = wait_set.add_subscription(second)
        wait_set.wait(3 * 10**9)
        if wait_set.is_ready("subscription", index) and second.take_message(String, False):
            while first.take_message(Imu, False):
                node.count += 1
            node.say("taken")


def hears_itself():
    """Subscribes to what it publishes, as nodes do that are composed in one process."""
    node = Watcher(subscribes=False)
    ticks = node.create_publisher(String, "ticks", 10)
    node.create_subscription(String, "ticks", lambda msg: node.say(msg.data), 10)
    node.create_timer(1.0, lambda: ticks.publish(String(data="tick")))
    rclpy.spin(node)


def latched():
    """A topic of its own is latched, and somebody of this process comes late to it."""
    node = Watcher()
    publisher = node.create_publisher(String, "state", LATCHED)
    publisher.publish(String(data="first"))
    publisher.publish(String(data="last"))

    def begin():
        timer.cancel()
        node.create_subscription(String, "state", lambda msg: node.say(msg.data), LATCHED)

    timer = node.create_timer(0.5, begin)
    rclpy.spin(node)


def leaves():
    """Ends by itself after some messages; the last it says is said just before."""
    node = Watcher()
    while node.count < 20:
        rclpy.spin_once(node)
    for number in range(5):
        node.say(f"bye {number}")
    rclpy.shutdown()


def services():
    """Asks a service of its own, and sets parameters of its own."""
    group = ReentrantCallbackGroup()
    node = Watcher()
    node.declare_parameter("gain", 1.0)
    node.add_on_set_parameters_callback(
        lambda found: (node.say(f"gain {found[0].value}"), SetParametersResult(successful=True))[1]
    )

    def answer(request, response):
        response.success = request.data
        response.message = f"asked at {node.count}"
        return response

    node.create_service(SetBool, "switch", answer, callback_group=group)
    client = node.create_client(SetBool, "switch", callback_group=group)

    def ask():
        assert client.wait_for_service(1.0)
        future = client.call_async(SetBool.Request(data=node.count % 2 == 0))
        future.add_done_callback(lambda f: node.say(f"{f.result().success} {f.result().message}"))
        node.set_parameters([Parameter("gain", value=float(node.count))])

    node.create_timer(0.2, ask, callback_group=group)
    rclpy.spin(node)


def world():
    """What differs from run to run for most processes."""
    node = Watcher()
    names = {f"n{number}" for number in range(20)}
    objects = {object() for _ in range(20)}

    def say():
        order = [id(one) for one in objects]
        node.say(
            f"{os.getpid()} {os.cpu_count()} {random.random()} {uuid.uuid4()} "
            f"{os.urandom(4).hex()} {''.join(names)} {order} {hash('lockstep')}"
        )

    node.create_timer(0.5, say)
    rclpy.spin(node)


def overflows():
    """Looks ten times a second, with room for two messages."""
    node = Watcher(depth=2)
    while rclpy.ok():
        time.sleep(0.1)
        for _ in range(5):
            rclpy.spin_once(node, timeout_sec=0)
        node.say("looked")


def crashes():
    node = Watcher()
    node.create_timer(0.5, lambda: os.kill(os.getpid(), 11))
    rclpy.spin(node)


def raises():
    node = Watcher()
    node.create_timer(0.5, lambda: 1 / 0)
    rclpy.spin(node)


def hangs():
    node = Watcher()

    def loop():
        while True:
            pass

    node.create_timer(0.5, loop)
    rclpy.spin(node)


def stays():
    """Does not end when it is asked to."""
    node = Watcher()
    node.create_timer(0.5, lambda: node.say("here"))
    try:
        rclpy.spin(node)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("staying")
        while True:
            time.sleep(0.1)


def starts_children():
    import subprocess

    node = Watcher()

    def ask():
        node.say(subprocess.check_output(["echo", "hello"], text=True).strip())

    node.create_timer(0.5, ask)
    rclpy.spin(node)


def listens():
    """A thread waits for a socket that something outside could write to."""
    import socket

    node = Watcher()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    threading.Thread(target=sock.recv, args=(10,), daemon=True).start()
    node.create_timer(0.5, lambda: node.say("here"))
    rclpy.spin(node)


def kernel_timers():
    """Waits for timers by their descriptors, and two threads for each other at a barrier."""
    node = Watcher()
    libc = ctypes.CDLL(None)
    timer = libc.timerfd_create(time.CLOCK_MONOTONIC, 0)
    every, first = (0, 70_000_000), (0, 250_000_000)
    libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(*every, *first), None)
    barrier = ctypes.create_string_buffer(64)
    libc.pthread_barrier_init(barrier, None, 2)
    polled = select.poll()
    polled.register(timer, select.POLLIN)

    def meet():
        for _ in range(3):
            time.sleep(0.3)
            libc.pthread_barrier_wait(barrier)

    def wait():
        for _ in range(3):
            libc.pthread_barrier_wait(barrier)
            node.say("met")
        while polled.poll(1000):
            node.say(f"fired {int.from_bytes(os.read(timer, 8), 'little')}")

    for function in (meet, wait):
        threading.Thread(target=function, daemon=True).start()
    rclpy.spin(node)


def closes_all():
    """As a daemon does."""
    node = Watcher()
    os.closerange(3, 4096)
    node.create_timer(0.5, lambda: node.say("here"))
    rclpy.spin(node)


def alarms():
    """Is interrupted by a timer of the kernel."""
    node = Watcher()
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    node.create_timer(0.5, lambda: node.say("here"))
    rclpy.spin(node)


def makes_later():
    node = Watcher()

    def make():
        timer.cancel()
        node.late = node.create_publisher(String, "late", 10)
        node.later = node.create_subscription(String, "later", lambda _: None, 10)
        node.late.publish(String(data="late"))

    timer = node.create_timer(0.5, make)
    rclpy.spin(node)


def is_no_node():
    print("nothing to do")


if __name__ == "__main__":
    style = sys.argv[1]
    if style != "is_no_node":
        rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        globals()[style]()
