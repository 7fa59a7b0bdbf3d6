"""A real component container, the probe's own host, and a real rclpy node, on a DDS domain of their own."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import rclpy
from ament_index_python.packages import get_package_prefix
from composition_interfaces.srv import LoadNode
from lockstep.run.domain import isolated_domain

HOST = os.environ.get("LOCKSTEP_PROBE", "probe")


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
    """A running program."""

    def __init__(self, log, *command):
        self._log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file)

    def stop(self, number=signal.SIGINT):
        """Send it a signal and return its exit code and standard error."""
        self.process.send_signal(number)
        return self.result()

    def result(self):
        """Wait for its end; return its exit code and standard error."""
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it does not stop\n{self.errors()}")
        return self.process.returncode, self.errors()

    def errors(self):
        """What it has written to standard error."""
        return self._log.read_text()

    def wait_for(self, text):
        """Wait until it has written a text to standard error."""
        end = time.monotonic() + 20
        while text not in self.errors():
            assert time.monotonic() < end, f"{text} is not written\n{self.errors()}"
            time.sleep(0.01)


class Container(Process):
    """A component container of rclcpp_components."""

    def __init__(self, log, node, kind):
        folder = Path(get_package_prefix("rclcpp_components"), "lib/rclcpp_components")
        super().__init__(log, folder / kind)
        self._node = node

    def load(self, **request):
        """Load the probe and return the container's answer."""
        return call(
            self._node,
            LoadNode,
            "/ComponentManager/_container/load_node",
            package_name="lockstep_rclcpp_test",
            plugin_name="lockstep_rclcpp::ProbeNode",
            **request,
        )


@pytest.fixture
def start(node, tmp_path):
    """Start a container of some kind, or with `host=True` the probe's own executable with arguments."""
    processes = []

    def start(*arguments, host=False):
        log = tmp_path / f"{len(processes)}.log"
        if host:
            processes.append(Process(log, HOST, *arguments))
        else:
            processes.append(Container(log, node, *(arguments or ["component_container"])))
        return processes[-1]

    yield start
    for process in processes:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait()


@pytest.fixture
def node():
    """Another node of the graph."""
    rclpy.init()
    node = rclpy.create_node("observer", start_parameter_services=False)
    yield node
    node.destroy_node()
    rclpy.shutdown()


def wait_until(condition, node, timeout_s=20.0):
    """Spin a node until the condition holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        rclpy.spin_once(node, timeout_sec=0.01)


def call(node, service_type, name, **request):
    """Call a service and return the response."""
    client = node.create_client(service_type, name)
    assert client.wait_for_service(timeout_sec=20.0), f"there is no {name}"
    future = client.call_async(service_type.Request(**request))
    rclpy.spin_until_future_complete(node, future, timeout_sec=20.0)
    assert future.done()
    node.destroy_client(client)
    return future.result()
