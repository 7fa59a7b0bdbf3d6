"""A launch file of a user's own as the system under test."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.skipif(
    not find_spec("launch_ros"),
    reason="ros2 launch comes with a ROS 2 distro; there is no launch_ros here",
)
ROOT = Path(__file__).resolve().parents[2]
BAGS = ROOT / "bags"
# Unit length twice is unit length, so that this system does what one normalizer does.
TWO_NODES = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PROGRAM = {"package": "lockstep_examples_cpp", "executable": "vector_normalizer"}


def generate_launch_description():
    between, space = LaunchConfiguration("between"), LaunchConfiguration("robot")
    return LaunchDescription([
        DeclareLaunchArgument("between", default_value="/between"),
        DeclareLaunchArgument("robot", default_value=""),
        Node(**PROGRAM, namespace=space, name="first", remappings=[("normalized", between)]),
        Node(**PROGRAM, name="second", remappings=[("vector", between)]),
    ])
"""
SLOW = """
from launch import LaunchDescription
from launch.actions import ExecuteProcess

NODE = ["python3", "{node}", "slow", "--ros-args"]
REMAPPED = ["-r", "acceleration:=/vector", "-r", "direction:=/normalized"]


def generate_launch_description():
    return LaunchDescription([ExecuteProcess(cmd=[*NODE, *REMAPPED])])
"""
CRASHES = """
from launch import LaunchDescription
from launch.actions import ExecuteProcess, TimerAction
from launch_ros.actions import Node

PROGRAM = {"package": "lockstep_examples_cpp", "executable": "vector_normalizer"}


def generate_launch_description():
    crash = ExecuteProcess(cmd=["sh", "-c", "exit 7"], name="crashing")
    return LaunchDescription([Node(**PROGRAM), TimerAction(period=4.0, actions=[crash])])
"""


@pytest.fixture
def package(tmp_path, environment):
    """Install a package `robot` whose bringup.launch.py has the given text."""

    def install(text: str) -> Path:
        share = tmp_path / "prefix/share"
        file = share / "robot/launch/bringup.launch.py"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        index = share / "ament_index/resource_index/packages"
        index.mkdir(parents=True)
        (index / "robot").touch()
        path = environment["AMENT_PREFIX_PATH"]
        environment["AMENT_PREFIX_PATH"] = f"{tmp_path / 'prefix'}:{path}"
        return file

    return install


@pytest.fixture
def verify(tmp_path, environment):
    """`lockstep verify` of a launch file against the normalizer; gives the exit code, the result
    and stderr."""

    def run(*words: str, **options: dict[str, str]) -> tuple[int, dict, str]:
        file = tmp_path / "verify.yaml"
        content = {
            "implementations": {
                "python": {"component": "lockstep_examples:VectorNormalizer"},
                "system": {"launch": list(words), **options},
            },
            "reference": "python",
            "inputs": {
                "bag": str(BAGS / "husky_acceleration"),
                "topics": {"vector": "/imu/acceleration"},
                "duration": 4,
            },
            "run": {"rtf": 1.0, "repeat": 1},
            "compare": {"align": "stamp", "tolerance": {"vector.*": {"abs": 1e-9}}},
        }
        file.write_text(yaml.safe_dump(content))
        command = ["lockstep", "verify", str(file), "--json", "-o", str(tmp_path / "out")]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    return run


def test_a_launch_file_is_verified_as_if_it_were_one_node(package, verify):
    package(TWO_NODES)
    words = ("robot", "bringup.launch.py", "between:=/halfway", "robot:=r2")
    code, result, err = verify(*words, remap={"vector": "/r2/vector"})
    assert code == 0, err
    runs = result["runs"]
    assert runs["system"]["recorded"] == runs["python"]["recorded"]


def test_a_path_will_do_as_with_ros2_launch(package, verify):
    code, result, err = verify(str(package(TWO_NODES)))
    assert code == 0, err
    assert result["verdict"] == "match"


def test_a_process_that_fails_beside_the_others_fails_the_run(package, verify):
    package(CRASHES)
    code, _, err = verify("robot", "bringup.launch.py")
    assert code == 3, err
    assert "system ended during the run" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nobody", "bringup.launch.py"], "package 'nobody' is in no folder of AMENT_PREFIX_PATH"),
        (["robot", "other.launch.py"], "package 'robot' has no file 'other.launch.py' below"),
        (["nowhere.launch.py"], "nowhere.launch.py is no launch file; give PACKAGE FILE or a path"),
        (["a", "b", "c"], "give PACKAGE FILE or the path of a launch file"),
    ],
)
def test_what_is_no_launch_file_is_named(package, environment, words, sentence):
    package(TWO_NODES)
    command = ["ros2", "run", "lockstep_launch", "system", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_verify_launch_takes_a_launch_file_for_an_implementation(launch, package, tmp_path):
    package(TWO_NODES)
    run = launch(
        "verify.launch.py",
        "reference:=lockstep_examples_cpp/vector_normalizer",
        "implementation:=robot/bringup.launch.py",
        "launch_arguments:=between:=/halfway",
        f"bag:={BAGS / 'husky_acceleration'}",
        "topics:=/imu/acceleration:=/vector",
        "outputs:=/normalized:geometry_msgs/msg/Vector3Stamped",
        "window:=0",
        "rtf:=3",
        "align:=stamp",
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 0, run.log
    assert "MATCH: " in run.log
    assert not [*(tmp_path / "out").rglob("tally")]
    assert run.all_gone()


def test_what_differs_because_inputs_were_lost_has_no_verdict(launch, package, tmp_path):
    """Fifty a second of five hundred, of which its queue holds a hundred."""
    package(SLOW.format(node=ROOT / "tests/black_box_node.py"))
    run = launch(
        "verify.launch.py",
        "reference:=lockstep_examples_cpp/vector_normalizer",
        "implementation:=robot/bringup.launch.py",
        f"bag:={BAGS / 'husky_acceleration'}",
        "topics:=/imu/acceleration:=/vector",
        "outputs:=/normalized:geometry_msgs/msg/Vector3Stamped",
        "window:=0",
        "rtf:=5",
        "align:=stamp",
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 1, run.log
    told = r"no verdict: implementation: the node did not take \d+ of the 3000 messages on /vector"
    assert re.match(told, run.error), run.log
    assert run.all_gone()


def test_a_launch_file_cannot_run_in_lockstep(launch, package, tmp_path):
    package(TWO_NODES)
    run = launch(
        "record.launch.py",
        "implementation:=robot/bringup.launch.py",
        f"bag:={BAGS / 'husky_acceleration'}",
        "topics:=/imu/acceleration:=/vector",
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 1
    assert "is a launch file, whose nodes cannot acknowledge; give window:=0" in run.error
