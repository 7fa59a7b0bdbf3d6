"""Points are judged as one: how far two trajectories have come apart."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import CompareError, Tolerance, Tolerances, compare
from lockstep.compare.kinds.point import judge_points
from lockstep.compare.model import Compare
from made_bags import write_changed, write_messages

BAGS = Path(__file__).resolve().parents[4] / "bags"
POSITION = "pose.pose.position"


def drifting(folder: Path, per_message: float) -> Bag:
    """The odometry of the Gazebo run; each message is so much further off, in x and y together."""

    def drift(tick, message):
        off = per_message * tick
        message.pose.pose.position.x += 0.6 * off
        message.pose.pose.position.y += 0.8 * off

    return Bag(write_changed(folder, Bag(BAGS / "gazebo_diff_drive"), "/odom", drift))


def test_the_error_is_the_distance():
    a = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    b = a + np.array([[0.3, 0.4, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, -2.0]])
    error, wrong = judge_points(a, b, Tolerance(distance=1.0))
    assert error == pytest.approx([0.5, 0.0, 2.0])
    assert wrong.tolist() == [False, False, True]


def test_what_is_no_number_is_infinitely_far_and_large_numbers_are_not():
    nan = math.nan
    a = np.array([[nan, 0.0, 0.0], [nan, 0.0, 0.0], [math.inf, 0.0, 0.0], [0.0, 0.0, 0.0]])
    b = np.array([[nan, 0.0, 3.0], [1.0, 0.0, 0.0], [math.inf, 0.0, 0.0], [3e200, 4e200, 0.0]])
    error, wrong = judge_points(a, b, Tolerance(distance=10.0))
    assert error.tolist() == [3.0, math.inf, 0.0, pytest.approx(5e200)]
    assert wrong.tolist() == [False, True, False, True]
    assert judge_points(a[:1], b[:1], Tolerance(distance=10.0, nan=False))[1].all()


def test_a_trajectory_that_comes_apart_passes_until_its_limit(tmp_path):
    rules = Tolerances({POSITION: Tolerance(distance=0.5)})
    with Bag(BAGS / "gazebo_diff_drive") as a, drifting(tmp_path / "b", 0.001) as b:
        key = compare(a, b, topics=["/odom"], tolerance=rules).keys["/odom"]
    found = key.judged.fields[POSITION]
    assert not key.matches
    assert (found.first_tick, found.max_tick) == (501, 997)  # 0.5 m is passed at the 501st
    assert found.max_error == pytest.approx(0.997)
    assert (found.wrong, found.kind) == (998 - 501, "point")


def test_a_trajectory_within_its_limit_matches(tmp_path):
    with Bag(BAGS / "gazebo_diff_drive") as a, drifting(tmp_path / "b", 0.001) as b:
        rules = {POSITION: {"distance": 1.0}}
        found = compare(a, b, topics=["/odom"], tolerance=rules)
    assert found.all_match
    assert found.grade == "within tolerance"
    assert found.keys["/odom"].judged.fields[POSITION].max_error == pytest.approx(0.997)


def test_a_distance_is_given_in_words_and_in_a_file():
    rule = Tolerances.parse([f"{POSITION}=distance:0.05"]).of(f"{POSITION}.x")
    assert rule == Tolerance(distance=0.05)
    assert str(rule) == "distance of 0.05"
    declared = Compare.model_validate({"tolerance": {POSITION: {"distance": 0.05}}})
    assert declared.tolerances().of(f"{POSITION}.z") == rule


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"distance": -1.0}, "give 0 or more"),
        ({"distance": math.nan}, "give 0 or more"),
        ({"distance": 1.0, "abs": 0.1}, "judges whole points; give it only distance and nan"),
        ({"distance": 1.0, "by": "mean"}, "judges each point; leave out by"),
    ],
)
def test_a_distance_that_makes_no_sense_is_refused(rule, sentence):
    with Bag(BAGS / "gazebo_diff_drive") as bag, pytest.raises(CompareError, match=sentence):
        compare(bag, bag, topics=["/odom"], tolerance={POSITION: rule})


def test_a_distance_of_a_field_that_is_no_point_is_refused():
    rules = {"pose.pose": {"distance": 1.0}}
    with (
        Bag(BAGS / "gazebo_diff_drive") as bag,
        pytest.raises(CompareError, match=r"orientation\.w' is no part of a point"),
    ):
        compare(bag, bag, topics=["/odom"], tolerance=rules)


def test_points_of_paths_of_other_lengths_are_judged_message_by_message(tmp_path):
    kind = f"pkg/Place[] poses\n{'=' * 80}\nMSG: pkg/Place\nfloat64 x\nfloat64 y\nfloat64 z\n"

    def path(*xs):
        return {"poses": [{"x": x, "y": 0.0, "z": 0.0} for x in xs]}

    a, b = [path(1.0), path(1.0, 2.0), path(3.0)], [path(1.5), path(1.0, 2.25), path(3.0, 4.0)]
    sides = [
        write_messages(tmp_path / name, "pkg/msg/Way", kind, messages, topic="/way")
        for name, messages in (("a", a), ("b", b))
    ]
    found = compare(*sides, tolerance={"poses": {"distance": 0.3}})
    field = found.keys["/way"].judged.fields["poses[]"]
    assert (field.wrong_ticks, field.other_lengths, field.max_error) == (2, 1, 0.5)
