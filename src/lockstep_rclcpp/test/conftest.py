"""A real component container, and the probe's own host, on the graph of lockstep_cpp's tests."""

import functools
import sys
from pathlib import Path

import pytest
from ament_index_python.packages import get_package_prefix
from composition_interfaces.srv import LoadNode

sys.path.append(str(Path(__file__).resolve().parents[2] / "lockstep_cpp" / "test"))

from live_graph import PROBE, Process, call, domain, observer, process_starter  # noqa: F401


class Container(Process):
    """A component container of rclcpp_components."""

    def __init__(self, node, command, folder):
        super().__init__(command, folder)
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
def start(start_process, node):
    """Start a container of some kind, or with `host=True` the probe's own program."""
    containers = Path(get_package_prefix("rclcpp_components"), "lib/rclcpp_components")

    def start(*arguments, host=False):
        if host:
            return start_process(PROBE, *arguments)
        (kind,) = arguments or ["component_container"]
        return start_process(containers / kind, kind=functools.partial(Container, node))

    return start
