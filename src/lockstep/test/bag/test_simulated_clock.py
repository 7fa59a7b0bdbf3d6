"""What the /clock of a bag tells: epochs, pauses, and how fast the simulation ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.bag.clock import ClockTimes, clock_times
from lockstep.bag.survey import survey
from lockstep.cdr.codec import codec

BAGS = Path(__file__).resolve().parents[4] / "bags"
WALL_NS = 1_790_000_000_000_000_000
CLOCK = "rosgraph_msgs/msg/Clock"
DEFINITION = (
    "builtin_interfaces/Time clock\n"
    + "=" * 80
    + ("\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n")
)


def clocks(folder: Path, said_s: list[float], period_s: float = 0.1) -> ClockTimes:
    """A recording on wall time of these times, `period_s` apart."""
    encode = codec(CLOCK, DEFINITION).encode
    with BagWriter(folder) as writer:
        writer.add_topic("/clock", CLOCK, DEFINITION)
        for index, time_s in enumerate(said_s):
            said = {"sec": int(time_s), "nanosec": round(time_s % 1 * 1e9)}
            at_ns = WALL_NS + round(index * period_s * 1e9)
            writer.write("/clock", encode({"clock": said}), at_ns)
    with Bag(folder) as bag:
        found = clock_times(bag)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["gazebo_diff_drive", "gazebo_diff_drive_wall"])
def test_the_factor_of_a_simulator_is_told_whatever_the_log_times_are(name):
    with Bag(BAGS / name) as bag:
        found = survey(bag).simulated
    assert found is not None
    assert found.rtf() == pytest.approx(0.981, abs=0.001)
    by_second = found.rtf_by_second()
    assert len(by_second) == 20
    assert (min(by_second), max(by_second)) == pytest.approx((0.954, 0.986), abs=0.001)
    assert found.epochs == 1
    assert found.missing(5_000_000) == 0
    assert "real-time factor 0.981 (0.954 to 0.98" in str(found)


def test_each_jump_back_in_file_order_is_an_epoch(tmp_path):
    found = clocks(tmp_path / "bag", [0.0, 0.1, 0.2, 0.0, 0.1, 0.0, 0.1, 0.2, 0.3])
    assert found.epochs == 3
    assert "in 3 epochs: it went back 2 times" in str(found)


def test_a_paused_world_repeats_its_time_and_is_not_slow(tmp_path):
    said = [0.05 * index for index in range(40)] + [1.95] * 50
    found = clocks(tmp_path / "bag", [*said, *(1.95 + 0.05 * i for i in range(1, 40))])
    assert found.epochs == 1
    assert found.rtf() == pytest.approx(0.5)
    assert found.rtf_by_second() == pytest.approx([0.5] * len(found.rtf_by_second()))


def test_steps_that_left_no_clock_are_counted(tmp_path):
    found = clocks(tmp_path / "bag", [0.0, 0.01, 0.02, 0.05, 0.06, 0.0, 0.01, 0.04])
    assert found.missing(10_000_000) == 4


def test_of_simulated_times_alone_no_factor_is_told(tmp_path):
    found = clocks(tmp_path / "bag", [0.0, 0.1])
    said = ClockTimes(found.said_ns, found.said_ns, found.said_ns)
    assert said.rtf() is None
    assert said.rtf_by_second() == []
    assert "factor" not in str(said)


def test_a_bag_without_clock_has_none():
    with Bag(BAGS / "husky_acceleration") as bag:
        assert clock_times(bag) is None
        assert survey(bag).simulated is None
