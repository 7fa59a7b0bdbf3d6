"""Verifications of inputs that another program plays: what arrived is recorded, counted, judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lockstep.bag import Bag
from lockstep.dataset import Dataset
from lockstep.errors import UsageError
from lockstep.run.domain import isolated_domain
from lockstep.search.consensus import consensus
from lockstep.verify.model import load
from lockstep.verify.verify import verify
from verifications import PYTHON, Write

TOPIC = "/some/vector"
EXTERNAL = {"player": "external", "topics": {"vector": TOPIC}}
PUBLISHER = """
import sys, time
import rclpy
from geometry_msgs.msg import Vector3Stamped
from lockstep.nodes.qos import lossless
count, skipped, deadline_s = int(sys.argv[1]), int(sys.argv[2]), time.monotonic() + 30
rclpy.init()
node = rclpy.create_node("driver")
publisher = node.create_publisher(Vector3Stamped, sys.argv[3], lossless())
message = Vector3Stamped()
for number in range(count):
    while number == skipped and not publisher.get_subscription_count():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    message.header.stamp.sec = number + 1
    message.vector.x = float(number + 1)
    publisher.publish(message)
publisher.wait_for_all_acked()
"""


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Plays as many messages by a plain node, the first of which before anybody listens."""
    players = []
    with isolated_domain() as environment:
        for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE"):
            monkeypatch.setenv(name, environment[name])

        def start(count: int, skipped: int = 0) -> None:
            command = [sys.executable, "-c", PUBLISHER, str(count), str(skipped), TOPIC]
            players.append(subprocess.Popen(command, env=environment))

        yield start
        for player in players:
            assert player.wait(30) == 0


@pytest.mark.parametrize("mode", ["direct", "live"])
def test_what_an_external_player_sent_is_recorded_whole_and_judged(
    play: Callable[..., None], write_verification: Write, tmp_path: Path, mode: str
) -> None:
    play(300)
    file = write_verification(inputs=EXTERNAL, run={"mode": mode})
    verdict = verify(load(file), tmp_path / "out")
    assert verdict.exit_code == 0
    assert verdict.arrived is not None
    assert (verdict.arrived.counts, verdict.arrived.before) == ({TOPIC: 300}, {})
    assert [run.sent for run in verdict.runs.values()] == [{"/vector": 300}] * 2
    summary = (tmp_path / "out/summary.txt").read_text("utf-8")
    assert f"300 on {TOPIC}, none lost between the first and the last" in summary
    with Bag(tmp_path / "out/inputs.arrived/bag") as bag:
        codec = bag.codec(TOPIC)
        got = [codec.decode(message.data).vector.x for message in bag.messages([TOPIC])]
    assert got == [float(number + 1) for number in range(300)]


def test_what_was_sent_before_anybody_listened_is_told(
    play: Callable[..., None], write_verification: Write, tmp_path: Path
) -> None:
    play(50, skipped=12)
    file = write_verification(inputs=EXTERNAL, run={"mode": "direct"})
    verdict = verify(load(file), tmp_path / "out")
    result = json.loads((tmp_path / "out/result.json").read_text("utf-8"))
    assert result["arrived"]["counts"] == {TOPIC: 38}
    assert result["arrived"]["before"] == {TOPIC: 12}
    assert verdict.arrived is not None
    assert f"sent before anybody listened, and not judged: 12 on {TOPIC}" in (
        verdict.arrived.sentence()
    )


def test_in_the_shadow_of_a_robot_inputs_are_recorded_on_which_implementations_disagree(
    play: Callable[..., None], write_verification: Write, tmp_path: Path
) -> None:
    play(100)
    implementations = {"python": PYTHON, "doubled": {"component": "suites:Doubled"}}
    file = write_verification(implementations, inputs=EXTERNAL, run={"mode": "direct"})
    found = consensus(load(file), tmp_path / "hard.mcap", tmp_path / "out", context_s=0, most=10)
    assert (len(found.hard.chosen), found.hard.of) == (10, 100)
    with Dataset.load(tmp_path / "hard.mcap") as hard:
        assert len(hard[TOPIC]) == len(hard["/doubled/normalized"]) == 10
        assert hard[TOPIC].times().tolist() == [one.time_ns for one in found.hard.chosen]


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"player": "external", "topics": {"speed": "/x"}}, "the contract has no input 'speed'"),
        ({"player": "external", "bag": "x", "topics": {"vector": "/x"}}, "give either bag"),
        ({"player": "external", "sample": {"n": 3}}, "a sample is played by nobody else"),
        ({"player": "external"}, "give topics"),
    ],
)
def test_inputs_that_no_external_player_can_give_are_refused_at_once(
    write_verification: Write,
    tmp_path: Path,
    inputs: dict[str, object],
    sentence: str,
) -> None:
    file = write_verification(inputs=inputs, run={"mode": "direct"})
    with pytest.raises(UsageError, match=sentence):
        verify(load(file), tmp_path / "out")
    assert not (tmp_path / "out").exists()
