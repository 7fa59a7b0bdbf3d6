"""A branch that a port takes otherwise is told by its condition, and no other condition ever is."""

from __future__ import annotations

import numpy as np
import pytest
from lockstep.compare.why.diagnose import diagnose

N = 3000
STEP_NS = 20_000_000


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def slow(seed, n=N):
    """A signal that changes little from tick to tick, as sensors do."""
    noise = np.random.default_rng(seed).normal(size=n + 60)
    return np.convolve(noise, np.ones(15) / 15, "valid")[:n] * 4


def diagnosis_of(a, b, inputs):
    time_ns = np.arange(len(a)) * STEP_NS
    return diagnose({"out": a}, {"out": b}, time_ns, inputs=inputs)["out"]


def test_one_field_that_exceeds_another_names_both():
    out, near = slow(1), slow(2)
    inputs = {"scan.range": near, "scan.range_max": np.full(N, 1.5), "scan.intensity": slow(4)}
    found = diagnosis_of(out, np.where(near > 1.5, 0.5 * out, out), inputs)
    assert found.law == "branch"
    assert found.sentence == "where input scan.range is above input scan.range_max, b is a × 0.5"


def test_a_limit_is_found_between_the_values_beside_it():
    out, speed = slow(1), slow(2)
    found = diagnosis_of(out, np.where(speed < -1.25, out + 2.0, out), {"odom.speed": speed})
    assert found.sentence.startswith("where input odom.speed is below -1.2")
    assert found.sentence.endswith("b is a + 2")
    assert found.parameters["foretold"] == 1.0


def test_two_conditions_are_joined(rng):
    out, speed, gear = slow(1), slow(2), rng.integers(0, 4, N).astype(np.int8)
    inputs = {"car.speed": speed, "car.gear": gear, "car.load": slow(5)}
    both = (speed > 0.5) & (gear >= 2)
    found = diagnosis_of(out, np.where(both, out - 1.0, out), inputs)
    assert "input car.speed is above 0.5" in found.sentence
    assert "input car.gear is at least 2" in found.sentence
    assert " and " in found.sentence
    either = (speed > 1.5) | (gear >= 3)
    found = diagnosis_of(out, np.where(either, out - 1.0, out), inputs)
    assert " or " in found.sentence


def test_a_jump_of_an_input_is_a_condition():
    out = slow(1)
    level = np.repeat(np.random.default_rng(8).normal(size=N // 10), 10)
    jumps = np.abs(np.diff(level, prepend=level[:1])) > 1.0
    found = diagnosis_of(out, np.where(jumps, 0.0, out), {"imu.level": level})
    words, _, limit = found.sentence.partition(", ")[0].rpartition(" ")
    assert words == "where the change of input imu.level is above"
    assert float(limit) == pytest.approx(1.0, abs=0.02)
    assert found.sentence.endswith("b is 0 throughout")


def test_where_no_law_holds_inside_the_share_that_was_foretold_is_told(rng):
    out, near = slow(1), slow(2)
    wrong = near > 1.0
    b = np.where(wrong, rng.normal(size=N) * 100, out)
    sentence = diagnosis_of(out, b, {"scan.range": near}).sentence
    assert sentence.startswith("b differs only where input scan.range is above ")
    count = int(wrong.sum())
    assert f"({count} of {N} ticks; the condition was found in some of them and " in sentence
    assert "foretold" in sentence


@pytest.mark.parametrize("kind", ["blocks", "single ticks", "onset", "span"])
def test_what_has_nothing_to_do_with_the_inputs_has_no_condition(kind):
    told = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        out = slow(seed + 1000)
        inputs = {f"imu.v{i}": slow(2000 + 20 * seed + i) for i in range(12)}
        differs = {
            "blocks": slow(seed + 5000) > 1.0,
            "single ticks": rng.random(N) < 0.02,
            "onset": np.arange(N) > 2500,
            "span": (np.arange(N) > 1000) & (np.arange(N) < 1200),
        }[kind]
        b = np.where(differs, out + 50 * rng.normal(size=N), out)
        found = diagnosis_of(out, b, inputs)
        told += found is not None and "input" in found.sentence
    assert told == 0


def test_few_or_one_stretch_prove_nothing():
    out, near = slow(1, 300), np.zeros(300)
    near[40:60] = near[100:110] = 5.0
    noise = np.random.default_rng(1).normal(size=300) * 100
    found = diagnosis_of(out, np.where(near > 1, noise, out), {"scan.range": near + slow(9, 300)})
    assert found is None or "input" not in found.sentence
