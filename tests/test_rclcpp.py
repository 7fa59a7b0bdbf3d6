"""Nodes of rclcpp, where there is rclcpp: a black box to verify, and
components in component containers.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from lockstep.bag import Bag
from lockstep.run.domain import isolated_domain
from lockstep.run.implementation import find_executable
from rclpy.node import Node
from stranger import ROOT, Stranger

import lockstep_examples

MESSAGES = 100


def prefix(package: str) -> Path | None:
    try:
        return Path(get_package_prefix(package))
    except PackageNotFoundError:
        return None


RCLCPP_COMPONENTS = prefix("rclcpp_components")
pytestmark = pytest.mark.skipif(RCLCPP_COMPONENTS is None, reason="there is no rclcpp here")


@pytest.mark.skipif(shutil.which("ros2") is None, reason="there is no ros2 command here")
def test_the_rclcpp_node_of_an_example_is_verified_as_a_black_box(stranger: Stranger) -> None:
    file = ROOT / "src/lockstep_examples/verify/vector_normalizer_rclcpp.yaml"
    done = stranger.run("verify", file, "-o", "out", "--json", timeout_s=120)
    assert done.code == 0, done.err
    (key,) = json.loads(done.out)["comparisons"]["rclcpp"]["keys"].values()
    assert (key["messages"], key["differing"]) == ([301, 301], 0)
    stranger.assert_nothing_left()


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node on a domain of the test's own."""
    with isolated_domain() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        rclpy.init()
        node = rclpy.create_node("test")
        yield node
        node.destroy_node()
        rclpy.shutdown()


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def spin_until(node: Node, condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        rclpy.spin_once(node, timeout_sec=0.01)


def load(node: Node, plugin: str) -> None:
    """Load a plugin of the examples into the container, in the namespace /container."""
    from composition_interfaces.srv import LoadNode

    request = LoadNode.Request(
        package_name="lockstep_examples_cpp", plugin_name=plugin, node_namespace="/container"
    )
    client = node.create_client(LoadNode, "/ComponentManager/_container/load_node")
    assert client.wait_for_service(timeout_sec=30)
    future = client.call_async(request)
    spin_until(node, future.done)
    assert future.result().success, future.result().error_message


@pytest.mark.parametrize(
    ("example", "bag", "topic"),
    [
        ("VectorNormalizer", "husky_acceleration", "/imu/acceleration"),
        ("ImuComplementaryFilter", "husky_gps_imu_odom", "/imu/data"),
        ("ScanSectors", "office_scan_odom_tf", "/scan"),
    ],
)
def test_an_example_in_a_container_gives_the_bytes_of_its_own_executable(
    graph: Node, example: str, bag: str, topic: str
) -> None:
    component = getattr(lockstep_examples, example)
    ((input_name, input_port),) = component.inputs.items()
    ((output_name, output_port),) = component.outputs.items()
    host = find_executable(example, f"lockstep_examples_cpp/{snake_case(example)}")
    programs = [
        subprocess.Popen([RCLCPP_COMPONENTS / "lib/rclcpp_components/component_container"]),
        subprocess.Popen([host, "--ros-args", "-r", "__ns:=/host"]),
    ]
    try:
        load(graph, f"lockstep_examples_cpp::{example}Node")
        outputs: dict[str, list[bytes]] = {"/container": [], "/host": []}
        for namespace, received in outputs.items():
            graph.create_subscription(
                output_port.message_type,
                f"{namespace}/{output_name}",
                received.append,
                10,
                raw=True,
            )
        inputs = [
            graph.create_publisher(input_port.message_type, f"{namespace}/{input_name}", 10)
            for namespace in outputs
        ]
        spin_until(graph, lambda: all(p.get_subscription_count() for p in inputs))
        spin_until(
            graph, lambda: all(graph.count_publishers(f"{n}/{output_name}") for n in outputs)
        )
        messages = islice(Bag(ROOT / "bags" / bag).messages([topic]), MESSAGES)
        for number, message in enumerate(messages, 1):
            for publisher in inputs:
                publisher.publish(bytes(message.data))
            spin_until(graph, lambda n=number: all(len(o) == n for o in outputs.values()))
    finally:
        for program in programs:
            program.terminate()
    assert [program.wait(timeout=20) for program in programs] == [0, 0]
    assert outputs["/container"] == outputs["/host"]
    assert len(set(outputs["/host"])) > MESSAGES // 2
