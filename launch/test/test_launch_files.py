"""The launch files as `ros2 launch` runs them: verdicts, exit codes, isolation, and what is left
after trouble."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from lockstep.bag import Bag

pytestmark = pytest.mark.skipif(
    not find_spec("launch_ros"),
    reason="ros2 launch comes with a ROS 2 distro; there is no launch_ros here",
)
README = Path(__file__).resolve().parents[1] / "README.md"
BAGS = Path(__file__).resolve().parents[2] / "bags"
NORMALIZER = "lockstep_examples/vector_normalizer"
PAIR = (f"reference:={NORMALIZER}", "implementation:=lockstep_examples_cpp/vector_normalizer")
ACCELERATION = (f"bag:={BAGS / 'husky_acceleration'}", "topics:=/imu/acceleration:=/vector")
MESSAGES = 3000


def recorded(output: Path, name: str = "implementation") -> int:
    bag = Bag(output / name / "bag")
    assert not bag.problem
    return sum(topic.count for topic in bag.topics.values())


def is_recording(output: Path, name: str = "implementation") -> bool:
    return any(f.stat().st_size > 5_000 for f in (output / name / "bag").glob("*.mcap"))


def test_verify_as_it_is_matches(launch, tmp_path):
    run = launch("verify.launch.py", f"output:={tmp_path / 'out'}")
    assert run.end() == 0, run.log
    assert "MATCH: " in run.log
    assert recorded(tmp_path / "out", "reference") == recorded(tmp_path / "out") == 11865
    assert (tmp_path / "out/diffs/summary.txt").read_text().startswith("MATCH")
    assert run.all_gone()


def test_verify_of_the_float32_variant_differs_and_ends_with_1(launch, tmp_path):
    run = launch(
        "verify.launch.py",
        "implementation:=lockstep_examples_cpp/imu_complementary_filter_f32",
        f"bag:={BAGS / 'gazebo_diff_drive'}",
        "topics:=/imu",
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 1
    assert "DIFFERENT: " in run.log
    assert run.error == f"the outputs differ; see {tmp_path / 'out/diffs'}"
    assert "@@ tick " in (tmp_path / "out/diffs/orientation.diff").read_text()


def test_record_without_lockstep_is_paced_by_rtf(launch, tmp_path):
    run = launch(
        "record.launch.py",
        PAIR[1],
        *ACCELERATION,
        "outputs:=/normalized",
        "window:=0",
        "rtf:=20",
        f"output:={tmp_path / 'out'}",
    )
    start = time.monotonic()
    assert run.end() == 0, run.log
    assert time.monotonic() - start > 99 / 20
    assert 0 < recorded(tmp_path / "out") <= MESSAGES  # a queue may overflow when nobody holds back


def test_record_writes_what_the_implementation_put_out(launch, tmp_path):
    run = launch("record.launch.py", PAIR[1], *ACCELERATION, f"output:={tmp_path / 'out'}")
    assert run.end() == 0, run.log
    assert recorded(tmp_path / "out") == MESSAGES
    assert f"recorded {MESSAGES} messages into {tmp_path / 'out/implementation/bag'}" in run.log


def test_replay_feeds_an_implementation_and_ends_with_the_bag(launch):
    run = launch("replay.launch.py", PAIR[1], *ACCELERATION, "rtf:=100")
    assert run.end() == 0, run.log
    assert "[player-2]: process has finished cleanly" in run.log
    assert "[implementation-1]: process has finished cleanly" in run.log


def test_replay_alone_plays_every_topic(launch):
    run = launch("replay.launch.py", "rtf:=200")
    assert run.end() == 0, run.log


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bag:=nowhere"], "nowhere does not exist; give bag:=PATH"),
        (["topics:=/nope:=/vector"], "has no topic /nope"),
        (["topics:=/imu/acceleration"], "/imu/acceleration goes to no input of VectorNormalizer"),
        (["implementation:=lockstep_examples/nope"], "has no executable 'nope'"),
        (["implementation:=nope/node"], "package 'nope' is in none of the"),
        (["implementation:=nope"], "implementation:=nope is not PACKAGE/EXECUTABLE"),
        (["implementation:=lockstep_examples/pd_controller"], "the contracts differ"),
        (["rtf:=fast"], "rtf:=fast is not a number"),
        (["window:=0"], "give the topics to record with outputs:="),
        (["tolerance:=close"], "tolerance 'close' is not PATTERN=ABS"),
        (["clock:=wall"], 'Argument "clock" provided value "wall" is not valid'),
        (["domain_id:=robot"], "domain_id:=robot is neither auto nor as_is nor between 0 and 232"),
        (["params_file:=nowhere.yaml"], "nowhere.yaml does not exist; give params_file:=PATH"),
    ],
)
def test_mistakes_end_with_one_sentence_before_anything_runs(launch, tmp_path, arguments, sentence):
    output = tmp_path / "out"
    run = launch("verify.launch.py", *PAIR, *ACCELERATION, f"output:={output}", *arguments)
    assert run.end() == 1
    assert sentence in run.error
    assert "process started" not in run.log
    assert not output.exists()


def test_an_output_folder_that_exists_is_left_alone(launch, tmp_path):
    run = launch("record.launch.py", PAIR[1], *ACCELERATION, f"output:={tmp_path}")
    assert run.end() == 1
    assert run.error == f"{tmp_path} exists already; choose another folder or delete it"


def test_a_wrong_parameter_ends_the_launch(launch, tmp_path):
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("/**: {ros__parameters: {epsilon: tiny}}")
    run = launch(
        "record.launch.py",
        PAIR[1],
        *ACCELERATION,
        f"params_file:={parameters}",
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 1
    assert run.error == "implementation ended during the run (exit code 2); its log is above"
    assert "epsilon" in run.log


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("if self.count == 100: raise ValueError('sensor upside down')", "exit code 3"),
        ("if self.count == 100: os.abort()", "SIGABRT"),
    ],
)
def test_a_crash_ends_the_launch_with_a_readable_bag(launch, faulty, tmp_path, code, ending):
    run = launch(
        "verify.launch.py",
        PAIR[0],
        f"implementation:={faulty(code)}",
        *ACCELERATION,
        "window:=1",
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 1
    assert run.error == f"implementation ended during the run ({ending}); its log is above"
    assert run.all_gone()
    assert recorded(tmp_path / "out") == 99


def test_a_hang_ends_the_launch(launch, faulty, tmp_path):
    run = launch(
        "record.launch.py",
        f"implementation:={faulty('if self.count == 100: time.sleep(1000)')}",
        *ACCELERATION,
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 1
    assert run.error == "the player for implementation failed (exit code 3); its log is above"
    assert "no answer for 10 s" in run.log
    assert run.all_gone()


@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["to all, as Ctrl-C", "to launch"])
def test_sigint_leaves_no_process_and_a_readable_bag(launch, tmp_path, send):
    run = launch("record.launch.py", *ACCELERATION, PAIR[1], "rtf:=1", f"output:={tmp_path}/out")
    run.wait_until(lambda: is_recording(tmp_path / "out"))
    send(run.child.pid, signal.SIGINT)
    assert run.end() == 1
    assert run.error == "interrupted before the end"
    assert run.all_gone()
    assert 0 < recorded(tmp_path / "out") < MESSAGES


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_ros2_launch_is_the_end_of_its_nodes(launch, tmp_path, number):
    run = launch("record.launch.py", *ACCELERATION, PAIR[1], "rtf:=1", f"output:={tmp_path}/out")
    run.wait_until(lambda: is_recording(tmp_path / "out"))
    run.child.send_signal(number)
    assert run.end() != 0
    assert run.all_gone()
    assert 0 < recorded(tmp_path / "out") < MESSAGES


@pytest.mark.parametrize("file", ["replay.launch.py", "record.launch.py", "verify.launch.py"])
def test_a_launch_keeps_to_a_domain_of_its_own_on_this_machine(launch, environment, tmp_path, file):
    environment.update(
        ROS_DOMAIN_ID="42",
        ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET",
        ROS_STATIC_PEERS="192.0.2.1",
    )
    output = [] if file == "replay.launch.py" else [f"output:={tmp_path / 'out'}"]
    run = launch(
        file, *ACCELERATION, PAIR[1], *([PAIR[0]] if "verify" in file else []), "rtf:=1", *output
    )
    # All of them, because ros2 launch may never end if it is interrupted while it starts one.
    wanted = 2 if file == "replay.launch.py" else 3
    run.wait_until(lambda: run.log.count("process started with pid") == wanted)
    for variables in run.wait_until(run.processes).values():
        assert variables["ROS_DOMAIN_ID"] != "42"
        assert variables["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
        assert "ROS_STATIC_PEERS" not in variables
    os.killpg(run.child.pid, signal.SIGINT)
    run.end()


@pytest.mark.parametrize(
    ("domain_id", "domain", "discovery"), [("7", "7", "LOCALHOST"), ("as_is", "42", "SUBNET")]
)
def test_another_domain_takes_an_explicit_argument(
    launch, environment, domain_id, domain, discovery
):
    environment.update(ROS_DOMAIN_ID="42", ROS_AUTOMATIC_DISCOVERY_RANGE="SUBNET")
    run = launch("replay.launch.py", "rtf:=1", f"domain_id:={domain_id}")
    run.wait_until(lambda: "process started with pid" in run.log)
    for variables in run.wait_until(run.processes).values():
        assert variables["ROS_DOMAIN_ID"] == domain
        assert variables["ROS_AUTOMATIC_DISCOVERY_RANGE"] == discovery
    os.killpg(run.child.pid, signal.SIGINT)
    assert run.end() == 0


FILES = ["replay", "record", "verify", "compare_online", "ab", "gazebo_record", "gazebo_verify"]


@pytest.mark.parametrize("file", [f"{name}.launch.py" for name in FILES])
def test_every_argument_is_described(launch, file):
    run = launch(file, "--show-args")
    assert run.end() == 0, run.log
    assert "'domain_id':" in run.log
    assert "no description" not in run.log.lower()


BESIDE = """
import sys
from launch import LaunchDescription
from launch.actions import ExecuteProcess, IncludeLaunchDescription, LogInfo, RegisterEventHandler
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare
from lockstep_launch.ending import OnCompleted

LONG = [sys.executable, "-c", "import time; time.sleep(1000)"]


def told(event, context):
    return [LogInfo(msg=f"told: {event.job} {event.matches} {event.output}")]


def generate_launch_description():
    file = PathJoinSubstitution([FindPackageShare("lockstep_launch"), "launch", "FILE"])
    return LaunchDescription([
        ExecuteProcess(cmd=LONG, name="before"),
        RegisterEventHandler(OnCompleted(told)),
        IncludeLaunchDescription(file, launch_arguments=ARGUMENTS.items()),
        ExecuteProcess(cmd=LONG, name="after"),
    ])
"""


@pytest.fixture
def beside(launch, tmp_path):
    """Launch a file of this package between two processes that never end by themselves."""

    def start(file: str, *arguments: str):
        including = tmp_path / "beside.launch.py"
        given = dict(argument.split(":=", 1) for argument in arguments)
        including.write_text(BESIDE.replace("FILE", file).replace("ARGUMENTS", repr(given)))
        return launch(str(including))

    return start


def test_an_included_verify_tells_that_it_is_done_and_ends_the_launch(beside, tmp_path):
    run = beside("verify.launch.py", *PAIR, *ACCELERATION, f"output:={tmp_path / 'out'}")
    assert run.end() == 0, run.log
    assert f"told: verify True {tmp_path / 'out'}" in run.log
    assert run.all_gone()


def test_the_example_of_the_readme_runs(launch, tmp_path):
    example = README.read_text("utf-8").split("```python\n")[1].split("```")[0]
    bag, output = BAGS / "husky_gps_imu_odom", tmp_path / "out"
    example = example.replace("/data/drive", str(bag))
    example = example.replace('"shutdown": "false"', f'"output": "{output}"')
    assert str(bag) in example and str(output) in example
    (tmp_path / "mine.launch.py").write_text(example)
    run = launch(str(tmp_path / "mine.launch.py"))
    assert run.end() == 0, run.log
    assert "verify: True" in run.log


def test_a_difference_is_told_before_it_ends_the_launch(beside, tmp_path):
    run = beside(
        "verify.launch.py",
        "implementation:=lockstep_examples_cpp/imu_complementary_filter_f32",
        f"bag:={BAGS / 'gazebo_diff_drive'}",
        "topics:=/imu",
        f"output:={tmp_path / 'out'}",
    )
    assert run.end() == 1
    assert f"told: verify False {tmp_path / 'out'}" in run.log
    assert run.error == f"the outputs differ; see {tmp_path / 'out/diffs'}"


def test_what_runs_beside_goes_on_if_asked_and_ctrl_c_is_then_no_failure(beside, tmp_path):
    output = tmp_path / "out"
    run = beside("record.launch.py", PAIR[1], *ACCELERATION, "shutdown:=false", f"output:={output}")
    run.wait_until(lambda: f"told: record None {output}" in run.log)
    assert run.processes()
    os.killpg(run.child.pid, signal.SIGINT)
    assert run.end() == 0, run.log
    assert "interrupted before the end" not in run.log


def test_a_process_that_is_listed_before_is_said_to_be_in_another_domain(beside, tmp_path):
    run = beside("record.launch.py", PAIR[1], *ACCELERATION, f"output:={tmp_path / 'out'}")
    assert run.end() == 0, run.log
    warnings = [line for line in run.log.splitlines() if "list it after this launch file" in line]
    assert len(warnings) == 1
    assert "before" in warnings[0]


def test_whoever_joins_the_domain_ends_the_launch(launch, tmp_path):
    run = launch("record.launch.py", *ACCELERATION, PAIR[1], "rtf:=1", f"output:={tmp_path}/out")
    run.wait_until(lambda: is_recording(tmp_path / "out"))
    variables = next(iter(run.processes().values()))
    domain = {"ROS_DOMAIN_ID": variables["ROS_DOMAIN_ID"]}
    code = "import rclpy, time; rclpy.init(); n = rclpy.create_node('robot'); time.sleep(60)"
    robot = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **domain})
    try:
        assert run.end() == 1
        assert f"process {robot.pid}" in run.error
        assert "give domain_id:=as_is" in run.error
        assert run.all_gone()
    finally:
        robot.kill()
        robot.wait()


def test_whoever_only_looks_on_as_the_log_says_is_let_in(launch, tmp_path):
    run = launch("record.launch.py", *ACCELERATION, PAIR[1], "rtf:=3", f"output:={tmp_path}/out")
    run.wait_until(lambda: is_recording(tmp_path / "out"))
    told = next(line for line in run.log.splitlines() if "to look on: " in line)
    variables = dict(word.split("=") for word in told.split() if "=" in word)
    code = "import rclpy, time; rclpy.init(); n = rclpy.create_node('looker'); time.sleep(5)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **variables}, check=True)
    assert run.end() == 0, run.log


def test_none_empties_an_argument(launch, tmp_path):
    parameters = ("params_file:=none", "outputs:=none", f"output:={tmp_path / 'out'}")
    run = launch("record.launch.py", PAIR[1], *ACCELERATION, *parameters)
    assert run.end() == 0, run.log
    assert recorded(tmp_path / "out") == MESSAGES
