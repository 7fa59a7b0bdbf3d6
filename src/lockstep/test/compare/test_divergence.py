"""The table of how far trajectories come apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.compare.divergence import write_divergences
from made_bags import write_changed

BAGS = Path(__file__).resolve().parents[4] / "bags"
RULES = {"pose.pose.position": {"distance": 0.5}, "pose.pose.orientation": {"quaternion": 0.1}}


def table(tmp_path, rules, change):
    """The lines of what is written for the Gazebo run's odometry and a changed copy."""
    with (
        Bag(BAGS / "gazebo_diff_drive") as a,
        Bag(write_changed(tmp_path / "b", Bag(BAGS / "gazebo_diff_drive"), "/odom", change)) as b,
    ):
        found = compare(a, b, topics=["/odom"], tolerance=rules)
        files = write_divergences(found, (a, b), tmp_path)
    assert [file.name for file in files] == ["odom.divergence.txt"][: len(files)]
    return [line for file in files for line in file.read_text().splitlines()]


def test_the_largest_error_of_each_second_is_told_with_the_limit(tmp_path):
    def drift(tick, message):
        message.pose.pose.position.x += 0.001 * tick

    head, *rows = table(tmp_path, RULES, drift)
    assert head == "# /odom: the largest error in each second"
    limits, rows = rows[:3], [row.split("  ") for row in rows[3:]]
    assert limits == [
        "# pose.pose.position: tolerance distance of 0.5, beyond it from tick 501 on",
        "# pose.pose.orientation: tolerance rotation of 0.1 rad",
        "# epoch  second  pose.pose.position  pose.pose.orientation",
    ]
    assert [int(row[1]) for row in rows] == list(range(20))
    assert {row[0] for row in rows} == {"1"}
    assert float(rows[0][2]) == pytest.approx(0.049)  # 50 messages in a second
    assert float(rows[-1][2]) == pytest.approx(0.997)
    assert {row[3] for row in rows} == {"0"}


def test_without_a_point_there_is_no_table(tmp_path):
    assert table(tmp_path, {"pose": 1.0}, lambda tick, message: None) == []
