"""The graph of the tests of both C++ packages: real processes and a real rclpy node.

They meet on a DDS domain of their own.
"""

import os
import signal
import subprocess
import time

import pytest
import rclpy
from lockstep.run.domain import isolated_domain
from rclpy.executors import Executor
from rclpy.qos import DurabilityPolicy, QoSProfile

PROBE = os.environ.get("LOCKSTEP_PROBE", "probe")
"""The program of the component that is tested: probe.cpp, built, or probe.py."""
LATCHED = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""What the probe's echo offers."""


@pytest.fixture(scope="session", autouse=True)
def domain():
    """A domain in which no other node is heard, for this process and those that it starts."""
    with isolated_domain() as environment, pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


class Process:
    """A running program, whose outputs go to files in a folder."""

    def __init__(self, command, folder):
        folder.mkdir()
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err)

    def stop(self, signal_number=signal.SIGINT):
        """Stop it and return its exit code, standard output and standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.result()

    def result(self):
        """Wait for its end; return its exit code, standard output and standard error."""
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it does not stop\n{self._out.read_text()}{self._err.read_text()}")
        return self.process.returncode, self._out.read_text(), self._err.read_text()

    def wait_for(self, text):
        """Wait until it has written a text to standard error."""
        end = time.monotonic() + 20
        while text not in self._err.read_text():
            assert time.monotonic() < end, f"{text} is not written\n{self._err.read_text()}"
            time.sleep(0.01)


@pytest.fixture(name="start_process")
def process_starter(tmp_path):
    """Start a program, as a Process or as what else `kind(command, folder)` makes of it."""
    processes = []

    def start(*command, kind=Process):
        processes.append(kind(command, tmp_path / f"process_{len(processes)}"))
        return processes[-1]

    yield start
    for process in processes:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait()


@pytest.fixture(name="node")
def observer():
    """Another node of the graph."""
    rclpy.init()
    node = rclpy.create_node("observer", start_parameter_services=False)
    yield node
    node.destroy_node()
    rclpy.shutdown()


def wait_until(condition, spinner, timeout_s=60.0):
    """Spin a node or an executor until the condition holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        if isinstance(spinner, Executor):
            spinner.spin_once(timeout_sec=0.01)
        else:
            rclpy.spin_once(spinner, timeout_sec=0.01)


class Inbox(list):
    """The messages of a topic."""

    def __init__(self, node, message_type, topic, qos=10):
        super().__init__()
        self.subscription = node.create_subscription(message_type, topic, self.append, qos)


def connect(node, publisher):
    wait_until(lambda: publisher.get_subscription_count() > 0, node)


def call(node, service_type, name, **request):
    """Call a service, which may be called again, and return the response.

    A server that has not discovered the client yet drops its answer (rmw_fastrtps waits 0.1 s).
    """
    client = node.create_client(service_type, name)
    assert client.wait_for_service(timeout_sec=20.0), f"there is no {name}"
    for _ in range(10):
        future = client.call_async(service_type.Request(**request))
        rclpy.spin_until_future_complete(node, future, timeout_sec=2.0)
        if future.done():
            break
    assert future.done()
    node.destroy_client(client)
    return future.result()
