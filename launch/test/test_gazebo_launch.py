"""The launch files for Gazebo as `ros2 launch` runs them. What needs the simulator runs where there
are one and ros_gz_bridge."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from lockstep.bag import Bag

pytestmark = pytest.mark.skipif(
    not find_spec("launch_ros"),
    reason="ros2 launch comes with a ROS 2 distro; there is no launch_ros here",
)
HAS_GAZEBO = bool(find_spec("ros_gz_interfaces")) and any(map(shutil.which, ("gz", "ign")))
with_gazebo = pytest.mark.skipif(
    not HAS_GAZEBO, reason="neither Gazebo nor ros_gz is installed (ros-jazzy-ros-gz)"
)
GAZEBO = Path(__file__).resolve().parents[1] / "gazebo"
RENDERING = f"rendering:={os.environ.get('LOCKSTEP_GAZEBO_RENDERING', 'none')}"
SHORT = ("duration:=3", RENDERING)
"""A simulation without camera and lidar, which need a graphics driver, unless it is said which."""


def bag_of(output: Path, name: str = "simulation") -> Bag:
    bag = Bag(output / name / "bag")
    assert not bag.problem
    return bag


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["world:=nowhere.sdf"],
            "nowhere.sdf cannot be read (No such file or directory); give world:=PATH",
        ),
        (["bridge:=nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["velocities:=fast"], "velocity 'fast' is not SECONDS:LINEAR,ANGULAR"),
        (["duration:=0"], "duration:=0 is not greater than 0"),
        (["duration:=inf"], "duration:= of a simulation is to be finite"),
        (["seed:=x"], "seed:=x is not a number"),
        (["steps:=-1"], "steps:=-1 and answers:=1 are to be 0 or more"),
    ],
)
def test_mistakes_end_with_one_sentence_before_anything_runs(launch, tmp_path, arguments, sentence):
    run = launch("gazebo_record.launch.py", f"output:={tmp_path / 'out'}", *arguments)
    assert run.end() == 1
    assert sentence in run.error
    assert "process started" not in run.log
    assert not (tmp_path / "out").exists()


def test_a_missing_simulator_is_told_in_one_sentence(launch, environment, tmp_path):
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("python3", "ros2", "setpriv", "env"):
        (bare / name).symlink_to(shutil.which(name))
    environment["PATH"] = str(bare)
    run = launch("gazebo_record.launch.py", f"output:={tmp_path / 'out'}")
    assert run.end() == 1
    assert run.error.startswith("there is no `gz sim` or `ign gazebo`: install Gazebo")
    assert "process started" not in run.log


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["align:=nearest"], "--align nearest is not HOW"),
        (["tolerance:=close"], "tolerance 'close' is not PATTERN=ABS"),
        (["compare:=none"], "give the topics to compare with compare:="),
        (["implementation:=nope/node"], "package 'nope' is in none of the"),
    ],
)
@with_gazebo
def test_mistakes_of_a_closed_loop_end_before_anything_runs(launch, tmp_path, arguments, sentence):
    run = launch(
        "gazebo_verify.launch.py",
        "loop:=closed",
        "reference:=lockstep_examples/vector_normalizer",
        "implementation:=lockstep_examples_cpp/vector_normalizer",
        f"output:={tmp_path / 'out'}",
        *arguments,
    )
    assert run.end() == 1
    assert sentence in run.error
    assert "process started" not in run.log


def test_an_open_loop_matches_on_the_clock_of_the_simulation(launch, tmp_path):
    run = launch("gazebo_verify.launch.py", f"output:={tmp_path / 'out'}")
    assert run.end() == 0, run.log
    assert "MATCH: " in run.log
    orientation = bag_of(tmp_path / "out", "implementation").topics["/orientation"]
    assert orientation.count == 1997
    assert run.all_gone()
