"""The probe component as a real process, and a real rclpy node beside it, on a DDS domain of their own.

LOCKSTEP_PROBE names the process: probe.cpp, built, or probe.py. Both pass the same tests.
"""

import os
import signal
import subprocess
import time

import pytest
import rclpy
from lockstep.run.domain import isolated_domain
from rclpy.executors import Executor

PROBE = os.environ.get("LOCKSTEP_PROBE", "probe")


@pytest.fixture(scope="session", autouse=True)
def domain():
    """A domain in which no other node is heard, for this process and those that it starts."""
    with isolated_domain() as environment, pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


class Host:
    """A running host process."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [PROBE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def stop(self, signal_number=signal.SIGINT):
        """Stop it and return its exit code, standard output and standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.result()

    def result(self):
        """Wait for its end; return its exit code, standard output and standard error."""
        try:
            out, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            pytest.fail(f"the host does not stop\n{out}{err}")
        return self.process.returncode, out, err


@pytest.fixture
def start():
    """Start the probe with some arguments."""
    hosts = []

    def start(*arguments):
        hosts.append(Host(*arguments))
        return hosts[-1]

    yield start
    for host in hosts:
        if host.process.poll() is None:
            host.process.kill()
        host.process.communicate()


@pytest.fixture
def node():
    """Another node of the graph."""
    rclpy.init()
    node = rclpy.create_node("observer", start_parameter_services=False)
    yield node
    node.destroy_node()
    rclpy.shutdown()


def wait_until(condition, spinner, timeout_s=20.0):
    """Spin a node or an executor until the condition holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        if isinstance(spinner, Executor):
            spinner.spin_once(timeout_sec=0.01)
        else:
            rclpy.spin_once(spinner, timeout_sec=0.01)


def call(node, service_type, name, **request):
    """Call a service and return the response."""
    client = node.create_client(service_type, name)
    assert client.wait_for_service(timeout_sec=20.0)
    future = client.call_async(service_type.Request(**request))
    rclpy.spin_until_future_complete(node, future, timeout_sec=20.0)
    assert future.done()
    node.destroy_client(client)
    return future.result()
