"""Trajectories judged as a whole: ATE and RPE by their definitions, on poses with known errors."""

import math

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import CompareError, Tolerance, compare
from lockstep.compare.text_diff import text_diff
from lockstep.compare.trajectory import aligned, trajectory_error
from lockstep.report.files import write_plots
from lockstep.report.html import write_html
from lockstep.report.plane import planes
from made_bags import write_messages

POSE = f"""\
geometry_msgs/Point position
geometry_msgs/Quaternion orientation
{"=" * 80}
MSG: geometry_msgs/Point
float64 x
float64 y
float64 z
{"=" * 80}
MSG: geometry_msgs/Quaternion
float64 x
float64 y
float64 z
float64 w
"""
ODOMETRY = f"uint32 seq\ngeometry_msgs/Pose pose\n{'=' * 80}\nMSG: geometry_msgs/Pose\n{POSE}"
PATH = f"uint32 seq\npkg/Stop[] poses\n{'=' * 80}\nMSG: pkg/Stop\n{ODOMETRY}"


def poses(count=50):
    """A helix: x, y, z and the quaternion of its heading."""
    t = np.linspace(0, 6, count)
    heading = t / 2 + math.pi / 4
    zero = np.zeros(count)
    places = [3 * np.cos(t), 3 * np.sin(t), 0.2 * t]
    return np.stack([*places, zero, zero, np.sin(heading), np.cos(heading)], axis=1)


def turned(trajectory, yaw, scale=1.0, offset=(0.0, 0.0, 0.0)):
    """A trajectory that is turned about z, scaled and moved as a whole."""
    c, s = math.cos(yaw), math.sin(yaw)
    found = trajectory.copy()
    found[:, :3] = scale * trajectory[:, :3] @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T
    found[:, :3] += offset
    z, w = math.sin(yaw / 2), math.cos(yaw / 2)
    found[:, 5] = w * trajectory[:, 5] + z * trajectory[:, 6]
    found[:, 6] = w * trajectory[:, 6] - z * trajectory[:, 5]
    return found


def by(name, **how):
    return Tolerance(by=name, at_most=0.05, **how)


def test_ate_is_the_root_mean_square_of_the_distances():
    a = poses()
    b = a.copy()
    b[:, 0] += 0.3
    b[::2, 1] += 0.4
    expected = math.sqrt((0.09 + 0.25) / 2)
    assert trajectory_error(a, b, by("ate")) == pytest.approx(expected, abs=1e-12)
    assert trajectory_error(a[:, :3], b[:, :3], by("ate")) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("alignment", "scale"), [("se3", 1.0), ("sim3", 1.7)])
def test_what_is_moved_as_a_whole_has_no_error_once_aligned(alignment, scale):
    a = poses()
    b = turned(a, 0.7, scale, (5.0, -2.0, 1.0))
    assert trajectory_error(a, b, by("ate")) > 1.0
    assert trajectory_error(a, b, by("ate", alignment=alignment)) < 1e-12
    found = aligned(a, b, by("ate", alignment=alignment))
    same = np.abs((found[:, 3:] * a[:, 3:]).sum(axis=1))
    assert np.allclose(found[:, :3], a[:, :3]) and np.allclose(same, 1.0)
    if alignment == "sim3":
        assert trajectory_error(a, b, by("ate", alignment="se3")) > 0.5


def test_rpe_is_that_of_the_steps():
    a = poses()
    assert trajectory_error(a, turned(a, 0.7, 1.0, (5, 5, 5)), by("rpe")) < 1e-12
    b = a.copy()
    b[25:, 2] += 0.49  # one step of 49 is off
    assert trajectory_error(a, b, by("rpe")) == pytest.approx(0.49 / 7, abs=1e-12)
    assert trajectory_error(a, b, by("rpe", delta=7)) == pytest.approx(0.49 / math.sqrt(7))
    turn = a.copy()
    turn[:, 3:] = turned(a, 0.1)[:, 3:]
    steps = np.linalg.norm(np.diff(a[:, :3], axis=0), axis=1)[:, None]
    rise = np.diff(a[:, 2])[:, None]
    flat = np.sqrt(steps**2 - rise**2) * 2 * math.sin(0.05)
    assert trajectory_error(a, turn, by("rpe")) == pytest.approx(math.sqrt((flat**2).mean()))


def test_too_few_poses_have_no_rpe():
    rule = Tolerance(by="rpe", at_most=0.1, delta=2)
    one, other = (np.array([[x, 0.0, 0.0], [x, 1.0, 0.0]]) for x in (0.0, 5.0))
    with pytest.raises(CompareError, match="RPE is of poses 2 apart, and there are 2; use by: ate"):
        trajectory_error(one, other, rule)
    assert trajectory_error(one, one, rule) == 0.0
    assert trajectory_error(one[:0], other[:0], rule) == 0.0


def test_positions_on_a_line_cannot_be_aligned():
    line = np.stack([np.arange(5.0), np.zeros(5), np.zeros(5)], axis=1)
    with pytest.raises(CompareError, match=r"lie on a line.*use alignment: none"):
        trajectory_error(line, line + 0.1, by("ate", alignment="se3"))


def as_pose(numbers):
    place = dict(zip("xyz", numbers[:3].tolist(), strict=True))
    turn = dict(zip("xyzw", numbers[3:].tolist(), strict=True))
    return {"seq": 0, "pose": {"position": place, "orientation": turn}}


def compared(tmp_path, kind, a, b, **tolerance):
    sides = [
        write_messages(tmp_path / name, "pkg/msg/Odd", kind, messages, topic="/odom")
        for name, messages in (("a", a), ("b", b))
    ]
    found = compare(*sides, tolerance=tolerance)
    key = found.keys["/odom"]
    return found, key, "\n".join([found.summary(), *text_diff(found, key)])


def test_the_poses_of_all_messages_are_one_trajectory(tmp_path):
    a = poses()
    b = a.copy()
    b[10:, 0] += 0.05  # the first ten are of equal bytes, and count
    sides = [[as_pose(one) for one in side] for side in (a, b)]
    rule = {"by": "ate", "at_most": 0.05}
    found, key, _ = compared(tmp_path, ODOMETRY, *sides, pose=rule)
    assert found.all_match
    assert key.judged.fields["pose"].judged == pytest.approx(0.05 * math.sqrt(0.8))
    found, key, told = compared(tmp_path / "2", ODOMETRY, *sides, pose=rule | {"at_most": 0.04})
    assert not found.all_match
    assert "pose: ATE is 0.0447214 m over 50 poses, tolerance ATE ≤ 0.04 m" in told
    moved = [as_pose(one) for one in turned(a, 0.3, 1.0, (1, 2, 3))]
    aligned_rule = rule | {"alignment": "se3"}
    assert compared(tmp_path / "3", ODOMETRY, sides[0], moved, pose=aligned_rule)[0].all_match


def test_the_poses_of_a_path_are_a_trajectory_of_each_message(tmp_path):
    a = poses(20)
    off = a.copy()
    off[:, 1] += 0.07
    paths = [
        [{"seq": 0, "poses": [as_pose(one) for one in side]} for side in some]
        for some in ((a, a[:5], a[:0]), (a, off[:5], a[:0]))
    ]
    rule = {"by": "ate", "at_most": 0.05}
    _, key, told = compared(tmp_path, PATH, *paths, poses=rule)
    field = key.judged.fields["poses[].pose"]
    assert (field.wrong_ticks, field.judged_tick) == (1, 1)
    assert field.judged == pytest.approx(0.07)
    assert "+poses: ATE 0.07 m" in told
    assert compared(tmp_path / "2", PATH, *paths, poses=rule | {"at_most": 0.08})[0].all_match
    shorter = [{"seq": 0, "poses": [as_pose(one) for one in side]} for side in (a, a[:4], a[:0])]
    _, key, told = compared(tmp_path / "3", PATH, paths[0], shorter, poses=rule)
    assert key.judged.fields["poses[].pose"].other_lengths == 1
    assert "-poses: 5 poses\n+poses: 4 poses" in told


def test_what_is_beside_the_poses_must_be_equal(tmp_path):
    a = [{"seq": 0, "poses": [as_pose(one) for one in poses(5)]}]
    b = [{"seq": 0, "poses": [as_pose(one) | {"seq": 7} for one in poses(5)]}]
    _, key, told = compared(tmp_path, PATH, a, b, poses={"by": "ate", "at_most": 0.1})
    assert key.judged.fields["poses[].seq"].wrong == 5 and "poses[0].seq" in told


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"seq": {"by": "ate", "at_most": 1.0}}, "'seq' is no part of a pose"),
        ({"pose": {"by": "ate"}}, "needs at_most, the largest ATE that passes, in m"),
        ({"pose": {"by": "ate", "at_most": 1.0, "delta": 2}}, "delta of a tolerance needs by: rpe"),
        ({"pose": {"by": "rpe", "at_most": 1.0, "alignment": "yaw"}}, "is none, se3 or sim3"),
        ({"pose": {"at_most": 1.0}}, "need by: ate or by: rpe"),
    ],
)
def test_a_limit_of_trajectories_that_makes_no_sense_is_refused(tmp_path, rule, sentence):
    a = [as_pose(one) for one in poses(3)]
    with pytest.raises(CompareError, match=sentence):
        compared(tmp_path, ODOMETRY, a, a, **rule)


def test_trajectories_beyond_their_limit_are_drawn_in_the_plane(tmp_path):
    a, b = poses(), turned(poses(), 0.1)
    sides = [[as_pose(one) for one in side] for side in (a, b)]
    found, key, _ = compared(tmp_path, ODOMETRY, *sides, pose={"by": "ate", "at_most": 0.05})
    bags = Bag(tmp_path / "a"), Bag(tmp_path / "b")
    ((_, plane),) = planes(bags, found, key)
    assert plane.axes == "xy" and np.allclose(plane.a, a[:, :2]) and np.allclose(plane.b, b[:, :2])
    files = write_plots(found, bags, tmp_path / "plots").files
    assert tmp_path / "plots" / "odom.pose.plane.png" in files
    write_html(tmp_path / "report.html", {"b": found}, {"b": bags})
    assert '"planes":[{"title":"/odom pose"' in (tmp_path / "report.html").read_text()
