"""A node and its shadow on live inputs, as `ros2 launch` runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from lockstep.run.domain import isolated_domain

pytestmark = pytest.mark.skipif(
    not find_spec("launch_ros"),
    reason="ros2 launch comes with a ROS 2 distro; there is no launch_ros here",
)
BAG = Path(__file__).resolve().parents[2] / "bags/husky_acceleration"
FILE = "compare_online.launch.py"
REFERENCE = "reference:=lockstep_examples/vector_normalizer"
SHADOW = "implementation:=lockstep_examples_cpp/vector_normalizer"
TOPICS = ("topics:=normalized", "inputs:=vector:=/imu/acceleration")


@pytest.fixture
def play(environment) -> Iterator[Callable[[], None]]:
    """Play live inputs, at their speed, in the domain that the launch is in as it is."""
    with isolated_domain() as isolated:
        environment.update(isolated)
        players = []

        def start() -> None:
            arguments = ["--topic", "/imu/acceleration", "--wait-for-subscribers"]
            program = [sys.executable, "-m", "lockstep.nodes.player"]
            players.append(subprocess.Popen([*program, str(BAG), *arguments], env=environment))

        yield start
        for player in players:
            player.kill()
            player.wait()


def is_running(run) -> bool:
    return len(run.processes()) == 3


def test_a_shadow_that_does_what_the_node_does_matches(launch, play, tmp_path):
    run = launch(FILE, REFERENCE, SHADOW, *TOPICS, "duration:=12", f"output:={tmp_path / 'out'}")
    run.wait_until(lambda: is_running(run))
    play()
    assert run.end() == 0, run.log
    assert (tmp_path / "out/diffs/summary.txt").read_text().startswith("MATCH")
    assert run.all_gone()


def test_ctrl_c_is_the_ordinary_end_with_a_verdict(launch, play, tmp_path):
    run = launch(FILE, REFERENCE, SHADOW, *TOPICS, f"output:={tmp_path / 'out'}")
    run.wait_until(lambda: is_running(run))
    play()
    time.sleep(6)
    os.killpg(run.child.pid, signal.SIGINT)
    assert run.end() == 0, run.log
    assert "MATCH: /shadow does what /reference does" in run.log
    assert run.all_gone()


def test_a_shadow_that_differs_ends_the_launch_with_1(launch, play, faulty, tmp_path):
    shadow = faulty("msg.vector.x += self.count % 100 == 0")
    run = launch(
        FILE,
        REFERENCE,
        f"implementation:={shadow}",
        *TOPICS,
        "duration:=12",
        f"output:={tmp_path / 'out'}",
    )
    run.wait_until(lambda: is_running(run))
    play()
    assert run.end() == 1
    assert run.error == f"the topics differ; see {tmp_path / 'out/diffs'}"
    assert "+vector.x: " in (tmp_path / "out/diffs/normalized.diff").read_text()


def test_a_node_that_ends_during_the_comparison_ends_the_launch(launch, play, faulty, tmp_path):
    shadow = faulty("os.abort() if self.count == 100 else None")
    output = f"output:={tmp_path / 'out'}"
    run = launch(FILE, REFERENCE, f"implementation:={shadow}", *TOPICS, output)
    run.wait_until(lambda: is_running(run))
    play()
    assert run.end() == 1
    assert "a node ended during the comparison (SIGABRT)" in run.log


def test_of_several_shadows_each_has_its_verdict(launch, play, faulty, tmp_path):
    shadows = [
        "lockstep_examples_cpp/vector_normalizer",
        faulty("msg.vector.x += self.count % 100 == 0"),
    ]
    run = launch(
        "ab.launch.py",
        REFERENCE,
        f"implementations:={' '.join(shadows)}",
        *TOPICS,
        "duration:=15",
        f"output:={tmp_path / 'out'}",
    )
    run.wait_until(lambda: len(run.processes()) == 5)
    play()
    assert run.end() == 1
    assert run.error.endswith(f" differ; see {tmp_path / 'out/diffs'}")
    assert "/faulty/vector_normalizer" in run.error
    same, differs = (
        (tmp_path / "out/diffs" / shadow / "summary.txt").read_text() for shadow in shadows
    )
    assert ", 0 differ" in same  # of live messages a busy machine may lose some, which is told
    assert ": vector.x is " not in same
    assert ": vector.x is " in differs


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["topics:=none"], "give the topics to compare with topics:="),
        (["inputs:=vector"], "inputs:=vector is not INPUT:=TOPIC"),
        (["reference:=nope/node"], "package 'nope' is in none of the"),
        (["tolerance:=close"], "tolerance 'close' is not PATTERN=ABS"),
        (["patience:=long"], "patience:=long is not a number"),
        (["duration:=0"], "duration:=0 is not greater than 0"),
    ],
)
def test_mistakes_end_with_one_sentence_before_anything_runs(launch, tmp_path, arguments, sentence):
    output = tmp_path / "out"
    run = launch(FILE, REFERENCE, SHADOW, *TOPICS, f"output:={output}", *arguments)
    assert run.end() == 1
    assert sentence in run.error
    assert "process started" not in run.log
    assert not output.exists()
