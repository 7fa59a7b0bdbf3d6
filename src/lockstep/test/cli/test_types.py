"""A bag with types that nobody has here: `lockstep types` writes them, colcon
builds them, and the bag is replayed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import Codec
from lockstep.run.domain import isolated_domain
from stranger import ACCELERATION, ROOT, Stranger

LINE = "=" * 80
SAMPLE = """\
# A sample; "quoted" <text> & ${variables} in a comment.
uint8 GOOD=1
string NAME="it's odd"
std_msgs/Header header
Part[] parts      # as many as there are
Part[2] pair
float64[<=3] few [1.0, 2.0]
string<=20 label "none"
wstring wide
int32 count 7
"""
PART = "# One part.\nfloat32 x\nbuiltin_interfaces/Duration age\nuint8[4] code\n"
TYPE = "odd_msgs/msg/Sample"
DEFINITION = f"""{SAMPLE}
{LINE}
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id

{LINE}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec

{LINE}
MSG: odd_msgs/Part
{PART}
{LINE}
MSG: builtin_interfaces/Duration
int32 sec
uint32 nanosec
"""
COUNT = 30

# Runs where the built packages are sourced: says what it received, as text.
LISTENER = """
import sys, time
import rclpy
from odd_msgs.msg import Part, Sample
from rclpy.serialization import deserialize_message

assert (Sample.GOOD, Sample.NAME) == (1, "it's odd")
assert (Sample().count, list(Sample().few)) == (7, [1.0, 2.0])
with open(sys.argv[1], "rb") as file:
    recorded = deserialize_message(file.read(), Sample)
rclpy.init()
node = rclpy.create_node("listener")
received = []
node.create_subscription(Sample, "/sample", received.append, 100)
print("listening", flush=True)
deadline = time.monotonic() + 30
while len(received) < int(sys.argv[2]) and time.monotonic() < deadline:
    rclpy.spin_once(node, timeout_sec=0.1)
assert received[0] == recorded
for message in received:
    assert isinstance(message.pair[1], Part)
    print(message.count, message.label, message.wide, message.parts[-1].x, message.header.frame_id)
"""


def part(x: float) -> dict[str, object]:
    return {"x": x, "age": {"sec": 1, "nanosec": 2}, "code": [1, 2, 3, 4]}


def sample(number: int) -> bytes:
    return Codec(TYPE, DEFINITION).encode(
        {
            "header": {"stamp": {"sec": number, "nanosec": 5}, "frame_id": "odd"},
            "parts": [part(float(index)) for index in range(number + 1)],
            "pair": [part(0.5), part(1.5)],
            "few": [0.25],
            "label": f"sample {number}",
            "wide": "größer",
            "count": number,
        }
    )


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with BagWriter(tmp_path / "odd bag") as writer:
        writer.add_topic("/sample", TYPE, DEFINITION)
        for number in range(COUNT):
            writer.write("/sample", sample(number), 1_000_000_000 + number * 1_000_000)
    return tmp_path / "odd bag"


def in_workspace(*words: str | Path) -> tuple[str, ...]:
    """A program as it is started where the built packages are sourced."""
    return ("bash", "-c", '. install/local_setup.bash && exec "$@"', "bash", *map(str, words))


def test_a_bag_with_custom_types_is_replayed_after_building_them(stranger: Stranger, bag: Path):
    player = (sys.executable, "-m", "lockstep.nodes.player")
    with isolated_domain() as outside:
        domain = {
            name: outside[name] for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE")
        }
        done = stranger.run(bag, program=player, env=domain)
        assert done.code == 2
        assert done.error == (
            "error: message type odd_msgs/msg/Sample is not installed; build or "
            "source the package 'odd_msgs', "
            f"or write it from the bag: lockstep types '{bag}' -o src"
        )

        done = stranger.run("types", bag, "-o", "src")
        assert (done.code, done.err) == (0, "")
        assert done.out == "src/odd_msgs: odd_msgs/msg/Part, odd_msgs/msg/Sample\n"
        assert (stranger.cwd / "src/odd_msgs/msg/Sample.msg").read_text() == SAMPLE
        assert (stranger.cwd / "src/odd_msgs/msg/Part.msg").read_text() == PART
        build = ("colcon", "build", "--base-paths", "src", "--event-handlers", "console_cohesion+")
        done = stranger.run(program=build, timeout_s=240)
        assert done.code == 0, done.out + done.err

        (stranger.cwd / "first").write_bytes(next(Bag(bag).messages()).data)
        (stranger.cwd / "listener.py").write_text(LISTENER)
        listener = stranger.start(
            program=in_workspace(sys.executable, "listener.py", "first", str(COUNT)), env=domain
        )
        done = stranger.run(
            program=in_workspace(*player, bag, "--wait-for-subscribers"), env=domain
        )
        assert done.code == 0, done.err
        done = listener.end()
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "listening",
        *(f"{n} sample {n} größer {float(n)} odd" for n in range(COUNT)),
    ]


def test_json_lists_packages_types_and_paths(stranger: Stranger, bag: Path):
    done = stranger.run("types", bag, "-o", "src", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "packages": [
            {
                "name": "odd_msgs",
                "path": "src/odd_msgs",
                "written": True,
                "depends": ["builtin_interfaces", "std_msgs"],
                "types": [
                    {"name": "odd_msgs/msg/Part", "path": "src/odd_msgs/msg/Part.msg"},
                    {"name": "odd_msgs/msg/Sample", "path": "src/odd_msgs/msg/Sample.msg"},
                ],
            }
        ],
        "notes": [],
    }
    again = stranger.run("types", bag, "-o", "src", "--json")
    assert json.loads(again.out)["packages"][0]["written"] is False


def test_nothing_to_write_is_said_and_well(stranger: Stranger):
    done = stranger.run("types", ACCELERATION, "-o", "src")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("nothing to write: ")
    assert not (stranger.cwd / "src").exists()


def test_all_writes_what_is_installed_as_it_is_installed(stranger: Stranger):
    done = stranger.run("types", ACCELERATION, "-o", "src", "--all")
    assert (done.code, done.err) == (0, "")
    assert [line.partition(":")[0] for line in done.out.splitlines()] == [
        "src/builtin_interfaces",
        "src/geometry_msgs",
        "src/std_msgs",
    ]


def test_what_cannot_be_written_is_one_sentence_and_nothing_is_written(stranger: Stranger, bag):
    with BagWriter(stranger.cwd / "bad") as writer:
        writer.add_topic("/fine", "fine_msgs/msg/Fine", "int8 x\n")
        writer.add_topic("/bad", "../../x/msg/Y", "int8 x\n")
    done = stranger.run("types", "bad", "-o", "src")
    assert (done.code, done.out) == (2, "")
    assert "/bad uses a type named '../../x/msg/Y', which is no valid name in ROS 2" in done.error
    assert not (stranger.cwd / "src").exists()
    assert stranger.run("types", "bad", "-o", "src", "-t", "/fine").code == 0

    (stranger.cwd / "src/odd_msgs").mkdir()
    done = stranger.run("types", bag, "-o", "src")
    assert done.code == 2
    assert "src/odd_msgs exists already with other contents" in done.error
    for words, sentence in [
        (["nowhere", "-o", "src"], "nowhere does not exist"),
        ([ROOT / "README.md", "-o", "src"], "README.md is not"),
        ([bag, "-o", "src", "-t", "/x"], "has no topic /x; it has /sample"),
    ]:
        done = stranger.run("types", *words)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.error


def test_the_written_package_is_what_catkin_pkg_reads(stranger: Stranger, bag: Path):
    assert stranger.run("types", bag, "-o", "src").code == 0
    colcon = ["colcon", "--log-base", "/dev/null", "list", "--base-paths", "src"]
    listed = subprocess.run(colcon, cwd=stranger.cwd, check=True, capture_output=True, text=True)
    assert listed.stdout.split() == ["odd_msgs", "src/odd_msgs", "(ros.ament_cmake)"]
    assert listed.stderr == ""


def test_help_has_examples(stranger: Stranger):
    done = stranger.run("types", "--help")
    assert done.code == 0
    assert "Examples" in done.out
    assert "lockstep types recording -o src" in done.out
