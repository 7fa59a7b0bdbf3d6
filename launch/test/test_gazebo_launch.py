"""The launch files for Gazebo as `ros2 launch` runs them. What needs the simulator runs where there
are one and ros_gz_bridge."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from lockstep.bag import Bag
from lockstep.bag.clock import clock_times

pytestmark = pytest.mark.skipif(
    not find_spec("launch_ros"),
    reason="ros2 launch comes with a ROS 2 distro; there is no launch_ros here",
)
PATIENCE_S = 600
"""A simulator on a loaded machine takes its time, and a closed loop needs three runs of it."""
HAS_GAZEBO = bool(find_spec("ros_gz_interfaces")) and any(map(shutil.which, ("gz", "ign")))
with_gazebo = pytest.mark.skipif(
    not HAS_GAZEBO, reason="neither Gazebo nor ros_gz is installed (ros-jazzy-ros-gz)"
)
RENDERING = f"rendering:={os.environ.get('LOCKSTEP_GAZEBO_RENDERING', 'none')}"
SHORT = ("duration:=3", RENDERING, "record:=/clock /odom /cmd_vel")
"""A simulation without camera and lidar, which need a graphics driver, unless it is said which."""
CLOSED = ("gazebo_verify.launch.py", "loop:=closed", "velocity_topic:=/target", *SHORT)
FOLLOWER = """#!{python}
import rclpy
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.executors import ExternalShutdownException

rclpy.init()
node = rclpy.create_node("follower")
commands = node.create_publisher(Twist, "/cmd_vel", 10)
target = Twist()


def on_target(message):
    global target
    target = message


def on_odometry(odometry):
    command = Twist()
    command.linear.x = {gain} * target.linear.x
    command.angular.z = target.angular.z - 0.1 * odometry.pose.pose.position.y
    for _ in range({answers}):
        commands.publish(command)


node.create_subscription(Twist, "/target", on_target, 10)
node.create_subscription(Odometry, "/odom", on_odometry, 10)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    pass
"""


SECOND_CLOCK = """
import rclpy
from rosgraph_msgs.msg import Clock

rclpy.init()
node = rclpy.create_node("another_clock")
clocks = node.create_publisher(Clock, "/clock", 10)
node.create_timer(0.01, lambda: clocks.publish(Clock()))
rclpy.spin(node)
"""
RESET = """
import rclpy
from ros_gz_interfaces.srv import ControlWorld

rclpy.init()
node = rclpy.create_node("resetter")
client = node.create_client(ControlWorld, "/world/yard/control")
client.wait_for_service()
request = ControlWorld.Request()
request.world_control.reset.all = True
rclpy.spin_until_future_complete(node, client.call_async(request))
"""


@contextmanager
def beside(run, program: str) -> Iterator[None]:
    """Run a Python program in the ROS domain of a launch that has said which that is."""
    run.wait_until(lambda: "to look on: " in run.log)
    words = run.log.split("to look on: ", 1)[1].split()
    variables = dict(word.split("=", 1) for word in itertools.takewhile(lambda w: "=" in w, words))
    child = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, **variables})
    try:
        yield
    finally:
        child.kill()
        child.wait()


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


@pytest.fixture
def follower(tmp_path, environment):
    """A node that answers each odometry with the target velocity, times a gain; gives
    PACKAGE/EXECUTABLE."""
    prefix = tmp_path / "prefix"
    programs = prefix / "lib/followers"
    index = prefix / "share/ament_index/resource_index/packages"
    programs.mkdir(parents=True)
    index.mkdir(parents=True)
    (index / "followers").touch()
    environment["AMENT_PREFIX_PATH"] = f"{prefix}:{environment['AMENT_PREFIX_PATH']}"

    def make(gain: float, answers: int = 1) -> str:
        program = programs / f"by_{gain}_{answers}"
        program.write_text(FOLLOWER.format(python=sys.executable, gain=gain, answers=answers))
        program.chmod(0o755)
        return f"followers/{program.name}"

    return make


@with_gazebo
@pytest.mark.parametrize("log_time", ["simulation", "wall"])
def test_a_simulation_is_recorded_from_its_first_step_on(launch, tmp_path, log_time):
    output = tmp_path / "out"
    run = launch("gazebo_record.launch.py", f"output:={output}", f"log_time:={log_time}", *SHORT)
    assert run.end(PATIENCE_S) == 0, run.log
    assert "simulation: simulated 3" in run.log
    assert ("Gazebo Fortress takes no seed" in run.log) == (shutil.which("gz") is None)
    told = json.loads((output / "simulation/simulation.json").read_text())
    assert (told["world"], told["step_s"]) == ("yard", 0.005)
    assert 0.2 < told["rtf"] < 1.2
    with bag_of(output) as bag:
        clock = clock_times(bag)
        odometry = bag.topics["/odom"]
        assert bag.topics["/cmd_vel"].count >= 29
    begun = clock.said_ns[clock.said_ns > 0]
    assert (begun[0], clock.epochs) == (5_000_000, 1)
    assert begun[-1] >= 3_000_000_000
    assert odometry.count >= 149
    assert (clock.log_ns[0] < 10_000_000_000) == (log_time == "simulation")
    assert run.all_gone()


@with_gazebo
def test_a_second_owner_of_the_clock_ends_a_simulation(launch, tmp_path):
    run = launch("gazebo_record.launch.py", f"output:={tmp_path / 'out'}", *SHORT)
    with beside(run, SECOND_CLOCK):
        assert run.end(PATIENCE_S) == 1
    assert "2 nodes publish /clock" in run.log or "or publishes /clock as well" in run.log
    assert "the driver of simulation failed" in run.error
    assert run.all_gone()


@with_gazebo
def test_a_world_that_somebody_resets_ends_its_simulation(launch, tmp_path):
    output = tmp_path / "out"
    run = launch("gazebo_record.launch.py", f"output:={output}", *SHORT, "duration:=60")
    bags = output / "simulation/bag"
    run.wait_until(lambda: any(f.stat().st_size > 5_000 for f in bags.glob("*.mcap")), PATIENCE_S)
    with beside(run, RESET):
        assert run.end(PATIENCE_S) == 1
    assert "somebody has reset the world yard" in run.log
    assert run.error == "the driver of simulation failed (exit code 3); its log is above"
    assert run.all_gone()


@with_gazebo
def test_in_steps_a_reference_does_the_same_twice_and_a_port_may_diverge_to_a_limit(
    launch, tmp_path, follower
):
    pair = (f"reference:={follower(1.0)}", f"implementation:={follower(1.02)}")
    output = tmp_path / "out"
    run = launch(*CLOSED, *pair, "steps:=4", f"output:={output}")
    assert run.end(PATIENCE_S) == 0, run.log
    assert "the reference does the same twice, exactly" in run.log
    table = (output / "diffs/odom.divergence.txt").read_text().splitlines()
    distances = [float(row.split()[2]) for row in table if not row.startswith("#")]
    assert len(distances) >= 3
    assert distances == sorted(distances)
    assert 0.01 < distances[-1] < 0.1
    with bag_of(output, "reference") as a, bag_of(output, "reference_again") as b:
        for topic in ("/odom", "/cmd_vel"):
            both = [[m.data for m in bag.messages([topic])] for bag in (a, b)]
            assert both[0] == both[1]
    assert run.all_gone()


@with_gazebo
def test_a_port_that_drives_elsewhere_differs(launch, tmp_path, follower):
    pair = (f"reference:={follower(1.0)}", f"implementation:={follower(1.5)}")
    output = tmp_path / "out"
    run = launch(*CLOSED, *pair, "steps:=4", f"output:={output}")
    assert run.end(PATIENCE_S) == 1
    assert run.error == f"the trajectories differ; see {output / 'diffs'}"
    assert "pose.pose.position" in (output / "diffs/odom.diff").read_text()


@with_gazebo
def test_a_world_that_runs_freely_is_compared_within_the_limit(launch, tmp_path, follower):
    pair = (f"reference:={follower(1.0)}", f"implementation:={follower(1.0)}")
    run = launch(*CLOSED, *pair, f"output:={tmp_path / 'out'}")
    assert run.end(PATIENCE_S) == 0, run.log
    assert "the reference does the same twice, within the tolerance" in run.log


@with_gazebo
def test_more_answers_than_were_declared_end_a_stepped_run(launch, tmp_path, follower):
    pair = (f"reference:={follower(1.0, answers=2)}", f"implementation:={follower(1.0)}")
    run = launch(*CLOSED, *pair, "steps:=4", f"output:={tmp_path / 'out'}")
    assert run.end(PATIENCE_S) == 1
    assert run.error == "the driver of reference failed (exit code 3); its log is above"
    assert "each step awaits 1 answers" in run.log
    assert run.all_gone()


@with_gazebo
def test_ctrl_c_leaves_no_simulator_and_a_readable_bag(launch, tmp_path):
    output = tmp_path / "out"
    run = launch("gazebo_record.launch.py", f"output:={output}", *SHORT, "duration:=60")
    bags = output / "simulation/bag"
    run.wait_until(lambda: any(f.stat().st_size > 5_000 for f in bags.glob("*.mcap")), PATIENCE_S)
    os.killpg(run.child.pid, signal.SIGINT)
    assert run.end(PATIENCE_S) == 1
    assert run.error == "interrupted before the end"
    assert run.all_gone()
    assert bag_of(output).count > 0
