"""No law is told that is not so, and none that a constant would do as well."""

import numpy as np
import pytest
from lockstep.compare.why.diagnose import diagnose

N = 2000
STEP_NS = 20_000_000
TICKS = np.arange(N)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def diagnoses(a, b, **more):
    ticks = len(next(iter(a.values())))
    return diagnose(a, b, np.arange(ticks) * STEP_NS, **more)


def diagnosis_of(a, b):
    return diagnoses({"value": np.asarray(a)}, {"value": np.asarray(b)})["value"]


def walk(seed, ticks=N):
    return np.cumsum(np.random.default_rng(seed).normal(size=ticks))


def lagged(a, gain):
    """A first-order lag: each tick goes this share of the way to a."""
    b = a.copy()
    for i in range(1, len(a)):
        b[i] = b[i - 1] + gain * (a[i] - b[i - 1])
    return b


def time_constant(gain):
    return -STEP_NS * 1e-9 / np.log(1.0 - gain)


def sentences(found):
    return {path: law and law.sentence for path, law in found.items()}


class TestConstantsExplainNothing:
    def test_a_still_axis_is_no_copy_of_another_still_axis(self):
        still, x, z = np.zeros(N), walk(1), walk(2)
        found = diagnoses(
            {"v.x": x, "v.y": still, "v.z": z}, {"v.x": still, "v.y": still, "v.z": z}
        )
        assert sentences(found) == {"v.x": "b is 0 throughout"}

    def test_a_still_axis_takes_part_in_a_swap_that_the_moving_one_shows(self):
        still, x, z = np.zeros(N), walk(1), walk(2)
        found = diagnoses({"v.x": x, "v.y": still, "v.z": z}, {"v.x": still, "v.y": x, "v.z": z})
        assert set(sentences(found).values()) == {"x and y are swapped"}
        found = diagnoses({"v.x": x, "v.y": z, "v.z": still}, {"v.x": z, "v.y": still, "v.z": x})
        told = "b.x = a.y, b.y = a.z, b.z = a.x"
        assert set(sentences(found).values()) == {told}

    def test_the_axes_beside_a_still_one_are_explained(self):
        still, x, z = np.zeros(N), walk(1), walk(2)
        a = {"v.x": x, "v.y": walk(3), "v.z": z}
        found = diagnoses(a, {"v.x": z, "v.y": still + 4.0, "v.z": x})
        assert sentences(found) == {
            "v.x": "x and z are swapped",
            "v.y": "b is 4 throughout",
            "v.z": "x and z are swapped",
        }

    @pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 57.29577951308232, 1000.0, -9.81])
    def test_one_value_beside_another_makes_no_law(self, value):
        found = diagnosis_of(np.full(N, 9.81 if value < -1 else 3.0), np.full(N, value))
        assert found.law == "constant"
        assert found.sentence.startswith(f"b is {value:.6g} throughout, a is ")

    def test_what_is_rounded_to_nothing_is_nothing(self, rng):
        assert diagnosis_of(0.1 * rng.normal(size=N).clip(-4, 4), np.zeros(N)).law == "constant"

    def test_a_flag_that_is_never_set_is_no_angle_in_radians(self, rng):
        found = diagnosis_of(rng.random(N) < 0.5, np.zeros(N, np.bool_))
        assert found.sentence == "b is 0 throughout"

    def test_the_one_entry_of_an_array_that_is_gone_is_no_shift_of_the_array(self):
        a = np.zeros((300, 36))
        a[:, 0] = 0.5
        assert diagnosis_of(a, np.zeros((300, 36))).sentence == "b is 0 throughout"

    def test_one_step_makes_no_delay(self):
        found = diagnosis_of(np.where(TICKS > 500, 1.0, 0.0), np.where(TICKS > 510, 1.0, 0.0))
        assert found.sentence == "from tick 501 to 510 b is 0 throughout, a is 1"
        found = diagnosis_of(*(np.where((TICKS + k) % 400 < 90, 1.0, 0.0) for k in (0, -10)))
        assert (found.law, found.parameters["ticks"]) == ("delay", 10)

    def test_a_rotation_that_never_changes_shows_no_order(self):
        one, none = np.ones(N), np.zeros(N)
        a = {"q.x": none, "q.y": none, "q.z": none, "q.w": one}
        found = diagnoses(a, {"q.x": one, "q.y": none, "q.z": none, "q.w": none})
        assert {law.law for law in found.values()} == {"constant"}
        found = diagnoses(a, {path: -side for path, side in a.items()})
        assert {law.law for law in found.values()} == {"negated"}


class TestFactorsNearOne:
    @pytest.mark.parametrize(
        ("factor", "words"),
        [(1 + 1e-7, "(1 + 1e-07)"), (1 - 1e-9, "(1 - 1e-09)"), (-1 - 2e-7, "(-1 - 2e-07)")],
    )
    def test_are_told_by_what_they_are_off(self, rng, factor, words):
        a = rng.normal(size=N)
        assert diagnosis_of(a, factor * a).sentence == f"b is a × {words}"
        assert diagnosis_of(a, factor * a + 0.25).sentence == f"b is a × {words} + 0.25"


class TestLags:
    """A first-order lag is neither a random walk nor a delay."""

    @pytest.mark.parametrize("gain", [0.01, 0.02, 0.05, 0.3])
    @pytest.mark.parametrize("seed", range(5))
    def test_is_not_said_to_wander(self, gain, seed):
        for slow in (0.1 * TICKS, 100 * np.sin(TICKS / 300)):
            a = walk(seed) + slow
            found = diagnosis_of(a, lagged(a, gain))
            assert found.law == "low_pass"
            assert found.parameters["of_b"] == pytest.approx(time_constant(gain), rel=1e-3)

    @pytest.mark.parametrize("gain", [0.05, 0.1, 0.2])
    @pytest.mark.parametrize("seed", range(4))
    def test_is_not_said_to_be_late(self, gain, seed):
        a = 0.01 * np.cumsum(walk(seed))
        found = diagnosis_of(a, lagged(a, gain))
        assert found.law == "low_pass"
        assert found.parameters["of_b"] == pytest.approx(time_constant(gain), rel=1e-3)

    def test_a_delay_in_noise_is_still_a_delay(self, rng):
        a = 0.01 * np.cumsum(walk(3))
        late = np.concatenate([np.full(19, a[0]), a[:-19]])
        for noise in (rng.normal(size=N), lagged(rng.normal(size=N), 0.1)):
            found = diagnosis_of(a, late + 0.2 * noise)
            assert found.sentence.startswith("b lags a by 19 ticks (0.380 s), within")


class TestTrendsByChance:
    @pytest.mark.parametrize("seed", range(40))
    def test_noise_that_adds_up_is_no_drift(self, seed):
        a = np.random.default_rng(seed + 100).normal(size=N)
        found = diagnosis_of(a, a + 0.01 * walk(seed))
        assert found is None or found.law == "wander" or "not evenly" in found.sentence
        found = diagnosis_of(a, a + 1e-4 * np.cumsum(walk(seed)))
        assert found is None or "not evenly" in found.sentence

    @pytest.mark.parametrize("seed", range(5))
    def test_a_gain_that_changes_is_no_walk(self, seed):
        gains = np.repeat(np.random.default_rng(seed).normal(1, 0.05, 10), 200)
        a = walk(seed + 50)
        for b in (gains * a, np.where(a > 0, 1.1, 0.9) * a):
            found = diagnosis_of(a, b)
            assert found is None or found.law != "wander"
        held = np.repeat(gains[::10], 10)
        found = diagnosis_of(held, held * (1 + 0.0002 * TICKS))
        assert found is None or found.law != "wander"

    def test_a_law_that_breaks_as_much_as_it_mends_is_none(self, rng):
        a = np.repeat(rng.normal(size=20), 100)
        found = diagnosis_of(a, a[TICKS // 3 * 3])
        assert found is None or not found.predicts

    def test_noise_is_none_of_few_ticks(self):
        for seed in range(100):
            rng = np.random.default_rng(seed)
            a, b = rng.normal(size=(2, int(rng.integers(10, 60))))
            assert diagnosis_of(a, b) is None
            assert diagnosis_of(a, a + b) is None
            assert diagnosis_of(a, a + 0.01 * np.cumsum(b)) is None

    def test_a_few_wild_values_are_no_whole_turns(self, rng):
        a = 0.1 * rng.normal(size=N)
        wild = rng.random(N) < 0.02
        b = a + np.where(wild, 100 * rng.normal(size=N), 0.001 * rng.normal(size=N))
        found = diagnosis_of(a, b)
        assert found is None or found.law != "wrap"

    def test_where_nearly_all_ticks_are_is_no_place(self, rng):
        a = np.abs(rng.normal(size=N))
        a[700] *= -1
        b = np.where(a > 0, rng.normal(size=N), a)
        assert diagnosis_of(a, b) is None

    def test_two_series_about_different_means_are_that_and_no_more(self, rng):
        found = diagnosis_of(rng.normal(size=N), 30 + rng.normal(size=N))
        assert found.law == "mean"
        assert found.parameters["offset"] == pytest.approx(30, abs=0.2)
        assert "on average, within" in found.sentence


class TestMatrices:
    """What is true of all entries is said before what is true of some."""

    @pytest.mark.parametrize("side", [3, 4, 6])
    @pytest.mark.parametrize("noise", [0.0, 0.01])
    def test_a_transposed_one_is_called_so(self, rng, side, noise):
        a = rng.normal(size=(200, side, side))
        b = a.transpose(0, 2, 1) + noise * rng.normal(size=a.shape)
        found = diagnosis_of(a.reshape(200, -1), b.reshape(200, -1))
        assert found.law == "transposed"
        assert found.sentence.startswith(f"b is a transposed ({side} × {side})")

    def test_whatever_entries_stand_still(self, rng):
        turn, still = np.cumsum(rng.normal(size=300)), np.zeros(300)
        about_z = [np.cos(turn), -np.sin(turn), still, np.sin(turn), np.cos(turn), *[still] * 3]
        a = np.stack([*about_z, still + 1.0], axis=1)
        upper = np.zeros((300, 9))
        upper[:, [1, 2, 5]] = rng.normal(size=(300, 3))
        for whole in (a, upper):
            b = whole.reshape(-1, 3, 3).transpose(0, 2, 1).reshape(-1, 9)
            assert diagnosis_of(whole, b).law == "transposed"
