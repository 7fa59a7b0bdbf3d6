"""Each distribution against its own definition, with fixed seeds."""

import itertools
import math

import numpy as np
import pytest
from geometry_msgs.msg import Pose, Quaternion, Twist, Vector3
from hypothesis import given, settings
from hypothesis import strategies as st
from lockstep.distributions import (
    Array,
    Box,
    Chirp,
    Choice,
    Constant,
    Covariance,
    Distribution,
    Edges,
    Exponential,
    FrameId,
    Integers,
    LogNormal,
    Mixture,
    Normal,
    OrnsteinUhlenbeck,
    Pareto,
    Piecewise,
    RandomWalk,
    Sine,
    Stamp,
    Steps,
    Text,
    Timestamps,
    Uniform,
    Unit,
    UnitQuaternion,
    UnitVector,
    exact,
)
from lockstep.distributions.distribution import Plan
from lockstep.distributions.fields import Field
from lockstep.distributions.numbers import as_rule
from lockstep.distributions.random import Random
from lockstep.distributions.rule import Setting
from lockstep.distributions.ticks import Ticks
from scipy import special, stats
from sensor_msgs.msg import Image, Imu, LaserScan, PointCloud2
from std_msgs.msg import Header

N = 20_000
MS = 1_000_000


def ticks(count=N, rate_hz=100.0):
    at = Timestamps(rate_hz=rate_hz)
    return Ticks(at.times(Random(0, "at"))(count), at.start_ns)


def draw(rule, kind="float64", *, array="", size=0, count=N, seed=0, path="field"):
    """What a rule draws for one field."""
    wanted = Field(path, kind, array, size, 0, "my_msgs/msg/My")
    rule = as_rule(rule)
    rule.check(wanted)
    return rule.source(wanted, Random(seed, "test"), Setting(Timestamps()))(ticks(count))


def messages(distribution, message_type, count=500, seed=0):
    """The columns of messages of a type."""
    plan = Plan(distribution, message_type)
    return plan.source(Random(seed, "test"))(ticks(count))


@pytest.mark.parametrize(
    ("rule", "frozen"),
    [
        (Uniform(-1, 3), stats.uniform(-1, 4)),
        (Normal(2, 0.5), stats.norm(2, 0.5)),
        (LogNormal(0.3, 0.7), stats.lognorm(0.7, scale=math.exp(0.3))),
        (Exponential(2.5), stats.expon(scale=2.5)),
        (Pareto(3.0, 2.0), stats.pareto(3.0, scale=2.0)),
        (Box(-2, 5), stats.uniform(-2, 7)),
        (stats.gamma(2.0, scale=3.0), stats.gamma(2.0, scale=3.0)),
        (Unit("deg", Uniform(-90, 90)), stats.uniform(-math.pi / 2, math.pi)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_are_distributed_as_declared(rule, frozen):
    values = draw(rule).values
    assert stats.kstest(values, frozen.cdf).pvalue > 0.01
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.05, "each for itself"


def test_streams_of_all_names_and_seeds_are_uniform():
    """One stream may be unlucky; that the p-values of many are uniform themselves
    is what must hold.
    """
    p = [
        stats.kstest(Random(seed, f"field {name}").uniform(2000), "uniform").pvalue
        for seed in range(20)
        for name in range(50)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@given(st.floats(1e-300, 1, exclude_max=True))
def test_the_normal_quantile_is_that_of_scipy(p):
    found = exact.normal_quantile(np.array([p]))[0]
    assert found == pytest.approx(special.ndtri(p), rel=1e-12, abs=1e-15)


@given(st.floats(-700, 700))
def test_exp_and_log_undo_each_other_and_are_those_of_the_library(x):
    assert exact.exp([x])[0] == pytest.approx(math.exp(x), rel=1e-14)
    assert exact.log(exact.exp([x]))[0] == pytest.approx(x, rel=1e-12, abs=1e-14)


@given(st.floats(-100, 100))
def test_sine_and_cosine_are_those_of_the_library(turns):
    assert exact.sin_turns([turns])[0] == pytest.approx(
        math.sin(2 * math.pi * (turns % 1)), abs=1e-14
    )
    assert exact.cos_turns([turns])[0] == pytest.approx(
        math.cos(2 * math.pi * (turns % 1)), abs=1e-12
    )


@given(st.floats(-8, 8))
def test_the_normal_probability_is_that_of_scipy(x):
    assert exact.normal_probability(np.array([x]))[0] == pytest.approx(special.ndtr(x), rel=1e-7)


@given(
    st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, (1 << 63) - 1), st.integers(0, 1 << 32)
)
@settings(max_examples=50)
def test_whole_numbers_stay_within_their_limits(low, span, seed):
    high = min(low + span, (1 << 63) - 1)
    drawn = Random(seed, "x").integers(low, high, 50)
    assert drawn.dtype == np.int64
    assert low <= drawn.min() <= drawn.max() <= high


def test_every_whole_number_is_as_likely():
    values = draw(Integers(-2, 4), "int8").values
    assert values.dtype == np.int8
    counts = np.unique(values, return_counts=True)[1]
    assert len(counts) == 7
    assert stats.chisquare(counts).pvalue > 0.01


def test_choices_come_as_often_as_their_weights_say():
    values = draw(Choice("a", "b", "c", weights=[1, 2, 7]), "string").values
    shares = [np.mean(values == name) for name in "abc"]
    assert shares == pytest.approx([0.1, 0.2, 0.7], abs=0.01)


def test_a_choice_of_large_integers_is_exact():
    largest = (1 << 64) - 1
    assert set(draw(Choice(0, largest), "uint64").values.tolist()) == {0, largest}


def test_a_vector_has_length_one_and_any_direction():
    columns = messages(Distribution(UnitVector()), Vector3, N)
    x, y, z = (columns[axis].values for axis in "xyz")
    assert np.allclose(x * x + y * y + z * z, 1)
    for axis in (x, y, z):  # Archimedes: every coordinate is uniform
        assert stats.kstest(axis, stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_orientations_are_uniform_on_so3():
    columns = messages(Distribution(UnitQuaternion()), Quaternion, N)
    q = np.stack([columns[axis].values for axis in "xyzw"], axis=-1)
    assert np.allclose((q * q).sum(axis=1), 1)
    angle = 2 * np.arccos(np.clip(np.abs(q[:, 3]), 0, 1))
    # The density of the angle of a uniform rotation is (1 - cos a) / pi.
    assert stats.kstest(angle, lambda a: (a - np.sin(a)) / np.pi).pvalue > 0.01


@pytest.mark.parametrize("size", [9, 36])
def test_covariances_are_symmetric_and_positive_definite(size):
    found = draw(Covariance(Uniform(0.1, 2.0)), array="fixed", size=size, count=2000).values
    k = math.isqrt(size)
    matrices = found.reshape(-1, k, k)
    assert (matrices == matrices.transpose(0, 2, 1)).all()
    assert np.linalg.eigvalsh(matrices).min() > 0
    std = np.sqrt(matrices[:, range(k), range(k)])
    assert stats.kstest(std.ravel(), stats.uniform(0.1, 1.9).cdf).pvalue > 0.01


def test_text_has_its_length_and_alphabet():
    values = draw(Text(length=Integers(2, 5), alphabet="äb"), "string").values
    assert {len(text) for text in values} == {2, 3, 4, 5}
    assert set("".join(values)) == {"ä", "b"}


def test_stamps_come_at_their_rate_with_jitter_and_gaps():
    times = Timestamps(rate_hz=100.0, start_s=5.0).times(Random(0, "t"))
    assert times(3).tolist() == [5_000 * MS, 5_010 * MS, 5_020 * MS]
    assert times(2).tolist() == [5_030 * MS, 5_040 * MS]

    jittered = Timestamps(rate_hz=100.0, jitter_s=0.001).times(Random(0, "t"))(N)
    off = jittered - (1_000 * MS + 10 * MS * np.arange(N))
    assert off.std() == pytest.approx(1 * MS, rel=0.03)
    assert (np.diff(jittered) > 0).all()

    poisson = np.diff(Timestamps(rate_hz=50.0, poisson=True).times(Random(0, "t"))(N)) * 1e-9
    assert stats.kstest(poisson, stats.expon(scale=0.02).cdf).pvalue > 0.01

    gapped = np.diff(Timestamps(rate_hz=100.0, gaps=0.1, gap_s=2.0).times(Random(0, "t"))(N))
    assert np.mean(gapped == 2_010 * MS) == pytest.approx(0.1, abs=0.01)
    assert set(gapped.tolist()) == {10 * MS, 2_010 * MS}


def test_a_thousand_messages_a_second_do_not_drift():
    times = Timestamps(rate_hz=3.0).times(Random(0, "t"))
    every = np.concatenate([times(1000), times(1000), times(1001)])
    assert every[3000] == 1_001_000 * MS


def test_an_ornstein_uhlenbeck_process_forgets_in_its_time():
    values = draw(OrnsteinUhlenbeck(mean=3.0, std=0.5, time_s=0.05), count=100_000).values
    assert values.mean() == pytest.approx(3.0, abs=0.02)
    assert values.std() == pytest.approx(0.5, rel=0.03)
    lag = np.corrcoef(values[5:], values[:-5])[0, 1]  # 5 ticks of 10 ms
    assert lag == pytest.approx(math.exp(-1), abs=0.03)


def test_a_random_walk_spreads_with_the_root_of_time_within_its_bounds():
    free = draw(RandomWalk(std=2.0), array="fixed", size=400, count=101).values
    assert free[0].std() == 0.0
    assert free[100].std() == pytest.approx(2.0, rel=0.15)  # after one second
    held = draw(RandomWalk(std=5.0, low=-1.0, high=2.0)).values
    assert -1.0 <= held.min() < -0.9
    assert 1.9 < held.max() <= 2.0


def test_sweeps_follow_their_formula():
    t = np.arange(1000) * 0.01
    assert np.allclose(
        draw(Sine(2.0, 0.5, offset=1.0, phase=0.25), count=1000).values,
        1 + 2 * np.cos(np.pi * t),
        atol=1e-9,
    )
    chirp = draw(Chirp(1.0, 3.0, 20.0), count=1000).values
    assert np.allclose(chirp, np.sin(2 * np.pi * (t + 0.05 * t * t)), atol=1e-9)
    steps = draw(Steps([1, -1, 5], every_s=0.2), count=61).values
    assert steps[[5, 25, 45, 65 - 10]].tolist() == [1, -1, 5, 5]
    line = draw(Piecewise({0: 0.0, 1: 2.0, 3: 0.0}), count=500).values
    assert np.allclose(line, np.interp(t[:500], [0, 1, 3], [0, 2, 0]), atol=1e-12)
    again = draw(Piecewise({0: 0.0, 1: 2.0}, repeat=True), count=160).values
    assert again[150] == pytest.approx(1.0)


def test_processes_go_on_where_the_last_block_ended():
    for rule in (OrnsteinUhlenbeck(), RandomWalk(1.0, low=-1, high=1), Sine()):
        whole = draw(rule, count=300).values
        wanted = Field("field", "float64")
        source = rule.source(wanted, Random(0, "test"), Setting(Timestamps()))
        every = ticks(300)
        parts = [
            source(Ticks(every.time_ns[a:b], every.start_ns)).values
            for a, b in itertools.pairwise((0, 7, 8, 300))
        ]
        assert np.concatenate(parts).tolist() == whole.tolist()


def test_correlated_fields_keep_their_own_distributions():
    columns = messages(
        Distribution(
            x=Uniform(0, 1),
            y=Normal(),
            z=Pareto(3),
            correlation={("x", "y"): 0.8, ("y", "z"): -0.5},
        ),
        Vector3,
        10 * N,
    )
    x, y, z = (columns[axis].values for axis in "xyz")
    for values, frozen in ((x, stats.uniform()), (y, stats.norm()), (z, stats.pareto(3))):
        assert stats.kstest(values, frozen.cdf).pvalue > 0.01
    scores = [
        special.ndtri(frozen.cdf(v)) for v, frozen in ((x, stats.uniform()), (z, stats.pareto(3)))
    ]
    assert np.corrcoef(scores[0], y)[0, 1] == pytest.approx(0.8, abs=0.02)
    assert np.corrcoef(scores[1], y)[0, 1] == pytest.approx(-0.5, abs=0.02)


def test_a_multivariate_distribution_of_scipy_fills_a_vector():
    frozen = stats.multivariate_normal([1, 2, 3], [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 4]])
    columns = messages(Distribution(frozen), Vector3, N)
    rows = np.stack([columns[axis].values for axis in "xyz"])
    assert rows.mean(axis=1) == pytest.approx([1, 2, 3], abs=0.05)
    assert np.cov(rows)[0, 1] == pytest.approx(0.5, abs=0.05)


def test_a_mixture_has_each_part_by_its_weight():
    values = draw(Mixture((3, Constant(1.0)), (1, Uniform(5, 6)))).values
    assert np.mean(values == 1.0) == pytest.approx(0.75, abs=0.01)
    assert ((values == 1.0) | (values >= 5)).all()


def test_a_mixture_of_messages_takes_whole_messages():
    columns = messages(
        Distribution(Mixture((1, UnitVector()), (1, Distribution(Constant(7.0))))), Vector3, 2000
    )
    rows = np.stack([columns[axis].values for axis in "xyz"], axis=-1)
    is_constant = (rows == 7.0).all(axis=1)
    assert np.mean(is_constant) == pytest.approx(0.5, abs=0.05)
    assert np.allclose((rows[~is_constant] ** 2).sum(axis=1), 1)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_edges_of_floats(kind):
    values = draw(Edges(), kind, count=2000).values
    info = np.finfo(kind)
    assert np.isnan(values).any()
    there = set(values[~np.isnan(values)].tolist())
    sizes = [np.inf, float(info.max), float(info.tiny), float(info.smallest_subnormal), 0.0, 1.0]
    assert there == {*sizes, *(-size for size in sizes)}
    zeros = values[values == 0]
    assert {True, False} == set(np.signbit(zeros).tolist())


def test_edges_of_everything_else():
    assert set(draw(Edges(), "int16").values.tolist()) == {-32768, -1, 0, 1, 32767}
    assert set(draw(Edges(), "uint64").values.tolist()) == {0, 1, (1 << 64) - 1}
    assert set(draw(Edges(), "bool").values.tolist()) == {False, True}
    texts = set(draw(Edges(huge=50), "string").values.tolist())
    assert {"", "日本語", "🤖", "x" * 50} <= texts
    arrays = draw(Edges(huge=50), "float32", array="sequence")
    assert set(arrays.counts.tolist()) == {0, 1, 50}
    assert len(arrays.values) == arrays.counts.sum()


def test_edges_of_stamps_are_equal_and_decreasing():
    steps = np.diff(draw(Edges(), "time", count=3000).values)
    assert (steps == 0).any()
    assert (steps == -1).any()
    assert (steps == -1_000_000_000).any()


def test_arrays_have_their_lengths():
    drawn = draw(Array(Uniform(2, 3), length=Integers(0, 4)), "float32", array="sequence")
    assert set(drawn.counts.tolist()) == {0, 1, 2, 3, 4}
    assert drawn.values.dtype == np.float32
    assert len(drawn.values) == drawn.counts.sum()
    assert drawn.values.min() >= 2


def test_a_scan_has_missing_returns_at_their_rates():
    from lockstep.distributions import Scan

    columns = messages(
        Distribution({"*": Scan(rays=100, nan_rate=0.1, inf_rate=0.2), "header": header()}),
        LaserScan,
    )
    ranges = columns["ranges"].values
    assert np.isnan(ranges).mean() == pytest.approx(0.1, abs=0.01)
    assert np.isinf(ranges).mean() == pytest.approx(0.2, abs=0.01)
    span = columns["angle_max"].values - columns["angle_min"].values
    assert np.allclose(span, 99 * columns["angle_increment"].values, rtol=1e-5)


def test_a_point_cloud_is_laid_out_as_it_says():
    from lockstep.distributions import PointCloud

    columns = messages(
        Distribution({"*": PointCloud(points=Integers(0, 9), nan_rate=0.3), "header": header()}),
        PointCloud2,
    )
    width, step = columns["width"].values, columns["point_step"].values
    assert (columns["data"].counts == width * step).all()
    points = columns["data"].values.view("<f4").reshape(-1, 4)
    assert np.isnan(points[:, :3]).all(axis=1).mean() == pytest.approx(0.3, abs=0.05)
    assert not np.isnan(points[:, 3]).any()
    assert columns["fields[].name"].values[:4].tolist() == ["x", "y", "z", "intensity"]
    assert columns["fields[].offset"].values[:4].tolist() == [0, 4, 8, 12]


def header():
    return Distribution(stamp=Stamp(), frame_id=FrameId("a"))


@pytest.mark.parametrize("encoding", ["mono8", "rgb8", "bgra8", "mono16"])
def test_images_are_as_large_as_they_say(encoding, tmp_path):
    from lockstep.distributions import ImageCheckerboard, ImageFile, ImageGradient, ImageNoise
    from PIL import Image as Picture

    file = tmp_path / "real.png"
    Picture.fromarray(np.arange(3000, dtype=np.uint16).reshape(50, 60).astype(np.uint8)).save(file)
    size = {"width": Integers(0, 20), "height": Integers(1, 9), "encoding": encoding}
    channels = {"mono8": 1, "rgb8": 3, "bgra8": 4, "mono16": 2}[encoding]
    for rule in (
        ImageNoise(**size),
        ImageGradient(**size),
        ImageCheckerboard(**size, square=Integers(1, 3)),
        ImageFile(str(file), **size),
    ):
        columns = messages(Distribution({"*": rule, "header": header()}), Image, 60)
        width, height = columns["width"].values.astype(int), columns["height"].values.astype(int)
        assert (columns["step"].values == width * channels).all()
        assert (columns["data"].counts == width * channels * height).all()
        assert len(set(columns["data"].values.tolist())) > 20, "not all the same"


def test_noise_is_uniform_and_a_checkerboard_has_two_colours():
    from lockstep.distributions import ImageCheckerboard, ImageNoise

    def pixels(rule):
        return messages(Distribution({"*": rule, "header": header()}), Image, 20)["data"].values

    noise = pixels(ImageNoise(encoding="mono8"))
    assert stats.chisquare(np.bincount(noise, minlength=256)).pvalue > 0.01
    board = pixels(ImageCheckerboard(encoding="mono8", square=8)).reshape(20, 48, 64)
    assert all(len(np.unique(image)) == 2 for image in board)
    assert (board[:, :, :-16] == board[:, :, 16:]).all(), "squares of 8 pixels repeat after 16"


def test_a_field_keeps_its_values_when_another_is_added():
    alone = messages(Distribution({"*": Constant(0.0), "position.y": Normal()}), Pose)
    beside = messages(Distribution({"*": Uniform(0, 1), "position.y": Normal()}), Pose)
    assert alone["position.y"].values.tolist() == beside["position.y"].values.tolist()
    other = messages(Distribution(Normal()), Pose)
    assert other["position.x"].values.tolist() != other["position.y"].values.tolist()


def test_nested_messages_are_drawn_as_their_type_says(monkeypatch):
    from lockstep.distributions import data_dist, data_dist_of, distribution

    monkeypatch.setattr(distribution, "declared", {})
    assert data_dist_of(Vector3) is None
    made = data_dist(Vector3, x=Uniform(-1, 1), y=Normal(0, 2), z=Constant(4.0))
    assert data_dist_of(Vector3) is made
    data_dist(Header, stamp=Stamp(), frame_id=FrameId("imu"))
    columns = messages(
        Distribution(
            {
                "*covariance": Constant(0.0),
                "orientation": UnitQuaternion(),
                "angular_velocity.y": Constant(9.0),
            }
        ),
        Imu,
    )
    assert set(columns["linear_acceleration.z"].values.tolist()) == {4.0}
    assert set(columns["angular_velocity.y"].values.tolist()) == {9.0}, "the input's own rule wins"
    assert columns["header.stamp"].values.tolist() == ticks(500).time_ns.tolist()


def test_the_time_and_the_correlation_of_a_type_count_wherever_it_is(monkeypatch):
    from lockstep.distributions import data_dist, distribution

    monkeypatch.setattr(distribution, "declared", {})
    data_dist(Vector3, Normal(), correlation={("x", "y"): 0.9})
    data_dist(Twist, at=Timestamps(rate_hz=5.0))
    assert Plan(Distribution(), Twist).at == Timestamps(rate_hz=5.0)
    columns = messages(Distribution(), Twist, N)
    for part in ("linear", "angular"):
        x, y = (columns[f"{part}.{axis}"].values for axis in "xy")
        assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.9, abs=0.02)
    across = np.corrcoef(columns["linear.x"].values, columns["angular.x"].values)[0, 1]
    assert across == pytest.approx(0, abs=0.03)
