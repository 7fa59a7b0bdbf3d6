"""Sampling components into datasets and bags."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import Twist, Vector3, Vector3Stamped
from lockstep.bag import Bag, BagError
from lockstep.component import Component, Input, component
from lockstep.distributions import (
    Box,
    Constant,
    Covariance,
    DataDistMixin,
    DistError,
    Distribution,
    Empirical,
    Exponential,
    FrameId,
    LogNormal,
    Mixture,
    Normal,
    OrnsteinUhlenbeck,
    Pareto,
    RandomWalk,
    Sine,
    Stamp,
    Text,
    Timestamps,
    UnitQuaternion,
)
from lockstep.distributions import drawing as sample_module
from lockstep.distributions.drawing import sample
from lockstep.testing.component_under_test import component_under_test
from lockstep.testing.in_process import InProcessHarness
from scipy import stats
from sensor_msgs.msg import Imu

HEADER = Distribution(stamp=Stamp(), frame_id=FrameId("imu"))
VECTORS = Distribution({"header": HEADER, "vector": Normal(0.0, 2.0)}, at=Timestamps(rate_hz=200.0))


@component(dist=VECTORS)
def passed_on(vector: Vector3Stamped) -> Vector3Stamped:
    return vector


class Fusion(Component):
    """Two inputs at rates of their own."""

    imu = Input(
        Imu,
        dist=Distribution(
            {"*": Normal(), "header": HEADER, "*covariance": Constant(0.0)},
            at=Timestamps(rate_hz=100.0, jitter_s=0.001),
        ),
    )
    command = Input(Twist, "/cmd_vel", dist=Distribution(Box(0, 1), at=Timestamps(rate_hz=10.0)))
    data_correlation = {("imu.angular_velocity.z", "command.angular.z"): 0.9}  # noqa: RUF012

    def on_imu(self, msg): ...
    def on_command(self, msg): ...


EVERYTHING = Distribution(
    {
        "header.stamp": Timestamps(rate_hz=50.0, jitter_s=0.002, gaps=0.01),
        "header.frame_id": Text(),
        "orientation": UnitQuaternion(),
        "orientation_covariance": Covariance(),
        "angular_velocity.x": OrnsteinUhlenbeck(),
        "angular_velocity.y": RandomWalk(0.5, low=-1.0, high=1.0),
        "angular_velocity.z": Sine(2.0, 0.3),
        "linear_acceleration.x": LogNormal(),
        "linear_acceleration.y": Pareto(3.0),
        "linear_acceleration.z": Mixture((1, Exponential()), (1, Normal(9.81, 0.1))),
        "*covariance": Constant(0.0),
    }
)


@component(dist=EVERYTHING)
def everything(imu: Imu) -> Imu:
    return imu


def test_the_same_seed_gives_the_same_bytes_on_any_machine(tmp_path: Path):
    sample(everything, 5000, 3, path=tmp_path / "bag")
    digest = hashlib.sha256()
    for message in Bag(tmp_path / "bag").messages():
        digest.update(message.log_time_ns.to_bytes(8, "little") + message.data)
    assert digest.hexdigest() == SHA256


def test_the_same_seed_gives_the_same_file(tmp_path: Path):
    for name in ("a", "b"):
        sample(Fusion, 30_000, path=tmp_path / name / "bag.mcap")
    a, b = (tmp_path / name / "bag.mcap" for name in ("a", "b"))
    assert a.read_bytes() == b.read_bytes()


def test_another_seed_gives_other_messages():
    one, again, other = (
        [record.value for record in sample(passed_on, 50, seed).records()] for seed in (0, 0, 1)
    )
    assert one == again
    assert one != other


def test_a_smaller_sample_begins_a_larger_one(tmp_path: Path):
    for count in (10, 4096, 9000):
        sample(everything, count, path=tmp_path / str(count))
    larger = list(Bag(tmp_path / "9000").messages())
    assert len(larger) == 9000
    for count in (10, 4096):
        assert list(Bag(tmp_path / str(count)).messages()) == larger[:count]


def test_a_bag_and_memory_hold_the_same(tmp_path: Path):
    bag = sample(Fusion, 500, path=tmp_path / "bag")
    memory = sample(Fusion, 500)
    assert set(bag.keys()) == set(memory.keys()) == {"/imu", "/cmd_vel"}
    for key in bag:
        assert bag[key].times().tolist() == memory[key].times().tolist()
    assert [record.value for record in bag.records()] == [
        record.value for record in memory.records()
    ]


def test_inputs_come_at_their_own_rates_in_the_order_of_time(tmp_path: Path):
    found = sample(Fusion, 11_000, path=tmp_path / "bag")
    assert found.count == 11_000
    assert len(found["/imu"]) == pytest.approx(10_000, abs=3)
    assert found["/imu"].rate_hz == pytest.approx(100, rel=1e-3)
    times = [message.log_time_ns for message in Bag(tmp_path / "bag").messages()]
    assert times == sorted(times)
    assert [m.log_time_ns for m in Bag(tmp_path / "bag").messages(["/imu"])] == found["/imu"].times(
        "header"
    ).tolist()


def test_inputs_are_correlated_tick_by_tick():
    found = sample(Fusion, 11_000)
    command = found["/cmd_vel"].column("angular.z")
    imu = found["/imu"].column("angular_velocity.z")[: len(command)]
    assert stats.spearmanr(imu, command).statistic == pytest.approx(0.89, abs=0.03)
    assert stats.kstest(command, "uniform").pvalue > 0.01


def test_a_component_runs_on_what_is_sampled():
    harness = InProcessHarness(passed_on.component)
    with component_under_test("python", harness, {}) as running:
        for record in sample(passed_on, 100).records():
            x = record.value.vector.x
            running.vector.send(Vector3Stamped(vector=Vector3(x=x)), record.stamp_ns)
        assert len(running.output.messages) == 100


def test_distributions_are_replaced_by_input():
    found = sample(Fusion, 100, dist={"command": Box(2, 3)})
    assert found["/cmd_vel"].column("linear.x").min() >= 2


@dataclass
class Wheel(DataDistMixin):
    data_dist = Box(min=0, max=10)

    speed: float
    ticks: int


class Wheels(Component):
    wheel = Input(Wheel)

    def on_wheel(self, msg): ...


def test_messages_may_be_dataclasses(tmp_path: Path):
    values = list(sample(Wheels, 1000)["/wheel"])
    assert all(isinstance(value, Wheel) for value in values)
    assert {value.ticks for value in values} == set(range(11))
    with pytest.raises(DistError, match="no ROS message"):
        sample(Wheels, 10, path=tmp_path / "bag")


def test_recorded_messages_are_drawn_anew(bags: Path):
    bag, topic = str(bags / "husky_gps_imu_odom"), "/imu/data"
    recorded = Bag(bag).columns(topic, ["angular_velocity.z", "linear_acceleration.x"])
    z, x = recorded.values()
    pairs = set(zip(z.tolist(), x.tolist(), strict=True))
    row = {pair: at for at, pair in enumerate(zip(z.tolist(), x.tolist(), strict=True))}

    def drawn(**options):
        whole = Distribution(
            {"*": Empirical(bag, topic, **options), "header": HEADER}, at=Timestamps(rate_hz=30.0)
        )
        found = sample(component(dist=whole)(of_imu), 3000)["/imu"]
        return found.column("angular_velocity.z"), found.column("linear_acceleration.x")

    for options in ({}, {"by": "block", "block": 50}):
        found = list(zip(*(column.tolist() for column in drawn(**options)), strict=True))
        assert set(found) <= pairs, "whole messages"
        steps = np.diff([row[pair] for pair in found])
        assert np.mean(steps == 1) > 0.9 if options else np.mean(steps == 1) < 0.01
    assert stats.ks_2samp(drawn()[0], z).pvalue > 0.01


def of_imu(imu: Imu) -> Imu:
    return imu


def test_a_recorded_field_is_drawn_or_fitted(bags: Path):
    bag = str(bags / "husky_gps_imu_odom")
    recorded = Bag(bag).columns("/imu/data", ["linear_acceleration.x"])["linear_acceleration.x"]
    rules = {
        "vector.x": Empirical(bag, "/imu/data", "linear_acceleration.x"),
        "vector.y": Empirical(bag, "/imu/data", "linear_acceleration.x", by="fit"),
        "vector.z": Mixture(
            (1, Empirical(bag, "/imu/data", "linear_acceleration.x")), (1, Constant(99.0))
        ),
        "header": HEADER,
    }
    found = sample(passed_on, 5000, dist={"vector": Distribution(rules)})["/vector"]
    assert set(found.column("vector.x").tolist()) <= set(recorded.tolist())
    fitted = found.column("vector.y")
    assert stats.ks_2samp(fitted, recorded).statistic < 0.05
    assert len(set(fitted.tolist())) == 5000
    assert np.mean(found.column("vector.z") == 99.0) == pytest.approx(0.5, abs=0.03)


def test_recordings_of_another_type_or_place_are_refused(bags: Path):
    bag = str(bags / "husky_gps_imu_odom")
    for rule, sentence in (
        (
            Empirical(bag, "/imu/data"),
            "/imu/data of .* is sensor_msgs/msg/Imu, but .*Vector3Stamped",
        ),
        (Empirical(bag, "/nowhere"), "has no topic /nowhere"),
        (Empirical("nowhere", "/x"), "nowhere"),
    ):
        with pytest.raises((DistError, BagError), match=sentence):
            sample(passed_on, 10, dist={"vector": Distribution({"*": rule, "header": HEADER})})


def test_a_sample_is_saved_wherever_a_dataset_is(tmp_path: Path):
    found = sample(passed_on, 20, path=tmp_path / "vectors.pkl")
    assert (tmp_path / "vectors.pkl").is_file()
    assert len(found["/vector"]) == 20
    with pytest.raises(BagError, match="s3://bucket/bag cannot be written"):
        sample(passed_on, 20, path="s3://bucket/bag")


def test_nothing_is_replaced_unless_it_is_asked_for(tmp_path: Path):
    place = tmp_path / "bag"
    sample(passed_on, 10, path=place)
    before = list(Bag(place).messages())
    with pytest.raises(BagError, match="exists already"):
        sample(passed_on, 20, path=place)
    assert list(Bag(place).messages()) == before
    sample(passed_on, 20, path=place, force=True)
    assert Bag(place).count == 20
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


def test_what_is_no_bag_is_not_replaced_either(tmp_path: Path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years")
    with pytest.raises(BagError, match="is no bag, so it is not replaced"):
        sample(passed_on, 10, path=folder, force=True)
    assert (folder / "thesis.txt").read_text() == "years"


def test_a_failure_leaves_the_bag_that_was_there(tmp_path: Path, bags: Path):
    place = tmp_path / "bag"
    sample(passed_on, 10, path=place)

    def fail(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(passed_on, 10_000, path=place, force=True, progress=fail)
    assert Bag(place).count == 10
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


@pytest.mark.parametrize("count", [0, -1, 10**9, 2.5, True, "many"])
def test_a_number_of_messages_that_makes_no_sense_is_refused(count):
    with pytest.raises(DistError, match="cannot be drawn; give a whole number from 1 to 100000000"):
        sample(passed_on, count)


@pytest.mark.parametrize("seed", [-1, 0.5, "seven", None, 1 << 64])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(DistError, match="is no seed; give a whole number"):
        sample(passed_on, 10, seed)


def test_a_disk_that_is_too_small_is_told_before(tmp_path: Path, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr(sample_module.shutil, "disk_usage", lambda place: Usage)
    with pytest.raises(BagError, match=r"GB are to be drawn, and there are 0\.0 GB"):
        sample(passed_on, 1000, path=tmp_path / "bag")
    assert list(tmp_path.iterdir()) == []


@component
def without(vector: Vector3Stamped) -> Vector3Stamped:
    return vector


def test_a_component_without_distributions_is_told_how_to_declare_one():
    with pytest.raises(
        DistError, match=r"input 'vector' .* 'header.stamp' .*data_dist\(Vector3Stamped"
    ):
        sample(without, 10)
    with pytest.raises(DistError, match="is no component"):
        sample(print, 10)
    with pytest.raises(DistError, match="Without has no input 'image'; it has vector"):
        sample(without, 10, dist={"image": Box(0, 1)})


@pytest.mark.parametrize(
    ("correlation", "sentence"),
    [
        ({("imu.angular_velocity.x", "odom.x"): 0.5}, "there is no input 'odom'"),
        ({("imu.angular_velocity.w", "command.linear.x"): 0.5}, "no field 'angular_velocity.w'"),
        ({("imu.header.stamp", "command.linear.x"): 0.5}, "'header.stamp' .* cannot be correlated"),
    ],
)
def test_correlations_of_inputs_are_checked(correlation, sentence):
    with pytest.raises(DistError, match=sentence):
        sample(Fusion, 10, correlation=correlation)


SHA256 = "4849a170f79aab09b1f019597a0d6be4859ddc0e6bab24292370a9e4b3493b78"
