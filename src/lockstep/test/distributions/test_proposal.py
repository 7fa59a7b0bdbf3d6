"""`fit` proposes distributions from which the recording could have come."""

import struct

import numpy as np
import pytest
from geometry_msgs.msg import Pose, TwistStamped
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.component import component
from lockstep.distributions import (
    Array,
    Choice,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    FrameId,
    Integers,
    LogNormal,
    Normal,
    OrnsteinUhlenbeck,
    Pareto,
    Stamp,
    Timestamps,
    Uniform,
    UnitQuaternion,
)
from lockstep.distributions.best_fit import best_fit, candidates
from lockstep.distributions.declaration import data_of, distribution_of_data
from lockstep.distributions.drawing import sample
from lockstep.distributions.numbers import Scipy
from lockstep.distributions.proposal import left_out, proposed
from scipy import stats
from sensor_msgs.msg import Imu, JointState, LaserScan


@component
def of_twist(twist: TwistStamped) -> TwistStamped:
    return twist


@component
def of_scan(scan: LaserScan) -> LaserScan:
    return scan


@component
def of_imu(imu: Imu) -> Imu:
    return imu


@component
def of_pose(pose: Pose) -> Pose:
    return pose


@component
def of_joints(joints: JointState) -> JointState:
    return joints


def recorded(tmp_path, function, distribution, count=5000):
    name = next(iter(function.component.inputs))
    sample(function, count, path=tmp_path / "bag", dist={name: distribution})
    return Bag(tmp_path / "bag"), f"/{name}"


def test_the_distribution_that_was_drawn_from_is_found_again(tmp_path):
    bag, topic = recorded(
        tmp_path,
        of_twist,
        Distribution(
            {
                "header.stamp": Stamp(latency_s=0.02),
                "header.frame_id": FrameId("a", "b"),
                "twist.linear.x": Uniform(-1, 3),
                "twist.linear.y": Normal(5.0, 2.0),
                "twist.linear.z": LogNormal(0.0, 0.8),
                "twist.angular.x": OrnsteinUhlenbeck(mean=1.0, std=0.5, time_s=1.0),
                "twist.angular.y": Pareto(2.5, 1.0),
                "twist.angular.z": Exponential(4.0),
            },
            at=Timestamps(rate_hz=40.0, jitter_s=0.002, gaps=0.01, gap_s=3.0),
        ),
    )
    found = proposed(bag, topic)
    rules = found.rules
    assert rules["header.stamp"] == Stamp(0.02)
    assert isinstance(rules["header.frame_id"], Choice)
    kinds = {
        "linear.x": Uniform,
        "linear.y": Normal,
        "linear.z": LogNormal,
        "angular.x": OrnsteinUhlenbeck,
        "angular.y": Pareto,
    }
    for path, kind in kinds.items():
        assert isinstance(rules[f"twist.{path}"], kind), path
    assert rules["twist.linear.y"].mean == pytest.approx(5.0, abs=0.1)
    assert rules["twist.angular.x"].time_s == pytest.approx(1.0, rel=0.3)
    assert rules["twist.angular.y"].shape == pytest.approx(2.5, rel=0.05)
    assert found.at.rate_hz == pytest.approx(40.0, rel=0.01)
    assert found.at.jitter_s == pytest.approx(0.002, rel=0.1)
    assert (found.at.gaps, found.at.gap_s) == (
        pytest.approx(0.01, abs=0.005),
        pytest.approx(3.0, abs=0.1),
    )
    # As YAML it is the same, and what it draws could be the recording.
    again = distribution_of_data(data_of(found))
    drawn = sample(of_twist, 5000, 1, dist={"twist": again})["/twist"]
    z = bag.columns(topic, ["twist.angular.z"])["twist.angular.z"]
    assert stats.ks_2samp(drawn.column("twist.angular.z"), z).statistic < 0.04


def test_arrays_constants_and_missing_returns(tmp_path):
    from lockstep.distributions import Scan

    bag, topic = recorded(
        tmp_path,
        of_scan,
        {
            "*": Scan(rays=Integers(5, 9), range=Uniform(1, 2), nan_rate=0.1, inf_rate=0.2),
            "header": Distribution(stamp=Stamp(), frame_id=FrameId("laser")),
        },
        1000,
    )
    rules = proposed(bag, topic).rules
    assert rules["header.frame_id"] == Constant("laser")
    assert rules["intensities"] == Constant([])
    ranges = rules["ranges"]
    assert (ranges.length, isinstance(ranges, Array)) == (Integers(5, 9), True)
    drawn = sample(of_scan, 2000, dist={"scan": proposed(bag, topic)})["/scan"]
    values = np.concatenate(drawn.column("ranges"))
    assert np.isnan(values).mean() + np.isinf(values).mean() == pytest.approx(0.3, abs=0.02)


def test_a_real_recording_gives_a_distribution_that_can_be_drawn(bags):
    with Bag(bags / "husky_gps_imu_odom") as bag:
        found = proposed(bag, "/imu/data")
    assert found.rules["orientation"] == UnitQuaternion()
    assert sample(of_imu, 100, dist={"imu": found}).count == 100


def test_what_cannot_be_proposed_is_named(tmp_path):
    bag, topic = recorded(
        tmp_path,
        of_joints,
        {
            "*": Array(Uniform(0, 1), length=2),
            "header": Distribution(stamp=Stamp(), frame_id=FrameId("a")),
            "name": Constant(["left", "right"]),
            "position": Array(Uniform(0, 1), length=2),
            "velocity": Array(Uniform(0, 1), length=2),
            "effort": Constant([]),
        },
        100,
    )
    assert left_out(bag, topic) == ["name"]
    assert "name" not in proposed(bag, topic).rules


def test_nothing_is_proposed_for_nothing(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/x", "std_msgs/msg/Float64", "float64 data")
    with pytest.raises(BagError, match=r"/x of .* has no messages to fit a distribution to"):
        proposed(Bag(tmp_path / "bag"), "/x")


RANKS = np.arange(2000) / 2000


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RANKS * 3, Uniform(0.0, 2.9985)),
        (stats.expon.ppf(RANKS, scale=2), Exponential(1.99528)),
        (np.abs(stats.norm.ppf(RANKS / 2 + 0.5)) * 0, Constant(0.0)),
        (np.concatenate([np.zeros(1), 10 + stats.norm.ppf(RANKS[1:])]), Normal(9.995, 1.0212)),
    ],
    ids=["uniform", "exponential", "zero", "normal with one zero"],
)
def test_numbers_whose_least_is_zero_are_fitted(values, expected):
    assert values.min() == 0.0
    assert best_fit(values) == expected


@pytest.mark.parametrize("zeros", [1, 400, 1980])
def test_what_is_fitted_to_many_zeros_is_the_nearest_of_what_zero_is_possible_in(zeros):
    values = np.concatenate([np.zeros(zeros), np.linspace(0.1, 3.0, 2000 - zeros)])
    every = candidates(values, 0.0, 3.0)
    rules = [type(rule) for rule, _ in every]
    assert rules == [Uniform, Normal, Exponential, Scipy, Scipy]  # no logarithm of 0
    distances = [stats.kstest(values, frozen.cdf).statistic for _, frozen in every]
    chosen, nearest = best_fit(values), every[int(np.argmin(distances))][0]
    assert type(chosen) is type(nearest)
    if isinstance(chosen, Scipy):
        assert chosen.frozen.dist.name == nearest.frozen.dist.name
        assert chosen.frozen.args == nearest.frozen.args
    else:
        assert chosen == nearest
    assert min(distances) < max(0.06, 1.1 * zeros / len(values))


def test_what_is_drawn_by_the_fit_of_a_recording_with_zeros_is_like_it(tmp_path):
    values = stats.expon.ppf(RANKS, scale=2)
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/x", "std_msgs/msg/Float64", "float64 data")
        for tick, value in enumerate(values.tolist()):
            writer.write("/x", b"\0\1\0\0" + struct.pack("<d", value), tick)
    fitted = Empirical(str(tmp_path / "bag"), "/x", "data", by="fit")
    rules = {"header.stamp": Stamp(), "header.frame_id": FrameId("map")}
    rules |= {
        f"twist.{part}.{axis}": Constant(0.0) for part in ("linear", "angular") for axis in "xyz"
    }
    rule = Distribution(rules | {"twist.linear.x": fitted})
    bag, topic = recorded(tmp_path / "drawn", of_twist, rule)
    drawn = bag.columns(topic, ["twist.linear.x"])["twist.linear.x"]
    assert stats.ks_2samp(drawn, values).statistic < 0.05
    assert drawn.min() >= 0
