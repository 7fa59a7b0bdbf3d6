"""The host of a Python component that starts before it is known how it shall run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from lockstep.component import contract_of
from lockstep.errors import Crash, UsageError
from lockstep.host.python_component import load
from lockstep.run.prepared import PreparedHost
from lockstep.run.processes import Processes

pytestmark = pytest.mark.skipif(not find_spec("rclpy"), reason="there is no rclpy here")
COMPONENT = "lockstep_examples:VectorNormalizer"
SEED = {"PYTHONHASHSEED": "1"}


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes(os.environ) as processes:
        yield processes


def test_one_interpreter_tells_the_contract_and_runs(processes: Processes, tmp_path: Path) -> None:
    host = PreparedHost("python", COMPONENT, tmp_path / "node.log", processes, SEED)
    assert host.contract == contract_of(load(COMPONENT))
    process = host.run(["--help"], {**os.environ, "ROS_DOMAIN_ID": "7"})
    assert process.child.wait(30) == 0
    assert "usage: host lockstep_examples:VectorNormalizer" in process.tail()


def test_it_runs_in_the_environment_that_it_is_given(processes: Processes, tmp_path: Path) -> None:
    host = PreparedHost("python", COMPONENT, tmp_path / "node.log", processes, SEED)
    process = host.run(["--lockstep"], {**os.environ, "ROS_DOMAIN_ID": "none"})
    assert process.child.wait(30) == 2
    assert '"kind": "refused"' in process.events.read_text()
    assert "ROS_DOMAIN_ID" in process.tail()


def test_what_is_no_component_is_told_as_by_any_host(processes: Processes, tmp_path: Path) -> None:
    host = PreparedHost("python", "lockstep.bag:Bag", tmp_path / "node.log", processes, SEED)
    with pytest.raises(
        UsageError, match=r"python printed no contract: 'lockstep\.bag:Bag' is not a"
    ):
        _ = host.contract


def test_one_that_has_ended_runs_nothing(processes: Processes, tmp_path: Path) -> None:
    host = PreparedHost("python", COMPONENT, tmp_path / "node.log", processes, SEED)
    _ = host.contract
    host.process.kill()
    host.process.child.wait(30)
    with pytest.raises(Crash, match=r"python ended before its run \(SIGKILL\)"):
        host.run(["--help"], os.environ)
