"""Every law is found where it was planted, and none where there is none."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from lockstep.bag import Bag
from lockstep.compare.why.diagnose import UNPREDICTED, diagnose

N = 2000
STEP_NS = 20_000_000
TICKS = np.arange(N)
TIME_NS = TICKS * STEP_NS
SECONDS = TIME_NS * 1e-9

SIGNALS = {
    "random walk": np.cumsum(np.random.default_rng(1).normal(size=N)),
    "sines": 3 * np.sin(TICKS / 37) + np.cos(TICKS / 11.3),
    "noise": np.random.default_rng(2).normal(size=N),
}


@pytest.fixture(autouse=True)
def _warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(params=SIGNALS)
def signal(request):
    return SIGNALS[request.param]


@pytest.fixture(scope="module")
def imu(bags: Path):
    bag = Bag(bags / "husky_gps_imu_odom")
    return bag.columns("/imu/data", list(bag.codec("/imu/data").fields()))


@pytest.fixture(scope="module")
def scan(bags: Path):
    bag = Bag(bags / "office_scan_odom_tf")
    topic = next(name for name, about in bag.topics.items() if about.type.endswith("LaserScan"))
    return bag.columns(topic, ["header.stamp", "ranges"])


def diagnosis_of(a, b, path="value", **more):
    """The diagnosis of one field."""
    time_ns = more.pop("time_ns", np.arange(len(a)) * STEP_NS)
    return diagnose({path: np.asarray(a)}, {path: np.asarray(b)}, time_ns, **more)[path]


def plainly(diagnosis):
    """The sentence but for what the law leaves in noise."""
    return diagnosis.sentence.partition(", within ")[0]


def delayed(a, ticks):
    late = np.roll(a, ticks, axis=0)
    if ticks > 0:
        late[:ticks] = a[0]
    else:
        late[ticks:] = a[-1]
    return late


def noise_for(a, rng):
    return 0.01 * a.std() * rng.normal(size=a.shape)


# name: (what b is, law, parameters)
LAWS = {
    "offset": (lambda a: a + 0.25, "offset", {"offset": 0.25}),
    "negative offset": (lambda a: a - 3, "offset", {"offset": -3}),
    "sign": (np.negative, "sign", {}),
    "magnitude": (np.abs, "magnitude", {}),
    "degrees": (np.degrees, "unit", {"scale": 57.29578, "offset": 0}),
    "radians": (np.radians, "unit", {"scale": 0.01745329, "offset": 0}),
    "thousandths": (lambda a: 1000 * a, "unit", {"scale": 1000}),
    "hundredths": (lambda a: a * 100, "unit", {"scale": 100}),
    "ns": (lambda a: a * 1e9, "unit", {"scale": 1e9}),
    "us": (lambda a: a / 1e6, "unit", {"scale": 1e-6}),
    "Kelvin": (lambda a: a + 273.15, "unit", {"scale": 1, "offset": 273.15}),
    "Fahrenheit": (lambda a: a * 9 / 5 + 32, "unit", {"scale": 1.8, "offset": 32}),
    "km/h": (lambda a: a * 3.6, "unit", {"scale": 3.6}),
    "rpm": (lambda a: a * 30 / np.pi, "unit", {"scale": 9.549297}),
    "g": (lambda a: a / 9.80665, "unit", {"scale": 0.1019716}),
    "scale": (lambda a: 1.7 * a, "scale", {"scale": 1.7}),
    "negative scale": (lambda a: -0.3 * a, "scale", {"scale": -0.3}),
    "affine": (lambda a: 1.7 * a + 3, "affine", {"scale": 1.7, "offset": 3}),
    "delay": (lambda a: delayed(a, 3), "delay", {"ticks": 3, "seconds": 0.06}),
    "lead": (lambda a: delayed(a, -2), "delay", {"ticks": -2, "seconds": -0.04}),
    "long delay": (lambda a: delayed(a, 217), "delay", {"ticks": 217, "seconds": 4.34}),
    "limits": (lambda a: np.clip(a, -1, 1.5), "clip", {"low": -1, "high": 1.5}),
    "constant": (lambda a: np.full_like(a, 4.5), "constant", {"value": 4.5}),
    "drift": (lambda a: a + 0.05 * SECONDS, "drift", {"rate": 0.05, "power": 1}),
    "growing drift": (lambda a: a + 0.1 * SECONDS**2, "drift", {"rate": 0.1, "power": 2}),
}
EXACT_LAWS = {
    "float32": (lambda a: a.astype(np.float32).astype(float), "float32", {}),
    "float16": (lambda a: a.astype(np.float16).astype(float), "float16", {}),
    "decimals": (lambda a: np.round(a, 3), "decimals", {"digits": 3}),
    "decimals cut": (lambda a: np.trunc(a * 100) / 100, "decimals_cut", {"digits": 2}),
    "round": (np.rint, "round", {}),
    "trunc": (np.trunc, "trunc", {}),
    "floor": (np.floor, "floor", {}),
    "ceil": (np.ceil, "ceil", {}),
    "grid": (lambda a: np.rint(a / 0.25) * 0.25, "round", {"step": 0.25}),
    "half delay": (
        lambda a: np.interp(SECONDS - 0.03, SECONDS, a),
        "delay",
        {"ticks": 1.5, "seconds": 0.03},
    ),
    "at most": (lambda a: np.minimum(a, 1.5), "clip", {"high": 1.5}),
    "at least": (lambda a: np.maximum(a, -0.5), "clip", {"low": -0.5}),
    "dead band": (lambda a: np.where(np.abs(a) < 0.5, 0, a), "dead_band", {}),
    "another gain from the same start": (
        lambda a: a[0] + 1.02 * (a - a[0]),
        "rate",
        {"scale": 1.02},
    ),
    "initial state": (
        lambda a: a + 0.5 * np.exp(-SECONDS),
        "initial_state",
        {"initial": 0.5, "time_constant": 1.0},
    ),
    "last bits": (lambda a: a * (1 + 2.3e-16), "last_bits", {}),
    "float32 arithmetic": (
        lambda a: (a.astype(np.float32) * np.float32(3.3) / np.float32(3.3)).astype(float),
        "float32_arithmetic",
        {},
    ),
    "wrap": (lambda a: (a + 1) % (2 * np.pi) - 1, "wrap", {"turn": 2 * np.pi}),
}


@pytest.mark.parametrize("name", LAWS | EXACT_LAWS)
def test_a_law_alone_is_found_with_its_parameters(signal, name):
    change, law, parameters = (LAWS | EXACT_LAWS)[name]
    found = diagnosis_of(signal, change(signal))
    assert found.law == law, found
    assert found.explains > 0.999
    assert {key: found.parameters[key] for key in parameters} == pytest.approx(parameters, rel=1e-4)


@pytest.mark.parametrize("name", LAWS)
def test_a_law_in_noise_is_found_with_its_parameters(name, rng):
    a = SIGNALS["noise"]
    change, law, parameters = LAWS[name]
    b = change(a)
    found = diagnosis_of(a, b + noise_for(b if b.std() else a, rng))
    assert found.law == law, found
    assert found.explains > 0.98
    assert {key: found.parameters[key] for key in parameters} == pytest.approx(
        parameters, rel=0.02, abs=1e-6
    )


@pytest.mark.parametrize("field", ["angular_velocity.z", "linear_acceleration.x"])
@pytest.mark.parametrize("name", ["offset", "sign", "degrees", "scale", "affine", "delay", "lead"])
def test_a_law_planted_in_a_recording_is_found(imu, field, name):
    a = imu[field][:N]
    change, law, parameters = LAWS[name]
    found = diagnosis_of(a, change(a), field)
    assert found.law == law, found
    assert {key: found.parameters[key] for key in parameters} == pytest.approx(parameters, rel=1e-4)


def test_the_sentences_are_short_and_plain():
    a = SIGNALS["random walk"]
    told = {
        "b is a + 0.25": a + 0.25,
        "b is a in degrees (× 57.2958)": np.degrees(a),
        "b lags a by 3 ticks (0.060 s)": delayed(a, 3),
        "b leads a by 1 tick (0.020 s)": delayed(a, -1),
        "b is a × 1.5 - 2": 1.5 * a - 2,
        "b is a limited to -1 … 1.5": np.clip(a, -1, 1.5),
        "b is 0 throughout": 0 * a,
    }
    assert {diagnosis_of(a, b).sentence for b in told.values()} == set(told)


@pytest.mark.parametrize(
    ("path", "unit"),
    [("pose.position.x", "in mm"), ("time_from_start", "in ms"), ("v", "1000 times smaller")],
)
def test_the_name_of_a_field_decides_between_units_of_the_same_factor(path, unit):
    a = SIGNALS["sines"]
    assert unit in diagnosis_of(a, 1000 * a, path).sentence


class TestNothingIsClaimed:
    """Where no law holds."""

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda a, rng: a + rng.normal(size=N), id="independent noise on a"),
            pytest.param(lambda a, rng: rng.permutation(a), id="shuffled"),
            pytest.param(lambda a, rng: rng.normal(size=N), id="unrelated"),
            pytest.param(lambda a, rng: a * rng.normal(size=N), id="random gain"),
            pytest.param(lambda a, rng: np.abs(a) ** 1.5, id="another function"),
        ],
    )
    def test_of_unrelated_data(self, signal, change, rng):
        assert diagnosis_of(signal, change(signal, rng)) is None

    @pytest.mark.parametrize("ratio", [1e-6, 1e-3, 1e3, 1e6])
    def test_of_independent_data_of_another_size(self, ratio, rng):
        found = diagnosis_of(rng.normal(size=N), ratio * rng.normal(size=N))
        # Beside a large a, a small b hardly moves; that much is true.
        assert found is None or found.law == "constant"

    def test_of_what_only_a_few_huge_values_suggest(self, rng):
        a = rng.normal(size=N)
        a[::25] = 1e300
        assert diagnosis_of(a, rng.normal(size=N)) is None
        wide = np.exp(10 * rng.normal(size=N))
        assert diagnosis_of(wide, rng.normal(size=N)) is None

    def test_of_two_random_walks(self):
        for seed in range(20):
            walks = np.cumsum(np.random.default_rng(seed).normal(size=(2, N)), axis=1)
            assert diagnosis_of(*walks) is None

    def test_of_shuffled_flags(self, rng):
        a = rng.random(N) < 0.5
        assert diagnosis_of(a, rng.permutation(a)) is None

    def test_of_shuffled_states(self, rng):
        a = rng.integers(0, 5, N)
        assert diagnosis_of(a, rng.permutation(a)) is None

    def test_of_large_random_angles(self, rng):
        assert diagnosis_of(rng.uniform(-100, 100, N), rng.uniform(-100, 100, N)) is None

    def test_of_rows_of_unrelated_axes(self, rng):
        a = {f"v.{axis}": rng.normal(size=N) for axis in "xyz"}
        b = {path: rng.normal(size=N) for path in a}
        assert set(diagnose(a, b, TIME_NS).values()) == {None}

    def test_of_equal_fields(self):
        a = {"v": np.array([1.0, np.nan, np.inf]), "n": np.array([1, 2, 3])}
        assert diagnose(a, {path: side.copy() for path, side in a.items()}, np.arange(3)) == {}

    def test_of_two_ticks_that_two_parameters_fit(self):
        assert diagnosis_of([1.0, 2.0], [7.0, 5.0]) is None

    def test_of_what_is_within_tolerance(self):
        a = SIGNALS["sines"]
        close = diagnose(
            {"v": a}, {"v": a + 1e-6}, TIME_NS, matches=lambda _, x, y: np.isclose(x, y, atol=1e-5)
        )
        assert close == {}


class TestPlaces:
    """Where the differences are."""

    def test_an_offset_from_a_tick_on(self, signal):
        found = diagnosis_of(signal, np.where(TICKS < 512, signal, signal + 0.25))
        assert found.law == "onset"
        assert found.sentence == "equal until tick 512, then b is a + 0.25"
        assert found.rest.law == "offset"
        assert found.parameters["tick"] == 512
        assert found.parameters["seconds"] == pytest.approx(10.24)
        assert found.parameters["offset"] == pytest.approx(0.25)

    def test_an_offset_in_noise_from_a_tick_on(self, signal, rng):
        b = np.where(TICKS < 512, signal, signal + 9 + noise_for(signal, rng))
        found = diagnosis_of(signal, b)
        assert (found.law, found.rest.law) == ("onset", "offset")
        assert found.parameters["offset"] == pytest.approx(9, rel=0.01)

    def test_noise_from_a_tick_on(self, signal, rng):
        b = np.where(TICKS < 512, signal, signal + rng.normal(size=N))
        found = diagnosis_of(signal, b)
        assert found.sentence == "equal until tick 512, then b differs"
        assert found.law in UNPREDICTED
        assert found.rest is None

    def test_a_start_that_differs(self, signal, rng):
        b = np.where(TICKS < 100, signal + rng.normal(size=N), signal)
        assert diagnosis_of(signal, b).sentence == "b differs until tick 100, then it is equal"

    def test_a_span(self, signal):
        found = diagnosis_of(signal, np.where((TICKS > 500) & (TICKS < 700), 2 * signal, signal))
        assert found.sentence == "from tick 501 to 699 b is a × 2"

    def test_single_ticks(self, signal):
        found = diagnosis_of(signal, np.where(np.isin(TICKS, [5, 70, 900]), signal + 1, signal))
        assert found.law == "isolated"
        assert found.sentence == "3 of 2000 ticks differ: ticks 5, 70, 900"

    def test_the_first_tick(self, signal):
        b = signal.copy()
        b[0] = 99
        assert diagnosis_of(signal, b).law == "first_tick"

    def test_negative_values(self, signal, rng):
        found = diagnosis_of(signal, np.where(signal < 0, signal + 1, signal))
        assert found.sentence == "where a is negative, b is a + 1"
        found = diagnosis_of(signal, np.where(signal < 0, rng.normal(size=N), signal))
        assert "only where a is negative" in found.sentence

    def test_zeros_denormals_and_infinities(self):
        for special, word in ((0.0, "zero"), (1e-310, "denormal"), (np.inf, "infinite")):
            a = SIGNALS["sines"].copy()
            a[[3, 300, 777]] = special
            b = np.where(a == special, 17.0 + TICKS, a)
            assert f"only where a is {word}" in diagnosis_of(a, b).sentence

    def test_nan_where_a_is_finite(self):
        a = SIGNALS["sines"]
        found = diagnosis_of(a, np.where(np.abs(a) < 0.1, np.nan, a))
        assert found.law == "nan"
        assert found.sentence.startswith("b is NaN where a is not (47 of 2000 ticks)")

    def test_nan_where_a_is_zero(self):
        a = np.where(TICKS % 100 == 0, 0, SIGNALS["sines"])
        found = diagnosis_of(a, np.where(a == 0, np.nan, a))
        assert found.sentence.endswith("only where a is zero")

    def test_numbers_where_a_is_nan(self):
        b = SIGNALS["sines"]
        a = np.where(TICKS % 100 == 0, np.nan, b)
        assert diagnosis_of(a, b).sentence.startswith("a is NaN where b is not (20 of 2000")

    def test_all_nan(self):
        found = diagnosis_of(SIGNALS["sines"], np.full(N, np.nan))
        assert found.law in ("nan", "constant")

    def test_values_above_a_threshold(self, rng):
        a = SIGNALS["sines"]
        found = diagnosis_of(a, np.where(a > 0.5, rng.normal(size=N), a))
        assert found.law == "threshold"
        assert found.parameters["threshold"] == pytest.approx(0.5, abs=0.01)

    def test_an_input_below_a_threshold(self, rng):
        a, speed = SIGNALS["sines"], SIGNALS["noise"]
        b = np.where(speed < -0.5, a + 2, a)
        found = diagnosis_of(a, b, inputs={"speed": speed})
        assert found.sentence.startswith("where input speed is below -0.499")
        assert found.sentence.endswith("b is a + 2")

    def test_an_input_that_is_nan(self, rng):
        a = SIGNALS["sines"]
        speed = np.where(TICKS % 50 == 7, np.nan, SIGNALS["noise"])
        found = diagnosis_of(a, np.where(np.isnan(speed), a + a**2, a), inputs={"speed": speed})
        assert found.sentence.startswith("b differs only where input speed is NaN")

    def test_an_input_that_is_passed_on(self):
        a, raw = SIGNALS["sines"], SIGNALS["noise"]
        found = diagnosis_of(a, raw, inputs={"raw": raw})
        assert (found.law, found.sentence) == ("copied", "b is input raw")

    def test_errors_that_add_up(self, rng):
        a = SIGNALS["sines"]
        assert diagnosis_of(a, a + 1e-3 * np.cumsum(rng.normal(size=N))).law == "wander"


class TestWholeNumbersAndTimes:
    """Integers, flags and stamps."""

    def test_flags_that_are_inverted(self, rng):
        a = rng.random(N) < 0.3
        assert diagnosis_of(a, ~a).law == "inverted"

    def test_states_that_are_recoded(self, rng):
        a = rng.integers(0, 5, N).astype(np.uint8)
        found = diagnosis_of(a, np.array([0, 3, 2, 1, 4], np.uint8)[a])
        assert found.law == "recoded"
        assert found.parameters == {"1": 3.0, "3": 1.0}

    def test_rounding_against_cutting_off(self, rng):
        x = rng.uniform(-1000, 1000, N)
        found = diagnosis_of(np.trunc(x).astype(int), np.rint(x).astype(int))
        assert found.law == "integer_rounding"

    @pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
    def test_integers_may_have_an_offset(self, rng, kind):
        a = rng.integers(0, 100, N).astype(kind)
        assert diagnosis_of(a, a + kind(7)).parameters == {"offset": 7}

    @pytest.mark.parametrize("kind", [np.int64, np.uint64])
    def test_nothing_overflows_near_the_limits(self, rng, kind):
        a = np.iinfo(kind).max - rng.integers(100, 10_000, N).astype(kind)
        found = diagnosis_of(a, a + kind(3))
        assert (found.law, found.parameters) == ("offset", {"offset": 3})
        limits = np.array([np.iinfo(kind).min, np.iinfo(kind).max] * 50, kind)
        diagnosis_of(limits, limits[::-1])

    def test_stamps_with_an_offset(self, imu):
        stamp = imu["header.stamp"]
        found = diagnosis_of(stamp, stamp + 5_000_000, "header.stamp", time_ns=stamp)
        assert found.sentence == "b is a + 0.005 s"
        assert found.parameters == {"offset": pytest.approx(0.005)}

    def test_stamps_of_earlier_messages(self, imu):
        stamp = imu["header.stamp"]
        found = diagnosis_of(stamp, np.roll(stamp, 2), "header.stamp", time_ns=stamp)
        assert (found.law, found.parameters["ticks"]) == ("delay", 2)

    def test_stamps_that_are_not_set(self, imu):
        stamp = imu["header.stamp"]
        found = diagnosis_of(stamp, 0 * stamp, "header.stamp", time_ns=stamp)
        assert found.sentence == "b is 0 throughout"

    def test_stamps_cut_to_milliseconds(self, imu):
        stamp = imu["header.stamp"]
        found = diagnosis_of(stamp, stamp // 10**6 * 10**6, "header.stamp", time_ns=stamp)
        assert found.sentence == "b is a rounded down to whole milliseconds"

    def test_stamps_that_went_through_a_float(self, imu):
        stamp = imu["header.stamp"]
        b = (stamp * 1e-9 * 1e9).astype(np.int64)
        assert diagnosis_of(stamp, b, "header.stamp", time_ns=stamp).law == "float64_time"


class TestAxes:
    """Fields that belong together."""

    @staticmethod
    def group(imu, name, axes):
        return {f"{name}.{axis}": imu[f"{name}.{axis}"] for axis in axes}

    @staticmethod
    def diagnosed(a, columns, rng=None):
        b = dict(zip(a, columns, strict=True))
        if rng is not None:
            b = {path: side + noise_for(a[path], rng) for path, side in b.items()}
        return list(diagnose(a, b, np.arange(len(columns[0])) * STEP_NS).values())

    @pytest.fixture(params=["exact", "noise"])
    def noise(self, request, rng):
        return rng if request.param == "noise" else None

    @pytest.mark.parametrize(
        ("order", "signs", "law", "sentence"),
        [
            ([1, 0, 2], [1, 1, 1], "swapped", "x and y are swapped"),
            ([2, 1, 0], [1, 1, 1], "swapped", "x and z are swapped"),
            ([1, 0, 2], [1, -1, 1], "permuted", "b.x = a.y, b.y = -a.x"),
            ([1, 0, 2], [1, 1, -1], "frame", "b has y, x, -z of a (ENU to NED, or back)"),
            ([1, 2, 0], [1, 1, 1], "permuted", "b.x = a.y, b.y = a.z, b.z = a.x"),
            ([0, 0, 2], [1, 1, 1], "copied", "b.y = a.x"),
        ],
    )
    def test_axes_that_are_permuted(self, imu, order, signs, law, sentence, noise):
        a = self.group(imu, "linear_acceleration", "xyz")
        values = list(a.values())
        columns = [values[i] * sign for i, sign in zip(order, signs, strict=True)]
        found = self.diagnosed(a, columns, noise)
        told = [one for one in found if one]
        assert told
        assert {(one.law, plainly(one)) for one in told} == {(law, sentence)}
        moved = [i for i in range(3) if order[i] != i or signs[i] < 0]
        assert len(told) == len(moved)

    @pytest.mark.parametrize(
        ("law", "order", "signs"),
        [
            ("negated", [0, 1, 2, 3], [-1, -1, -1, -1]),
            ("conjugate", [0, 1, 2, 3], [-1, -1, -1, 1]),
            ("quaternion_order", [3, 0, 1, 2], [1, 1, 1, 1]),
            ("quaternion_order", [1, 2, 3, 0], [1, 1, 1, 1]),
        ],
    )
    def test_quaternions(self, imu, law, order, signs, noise):
        a = self.group(imu, "orientation", "xyzw")
        values = list(a.values())
        columns = [values[i] * sign for i, sign in zip(order, signs, strict=True)]
        assert {one.law for one in self.diagnosed(a, columns, noise) if one} == {law}

    def test_quaternions_negated_at_some_ticks(self, imu, rng, noise):
        a = self.group(imu, "orientation", "xyzw")
        signs = np.sign(rng.normal(size=len(imu["header.stamp"])))
        found = self.diagnosed(a, [side * signs for side in a.values()], noise)
        assert {plainly(one) for one in found} == {"b is -a at some ticks, the same rotation"}

    def test_quaternions_in_one_array(self, imu):
        a = np.stack(list(self.group(imu, "orientation", "xyzw").values()), axis=1)
        assert diagnosis_of(a, np.roll(a, 1, axis=1), "rotation").law == "quaternion_order"

    def test_vectors_that_are_rotated(self, imu, noise):
        a = self.group(imu, "linear_acceleration", "xyz")
        x, y, z = a.values()
        columns = [x * np.cos(0.5) - y * np.sin(0.5), x * np.sin(0.5) + y * np.cos(0.5), z]
        if noise is not None:  # in the recording gravity hides what the turn does
            a = {f"v.{axis}": noise.normal(size=len(x)) for axis in "xyz"}
            x, y, z = a.values()
            columns = [x * np.cos(0.5) - y * np.sin(0.5), x * np.sin(0.5) + y * np.cos(0.5), z]
        found = [one for one in self.diagnosed(a, columns, noise) if one]
        assert {one.law for one in found} == {"rotated"}
        assert found[0].parameters["angle"] == pytest.approx(0.5, rel=0.01)
        assert found[0].parameters["axis_z"] == pytest.approx(1, rel=0.01)

    def test_roll_pitch_yaw_swapped(self, rng):
        a = {f"rpy.{axis}": rng.normal(size=N) for axis in ("roll", "pitch", "yaw")}
        roll, pitch, yaw = a.values()
        found = self.diagnosed(a, [yaw, pitch, roll])
        assert {one.sentence for one in found} == {"roll and yaw are swapped"}

    def test_a_field_that_is_another_one(self, imu):
        b = imu | {"angular_velocity.z": imu["linear_acceleration.x"]}
        found = diagnose(imu, b, imu["header.stamp"])
        assert {path: one.sentence for path, one in found.items()} == {
            "angular_velocity.z": "b is a's linear_acceleration.x"
        }


class TestArrays:
    """Columns of arrays, as the ranges of a scan."""

    @pytest.mark.parametrize(
        ("change", "law", "parameters"),
        [
            (lambda r: r[:, ::-1], "reversed", {}),
            (lambda r: np.hstack([r[:, 1:], r[:, -1:]]), "index", {"index": 1}),
            (lambda r: np.hstack([r[:, :1], r[:, :-1]]), "index", {"index": -1}),
            (lambda r: np.roll(r, 90, axis=1), "rolled", {"index": -90}),
            (lambda r: r + np.float32(0.1), "offset", {"offset": 0.1}),
            (lambda r: r * np.float32(1000), "unit", {"scale": 1000}),
            (lambda r: np.minimum(r, np.float32(10)), "clip", {"high": 10}),
            (lambda r: delayed(r, 2), "delay", {"ticks": 2}),
            (lambda r: r.astype(np.float16).astype(np.float32), "float16", {}),
        ],
    )
    def test_scans(self, scan, change, law, parameters):
        a = scan["ranges"][:300]
        b = np.ascontiguousarray(change(a))
        found = diagnosis_of(a, b, "ranges", time_ns=scan["header.stamp"][:300])
        assert found.law == law, found
        assert {key: found.parameters[key] for key in parameters} == pytest.approx(
            parameters, rel=1e-4
        )

    def test_one_element(self, scan):
        a = scan["ranges"][:300]
        b = a.copy()
        b[:, 7] += np.float32(1)
        assert diagnosis_of(a, b, "ranges").sentence == "only at [7], b is a + 1"

    def test_two_elements_that_are_swapped(self, rng):
        a = rng.normal(size=(200, 12))
        order = [0, 1, 2, 9, 4, 5, 6, 7, 8, 3, 10, 11]
        assert diagnosis_of(a, a[:, order]).sentence == "[3] and [9] are swapped"

    def test_a_matrix_that_is_transposed(self, rng):
        a = rng.normal(size=(200, 9))
        b = a.reshape(-1, 3, 3).transpose(0, 2, 1).reshape(-1, 9)
        assert diagnosis_of(a, b).law == "transposed"

    def test_noise(self, scan, rng):
        a = scan["ranges"][:300]
        assert diagnosis_of(a, (a + rng.normal(size=a.shape)).astype(np.float32)) is None


def test_a_law_in_noise_says_how_much_is_left(rng):
    a = SIGNALS["noise"]
    sentence = diagnosis_of(a, 2 * a + 0.02 * rng.normal(size=N)).sentence
    assert sentence.startswith("b is a × 2.00")
    assert sentence.endswith(", within 0.02 (rms)")


def test_long_series_are_sampled_and_still_explained(rng):
    a = np.cumsum(rng.normal(size=100_000))
    assert diagnosis_of(a, delayed(a, 5)).parameters["ticks"] == 5
    late = np.where(np.arange(len(a)) < 99_000, a, a + 2)
    assert diagnosis_of(a, late).sentence == "equal until tick 99000, then b is a + 2"
    assert diagnosis_of(a, rng.permutation(a)) is None


def test_a_law_that_holds_but_for_a_few_elements_says_so(rng):
    a = SIGNALS["sines"]
    b = a + 0.25
    b[[100, 200, 300]] = rng.normal(size=3)
    assert diagnosis_of(a, b).sentence == "b is a + 0.25, but for 0.15 % of the elements"


def test_the_tolerance_decides_what_passes(rng):
    a = SIGNALS["sines"]
    b = np.where(TICKS < 1000, a, 2 * a) + rng.uniform(-1e-3, 1e-3, N)
    found = diagnosis_of(a, b, matches=lambda _, x, y: np.isclose(x, y, rtol=0, atol=2e-3))
    assert (found.law, found.rest.law) == ("onset", "scale")


KINDS = [np.float64, np.float32, np.int64, np.uint64, np.int8, np.uint8, np.bool_]


@st.composite
def two_columns(draw):
    kind = draw(st.sampled_from(KINDS))
    shape = (draw(st.integers(0, 60)), *draw(st.sampled_from([(), (1,), (3,), (4,), (9,)])))
    column = hnp.arrays(kind, shape)
    return draw(column), draw(column)


def checked(found):
    for diagnosis in found.values():
        if diagnosis:
            assert 0.0 <= diagnosis.explains <= 1.0
            assert diagnosis.sentence
    return found


@settings(max_examples=100, deadline=None)
@given(two_columns(), two_columns())
def test_arbitrary_columns_never_raise(columns, inputs):
    a, b = columns
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = diagnose({"v": a}, {"v": b}, np.arange(len(a)) * STEP_NS, inputs={"i": inputs[0]})
    checked(found)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float64, (4, 40)), hnp.arrays(np.float64, (4, 40)))
def test_arbitrary_quaternions_never_raise(a, b):
    names = [f"q.{axis}" for axis in "xyzw"]
    checked(
        diagnose(
            dict(zip(names, a, strict=True)),
            dict(zip(names, b, strict=True)),
            np.arange(40) * STEP_NS,
        )
    )


APPLIED = {
    "offset": lambda a, p: a + p["offset"],
    "sign": lambda a, p: -a,
    "magnitude": lambda a, p: np.abs(a),
    "unit": lambda a, p: a * p["scale"] + p["offset"],
    "scale": lambda a, p: a * p["scale"],
    "affine": lambda a, p: a * p["scale"] + p["offset"],
    "rate": lambda a, p: p["start"] + (a - p["start"]) * p["scale"],
    "constant": lambda a, p: np.full_like(a, p["value"]),
    "clip": lambda a, p: np.clip(a, p.get("low"), p.get("high")),
    "drift": lambda a, p: a + p.get("offset", 0) + p["rate"] * SECONDS[: len(a)] ** int(p["power"]),
    "initial_state": lambda a, p: (
        a + p["initial"] * np.exp(-SECONDS[: len(a)] / p["time_constant"])
    ),
    "decimals": lambda a, p: np.round(a, int(p["digits"])),
}


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.0, -1.0, 0.5, 1.0, 1.02, 30.0]),
    offset=st.sampled_from([0.0, 0.01, -2.0, 300.0]),
    drift=st.sampled_from([0.0, 0.1, -20.0]),
    noise=st.sampled_from([0.0, 1e-3, 0.03, 0.3, 3.0]),
)
def test_what_a_law_claims_to_explain_its_parameters_reproduce(seed, scale, offset, drift, noise):
    rng = np.random.default_rng(seed)
    a = rng.choice(list(SIGNALS.values()))[:500]
    b = scale * a + offset + drift * SECONDS[:500] + noise * rng.normal(size=500)
    found = diagnose({"v": a}, {"v": b}, TIME_NS[:500]).get("v")
    if found and found.law in APPLIED:
        left = b - APPLIED[found.law](a, found.parameters)
        explained = 1 - np.sum(left**2) / np.sum((b - a) ** 2)
        assert explained == pytest.approx(found.explains, abs=1e-6)
        assert explained > 0.98
