"""A ROS 2 node that knows nothing of Lockstep is verified by its topics alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.bag import Bag
from rclpy.serialization import deserialize_message
from stranger import ROOT, Stranger
from verifications import CPP, Write

NODE = str(ROOT / "tests/black_box_node.py")
CONTRACT = "lockstep_examples:VectorNormalizer"
LENGTH_S, MESSAGES, RTF = 2.0, 61, 2.0


def box(*command: str) -> dict[str, Any]:
    return {
        "command": list(command),
        "remap": {"vector": "acceleration", "normalized": "direction"},
    }


WRAPPER = f'echo "starting"; python3 {NODE} count_clocks "$@"; echo "done"'
BOXES = {
    "ordinary": box("python3", NODE),
    "sensor_qos": box("python3", NODE, "sensor"),
    "wrapped": box("bash", "-c", WRAPPER, "wrapper"),
    "careless": box("python3", NODE, "latched", "drop"),
}


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The output folder and the result of one verification of all boxes."""
    folder = tmp_path_factory.mktemp("black_box")
    stranger = Stranger(folder)
    content = {
        "implementations": {"component": CPP, **BOXES},
        "reference": "component",
        "inputs": {
            "bag": str(ROOT / "bags/husky_acceleration"),
            "topics": {"vector": "/imu/acceleration"},
            "duration": LENGTH_S,
        },
        "run": {"rtf": RTF, "repeat": 1},
        "compare": {"align": "stamp", "tolerance": {"vector.*": {"abs": 1e-9}}},
    }
    (folder / "verify.yaml").write_text(json.dumps(content))
    done = stranger.run("verify", "verify.yaml", "-o", "out", "--json", timeout_s=150)
    try:
        stranger.assert_nothing_left()  # of the wrapper's child either
        assert done.code == 1, done.err
        yield folder / "out", json.loads(done.out)
    finally:
        stranger.end_all()


def outcome(verified: tuple[Path, dict[str, Any]], name: str) -> dict[str, Any]:
    """What the comparison says of the only output."""
    (key,) = verified[1]["comparisons"][name]["keys"].values()
    assert isinstance(key, dict)
    return key


@pytest.mark.parametrize("name", ["ordinary", "wrapped"])
def test_a_node_that_does_the_same_matches(
    verified: tuple[Path, dict[str, Any]], name: str
) -> None:
    key = outcome(verified, name)
    assert key["match"], key
    assert key["messages"] == [MESSAGES, MESSAGES]


def test_a_node_with_the_qos_of_sensors_hears_what_its_own_queue_holds(
    verified: tuple[Path, dict[str, Any]],
) -> None:
    """Best effort, and five deep: on a busy machine it loses some, and that is told."""
    key = outcome(verified, "sensor_qos")
    assert key["messages"][1] > MESSAGES // 2
    assert (key["differing"], key["extra"]) == (0, 0)
    assert key["missing"] == MESSAGES - key["messages"][1]
    assert key["match"] == (key["missing"] == 0)
    verdict = verified[1]["comparisons"]["sensor_qos"]["verdict"]
    assert verdict == ("match" if key["match"] else "no verdict")


def test_a_dropped_message_is_named_by_its_tick(verified: tuple[Path, dict[str, Any]]) -> None:
    key = outcome(verified, "careless")
    assert (key["match"], key["missing"]) == (False, 1)
    diff = (verified[0] / "careless_vs_component/normalized.diff").read_text()
    assert "tick 49" in diff


def test_what_went_in_and_came_out_of_each_box_is_told(
    verified: tuple[Path, dict[str, Any]],
) -> None:
    """But of no component, which acknowledges its inputs."""
    told = (verified[0] / "summary.txt").read_text().splitlines()
    out = dict.fromkeys(BOXES, MESSAGES)  # the careless one drops a message and adds one
    out["sensor_qos"] = outcome(verified, "sensor_qos")["messages"][1]
    assert [line for line in told if "messages in" in line] == [
        f"{name}: messages in: {MESSAGES} on /vector; out: {count} on /normalized"
        for name, count in out.items()
    ]
    boxes = {name for name, run in verified[1]["runs"].items() if run["black_box"]}
    assert boxes == BOXES.keys()


def test_a_latched_message_from_before_the_recording_is_recorded(
    verified: tuple[Path, dict[str, Any]],
) -> None:
    assert outcome(verified, "careless")["extra"] == 1
    bag = Bag(verified[0] / "careless/bag")
    first = next(bag.messages())  # what the node published at its start
    assert deserialize_message(first.data, Vector3Stamped) == Vector3Stamped()
    topic = bag.topic("/normalized")
    assert topic.qos[0].durability == "transient_local"


def test_clock_ticks_a_hundred_times_a_second_not_as_fast_as_it_can(
    verified: tuple[Path, dict[str, Any]],
) -> None:
    """A flood of /clock once drowned the inputs of black boxes."""
    (clocks,) = re.findall(r"(\d+) clocks", (verified[0] / "wrapped/node.log").read_text())
    # One with each message, and one every 10 ms of wall time between them.
    assert MESSAGES <= int(clocks) <= MESSAGES + 3 * 100 * LENGTH_S / RTF


def test_a_node_that_fails_fails_the_run(stranger: Stranger, write_verification: Write) -> None:
    sentences = {
        "silent": ["never answered: it published nothing on /normalized"],
        "crash": ["ended during the run (exit code 1)", "RuntimeError: acceleration out of range"],
    }
    boxes = {fault: box("python3", NODE, fault) for fault in sentences}
    file = write_verification({"cpp": CPP, **boxes}, duration=LENGTH_S, run={"rtf": RTF})
    commands = {fault: stranger.start("run", file, fault, "-o", fault) for fault in boxes}
    for fault, command in commands.items():
        done = command.end(timeout_s=60)
        assert done.code == 3
        for sentence in (f"error: {fault} ", *sentences[fault]):
            assert sentence in done.err
    stranger.assert_nothing_left()


@pytest.mark.parametrize(
    ("sections", "line", "sentence"),
    [
        ({"run": {"rtf": float("inf")}}, "run:", "or run: {rtf: 1.0} or another finite factor"),
        ({"run": {"window": 3}}, "run:", "'box' is a node and acknowledges nothing"),
    ],
)
def test_a_black_box_that_cannot_run_is_refused_with_its_line(
    stranger: Stranger,
    write_verification: Write,
    sections: dict[str, Any],
    line: str,
    sentence: str,
) -> None:
    file = write_verification({"cpp": CPP, "box": BOXES["ordinary"]}, **sections)
    number = next(
        n for n, text in enumerate(file.read_text().splitlines(), 1) if text.startswith(line)
    )
    done = stranger.run("verify", file)
    assert done.code == 2
    assert done.error.startswith(f"error: {file}:{number}: ")
    assert sentence in done.error


def test_what_a_queue_has_lost_is_no_difference(
    stranger: Stranger, write_verification: Write
) -> None:
    """Fifty a second of three hundred, of which its queue holds a hundred."""
    boxes = {"cpp": CPP, "slow": box("python3", NODE, "slow")}
    file = write_verification(boxes, duration=10.0, run={"rtf": 20.0, "repeat": 1})
    done = stranger.run("verify", file, "-o", "out", timeout_s=60)
    assert done.code == 3, done.out + done.err
    assert "NO VERDICT: slow: the node did not take " in done.out
    assert "of the 301 messages on /vector, which came faster than it takes them" in done.out
    assert not list((stranger.cwd / "out").rglob("tally"))


def test_a_remap_of_no_port_is_refused(stranger: Stranger, write_verification: Write) -> None:
    misspelt = {"command": ["python3", NODE], "remap": {"vektor": "acceleration"}}
    file = write_verification({"cpp": CPP, "box": misspelt}, run={"rtf": 1.0})
    done = stranger.run("verify", file)
    assert done.code == 2
    assert "box: remap names 'vektor', which is no port of the contract" in done.error
