"""What is wrong with a distribution is said in one sentence that names the
message and the field.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from geometry_msgs.msg import PoseArray, Twist, Vector3, Vector3Stamped
from lockstep.distributions import (
    Array,
    Box,
    Choice,
    Constant,
    Covariance,
    DataDistMixin,
    DistError,
    Distribution,
    Edges,
    Empirical,
    Exponential,
    FrameId,
    ImageFile,
    ImageNoise,
    Integers,
    Mixture,
    Normal,
    Pareto,
    Piecewise,
    PointCloud,
    RandomWalk,
    Scan,
    Sine,
    Stamp,
    Steps,
    Text,
    Timestamps,
    Uniform,
    Unit,
    UnitQuaternion,
    UnitVector,
    data_dist,
    data_dist_of,
)
from lockstep.distributions.distribution import Plan, as_distribution
from scipy import stats
from sensor_msgs.msg import Image, Imu, LaserScan, NavSatFix
from std_msgs.msg import Bool, Int32, String, UInt8


def test_what_is_left_out_is_named_with_how_to_declare_it():
    with pytest.raises(DistError) as error:
        Plan(Distribution(vector=Box(-1, 1)), Vector3Stamped, "vector")
    assert str(error.value) == (
        "input 'vector' (geometry_msgs/msg/Vector3Stamped) has no distribution for "
        "'header.stamp' (time); "
        'declare one, as data_dist(Vector3Stamped, {"header.stamp": Timestamps(rate_hz=100)}), '
        "in Input(…, dist=…) or in verify.yaml"
    )


@pytest.mark.parametrize(
    ("message_type", "rules", "sentence"),
    [
        (Vector3, {"x": Normal(), "y": Normal()}, "no distribution for 'z' \\(float64\\)"),
        (String, {}, "for 'data' \\(string\\); declare .* Text\\(\\)"),
        (Imu, {"*.x": Normal()}, "for 'header.stamp'"),
        (PoseArray, {"header": Edges()}, "for 'poses' \\(an array of messages\\).*Array\\(length="),
        (LaserScan, {"header": Edges(), "*": Box(0, 1)}, "for 'ranges' .*Array\\(Uniform"),
    ],
)
def test_every_field_needs_a_rule(message_type, rules, sentence):
    with pytest.raises(DistError, match=sentence):
        Plan(Distribution(rules), message_type)


@pytest.mark.parametrize(
    ("message_type", "rules", "sentence"),
    [
        (Vector3, {"w": Normal()}, "Vector3 has no field 'w'; it has x, y, z"),
        (Imu, {"*.covarianze": Constant(0)}, "has no field '\\*.covarianze'"),
        (Vector3, {"x": "much"}, "'x' is given 'much', which is no distribution; write Constant"),
        (Vector3, {"x": Text()}, "'x' of .*Vector3 is float64, but Text.* draws strings"),
        (String, {"data": Normal()}, "'data' of .*String is string, but Normal.* draws numbers"),
        (Bool, {"data": Uniform(0, 1)}, "is bool, but .*give Choice\\(False, True\\)"),
        (Int32, {"data": Uniform(0, 1)}, "is int32, but .* draws fractions; give Integers"),
        (UInt8, {"data": Integers(-1, 5)}, "is uint8, but .* draws -1 to 5; it can hold 0 to 255"),
        (UInt8, {"data": Choice(1, 256)}, "it can hold 0 to 255"),
        (UInt8, {"data": Constant("a")}, "has 'a'; give numbers"),
        (
            Imu,
            {"orientation_covariance": UnitVector()},
            "is float64\\[9\\], but UnitVector\\(\\) cannot draw that; give Covariance",
        ),
        (
            Vector3,
            {"*": UnitQuaternion()},
            "Vector3 is .*Vector3 at '\\*', which UnitQuaternion\\(\\) cannot draw",
        ),
        (
            Imu,
            {"*": Edges(), "orientation": UnitVector()},
            "is .*Quaternion at 'orientation', which UnitVector",
        ),
        (
            Imu,
            {"*": Edges(), "header.frame_id": Box(0, 1)},
            "is string, but Box.* cannot draw that; give FrameId",
        ),
        (Vector3Stamped, {"header.frame_id": Timestamps()}, "is string, but Timestamps"),
        (LaserScan, {"header": Edges(), "ranges": Uniform(0, 1)}, "give Array\\(Uniform"),
        (
            Imu,
            {"header": Edges(), "*": Box(0, 1), "orientation_covariance": Constant([1, 2])},
            "has 2 elements",
        ),
        (
            Imu,
            {"header": Edges(), "*": Box(0, 1), "orientation.x": Covariance()},
            "k \\* k numbers",
        ),
        (
            Vector3,
            {"x": Array(Normal(), length=3)},
            "is float64, but Array.* cannot draw that; give Uniform",
        ),
        (
            Imu,
            {"header": Edges(), "*": Box(0, 1), "angular_velocity": Unit("m", Normal())},
            "is in m; the field is in rad/s",
        ),
        (
            NavSatFix,
            {"header": Edges(), "*": Box(0, 1), "latitude": Unit("rad", Normal())},
            "is in rad; the field is in °",
        ),
        (Vector3, {"x": stats.multivariate_normal([0, 0])}, "no distribution for 'x'|rows of 2"),
        (Int32, {"data": stats.norm()}, "draws fractions"),
        (Vector3, {"x": Box(0.1, 0.9), "y": Distribution(z=Normal())}, "has no field 'y.z'"),
        (Int32, {"data": Box(0.1, 0.9)}, "holds no whole number for 'data'"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(message_type, rules, sentence):
    with pytest.raises(DistError, match=sentence):
        Plan(Distribution(rules), message_type)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Uniform(2, 1), "empty; give low <= high"),
        (lambda: Uniform(0, float("nan")), "high of Uniform is nan"),
        (lambda: Uniform("a", 1), "low of Uniform is 'a'"),
        (lambda: Normal(0, -1), "std of Normal is -1"),
        (lambda: Pareto(0), "must be above 0"),
        (lambda: Exponential(0), "mean of Exponential is 0"),
        (lambda: Integers(0.5, 1), "low of Integers is 0.5; give a whole number"),
        (lambda: Integers(0, 1 << 64), "does not fit into 64 bits"),
        (lambda: Choice(), "nothing to choose from"),
        (lambda: Choice(1, "a"), "mixes kinds"),
        (lambda: Choice(1, 2, weights=[1]), "one for each value"),
        (lambda: Choice(1, 2, weights=[0, 0]), "not all 0"),
        (lambda: FrameId("/imu"), "no / in front"),
        (lambda: Text(length=-1), "give a whole number from 0 on"),
        (lambda: Text(length=Integers(-1, 3)), "can be below 0"),
        (lambda: Text(alphabet=""), "alphabet of Text is empty"),
        (lambda: Timestamps(rate_hz=0), "rate_hz of Timestamps is 0"),
        (lambda: Timestamps(rate_hz=100, jitter_s=0.01), "below half of the interval of 0.01 s"),
        (lambda: Timestamps(poisson=True, jitter_s=0.001), "give one of them"),
        (lambda: Timestamps(gaps=2), "a share from 0 to 1"),
        (lambda: Stamp(float("inf")), "latency_s of Stamp is inf"),
        (lambda: Array(Uniform(0, 1)), "has no length"),
        (lambda: Array(Uniform(0, 1), length=Uniform(0, 3)), "length of Array is"),
        (lambda: RandomWalk(1.0, low=0), "give both low and high"),
        (lambda: RandomWalk(1.0, start=5, low=0, high=1), "starts out of its bounds"),
        (lambda: Steps([]), "levels of Steps is empty"),
        (lambda: Piecewise({1: 0, 0: 1}), "must ascend"),
        (lambda: Sine(frequency_hz=float("nan")), "frequency_hz of Sine is nan"),
        (lambda: Mixture(), "no part with a weight"),
        (lambda: Mixture((1, Normal()), Normal()), "give \\(weight, distribution\\)"),
        (lambda: Mixture((-1, Normal())), "a weight of Mixture is -1"),
        (lambda: Empirical("a", "/b", by="mean"), "use 'value', 'block' or 'fit'"),
        (lambda: Empirical("a", "/b", by="fit"), "name it with field="),
        (lambda: Empirical("a", "/b", block=0), "block of Empirical is 0"),
        (lambda: Edges(huge=1), "huge of Edges is 1"),
        (lambda: Unit("furlong", Normal()), "'furlong' is no unit that is known; use one of rad"),
        (lambda: Unit("m", Text()), "has no numbers"),
        (lambda: Covariance(Uniform(-1, 1)), "std of Covariance"),
        (lambda: ImageNoise(encoding="yuv"), "encoding of ImageNoise is 'yuv'"),
        (lambda: ImageFile("nowhere.png"), "nowhere.png is no image that can be read"),
        (lambda: PointCloud(nan_rate=0.7, inf_rate=0.7), "more than 1 together"),
        (lambda: PointCloud(fields=("x", "x")), "each once"),
        (lambda: Scan(range_min=2, range_max=1), "below range_max"),
        (lambda: Distribution({"x": Normal()}, x=Normal()), "'x' is given two distributions"),
        (lambda: Distribution(at=Normal()), "give Timestamps"),
        (lambda: Distribution(correlation={("x", "y"): 1.5}), "is 1.5; give -1 to 1"),
        (lambda: Distribution(correlation={("x", "x"): 0.5}), "two different names"),
        (
            lambda: Distribution(correlation={("x", "y"): 0.9, ("y", "z"): 0.9, ("x", "z"): -0.9}),
            "correlations of x, y, z cannot be together",
        ),
    ],
)
def test_an_impossible_rule_is_refused(make, sentence):
    with pytest.raises(DistError, match=sentence):
        make()


def test_only_single_numbers_with_a_distribution_of_their_own_are_correlated():
    rules = {"linear": Normal(), "angular": RandomWalk(1.0)}
    with pytest.raises(DistError, match=r"'angular.x' of .* cannot be correlated"):
        Plan(Distribution(rules, correlation={("linear.x", "angular.x"): 0.5}), Twist)
    with pytest.raises(DistError, match=r"has no field 'linear.w' to correlate"):
        Plan(Distribution(rules, correlation={("linear.x", "linear.w"): 0.5}), Twist)


def test_the_elements_of_an_array_and_its_length_come_from_one_rule():
    image = {"*": ImageNoise(), "header": Edges()}
    assert Plan(Distribution(image), Image)
    with pytest.raises(DistError, match=r"'data' of .* is uint8\[\], but"):
        Plan(Distribution({**image, "data": Integers(0, 3)}), Image)


def test_data_dist_refuses_a_field_that_the_type_does_not_have():
    with pytest.raises(DistError, match="geometry_msgs/msg/Vector3 has no field 'w'"):
        data_dist(Vector3, w=Normal())


@dataclass
class Wheel(DataDistMixin):
    data_dist = Box(min=0, max=10)

    speed: float
    ticks: int


@dataclass
class Drive(DataDistMixin):
    data_dist = Distribution({"wheels": Array(length=Integers(0, 3)), "name": Choice("a", "b")})

    name: str
    front: Wheel
    wheels: list[Wheel]
    loads: "list[float]"


@dataclass
class Plain:
    number: float


def test_dataclasses_carry_their_distribution():
    assert data_dist_of(Wheel).rules == {"*": Box(0, 10)}
    assert data_dist_of(Plain) is None
    with pytest.raises(DistError, match="Drive has no distribution for 'loads'"):
        Plan(as_distribution(data_dist_of(Drive)), Drive)
    plan = Plan(Distribution(loads=Array(Normal(), length=2)), Drive)
    assert {
        "name",
        "front.speed",
        "wheels",
        "wheels[].ticks",
        "loads",
    } <= plan.structure.fields.keys()


@dataclass
class Odd:
    anything: dict


def test_a_type_without_fields_that_can_be_drawn_is_refused():
    with pytest.raises(DistError, match=r"Odd.anything is a .*, which has no distribution"):
        Plan(Distribution(), Odd)
    with pytest.raises(DistError, match="neither a ROS message class nor a dataclass"):
        Plan(Distribution(), np.ndarray)
